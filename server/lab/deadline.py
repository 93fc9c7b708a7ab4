"""A deadline for a wait in short steps, which tolerates stalls of a busy machine."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

STEP, MOST_STEP = 0.05, 0.1  # seconds of one step of a wait, and the seconds of it that count at most


class Deadline:
    """A moment some seconds from now. Zero or negative seconds have already passed.

    On a busy machine a step takes longer than it should. At most `MOST_STEP` of it counts, so that the code for which
    a thread waits still has its time. The time that this thread computes counts in full.
    """

    def __init__(self, seconds: float) -> None:
        self._left, self._looked, self._worked = seconds, time.monotonic(), time.thread_time()

    def step(self) -> float:
        """Return the number of seconds to wait before the next call; 0 after the deadline."""
        now, worked = time.monotonic(), time.thread_time()
        self._left -= max(min(now - self._looked, MOST_STEP), worked - self._worked)
        self._looked, self._worked = now, worked
        return max(0.0, min(self._left, STEP))

    def wait_for(self, condition: threading.Condition, holds: Callable[[], bool]) -> bool:
        """Wait at a condition, whose lock is held, until `holds()` or the deadline. Return whether it holds."""
        while not (held := holds()) and (step := self.step()):
            condition.wait(step)
        return held
