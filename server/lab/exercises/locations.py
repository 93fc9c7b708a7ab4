"""Name the line of the learner's own code in which something happens, and describe exceptions."""

from __future__ import annotations

import linecache
import re
import sys
import threading
import traceback
from collections.abc import Iterable
from types import FrameType

ADVICE = {  # for exceptions whose message does not tell a learner the remedy
    "Working outside of request context": "the request has ended when the generator runs: read it in the view",
    "the body contains the boundary": "a client that knows the boundary can send it: use a new one each time",
}


def is_learners(filename: str) -> bool:
    """Return whether code of this file name belongs to the learner."""
    return filename.startswith(("<cell ", "<your lines")) or "ipykernel_" in filename  # the latter inside a kernel


def location(filename: str, number: int) -> str:
    """Return such as "line 2 of your cell: while True:", or "" if this is not the learner's code."""
    if filename == "<template>":  # the name that Jinja gives to a template made from a string
        return f"line {number} of your template"
    line = linecache.getline(filename, number).strip()
    if not is_learners(filename) or not line:
        return ""
    return f"line {number} of your {'lines' if filename.startswith('<your lines') else 'cell'}: {line}"


def describe(error: BaseException) -> str:
    """Return the class and the message of an exception, with advice and with the learner's line if there are any."""
    text = class_and_message(error)
    advice = next((f" ({words})" for message, words in ADVICE.items() if message in text), "")
    frames = reversed(traceback.extract_tb(error.__traceback__))
    line = next(filter(None, (location(frame.filename, frame.lineno or 0) for frame in frames)), "")
    return f"{text}{advice}{line and f', at {line}'}"


def class_and_message(error: BaseException) -> str:
    """Return the last line of a traceback, such as "ValueError: no number"."""
    return traceback.format_exception_only(error)[-1].partition("\n")[0]


def line_of_threads(threads: Iterable[threading.Thread]) -> str:
    """Return the location of the first of these threads that runs the learner's code, "" if none does."""
    frames = sys._current_frames()
    for thread in threads:
        frame, calls = frames.get(thread.ident or 0), list[tuple[str, int]]()
        while frame is not None:  # collect first: a frame that returns forgets its caller
            calls.append((frame.f_code.co_filename, frame.f_lineno))
            frame = frame.f_back
        if found := next(filter(None, (location(*call) for call in calls)), ""):
            return found
    return ""


def waiting_frames(threads: Iterable[threading.Thread]) -> list[FrameType]:
    """Return the frames of `Condition.wait` in which these threads wait; events and queues wait there, too."""
    frames = sys._current_frames()
    innermost = [frames.get(thread.ident or 0) for thread in threads]
    return [frame for frame in innermost if frame and frame.f_code is threading.Condition.wait.__code__]


def line_of_dump(dump: str) -> str:
    """Return the location in a traceback of all threads that `faulthandler` has written.

    It is the first line of the learner's code, or else a line of the check. Without both it is "".
    """
    for frame in re.finditer(r'File "(.+)", line (\d+) in ', dump):
        if found := location(frame[1], int(frame[2])):
            return found
    in_check = re.search(r'File "<check>", line (\d+) in ', dump)
    return f"line {in_check[1]} of the check" if in_check else ""
