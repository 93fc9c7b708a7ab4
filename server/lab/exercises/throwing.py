"""SystemExit, thrown into a thread that runs code of a notebook, also where that catches whatever comes."""

from __future__ import annotations

import ctypes
import functools
import os
import sys
import threading
import weakref
from collections.abc import Callable
from types import CodeType

_SET_EXCEPTION = ctypes.PYFUNCTYPE(None, ctypes.c_ulong, ctypes.py_object)(
    ("PyThreadState_SetAsyncExc", ctypes.pythonapi)
)


def throw(thread: threading.Thread, caught: int, reached: Callable[[], None]) -> None:
    """Raise SystemExit in a thread, which has caught it so many times; where it lands, `reached` is called.

    `reached` is C: a function in Python would be hit itself.
    """
    if sys.version_info >= (3, 12):
        # In Python 3.12 the jump back after `except: pass` counts as part of its `try`: that catches any number.
        if caught:
            _raise_at_each_line(thread)
        _throw(thread, 1, reached)
    else:
        _throw(thread, 1 + caught, reached)


def _throw(thread: threading.Thread, times: int, last: Callable[[], None]) -> None:
    """Raise SystemExit in a thread, and again as soon as it is caught; the last time calls `last`."""
    then = last
    for _ in range(times):  # what makes the exception throws the next
        error = type("SystemExit", (SystemExit,), {"__init__": staticmethod(then)})
        then = functools.partial(_SET_EXCEPTION, thread.ident or 0, error)
    then()


def cells(thread: threading.Thread) -> list[CodeType]:
    """Return the code of notebooks that a thread is in, the innermost first."""
    frame, found = sys._current_frames().get(thread.ident or 0), list[CodeType]()
    while frame is not None:
        name = frame.f_code.co_filename
        if not name.startswith("<frozen") and not os.path.exists(name):  # a cell's code is in no file
            found.append(frame.f_code)
        frame = frame.f_back
    return found


if sys.version_info >= (3, 12):
    TOOL, NAME = 4, "exercises"  # to Python's monitoring: an id that no kind of tool has by convention
    _ended = weakref.WeakSet[threading.Thread]()  # threads in which each line raises

    def _raise_at_each_line(thread: threading.Thread) -> None:
        """Let the code of notebooks that a thread is in raise SystemExit there, line by line (PEP 669)."""
        monitoring = sys.monitoring
        if monitoring.get_tool(TOOL) != NAME:
            monitoring.use_tool_id(TOOL, NAME)
        monitoring.register_callback(TOOL, monitoring.events.LINE, _at_line)
        _ended.add(thread)
        for code in cells(thread):
            monitoring.set_local_events(TOOL, code, monitoring.events.LINE)

    def _at_line(code: CodeType, number: int) -> None:
        if threading.current_thread() in _ended:
            raise SystemExit
