r"""Server-sent events: one response that never has to end, read by the browser's EventSource.

>>> from server.ticks import ticks
>>> list(frames(ticks(count=2, interval=0)))
[b'data: \\ 0\n\n', b'data: | 1\n\n']
"""

from collections.abc import Iterable, Iterator

from flask import Blueprint, Response

from server.pace import pace
from server.ticks import SPINNER, Tick, ticks
from server.wire.sse import Event

blueprint = Blueprint("sse", __name__)


@blueprint.get("/sse")
def stream() -> Response:
    """Stream ticks as events, without end unless `count` says otherwise."""
    body = frames(ticks(SPINNER, *pace(count=None, interval=0.1)))
    # Without its exact type a browser refuses the stream. The two fields tell caches and
    # proxies to keep nothing, neither for later nor for a moment (the second is nginx's own).
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return Response(body, content_type="text/event-stream", headers=headers)


def frames(story: Iterable[Tick]) -> Iterator[bytes]:
    """Yield one event a tick: what is yielded by itself leaves by itself."""
    for tick in story:
        yield Event(str(tick)).encode()
