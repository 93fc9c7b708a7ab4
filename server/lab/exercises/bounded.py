"""Run code of the learner for a limited time."""

from __future__ import annotations

import inspect
import threading
from collections.abc import Callable
from typing import Any, TypeVar

from ..client import SECONDS
from ..deadline import Deadline
from .locations import class_and_message, describe, is_learners, line_of_threads
from .response import NotYet

T = TypeVar("T")


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
