"""Streaming data with Python and Flask: the server of the course, small enough to be read whole."""

from __future__ import annotations

import os
from collections.abc import Collection
from typing import TYPE_CHECKING

from server.disconnect import ClientDisconnected, pause

if TYPE_CHECKING:
    from flask import Flask

__all__ = ["PORT", "ClientDisconnected", "create_app", "pause"]

# The port of the course's server. The environment variable STREAMING_PORT changes it.
PORT = int(os.environ.get("STREAMING_PORT", "23423"))


def create_app(trusted_hosts: Collection[str] | None = None) -> Flask:
    """Return the server of the course as a new Flask application (see server/app.py)."""
    from server import app  # imported here, so that `import server.disconnect` loads neither Flask nor Pillow

    return app.create_app(trusted_hosts)
