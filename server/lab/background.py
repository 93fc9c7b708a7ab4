"""A WSGI app served from a thread of this process: for notebooks and tests.

It is Werkzeug's threaded server, so it speaks HTTP/1.1 as `app.run()` does, with four things added: it says nothing
on stderr (its log is a list), it knows its open connections, so it can end them all when it stops, and it closes
every answer, so that clean-up code runs however the client leaves.
"""

from __future__ import annotations

import contextlib
import io
import os
import socket
import sys
import threading
import time
import traceback
import warnings
import weakref
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler

from .cells import replace_earlier

HOST = "127.0.0.1"
PROTOCOLS = ("HTTP/1.0", "HTTP/1.1")  # the older one has no chunks: a body without a length ends with the connection
ANSWERED = "server.lab.answered"  # in the environ: who wants to know of the answer
LAYERS = 8  # of SystemExit, each of which may come while the one before is handled
STOP_SECONDS = 0.8  # for all streams to end, once their sockets are closed
SILENT_SECONDS = 120  # a client that neither sends its request nor reads its answer is dropped after this


class BackgroundServer:
    """Serve `app` on 127.0.0.1 from a thread. `port` 0 takes a free one; `protocol` may be "HTTP/1.0" instead.

    A context manager; or `.start()`, which returns the server, and `.stop()`, after which no thread and no socket
    of it is left. A second run of the notebook cell that started it replaces it. `.url` is its address without a
    slash at the end, `.log` its latest 1,000 lines.

    Raises TypeError for an app that cannot be called, ValueError for a port out of range or an unknown protocol,
    RuntimeError where the port is in use.
    """

    def __init__(self, app: Callable[..., Any], port: int = 0, protocol: str = "HTTP/1.1") -> None:
        if not callable(app):
            raise TypeError(f"app is a WSGI application, such as Flask(__name__) or create_app(), not {app!r}")
        if not 0 <= port <= 65535:
            raise ValueError(f"port is a number from 0 (any free one) to 65535, not {port}")
        if protocol not in PROTOCOLS:
            raise ValueError(f"protocol is one of {', '.join(PROTOCOLS)}, not {protocol!r}")
        self.app, self.port, self.protocol = app, port, protocol
        self.log: deque[str] = deque(maxlen=1000)
        self._server: _Server | None = None
        self._finalizer: weakref.finalize[Any, Any] | None = None

    @property
    def url(self) -> str:
        """The address of the running server. Raises RuntimeError where it does not run."""
        if self._server is None:
            raise RuntimeError("this server does not run: call start() first")
        return f"http://{HOST}:{self._server.port}"

    def start(self) -> BackgroundServer:
        """Start to serve and return the server; do nothing where it runs already."""
        if self._server is None:
            replace_earlier(self)
            self._server = _Server(self.app, _listen(self.port), self.log, self.protocol)
            # When nobody holds this object any more, its server ends too: the thread holds only the inner server.
            self._finalizer = weakref.finalize(self, self._server.end)
        return self

    def stop(self) -> None:
        """Close the port and every open connection, and wait until the streams have ended: within a second.

        Warns of a stream that is still busy then, with the line of its code that waits.
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


def quietly(call: Callable[[], object], layers: int = LAYERS) -> None:
    """Call, and let SystemExit end that and no more, also where it is thrown into the thread again and again."""
    with contextlib.suppress(SystemExit):
        quietly(call, layers - 1) if layers else call()


def _listen(port: int) -> socket.socket:
    sock = socket.socket()
    if os.name != "nt":  # there it would let two servers share the port
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind((HOST, port))
    except OSError as error:
        sock.close()
        raise RuntimeError(
            f"port {port} cannot be had ({error.strerror}): another program or notebook holds it. Stop that one "
            "(in JupyterLab: Kernel, Shut Down All Kernels), or pass port=0 for a free port"
        ) from None
    return sock


class _Server(ThreadedWSGIServer):
    """Werkzeug's threaded server, and what it has open."""

    request_queue_size = 1024  # more than that many clients at once wait a second for their retry
    poll_interval = 0.05

    def __init__(self, app: Callable[..., Any], listener: socket.socket, log: deque[str], protocol: str) -> None:
        self.lines = log
        handler = type("Handler", (_Handler,), {"protocol_version": protocol})
        self._open: dict[threading.Thread, socket.socket] = {}
        self._lock = threading.Lock()
        with listener:  # the server makes a duplicate for itself
            listener.listen(self.request_queue_size)
            super().__init__(HOST, listener.getsockname()[1], _remembered(app), handler, fd=listener.fileno())
        self._loop = threading.Thread(
            target=self.serve_forever, args=(self.poll_interval,), daemon=True, name=f"server {self.port}"
        )
        self._loop.start()

    def process_request(self, request: Any, client_address: Any) -> None:
        """Handle one connection in a thread that is remembered together with its socket."""
        thread = threading.Thread(
            target=self._connection, args=(request, client_address), daemon=True, name=f"stream of server {self.port}"
        )
        with self._lock:
            self._open[thread] = request
        thread.start()

    def _connection(self, request: Any, client_address: Any) -> None:
        try:
            quietly(lambda: self.process_request_thread(request, client_address))
        finally:
            request.close()  # it is already, unless that was what the thread was ended in
            with self._lock:
                self._open.pop(threading.current_thread(), None)

    def end(self) -> None:
        """Stop listening, close what is open, and wait for the threads."""
        if threading.current_thread() is self._loop:  # the garbage collector may call from any thread
            threading.Thread(target=self.end, name=f"end of server {self.port}").start()
            return
        self.shutdown()
        self._loop.join()
        self.server_close()
        with self._lock:
            left = dict(self._open)
            for sock in left.values():
                _hang_up(sock)
        due = time.monotonic() + STOP_SECONDS
        for thread in left:
            if thread is not threading.current_thread():
                thread.join(max(0, due - time.monotonic()))
        _warn_of([thread for thread in left if thread.is_alive() and thread is not threading.current_thread()])

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Keep the traceback of a failed connection in the log."""
        self.lines.append(traceback.format_exc())

    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002
        """Keep a line in the log."""
        self.lines.append(message % args if args else message)


class _Handler(WSGIRequestHandler):
    """Werkzeug's handler, silent."""

    timeout = SILENT_SECONDS
    server: _Server

    def run_wsgi(self) -> None:
        """Answer the request, and close the answer. Werkzeug leaves that out where the client's reset comes last."""
        self.answer: _Answer | None = None
        try:
            super().run_wsgi()
        finally:
            if self.answer is not None:
                self.answer.close()
                self.answer = None

    def make_environ(self) -> dict[str, Any]:
        """Return the WSGI environ; what the app writes as errors goes to the log."""
        if "upgrade" in self.headers.get("Connection", "").lower():
            self.connection.settimeout(None)  # the protocol that follows knows for itself how long silence may last
        return {**super().make_environ(), "wsgi.errors": _Lines(self.server.lines), ANSWERED: self.remember}

    def remember(self, answer: _Answer) -> None:
        """Take note of the answer to close."""
        self.answer = answer

    def log_request(self, code: Any = "-", size: Any = "-") -> None:
        """Keep the request's line and the status of its answer."""
        self.server.log("info", '"%s" %s', getattr(self, "requestline", "-"), getattr(code, "value", code))

    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002
        """Keep a line in the log."""
        self.server.log(type, message, *args)


