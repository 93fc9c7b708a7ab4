r"""Newline-delimited JSON: one document a line, for whoever reads the body as it comes.

>>> from server.ticks import ticks
>>> list(lines(ticks(count=2, interval=0)))
[b'{"char":"\\\\","n":0}\n', b'{"char":"|","n":1}\n']
"""

from collections.abc import Iterable, Iterator, Sequence

from flask import Blueprint, Response, request

from server.pace import pace, refuse
from server.ticks import SPINNER, Tick, ticks
from server.wire import ndjson

blueprint = Blueprint("ndjson", __name__)

MOST_BODY = 65_536  # bytes
MOST_WORDS = 1000


@blueprint.route("/ndjson", methods=["GET", "POST"])
def stream() -> Response:
    """Stream ticks as JSON documents, without end unless `count` says otherwise.

    A POST brings a body of its own, which an EventSource cannot: `{"words": [...]}`, shown once in place of the
    spinner unless `count` says otherwise.
    """
    words = posted_words() if request.method == "POST" else None
    story = ticks(words or SPINNER, *pace(count=len(words) if words else None, interval=0.1))
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return Response(lines(story), content_type=ndjson.MEDIA_TYPE, headers=headers)


def posted_words() -> Sequence[str]:
    """Return the words of the request's body; answer 400 for anything else, 413 where it is too long."""
    request.max_content_length = MOST_BODY
    try:
        body = request.get_json(silent=True)
        ndjson.encode(body)  # what came as escapes may be half a character, and no UTF-8
    except (RecursionError, ValueError):
        body = None
    words = body.get("words") if isinstance(body, dict) else None
    if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
        refuse('the body is a JSON document such as {"words": ["one", "two"]}, sent as application/json')
    if not 1 <= len(words) <= MOST_WORDS:
        refuse(f"words are 1 to {MOST_WORDS}, not {len(words)}")
    return words


@blueprint.errorhandler(413)
def too_long(_: Exception) -> Response:
    """Answer a body that is too long."""
    return Response(f"the body has at most {MOST_BODY} bytes\n", 413, content_type="text/plain; charset=utf-8")


def lines(story: Iterable[Tick]) -> Iterator[bytes]:
    """Yield one document a tick."""
    for tick in story:
        yield ndjson.encode(tick._asdict())
