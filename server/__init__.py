"""Streaming data with Python and Flask: the server of the course, small enough to be read whole."""

from __future__ import annotations

import os
from pathlib import Path

from flask import Flask, Response, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from server.pace import ClientLeftError, pause
from server.techniques import TECHNIQUES, sse

__all__ = ["PORT", "ClientLeftError", "create_app", "pause"]

# Where the course's server is found; a variable of the environment moves it.
PORT = int(os.environ.get("STREAMING_PORT", "23423"))
STATIC = Path(__file__).resolve().parent.parent / "static"


def create_app() -> Flask:
    """Return the whole server: the root, the pages under static/, and every technique under its name."""
    app = Flask(__name__, static_folder=str(STATIC))
    for technique in TECHNIQUES:
        app.register_blueprint(technique.blueprint)
    app.add_url_rule("/", view_func=root)
    app.add_url_rule("/techniques", view_func=course)
    app.after_request(_allow_any_origin)
    return app


def root() -> AnyResponse:
    """Answer a client that prefers an event stream with the spinner, and any other with the way to the page.

    One URL, two answers, so caches must know what decides: `Vary: Accept` (RFC 9110, 12.5.1 and 12.5.5).
    """
    if request.accept_mimetypes.best_match(["text/html", "text/event-stream"]) == "text/event-stream":
        response: AnyResponse = sse.stream()
    else:
        response = redirect("static/index.html")  # relative, so that it holds behind any prefix
    response.vary.add("Accept")
    return response


def course() -> list[dict[str, str]]:
    """Name the techniques in order, from their modules, so that no page needs a list of its own."""
    lines = [(module.blueprint.name, (module.__doc__ or "").splitlines()[0]) for module in TECHNIQUES]
    return [dict(zip(("stem", "title", "about"), (stem, *line.split(": ", 1)), strict=True)) for stem, line in lines]


def _allow_any_origin(response: Response) -> Response:
    # Nothing here is secret, and the live page may stand in a sandboxed frame, whose origin is none at all.
    response.headers["Access-Control-Allow-Origin"] = "*"
    return response
