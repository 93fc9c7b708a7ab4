"""Start the server that the live page shows: the page that JupyterLab opens beside the first notebook.

`run.py lab` names a file in the environment variable STREAMING_LIVE_PAGE. JupyterLab serves that file to
static/waiting.html, which reads the address of the server from it. The file is in a folder that exists only while
this JupyterLab runs. Two people on one machine therefore see their own servers.
"""

from __future__ import annotations

import atexit
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .background import BackgroundServer
from .show import browser_url, live_address


def live_server(app: Callable[..., Any], port: int) -> BackgroundServer:
    """Start `app` on `port`, or on a free port if `port` is already in use, and show it in the live page.

    Prints one line if it takes another port. Returns the running server.
    """
    try:
        server = BackgroundServer(app, port).start()
    except RuntimeError:
        server = BackgroundServer(app).start()
        print(f"Port {port} is already in use on this machine. This server uses another port: {server.url}")
    _write_address(server.url)
    return server


def _write_address(url: str) -> None:
    """Write the address for static/waiting.html. It is a script, because a sandboxed page can load nothing else."""
    name = os.environ.get("STREAMING_LIVE_PAGE")
    if not name:
        return
    file, new = Path(name), Path(f"{name}.new")
    new.write_text(live_address(browser_url(f"{url}/")), encoding="utf-8")
    new.replace(file)
    atexit.register(lambda: file.exists() and file.write_text("", encoding="utf-8"))
