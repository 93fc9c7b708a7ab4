r"""Polling: the page sends a request again and again, and each response has the state of that moment.

>>> from server.feed import Feed
>>> state(Feed(start=0, interval=1, count=3), 1), state(Feed(start=0, interval=1, count=3), 2)
({'char': '|', 'n': 1, 'more': True}, {'char': '/', 'n': 2, 'more': False})
"""

import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, jsonify, redirect, request
from werkzeug.wrappers import Response

from server.feed import Feed, requested_feed
from server.query import read_int

blueprint = Blueprint("polling", __name__)

TICK_END = None  # each tick is a response by itself: see receive_ticks

POLL_SECONDS = 0.03  # between two requests of receive_ticks

STARTED = int(time.time() * 1000)  # the shared feed starts with the server, in milliseconds since 1970


@blueprint.get("/polling")
def latest() -> Response:
    """Return the latest tick of the feed, or 304 without a body if the client already has it.

    `start` is the start of the feed in milliseconds since 1970. `start=now` redirects to a feed that starts now.
    """
    feed = requested_feed()
    if request.args.get("start") == "now":
        query = urlencode({**request.args, "start": round(feed.start * 1000)})
        return redirect(f"polling?{query}", 303)
    start = read_int("start", STARTED, 0, int(time.time() * 1000))
    return conditional(replace(feed, start=(start or 0) / 1000))


def conditional(feed: Feed) -> Response:
    """Return the current state. Werkzeug compares the request's If-None-Match with its ETag (RFC 9110, 13.1.2)."""
    n = feed.latest(time.time())
    response = jsonify(state(feed, n))
    response.set_etag(str(n))
    response.headers["Cache-Control"] = "no-cache"  # a cache must check with the server before each use
    response.make_conditional(request)
    del response.headers["Date"]  # make_conditional adds one, and the server sends its own
    return response


def state(feed: Feed, n: int) -> dict[str, Any]:
    """Return the body of a response: tick n, and whether more ticks follow."""
    return {**feed.tick(n)._asdict(), "more": not feed.ends_with(n)}


def receive_ticks(url: str, query: str) -> Iterator[int]:
    """Yield the numbers of the ticks of a new feed, as a client that polls every 30 ms receives them.

    `url` is the root of the server, and `query` has `count` and `interval`. Raises OSError if a request fails.
    """
    import requests  # only a client needs it, and importing it takes time

    response = requests.get(f"{url}/polling?start=now&{query}", timeout=10)
    more, etag = True, ""
    while more:
        response.raise_for_status()
        if response.status_code == 200:
            tick, etag = response.json(), response.headers["ETag"]
            yield tick["n"]
            more = tick["more"]
        if more:
            time.sleep(POLL_SECONDS)
            response = requests.get(response.url, headers={"If-None-Match": etag}, timeout=10)
