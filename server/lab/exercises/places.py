"""Where something is in the learner's own code, and what its errors mean."""

from __future__ import annotations

import linecache
import os
import re
import sys
import threading
import traceback
from collections.abc import Iterable
from itertools import pairwise

ADVICE = {  # what to do, for errors whose own words do not say it to a learner
    "Working outside of request context": "the request is over when the generator runs: read it in the view",
    "the body holds the boundary": "who has read a boundary can send it back: every answer needs a fresh one",
}


def errors(log: Iterable[str]) -> list[str]:
    """Return what the server's code has raised, as its log tells it: of each traceback the last line, and where."""
    found, begun, where = list[str](), False, ""
    for line, following in pairwise(["", *"\n".join(log).splitlines(), ""]):
        if begun and re.match(r"[A-Za-z_][\w.]*(: |$)", line):
            advice = next((f" ({words})" for error, words in ADVICE.items() if error in line), "")
            found.append(f"{line}{advice}{where}")
        if begun and (at := re.match(r' +File "(.+)", line (\d+), in ', line)):
            code = following.strip() if following.startswith("    ") else ""  # a line without source is not shown
            where = place(at[1], int(at[2]), code, ", at") or where
        if line.startswith("Traceback"):
            where = ""
        begun = line.startswith("Traceback") or (begun and line.startswith(" "))
    return found


def line_of(error: BaseException) -> str:
    """Say at which line of the learner's an exception was raised."""
    frames = reversed(traceback.extract_tb(error.__traceback__))
    places = (place(frame.filename, frame.lineno or 0, frame.line or "", ", at") for frame in frames)
    return next(filter(None, places), "")


def place(name: str, number: int, line: str, before: str) -> str:
    """Say at which line of the learner's something is, "" where it is in a file, or in the cell that checks."""
    if name == "<template>":  # as Jinja names one that comes from a text
        return f"{before} line {number} of your template"
    if not line or os.path.exists(name) or name.startswith("<frozen") or name in callers():
        return ""
    return f"{before} line {number} of your {'lines' if name.startswith('<your lines') else 'cell'}: {line}"


def callers() -> set[str]:
    """Return the files and cells that are under way in this thread: among them the cell that checks."""
    frame, found = sys._getframe(), set[str]()
    while frame := frame.f_back:  # type: ignore[assignment]
        found.add(frame.f_code.co_filename)
    return found


def where_it_is(threads: list[threading.Thread]) -> str:
    """Say at which line of the learner's the first of these threads is that is at one."""
    frames = sys._current_frames()
    for thread in threads:
        frame, chain = frames.get(thread.ident or 0), list[tuple[str, int]]()
        while frame is not None:  # all at once: a frame that returns forgets its caller
            chain.append((frame.f_code.co_filename, frame.f_lineno))
            frame = frame.f_back
        for name, number in chain:
            if found := place(name, number, linecache.getline(name, number).strip(), ": it is at"):
                return found
    return ""
