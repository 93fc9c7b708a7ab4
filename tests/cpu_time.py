"""Compare the CPU time of a small and of a large input, so that no test depends on the speed of the machine."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import coverage

MORE = 8  # times as large is the large input
MARGIN = 3  # for caches, memory and other programs; quadratic cost takes MORE * MORE times as long


def cpu_seconds(work: Callable[..., Any], *arguments: Any) -> float:
    """Return the CPU time of a call in this thread, in seconds. It is not traced for the coverage."""
    if measured := coverage.Coverage.current():
        measured.stop()
    try:
        began = time.thread_time()
        work(*arguments)
        return time.thread_time() - began
    finally:
        if measured:
            measured.start()


def expect_linear(make: Callable[[int], Any], work: Callable[[Any], Any], size: int) -> None:
    """Fail if `work(make(8 * size))` takes more than 24 times as long as `work(make(size))`; `make` is not measured.

    The smaller one is measured three times, the larger one up to three times, because other programs can only make
    a measurement longer.
    """
    small, large = make(size), make(MORE * size)
    limit = MORE * MARGIN * max(0.0005, min(cpu_seconds(work, small) for _ in range(3)))
    measured: list[float] = []
    while not measured or (measured[-1] > limit and len(measured) < 3):
        measured.append(cpu_seconds(work, large))
    assert measured[-1] <= limit, f"{size} take {limit / MORE / MARGIN:.4f} s, {MORE} times as many {measured} s"
