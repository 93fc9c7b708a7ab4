"""Run code of the learner for a limited time."""

from __future__ import annotations

import inspect
import threading
import time
from collections.abc import Callable
from typing import Any, TypeVar

from .locations import class_and_message, describe, is_learners, line_of_threads
from .response import NotYet

T = TypeVar("T")

SECONDS = 2.0  # for a response, or for a call, unless a check says otherwise
STEP, MOST_STEP = 0.05, 0.1  # seconds of a wait between two looks, and how many of them count at most


class Deadline:
    """A moment some seconds from now, for a wait in short steps.

    On a busy machine a step takes longer than it should. Only `MOST_STEP` of it counts, so that the learner's code
    still has its time. The time that this thread computes counts in full.
    """

    def __init__(self, seconds: float) -> None:
        self._left, self._looked, self._worked = seconds, time.monotonic(), time.thread_time()

    def step(self) -> float:
        """Return the number of seconds to wait before the next look; 0 after the deadline."""
        now, worked = time.monotonic(), time.thread_time()
        self._left -= max(min(now - self._looked, MOST_STEP), worked - self._worked)
        self._looked, self._worked = now, worked
        return max(0.0, min(self._left, STEP))

    def wait_for(self, condition: threading.Condition, holds: Callable[[], bool]) -> bool:
        """Wait at a condition, whose lock is held, until `holds()` or the deadline; return whether it holds."""
        while not (held := holds()) and (step := self.step()):
            condition.wait(step)
        return held


def within(seconds: float, function: Callable[..., T], *arguments: Any, **options: Any) -> T:
    """Call a function of the learner and return its result.

    Raises NotYet if it takes longer than `seconds`, with its current line, and if it raises an exception.
    """
    value, error = call(seconds, function, *arguments, **options)
    if isinstance(error, NotYet):
        raise error
    if error is not None:
        raise NotYet(f"{name_of(function)} raises {describe(error)}") from error
    result: T = value
    return result


def raised(function: Callable[..., Any], *arguments: Any, seconds: float = SECONDS) -> str:
    """Call a function; return the exception that it raises as text such as "ValueError: ...", "" if there is none."""
    _, error = call(seconds, function, *arguments)
    if isinstance(error, NotYet):
        raise error
    return "" if error is None else class_and_message(error)


def call(
    seconds: float, function: Callable[..., Any], *arguments: Any, **options: Any
) -> tuple[Any, BaseException | None]:
    """Call a function in a thread of its own. Return its result and None, or None and the exception that it raises.

    Raises NotYet if it takes longer than `seconds`. The thread then goes on until the process ends.
    """
    done: list[tuple[Any, BaseException | None]] = []

    def run() -> None:
        try:
            done.append((function(*arguments, **options), None))
        except BaseException as error:  # SystemExit too
            done.append((None, error))

    thread, deadline = threading.Thread(target=run, daemon=True, name="exercise"), Deadline(seconds)
    thread.start()
    while thread.is_alive() and (step := deadline.step()):
        thread.join(step)
    if not done:
        raise NotYet(f"{name_of(function)} is still running after {seconds} s.{at(line_of_threads([thread]))}")
    return done[0]


def name_of(function: Callable[..., Any]) -> str:
    """Return the name of a function of the learner; "your code" for a lambda and for a function of the check."""
    name = getattr(function, "__name__", "")
    code = getattr(inspect.unwrap(function), "__code__", None)
    return name if name.isidentifier() and (code is None or is_learners(code.co_filename)) else "your code"


def at(line: str) -> str:
    """Return a sentence with the current line, "" if it is unknown."""
    return f" It is at {line}" if line else ""
