r"""Polling: the page asks again and again, and is told what is so at that moment.

>>> from server.feed import Feed
>>> state(Feed(start=0, interval=1, count=3), 1), state(Feed(start=0, interval=1, count=3), 2)
({'char': '|', 'n': 1, 'more': True}, {'char': '/', 'n': 2, 'more': False})
"""

import time
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, jsonify, redirect, request
from werkzeug.wrappers import Response

from server.feed import Feed, asked
from server.pace import whole_number

blueprint = Blueprint("polling", __name__)

BEGAN = int(time.time() * 1000)  # the feed that everybody sees began with the server, in milliseconds since 1970


@blueprint.get("/polling")
def latest() -> Response:
    """Answer with the latest tick of the feed, or with 304 and no body where the client has it already.

    `start` is when the feed begins, in milliseconds since 1970; `start=now` redirects to a feed of one's own.
    """
    feed = asked()
    if request.args.get("start") == "now":
        query = urlencode({**request.args, "start": round(feed.start * 1000)})
        return redirect(f"polling?{query}", 303)
    start = whole_number("start", BEGAN, 0, int(time.time() * 1000))
    return answer(replace(feed, start=(start or 0) / 1000))


def answer(feed: Feed) -> Response:
    """Return the state now; Werkzeug compares the request's If-None-Match with its ETag (RFC 9110, 13.1.2)."""
    n = feed.latest(time.time())
    response = jsonify(state(feed, n))
    response.set_etag(str(n))
    response.headers["Cache-Control"] = "no-cache"  # keep it, but ask before using it again
    response.make_conditional(request)
    del response.headers["Date"]  # make_conditional has set it, and the server sends its own
    return response


def state(feed: Feed, n: int) -> dict[str, Any]:
    """Return what a poll tells: the tick, and whether more are to come."""
    return {**feed.tick(n)._asdict(), "more": not feed.ends_with(n)}
