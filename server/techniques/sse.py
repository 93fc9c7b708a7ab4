r"""Server-sent events: one response that never has to end, read by the browser's EventSource.

>>> from server.ticks import ticks
>>> list(frames(ticks(count=2, interval=0)))
[b'data: \\ 0\n\n', b'data: | 1\n\n']
"""

import time
from collections.abc import Callable, Iterable, Iterator
from itertools import chain

from flask import Blueprint, Response, request

from server.disconnect import pause
from server.feed import MIN_INTERVAL, Feed, requested_feed
from server.query import MAX_SECONDS, read_count, read_int, read_interval, read_seconds
from server.ticks import SPINNER, Tick, ticks
from server.wire.sse import MEDIA_TYPE, Event, comment

blueprint = Blueprint("sse", __name__)

TICK_END = rb"\n\n"  # the bytes that end a tick, as a regular expression

# Caches must not store the stream, and nginx must not buffer it (the second header is nginx's own).
HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


@blueprint.get("/sse")
def stream() -> Response:
    """Stream ticks as events. The stream is endless unless the request has a `count`.

    With `resume=1` each event has an id, and a client that reconnects receives the events that it has missed.
    """
    if request.args.get("resume") == "1":
        return resumed(request.headers.get("Last-Event-ID", ""))
    spinner = ticks(SPINNER, count=read_count(), interval=read_interval(0.1), pause=pause(request.environ))
    return response(frames(spinner))


def response(body: Iterable[bytes]) -> Response:
    """Return the response for a stream of events. A browser accepts no other content type."""
    return Response(body, content_type=MEDIA_TYPE, headers=HEADERS)


def frames(spinner: Iterable[Tick]) -> Iterator[bytes]:
    """Yield one event per tick. The server sends each yielded chunk at once."""
    for tick in spinner:
        yield Event(str(tick)).encode()


def resumed(last_event_id: str) -> Response:
    """Stream a feed from the event after `last_event_id` on.

    The response is 204 if the client has every event of the feed: a browser then stops reconnecting. The query
    parameter `retry` sets the browser's retry delay in milliseconds. After `heartbeat` seconds without an event the
    server sends a comment.
    """
    new = requested_feed()
    position = new.at(last_event_id)
    feed, n = position or (new, -1)
    retry = read_int("retry", None, 0, MAX_SECONDS * 1000)
    heartbeat = max(read_seconds("heartbeat", 15, MAX_SECONDS), MIN_INTERVAL)
    if feed.ends_with(n):
        return Response(status=204)
    # The server sends the headers together with the first bytes of the body. The client knows that it is connected.
    first = comment("connected") if retry is None else b"retry: %d\n\n" % retry
    if last_event_id and not position:
        first += Event(last_event_id, event="unknown").encode()  # not an id of this server: the feed starts again
    return response(chain([first], events(feed, n, heartbeat, pause(request.environ))))


def events(feed: Feed, n: int, heartbeat: float, wait: Callable[[float], object]) -> Iterator[bytes]:
    """Yield the ticks after tick n with their ids, up to the end of the feed.

    A "missed" event holds the number of ticks that are no longer kept. `wait` is called with the seconds to wait.
    """
    while True:
        for tick in feed.after(n, time.time()):
            if tick.n > n + 1:
                yield Event(str(tick.n - n - 1), event="missed").encode()
            yield Event(str(tick), id=feed.cursor(tick.n)).encode()
            n = tick.n
        if feed.ends_with(n):
            return
        silence = feed.time_of(n + 1) - time.time()
        wait(max(0, min(silence, heartbeat)))
        if silence > heartbeat:
            yield comment("still here")
