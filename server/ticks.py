r"""The demo data that every technique streams: a spinner that turns. The same data makes their bytes comparable.

>>> [str(tick) for tick in ticks(count=5, interval=0)]
['\\ 0', '| 1', '/ 2', '- 3', '\\ 4']
"""

import time
from collections.abc import Callable, Iterator, Sequence
from itertools import cycle, islice
from typing import NamedTuple

SPINNER = "\\|/-"


class Tick(NamedTuple):
    """One item of the stream: the character to show, and the tick's number, counted from 0."""

    char: str
    n: int

    def __str__(self) -> str:
        return f"{self.char} {self.n}"


def ticks(
    chars: Sequence[str] = SPINNER,
    *,
    count: int | None = None,
    interval: float = 0.1,
    pause: Callable[[float], object] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[Tick]:
    """Yield `count` ticks (None: endless): the first at once, each other one `interval` seconds after the one before.

    `chars` are shown in turn, again and again. `pause` is called with the seconds to wait. If it raises an exception,
    the stream ends. `clock` returns the time in seconds.

    The time that it takes to send a tick is part of the interval. After a delay of more than an interval, no burst of
    ticks follows: the schedule starts again from there.
    """
    next_time = clock()
    for n, char in enumerate(islice(cycle(chars), count)):
        if n and interval:
            next_time = max(next_time + interval, clock())
            pause(max(0, next_time - clock()))
        yield Tick(char, n)
