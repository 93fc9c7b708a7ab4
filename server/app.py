"""The Flask application: the root, the pages under static/, and every technique under its name."""

from __future__ import annotations

from pathlib import Path

from flask import Flask, Response, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from server.techniques import TECHNIQUES, sse

STATIC = Path(__file__).resolve().parent.parent / "static"


def create_app() -> Flask:
    """Return the server of the course as a new Flask application."""
    app = Flask(__name__, static_folder=str(STATIC))
    for technique in TECHNIQUES:
        app.register_blueprint(technique.blueprint)
    app.add_url_rule("/", view_func=root)
    app.add_url_rule("/techniques", view_func=list_techniques)
    app.after_request(_allow_any_origin)
    return app


def root() -> AnyResponse:
    """Stream the endless spinner to a client that prefers an event stream, and redirect any other client to the page.

    The response depends on the request's `Accept` header. `Vary: Accept` tells caches so (RFC 9110, 12.5.1, 12.5.5).
    """
    if request.accept_mimetypes.best_match(["text/html", "text/event-stream"]) == "text/event-stream":
        response: AnyResponse = sse.stream()
    else:
        response = redirect("static/index.html")  # a relative URL works behind any prefix
    response.vary.add("Accept")
    return response


def list_techniques() -> list[dict[str, str]]:
    """Return the stem, title and description of each technique in order, so that no page needs its own list."""
    lines = [(module.blueprint.name, (module.__doc__ or "").splitlines()[0]) for module in TECHNIQUES]
    return [dict(zip(("stem", "title", "about"), (stem, *line.split(": ", 1)), strict=True)) for stem, line in lines]


def _allow_any_origin(response: Response) -> Response:
    # Nothing here is secret. The live page may be shown in a sandboxed frame, which has no origin of its own.
    response.headers["Access-Control-Allow-Origin"] = "*"
    return response
