r"""A feed: numbered ticks that appear at fixed times, whether or not a client reads them.

A stream belongs to one request and begins when that request arrives. A feed is shared: clients read it, miss some
ticks, reconnect and want the rest. Therefore its ticks are numbered, the latest ticks are kept for a while, and a
cursor says up to which tick a client has read. Nothing is stored: tick n is available from `start + n * interval` on.
Any server can therefore reconstruct the feed from a cursor, even a server that has just been started.

>>> feed = Feed(start=1000.0, interval=0.5, count=4)
>>> feed.latest(now=1000.9), feed.time_of(2), feed.cursor(1)
(1, 1001.0, '1000000-1')
>>> [str(tick) for tick in feed.after(-1, now=1000.9)]
['\\ 0', '| 1']
"""

from __future__ import annotations

import math
import re
import time
from dataclasses import dataclass, replace

from server.query import read_count, read_interval
from server.ticks import SPINNER, Tick

KEPT = 100  # the number of latest ticks that clients can still read
MIN_INTERVAL = 0.001  # seconds
CURSOR = re.compile("([0-9]{1,15})-([0-9]{1,15})")


@dataclass(frozen=True)
class Feed:
    """A feed that starts at `start` (seconds since 1970) and has `count` ticks (None: endless)."""

    start: float
    interval: float
    count: int | None = None

    def latest(self, now: float) -> int:
        """Return the number of the latest tick at the time `now`, or -1 before the first tick."""
        passed = now - self.start + 1e-6  # add a microsecond, so that rounding never hides a tick that is available
        latest = max(-1, math.floor(passed / self.interval))
        return latest if self.count is None else min(latest, self.count - 1)

    def after(self, n: int, now: float) -> list[Tick]:
        """Return the ticks after tick n that are available and still kept."""
        latest = self.latest(now)
        return [self.tick(each) for each in range(max(n + 1, latest - KEPT + 1), latest + 1)]

    def tick(self, n: int) -> Tick:
        """Return tick n."""
        return Tick(SPINNER[n % len(SPINNER)], n)

    def time_of(self, n: int) -> float:
        """Return the time at which tick n becomes available, in seconds since 1970."""
        return self.start + n * self.interval

    def ends_with(self, n: int) -> bool:
        """Return whether the feed has no tick after tick n."""
        return self.count is not None and n >= self.count - 1

    def cursor(self, n: int) -> str:
        """Return the position after tick n: the start of the feed in milliseconds since 1970, and n."""
        return f"{round(self.start * 1000)}-{n}"

    def at(self, cursor: str) -> tuple[Feed, int] | None:
        """Return the feed that a cursor belongs to, with the interval and count of this one, and the cursor's n.

        Return None for a text that is not a cursor, and for a cursor of a tick that is not available yet.
        """
        found = CURSOR.fullmatch(cursor)
        if found is None:
            return None
        feed, n = replace(self, start=int(found[1]) / 1000), int(found[2])
        return (feed, n) if n <= feed.latest(time.time()) else None


def requested_feed() -> Feed:
    """Return a feed that starts now, with the `count` and `interval` of the current request.

    `count` is a whole number from 1 to 1,000,000 (default: endless), `interval` a number of seconds from 0.001 to
    3,600 (default: 0.5). Raises BadRequest (status 400) for any other value.
    """
    return Feed(int(time.time() * 1000) / 1000, read_interval(0.5, MIN_INTERVAL), read_count(minimum=1))
