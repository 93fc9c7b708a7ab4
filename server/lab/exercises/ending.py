"""Ending what does not end: a learner's loop, a sleep, a wait, a server."""

from __future__ import annotations

import contextlib
import functools
import inspect
import sys
import threading
import time
import traceback
import warnings
from collections.abc import Callable, Iterable, Iterator
from types import FrameType
from typing import Any, TypeVar

from ..background import BackgroundServer, quietly
from .places import callers, line_of, where_it_is
from .seen import NotYet
from .throwing import cells, throw

T = TypeVar("T")

SECONDS = 2.0  # for an answer, or for a call, unless a check says otherwise
PATIENCE = 0.3  # seconds for a server to notice that its client has left, before its threads are ended
STEP, MOST_STEP = 0.05, 0.1  # seconds of a wait between two looks, and how many of them count
_SLEEP = time.sleep


class Due:
    """A time that is over after some seconds, for a wait in steps.

    Where the machine is held up, a step takes longer than it asks for, and of that little counts: so on a busy
    machine, too, a learner's code has its time. What this thread works meanwhile counts in full.
    """

    def __init__(self, seconds: float) -> None:
        self._left, self._looked, self._worked = seconds, time.monotonic(), time.thread_time()

    def step(self) -> float:
        """Return how many seconds to wait before the next look: 0 where the time is over."""
        now, worked = time.monotonic(), time.thread_time()
        self._left -= max(min(now - self._looked, MOST_STEP), worked - self._worked)
        self._looked, self._worked = now, worked
        return max(0.0, min(self._left, STEP))

    def wait_at(self, condition: threading.Condition, holds: Callable[[], bool]) -> bool:
        """Wait at a condition, whose lock is taken, until something holds; return whether it does."""
        while not (held := holds()) and (step := self.step()):
            condition.wait(step)
        return held


def within(seconds: float, function: Callable[..., T], *arguments: Any, **options: Any) -> T:
    """Call a function of the learner's, and return what it returns.

    Raises NotYet where it is not done within the time, with the line at which it was, and where it raises.
    """
    value, error = called(seconds, function, *arguments, **options)
    if isinstance(error, NotYet):
        raise error
    if error is not None:
        raise NotYet(f"{name_of(function)} raises {said_by(error)}{line_of(error)}") from error
    result: T = value
    return result


def raised(function: Callable[..., Any], *arguments: Any, seconds: float = SECONDS) -> str:
    """Return what a call raises, as text such as "ValueError: ...", and "" where it raises nothing."""
    _, error = called(seconds, function, *arguments)
    if isinstance(error, NotYet):
        raise error
    return "" if error is None else said_by(error)


def called(
    seconds: float, function: Callable[..., Any], *arguments: Any, **options: Any
) -> tuple[Any, BaseException | None]:
    """Call a function in a thread of its own; return its value and None, or None and what it raises."""
    done: list[tuple[Any, BaseException | None]] = []

    def call() -> None:
        try:
            done.append((function(*arguments, **options), None))
        except BaseException as error:  # SystemExit too
            done.append((None, error))

    thread = threading.Thread(target=quietly, args=(call,), daemon=True, name="exercise")
    with short_sleeps():
        thread.start()
        wait_for([thread], seconds)
        if thread.is_alive():
            where = where_it_is([thread])
            _end([thread])
            raise NotYet(f"{name_of(function)} is not done after {seconds} s{where or ': it is still at work.'}")
    return done[0]


def name_of(function: Callable[..., Any]) -> str:
    """Return what a learner calls a function of theirs; "your code" for a lambda, and for a function of the check."""
    name = getattr(function, "__name__", "")
    code = getattr(inspect.unwrap(function), "__code__", None)
    return name if name.isidentifier() and (code is None or code.co_filename not in callers()) else "your code"


def said_by(error: BaseException) -> str:
    """Return an exception as Python says it: its class, and what it says."""
    return traceback.format_exception_only(error)[-1].strip()


@contextlib.contextmanager
def short_sleeps() -> Iterator[None]:
    """Let time.sleep sleep in steps in the threads of exercises and of servers: after each they can be ended."""
    sleep = time.sleep
    time.sleep = _in_steps  # type: ignore[assignment]
    try:
        yield
    finally:
        time.sleep = sleep


def _in_steps(timeout: float, /) -> None:
    left = timeout
    if threading.current_thread().name.startswith(("exercise", "stream of ")):
        due = time.monotonic() + timeout
        while left > STEP:
            _SLEEP(STEP)
            left = max(0.0, due - time.monotonic())
    _SLEEP(left)


def wait_of(thread: threading.Thread) -> FrameType | None:
    """Return the frame in which a thread waits for its `timeout`: at a condition, an event or a queue, or asleep."""
    frame = sys._current_frames().get(thread.ident or 0)
    return frame if frame and frame.f_code in (threading.Condition.wait.__code__, _in_steps.__code__) else None


def end_server(server: BackgroundServer, patience: float = PATIENCE) -> tuple[list[str], str]:
    """Stop a server, ending threads that would go on for ever; return its log until then, and where they were."""
    port = server.url.rpartition(":")[2]
    busy = [thread for thread in threading.enumerate() if thread.name == f"stream of server {port}"]
    wait_for(busy, patience)
    log, where = list(server.log), where_it_is(busy)
    _end(busy)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # that a thread sleeps on is said in `where`
        server.stop()
    return log, where


def wait_for(threads: Iterable[threading.Thread], seconds: float) -> None:
    """Wait until all the threads have ended, for some seconds at most."""
    due = Due(seconds)
    for thread in threads:
        while thread.is_alive() and (step := due.step()):
            thread.join(step)


def _end(threads: list[threading.Thread]) -> None:
    """Throw SystemExit into each thread: it ends as soon as it runs a line of Python. Wait a moment for that.

    What has caught it all the same, as a bare `except` does, gets more. No more is thrown into a thread that what
    came before has not reached: at once, they could end it between taking a lock and leaving it.
    """
    due, thrown = Due(PATIENCE), dict.fromkeys(threads, 0)
    reached = list[threading.Thread]()
    while (alive := [thread for thread in threads if thread.is_alive()]) and (step := due.step()):
        for thread in filter(cells, alive):  # what has left it ends by itself
            if reached.count(thread) == thrown[thread]:
                throw(thread, thrown[thread], functools.partial(reached.append, thread))
                thrown[thread] += 1
            _ring(thread)
        alive[0].join(step)


def _ring(thread: threading.Thread) -> None:
    """Wake a thread that waits for a condition, an event or a queue: no exception reaches it before."""
    frame = wait_of(thread)
    if frame is not None:
        with contextlib.suppress(KeyError, RuntimeError):  # it sleeps, does not wait yet, or not any more
            frame.f_locals["waiter"].release()
