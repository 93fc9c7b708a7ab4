r"""A feed: the same story, but it goes on by the clock, whether or not anybody reads it.

A stream belongs to one request, and begins when that comes. A feed belongs to nobody: readers look at it, miss
something, come back and want the rest. So its ticks are numbered, the latest are kept for a while, and a cursor says
how far a reader has come. Nothing is stored: tick n is there from `start + n * interval` on, so any server that is
given a cursor knows the feed that it comes from, one that has just been started included.

>>> feed = Feed(start=1000.0, interval=0.5, count=4)
>>> feed.latest(now=1000.9), feed.due(2), feed.cursor(1)
(1, 1001.0, '1000000-1')
>>> [str(tick) for tick in feed.after(-1, now=1000.9)]
['\\ 0', '| 1']
"""

from __future__ import annotations

import math
import re
import time
from dataclasses import dataclass, replace

from server.pace import MOST_SECONDS, MOST_TICKS, refuse, seconds, whole_number
from server.ticks import SPINNER, Tick

KEPT = 100  # ticks that are still handed out; older ones are forgotten
LEAST_SECONDS = 0.001
CURSOR = re.compile("([0-9]{1,15})-([0-9]{1,15})")


@dataclass(frozen=True)
class Feed:
    """A feed that starts at `start` (seconds since 1970) and ends after `count` ticks (None: never)."""

    start: float
    interval: float
    count: int | None = None

    def latest(self, now: float) -> int:
        """Return the number of the latest tick at a time, -1 before the first."""
        passed = now - self.start + 1e-6  # a microsecond early: what is due at `now` is there, however it is rounded
        latest = max(-1, math.floor(passed / self.interval))
        return latest if self.count is None else min(latest, self.count - 1)

    def after(self, n: int, now: float) -> list[Tick]:
        """Return the ticks after tick n that are there and still kept."""
        latest = self.latest(now)
        return [self.tick(each) for each in range(max(n + 1, latest - KEPT + 1), latest + 1)]

    def tick(self, n: int) -> Tick:
        """Return tick n."""
        return Tick(SPINNER[n % len(SPINNER)], n)

    def due(self, n: int) -> float:
        """Return the time from which tick n is there, in seconds since 1970."""
        return self.start + n * self.interval

    def ends_with(self, n: int) -> bool:
        """Tell whether no tick comes after tick n."""
        return self.count is not None and n >= self.count - 1

    def cursor(self, n: int) -> str:
        """Return the place after tick n: when the feed started, in milliseconds, and n."""
        return f"{round(self.start * 1000)}-{n}"

    def at(self, cursor: str) -> tuple[Feed, int] | None:
        """Return the feed of a cursor, with the pace of this one, and its n; None for a cursor that is not ours."""
        found = CURSOR.fullmatch(cursor)
        if found is None:
            return None
        feed, n = replace(self, start=int(found[1]) / 1000), int(found[2])
        return (feed, n) if n <= feed.latest(time.time()) else None  # nobody has read what is not there yet


def asked() -> Feed:
    """Return the feed that starts now, at the pace that the present request asks for.

    `count` is a whole number from 1 to 1,000,000 (without it the feed has no end), `interval` a number of seconds
    from 0.001 to 3,600 (else 0.5). Anything else is answered with 400 and a text that says what is allowed.
    """
    wanted = seconds("interval", 0.5, MOST_SECONDS)
    if wanted < LEAST_SECONDS:
        refuse(f"interval is at least {LEAST_SECONDS} seconds here: the feed goes on by the clock")
    return Feed(int(time.time() * 1000) / 1000, wanted, whole_number("count", None, 1, MOST_TICKS))
