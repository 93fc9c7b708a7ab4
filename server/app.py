"""The Flask application: the root, the pages under static/, and every technique under its name."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from urllib.parse import urlsplit

from flask import Flask, Response, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from server.query import bad_request
from server.techniques import TECHNIQUES, sse

STATIC = Path(__file__).resolve().parent.parent / "static"


def create_app(trusted_hosts: Collection[str] | None = None) -> Flask:
    """Return the server of the course as a new Flask application.

    It responds with 400 to a request whose Host header names none of the `trusted_hosts` (None: trust all).
    """
    app = Flask(__name__, static_folder=str(STATIC))
    for technique in TECHNIQUES:
        app.register_blueprint(technique.blueprint)
    app.add_url_rule("/", view_func=root)
    app.add_url_rule("/techniques", view_func=list_techniques)
    app.after_request(_allow_any_origin)
    if trusted_hosts is not None:
        app.before_request(lambda: check_host(trusted_hosts))
    return app


def check_host(trusted: Collection[str]) -> None:
    """Respond with 400 if the Host header of the request names no trusted host. The port does not matter.

    A page of another site can point its own name at 127.0.0.1 (DNS rebinding). The browser then takes this server for
    a part of that site. It sends the name of that site in the Host header.
    """
    if urlsplit(f"//{request.host}").hostname not in trusted:
        bad_request(f"this server does not trust the host {request.host!r}: start it with --trusted-host NAME")


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
