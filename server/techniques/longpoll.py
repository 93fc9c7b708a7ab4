r"""Long polling: the page asks once, and is answered when there is something to say.

>>> from server.feed import Feed
>>> news(Feed(start=1.0, interval=1, count=9), after=4, now=7.5)
{'ticks': [{'char': '|', 'n': 5}, {'char': '/', 'n': 6}], 'cursor': '1000-6', 'missed': 0, 'more': True}
"""

import time
from typing import Any

from flask import Blueprint, Response, jsonify, request

from server.feed import Feed, asked
from server.pace import ClientLeftError, pause, refuse, seconds

blueprint = Blueprint("longpoll", __name__)

MOST_WAIT = 60  # seconds


@blueprint.get("/longpoll")
def ask() -> Response:
    """Answer with the ticks after the cursor `after`, and wait for the next one where there are none yet.

    Without `after` a feed starts now. After `timeout` seconds without news the answer is 204, and the client asks
    again with the cursor it has: so nothing is lost between two answers, and nothing comes twice.
    """
    feed, n = place(asked(), request.args.get("after"))
    give_up = time.time() + seconds("timeout", 25, MOST_WAIT)
    if feed.ends_with(n):
        return answer(news(feed, n, time.time()))
    wait = pause(request.environ)
    while not feed.after(n, now := time.time()) and now < give_up:
        wait(min(feed.due(n + 1), give_up) - now)  # this thread serves nobody else meanwhile
    found = news(feed, n, time.time())
    return answer(found) if found["ticks"] else Response(status=204)


def place(feed: Feed, cursor: str | None) -> tuple[Feed, int]:
    """Return the feed and the place in it that a cursor names; without one, the beginning of this feed."""
    if cursor is None:
        return feed, -1
    return feed.at(cursor) or refuse(f"after is a cursor that an answer has given, not {cursor[:40]!r}")


def news(feed: Feed, after: int, now: float) -> dict[str, Any]:
    """Return what came after tick n, the cursor to ask with next, and how many ticks are forgotten already."""
    found = feed.after(after, now)
    first, last = (found[0].n, found[-1].n) if found else (after + 1, after)
    return {
        "ticks": [tick._asdict() for tick in found],
        "cursor": feed.cursor(last),
        "missed": first - after - 1,
        "more": not feed.ends_with(last),
    }


def answer(found: dict[str, Any]) -> Response:
    """Return an answer that nobody keeps."""
    response = jsonify(found)
    response.headers["Cache-Control"] = "no-store"
    return response


@blueprint.errorhandler(ClientLeftError)
def nobody(_: ClientLeftError) -> Response:
    """Answer a client that has left while it waited: nobody reads this."""
    return Response(status=204)
