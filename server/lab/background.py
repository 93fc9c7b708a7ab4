"""Serve a WSGI app from a thread of this process, for notebooks and tests.

It is the server of `python -m server` (server/serving.py) in a thread. It prints nothing: its log is a list.
"""

from __future__ import annotations

import errno
import io
import sys
import threading
import traceback
import warnings
import weakref
from collections import deque
from collections.abc import Callable
from typing import Any

from server.serving import STOP_SECONDS, Handler, StreamingServer

from .cells import replace_earlier

HOST = "127.0.0.1"
PROTOCOLS = ("HTTP/1.0", "HTTP/1.1")  # HTTP/1.0 has no chunks: a body without a length ends with the connection


class BackgroundServer:
    """Serve `app` on 127.0.0.1 from a thread.

    Use it as a context manager, or call `.start()` and `.stop()`. `port` 0 takes a free port. `protocol` may be
    "HTTP/1.0". An idle server wakes up every `poll_seconds`, and `.stop()` takes up to that long. It then waits up to
    `stop_seconds` for the streams to end. After `.stop()` no
    thread and no socket of the server is left. When a notebook cell runs again, the server that it started before is
    stopped. `.url` is the address without a slash at the end, and `.log` holds the latest 1,000 lines of the log.

    Raises TypeError if `app` is not callable, ValueError for an unknown protocol or a port out of range. `.start()`
    raises RuntimeError if the port is in use.
    """

    def __init__(
        self,
        app: Callable[..., Any],
        port: int = 0,
        protocol: str = "HTTP/1.1",
        *,
        poll_seconds: float = 0.05,
        stop_seconds: float = STOP_SECONDS,
    ) -> None:
        if not callable(app):
            raise TypeError(f"app must be a WSGI application, such as Flask(__name__) or create_app(), not {app!r}")
        if not 0 <= port <= 65535:
            raise ValueError(f"port must be a number from 0 (any free port) to 65535, not {port}")
        if protocol not in PROTOCOLS:
            raise ValueError(f"protocol must be one of {', '.join(PROTOCOLS)}, not {protocol!r}")
        self.app, self.port, self.protocol = app, port, protocol
        self.poll_seconds, self.stop_seconds = poll_seconds, stop_seconds
        self.log: deque[str] = deque(maxlen=1000)
        self._server: _Server | None = None
        self._finalizer: weakref.finalize[Any, Any] | None = None

    @property
    def url(self) -> str:
        """The address of the running server. Raises RuntimeError if the server is not running."""
        if self._server is None:
            raise RuntimeError("this server is not running: call start() first")
        return f"http://{HOST}:{self._server.port}"

    def start(self) -> BackgroundServer:
        """Start the server and return it. Do nothing if it is already running."""
        if self._server is None:
            replace_earlier(self)
            self._server = _listening(self.app, self.port, self.protocol, self.log)
            self._server.start(self.poll_seconds)
            # The threads hold only the inner server. When nothing refers to this object any more, the server stops.
            self._finalizer = weakref.finalize(self, self._server.end, self.stop_seconds)
        return self

    def stop(self) -> None:
        """Close the port and all connections, and wait up to `stop_seconds` until the streams have ended.

        Warns about each stream that is still busy then, with the line of code that it executes.
        """
        if self._finalizer is not None:
            self._finalizer()
        self._server = self._finalizer = None

    def __enter__(self) -> BackgroundServer:
        return self.start()

    def __exit__(self, *exception: object) -> None:
        self.stop()

    def __repr__(self) -> str:
        return f"<BackgroundServer {self.url if self._server else 'stopped'}>"


def _listening(app: Callable[..., Any], port: int, protocol: str, log: deque[str]) -> _Server:
    """Return a server that listens. Raises RuntimeError with a remedy if it cannot."""
    try:
        return _Server(app, port, protocol, log)
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise RuntimeError(f"the server cannot listen on port {port}: {error.strerror}") from None
        raise RuntimeError(
            f"port {port} is already in use. Stop the other server (in JupyterLab: Kernel, Shut Down All Kernels), "
            "or pass port=0 for a free port"
        ) from None


class _Server(StreamingServer):
    """The server, with its accept loop in a thread and its log in a list."""

    def __init__(self, app: Callable[..., Any], port: int, protocol: str, log: deque[str]) -> None:
        self.lines = log
        super().__init__(app, HOST, port, protocol, _Handler)

    def start(self, poll_seconds: float) -> None:
        """Accept clients from now on. The thread looks every `poll_seconds` whether it is to stop."""
        self.thread = threading.Thread(
            target=self.serve_forever, args=(poll_seconds,), daemon=True, name=f"server {self.port}"
        )
        self.thread.start()

    def end(self, seconds: float) -> None:
        """Stop, and warn about streams that are still busy after some seconds."""
        if threading.current_thread() is self.thread:  # the garbage collector may call this from any thread
            threading.Thread(target=self.end, args=[seconds], name=f"end of server {self.port}").start()
            return
        busy = self.stop(seconds)
        self.thread.join()
        for thread in busy:
            _warn(thread)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Keep the traceback of a failed connection in the log."""
        self.lines.append(traceback.format_exc())

    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002
        """Keep a line in the log."""
        self.lines.append(message % args if args else message)


class _Handler(Handler):
    """The handler of one connection. It writes to the log of its server."""

    server: _Server

    def make_environ(self) -> dict[str, Any]:
        """Return the WSGI environ. Errors that the app reports go to the log."""
        return {**super().make_environ(), "wsgi.errors": _LogFile(self.server.lines)}

    def log_request(self, code: Any = "-", size: Any = "-") -> None:
        """Keep the request line and the status of the response."""
        self.server.log("info", '"%s" %s', getattr(self, "requestline", "-"), getattr(code, "value", code))

    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002
        """Keep a line in the log, without the address of the client and the time."""
        self.server.log(type, message, *args)


class _LogFile(io.TextIOBase):
    """A text file. Each write adds a line to the log."""

    def __init__(self, lines: deque[str]) -> None:
        self._lines = lines

    def write(self, text: str) -> int:
        if text.strip():
            self._lines.append(text.rstrip("\n"))
        return len(text)


def _warn(thread: threading.Thread) -> None:
    frame = sys._current_frames().get(thread.ident or 0)
    where = traceback.extract_stack(frame)[-1] if frame else None
    line = f"line {where.lineno} of {where.name}(): {where.line}" if where else "an unknown line"
    warnings.warn(
        f"a stream of this server is still busy in {line}. It ends when this call returns. A generator ends at once "
        "if it waits with server.pause(request.environ)",
        ResourceWarning,
        stacklevel=4,
    )
