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
    "applications must write bytes": "each piece is text or bytes, and an Event is neither before its encode()",
}


def errors(log: Iterable[str]) -> list[str]:
    """Return what the server's code has raised, as its log tells it: of each traceback the last line, and where."""
    found, begun, where = list[str](), False, ""
    for line, following in pairwise(["", *"\n".join(log).splitlines(), ""]):
        if begun and re.match(r"[A-Za-z_][\w.]*(: |$)", line):
            advice = next((f" ({words})" for error, words in ADVICE.items() if error in line), "")
            found.append(f"{line}{advice}{where}")
        if begun and (at := re.match(r' +File "(.+)", line (\d+), in ', line)):
            where = place(at[1], int(at[2]), following.strip(), ", at") or where
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
    frame, callers = sys._getframe(), set[str]()
    while frame := frame.f_back:  # type: ignore[assignment]
        callers.add(frame.f_code.co_filename)
    if not line or os.path.exists(name) or name.startswith("<frozen") or name in callers:
        return ""
    return f"{before} line {number} of your {'lines' if name.startswith('<your lines') else 'cell'}: {line}"


def where_it_is(threads: list[threading.Thread]) -> str:
    """Say at which line of the learner's the first of these threads is that is at one."""
    frames = sys._current_frames()
    for thread in threads:
        frame = frames.get(thread.ident or 0)
        while frame is not None:
            name, number = frame.f_code.co_filename, frame.f_lineno
            if found := place(name, number, linecache.getline(name, number).strip(), ": it is at"):
                return found
            frame = frame.f_back
    return ""
