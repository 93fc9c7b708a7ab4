"""Streamed template: the same page, written as a Jinja template that is sent while it renders."""

from flask import Blueprint, Response, current_app

from server.pace import pace, whole_number
from server.techniques.snippets import story_chars
from server.ticks import ticks

blueprint = Blueprint("template", __name__)

MOST_BUFFERING = 1000  # pieces


@blueprint.get("/template")
def stream() -> Response:
    """Render a template over ticks, and send each piece as it is made: "hello", ten times.

    With `buffering=N` Jinja joins N pieces into one before they leave.
    """
    pieces = whole_number("buffering", None, 2, MOST_BUFFERING)
    # A generator goes in. A list made of it here would hold the page back to the last tick.
    story = ticks(story_chars(), *pace(count=50, interval=0.1))
    body = current_app.jinja_env.get_template("template.html").stream(ticks=story)
    if pieces is not None:
        body.enable_buffering(pieces)
    headers = {"Cache-Control": "no-store"}
    return Response(body, content_type="text/html; charset=utf-8", headers=headers)
