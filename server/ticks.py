r"""The one small story that every technique streams, so that their bytes compare: a spinner that turns.

>>> [str(tick) for tick in ticks(count=5, interval=0)]
['\\ 0', '| 1', '/ 2', '- 3', '\\ 4']
"""

import time
from collections.abc import Callable, Iterator, Sequence
from itertools import cycle, islice
from typing import NamedTuple

SPINNER = "\\|/-"


class Tick(NamedTuple):
    """One step of the story: what to show, and its number, counted from 0."""

    char: str
    n: int

    def __str__(self) -> str:
        return f"{self.char} {self.n}"


def ticks(
    chars: Sequence[str] = SPINNER,
    count: int | None = None,
    interval: float = 0.1,
    pause: Callable[[float], object] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[Tick]:
    """Yield `count` ticks (None: without end), the first at once, the others `interval` seconds apart.

    `chars` are shown in turn, again and again. `pause` waits the seconds it is given; what it raises ends the story.
    The ticks keep time: what making and sending one has taken is not waited once more. A reader that has held the
    story up for longer than an interval gets no burst, the story goes on from there.
    """
    due = clock()
    for n, char in enumerate(islice(cycle(chars), count)):
        if n and interval:
            due = max(due + interval, clock())
            pause(max(0, due - clock()))
        yield Tick(char, n)