class _Answer:
    """What an app has returned; closed once, and then let go: a body without `close` ends when nobody holds it."""

    def __init__(self, body: Iterable[bytes]) -> None:
        self.body = body

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.body)

    def close(self) -> None:
        """Let the clean-up code run (PEP 3333, "Specification Details")."""
        body, self.body = self.body, ()
        if hasattr(body, "close"):
            body.close()


def _remembered(app: Callable[..., Any]) -> Callable[..., _Answer]:
    """Return an app that hands each of its answers to the connection that has asked."""

    def remembered(environ: dict[str, Any], start_response: Callable[..., Any]) -> _Answer:
        answer = _Answer(app(environ, start_response))
        environ.pop(ANSWERED)(answer)
        return answer

    return remembered


class _Lines(io.TextIOBase):
    """A text stream whose every write is a line of the log."""

    def __init__(self, lines: deque[str]) -> None:
        self._lines = lines

    def write(self, text: str) -> int:
        if text.strip():
            self._lines.append(text.rstrip("\n"))
        return len(text)


def _hang_up(sock: socket.socket) -> None:
    # To shut a socket down wakes whoever reads from it, writes to it or watches it, and nothing else does.
    try:
        sock.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # it has closed by itself


def _warn_of(busy: list[threading.Thread]) -> None:
    for thread in busy:
        frame = sys._current_frames().get(thread.ident or 0)
        where = traceback.extract_stack(frame)[-1] if frame else None
        line = f"line {where.lineno} of {where.name}(): {where.line}" if where else "an unknown place"
        warnings.warn(
            f"a stream of this server is still busy in {line}. It ends when that returns; a generator that waits "
            "with server.pause(request.environ) ends at once",
            ResourceWarning,
            stacklevel=4,
        )
