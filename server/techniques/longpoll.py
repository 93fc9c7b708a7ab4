r"""Long polling: the server delays its response until it has a new tick, or until a timeout.

The client sends a cursor with each request, so no tick is lost between two requests, and none arrives twice.

>>> from server.feed import Feed
>>> new_ticks(Feed(start=1.0, interval=1, count=9), after=4, now=7.5)
{'ticks': [{'char': '|', 'n': 5}, {'char': '/', 'n': 6}], 'cursor': '1000-6', 'missed': 0, 'more': True}
"""

import time
from collections.abc import Iterator
from typing import Any

from flask import Blueprint, Response, jsonify, request

from server.disconnect import ClientDisconnected, pause
from server.feed import Feed, requested_feed
from server.query import bad_request, read_seconds

blueprint = Blueprint("longpoll", __name__)

TICK_END = None  # each tick is a response by itself: see receive_ticks

MAX_TIMEOUT = 60  # seconds


@blueprint.get("/longpoll")
def long_poll() -> Response:
    """Return the ticks after the cursor `after` as JSON. If there are none yet, wait for the next tick.

    Query parameters:
        after: the cursor of the previous response; without it, a new feed starts now.
        timeout: seconds to wait, 0 to 60 (default 25).

    Returns 200 with `ticks`, `cursor`, `missed` (the number of ticks no longer kept) and `more`. Returns 204 if the
    timeout expires: the client repeats the request with the same cursor. Returns 400 if a parameter is invalid.
    """
    feed, n = read_cursor(requested_feed(), request.args.get("after"))
    deadline = time.time() + read_seconds("timeout", 25, MAX_TIMEOUT)
    if feed.ends_with(n):
        return uncached_json(new_ticks(feed, n, time.time()))
    wait = pause(request.environ)
    while not feed.after(n, now := time.time()) and now < deadline:
        wait(min(feed.time_of(n + 1), deadline) - now)  # this thread serves no other client meanwhile
    payload = new_ticks(feed, n, time.time())
    return uncached_json(payload) if payload["ticks"] else Response(status=204)


def read_cursor(feed: Feed, cursor: str | None) -> tuple[Feed, int]:
    """Return the feed and the tick number of a cursor.

    Without a cursor, return `feed` and -1: the position before the first tick. Raises BadRequest (status 400) if the
    cursor is not one of an earlier response.
    """
    if cursor is None:
        return feed, -1
    return feed.at(cursor) or bad_request(f"after must be a cursor from an earlier response, not {cursor[:40]!r}")


def new_ticks(feed: Feed, after: int, now: float) -> dict[str, Any]:
    """Return the payload of a response: the ticks after tick number `after` at the time `now`.

    `now` is in seconds since 1970. The payload has `ticks`, the `cursor` for the next request, `missed` (the number
    of ticks no longer kept) and `more` (whether more ticks follow).
    """
    found = feed.after(after, now)
    first, last = (found[0].n, found[-1].n) if found else (after + 1, after)
    return {
        "ticks": [tick._asdict() for tick in found],
        "cursor": feed.cursor(last),
        "missed": first - after - 1,
        "more": not feed.ends_with(last),
    }


def uncached_json(payload: dict[str, Any]) -> Response:
    """Return a JSON response that must not be cached."""
    response = jsonify(payload)
    response.headers["Cache-Control"] = "no-store"
    return response


@blueprint.errorhandler(ClientDisconnected)
def end_request(_: ClientDisconnected) -> Response:
    """End the request of a client that has disconnected while it waited. Nobody reads this response."""
    return Response(status=204)


def receive_ticks(url: str, query: str) -> Iterator[int]:
    """Yield the numbers of the ticks of a new feed, as a client receives them that polls again after each response.

    `url` is the root of the server, and `query` has `count` and `interval`. Raises OSError if a request fails.
    """
    import requests  # only a client needs it, and importing it takes time

    more, cursor = True, None
    while more:
        response = requests.get(f"{url}/longpoll?{query}", params={"after": cursor}, timeout=MAX_TIMEOUT)
        response.raise_for_status()
        if response.status_code == 200:
            payload = response.json()
            yield from (tick["n"] for tick in payload["ticks"])
            more, cursor = payload["more"], payload["cursor"]
