"""Streamed template: the same page, written as a Jinja template that the server sends while it renders."""

from flask import Blueprint, Response, current_app, request

from server.disconnect import pause
from server.query import read_count, read_int, read_interval
from server.techniques.snippets import requested_chars
from server.ticks import ticks

blueprint = Blueprint("template", __name__)

TICK_END = rb"show\(.*</script>\n"  # the bytes that end a tick, as a regular expression

MAX_BUFFERING = 1000  # strings


@blueprint.get("/template")
def stream() -> Response:
    """Render a template over ticks and send each string that Jinja yields at once: "hello", ten times.

    With `buffering=N` Jinja joins N strings into one chunk.
    """
    buffering = read_int("buffering", None, 2, MAX_BUFFERING)
    # The template receives a generator. A list would delay the whole page until the last tick.
    letters = ticks(
        requested_chars(), count=read_count(50), interval=read_interval(0.1), pause=pause(request.environ)
    )
    body = current_app.jinja_env.get_template("template.html").stream(ticks=letters)
    if buffering is not None:
        body.enable_buffering(buffering)
    headers = {"Cache-Control": "no-store"}
    return Response(body, content_type="text/html; charset=utf-8", headers=headers)
