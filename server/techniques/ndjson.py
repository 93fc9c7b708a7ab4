r"""Newline-delimited JSON: one document per line, for a client that reads the body while it arrives.

>>> from server.ticks import ticks
>>> list(lines(ticks(count=2, interval=0)))
[b'{"char":"\\\\","n":0}\n', b'{"char":"|","n":1}\n']
"""

from collections.abc import Iterable, Iterator, Sequence

from flask import Blueprint, Response, request

from server.disconnect import pause
from server.query import bad_request, read_count, read_interval
from server.ticks import SPINNER, Tick, ticks
from server.wire import ndjson

blueprint = Blueprint("ndjson", __name__)

TICK_END = rb"}\n"  # the bytes that end a tick, as a regular expression

MAX_BODY = 65_536  # bytes
MAX_WORDS = 1000


@blueprint.route("/ndjson", methods=["GET", "POST"])
def stream() -> Response:
    """Stream ticks as JSON documents. The stream is endless unless the request has a `count`.

    A POST request has a body, which an EventSource cannot send: `{"words": [...]}`. Its words are shown instead of
    the spinner: each word once, or `count` ticks.
    """
    words = posted_words() if request.method == "POST" else None
    count = read_count(len(words) if words else None)
    spinner = ticks(words or SPINNER, count=count, interval=read_interval(0.1), pause=pause(request.environ))
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return Response(lines(spinner), content_type=ndjson.MEDIA_TYPE, headers=headers)


def posted_words() -> Sequence[str]:
    """Return the words of the request's body. Raises BadRequest for another body, status 413 if it is too long."""
    request.max_content_length = MAX_BODY
    try:
        body = request.get_json(silent=True)
        ndjson.encode(body)  # raises ValueError if a \\u escape is half of a character, which has no UTF-8 form
    except (RecursionError, ValueError):
        body = None
    words = body.get("words") if isinstance(body, dict) else None
    if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
        bad_request('the body must be a JSON document such as {"words": ["one", "two"]}, sent as application/json')
    if not 1 <= len(words) <= MAX_WORDS:
        bad_request(f"words must have 1 to {MAX_WORDS} items, not {len(words)}")
    return words


@blueprint.errorhandler(413)
def too_long(_: Exception) -> Response:
    """Return the response to a request body that is too long."""
    return Response(f"the body must have at most {MAX_BODY} bytes\n", 413, content_type="text/plain; charset=utf-8")


def lines(spinner: Iterable[Tick]) -> Iterator[bytes]:
    """Yield one document per tick."""
    for tick in spinner:
        yield ndjson.encode(tick._asdict())
