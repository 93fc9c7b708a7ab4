r"""Server-sent events: one response that never has to end, read by the browser's EventSource.

>>> from server.ticks import ticks
>>> list(frames(ticks(count=2, interval=0)))
[b'data: \\ 0\n\n', b'data: | 1\n\n']
"""

import time
from collections.abc import Callable, Iterable, Iterator
from itertools import chain

from flask import Blueprint, Response, request

from server.feed import LEAST_SECONDS, Feed, asked
from server.pace import MOST_SECONDS, pace, pause, seconds, whole_number
from server.ticks import SPINNER, Tick, ticks
from server.wire.sse import MEDIA_TYPE, Event, comment

blueprint = Blueprint("sse", __name__)

# The fields tell caches and proxies to keep nothing, neither for later nor for a moment (the second is nginx's own).
HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


@blueprint.get("/sse")
def stream() -> Response:
    """Stream ticks as events, without end unless `count` says otherwise.

    With `resume=1` the events carry ids, and a reader that comes back is told what it has missed.
    """
    if request.args.get("resume") == "1":
        return resumed(request.headers.get("Last-Event-ID", ""))
    return response(frames(ticks(SPINNER, *pace(count=None, interval=0.1))))


def response(body: Iterable[bytes]) -> Response:
    """Return a stream of events. Without its exact type a browser refuses it."""
    return Response(body, content_type=MEDIA_TYPE, headers=HEADERS)


def frames(story: Iterable[Tick]) -> Iterator[bytes]:
    """Yield one event a tick: what is yielded by itself leaves by itself."""
    for tick in story:
        yield Event(str(tick)).encode()


def resumed(last_event_id: str) -> Response:
    """Stream a feed from where the reader has left it; 204 once it has everything: a browser asks no more then.

    `retry` is the browser's waiting time in milliseconds, `heartbeat` the seconds after which a comment breaks the
    silence.
    """
    new = asked()
    place = new.at(last_event_id)
    feed, n = place or (new, -1)
    retry = whole_number("retry", None, 0, MOST_SECONDS * 1000)
    heartbeat = max(seconds("heartbeat", 15, MOST_SECONDS), LEAST_SECONDS)
    if feed.ends_with(n):
        return Response(status=204)
    # The first bytes take the head with them: so a reader knows at once that it is connected.
    hello = comment("connected") if retry is None else b"retry: %d\n\n" % retry
    if last_event_id and not place:
        hello += Event(last_event_id, event="unknown").encode()  # no id of ours: the feed begins anew
    return response(chain([hello], events(feed, n, heartbeat, pause(request.environ))))


def events(feed: Feed, n: int, heartbeat: float, wait: Callable[[float], object]) -> Iterator[bytes]:
    """Yield the ticks after tick n with their ids, to the end of the feed; "missed" tells how many are forgotten."""
    while True:
        for tick in feed.after(n, time.time()):
            if tick.n > n + 1:
                yield Event(str(tick.n - n - 1), event="missed").encode()
            yield Event(str(tick), id=feed.cursor(tick.n)).encode()
            n = tick.n
        if feed.ends_with(n):
            return
        silence = feed.due(n + 1) - time.time()
        wait(max(0, min(silence, heartbeat)))
        if silence > heartbeat:
            yield comment("still here")
