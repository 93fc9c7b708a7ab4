"""The web server of this project: Werkzeug's threaded server, prepared for streams.

`python -m server` and the notebooks' BackgroundServer use it. It differs from `app.run()` in these points:

- Each chunk is sent with one write, at once.
- A client that neither sends its request nor reads its response is disconnected after two minutes.
- A request body that the app does not read is discarded only up to a limit.
- If the process has no file descriptor left, a new client is refused. The other clients are not affected.
- Every response is closed, so that the cleanup code of its generator runs.
- `stop()` ends all streams.
"""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import struct
import threading
import time
import traceback
from collections.abc import Callable
from typing import Any

from werkzeug.exceptions import InternalServerError
from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler, select_address_family

IDLE_SECONDS = 120  # for one read from the client or one write to it
DISCARD_BYTES = 16_000_000  # of a request body that the app does not read
DISCARD_SECONDS = 2  # for reading these bytes
STOP_SECONDS = 0.8  # for all streams to end after stop() has closed their connections
LOG_SECONDS = 10  # between two log lines about refused clients
DISCONNECTED = (ConnectionError, TimeoutError, BlockingIOError)  # also: the client does not read


class StreamingServer(ThreadedWSGIServer):
    """Serve a WSGI app on `host` and `port` (0: a free port) with one thread per connection.

    `serve_forever()` serves until Ctrl-C, or until another thread calls `stop()`. `protocol` may be "HTTP/1.0", which
    has no chunks. Raises OSError if the server cannot listen on the port.
    """

    request_queue_size = 1024  # a client that finds the queue full waits a second before it tries again

    def __init__(
        self,
        app: Callable[..., Any],
        host: str,
        port: int,
        protocol: str = "HTTP/1.1",
        handler: type[WSGIRequestHandler] | None = None,
    ) -> None:
        self.protocol = protocol
        self.connections: dict[socket.socket, threading.Thread] = {}
        family = select_address_family(host, port)
        with socket.create_server((host, port), family=family, backlog=self.request_queue_size) as listener:
            super().__init__(
                host, listener.getsockname()[1], app, handler or Handler, fd=listener.fileno()
            )  # duplicates it
        self.refuser = Refuser(self.socket)

    def get_request(self) -> tuple[socket.socket, Any]:
        """Accept a client. Refuse it if no file descriptor is left."""
        try:
            return self.socket.accept()
        except OSError as error:
            if self.refuser.refuse(error):
                self.log("warning", "A client was refused: too many files and connections are open (see ulimit -n).")
            raise  # socketserver ignores an OSError here and goes on

    def process_request(self, request: Any, client_address: Any) -> None:
        """Start a thread for one connection."""
        thread = threading.Thread(
            target=self.process_request_thread,
            args=(request, client_address),
            daemon=True,
            name=f"stream of server {self.port}",
        )
        self.connections[request] = thread
        thread.start()

    def shutdown_request(self, request: Any) -> None:
        """Close one connection."""
        super().shutdown_request(request)
        self.connections.pop(request, None)

    def stop(self, seconds: float = STOP_SECONDS) -> list[threading.Thread]:
        """Stop listening, disconnect all clients, and wait until their streams have ended, for some seconds at most.

        Return the threads that are still busy then.
        """
        self.shutdown()
        self.server_close()
        self.refuser.close()
        threads = []
        for connection, thread in list(self.connections.items()):
            threads.append(thread)
            with contextlib.suppress(OSError):  # it has already ended
                connection.shutdown(socket.SHUT_RDWR)  # wakes every thread that reads, writes or pauses on it
        deadline = time.monotonic() + seconds
        for thread in threads:
            if thread is not threading.current_thread():
                thread.join(max(0, deadline - time.monotonic()))
        return [thread for thread in threads if thread.is_alive() and thread is not threading.current_thread()]


class Handler(WSGIRequestHandler):
    """Read one request from a connection, call the app, send the response and close the connection."""

    timeout = IDLE_SECONDS
    disable_nagle_algorithm = True  # otherwise a small chunk would wait until the client acknowledges the one before
    server: StreamingServer

    def setup(self) -> None:
        """Prepare the connection."""
        self.protocol_version = self.server.protocol
        self.status, self.response_headers = "", list[tuple[str, str]]()
        self.headers_sent = self.chunked = False
        super().setup()

    def run_wsgi(self) -> None:
        """Call the app and send its response."""
        if "upgrade" in self.headers.get("Connection", "").lower():
            self.connection.settimeout(None)  # the new protocol, such as WebSocket, has its own timeouts
        self.environ = self.make_environ()
        with contextlib.suppress(*DISCONNECTED):
            try:
                self.respond(self.server.app)
            except DISCONNECTED:
                raise
            except Exception:
                self.server.log("error", "Error on request:\n%s", traceback.format_exc())
                if not self.headers_sent:  # otherwise the body stays incomplete, and the client notices it
                    self.status = ""
                    self.respond(InternalServerError())
        self.discard_request_body()

    def respond(self, app: Callable[..., Any]) -> None:
        """Call a WSGI app, send what it yields, and close its response (PEP 3333)."""
        response = app(self.environ, self.start_response)
        try:
            for data in response:
                self.write(data)
            if not self.headers_sent:
                self.write(b"")
            if self.chunked:
                self.wfile.write(b"0\r\n\r\n")
        finally:
            if hasattr(response, "close"):
                response.close()

    def start_response(
        self, status: str, headers: list[tuple[str, str]], exc_info: Any = None
    ) -> Callable[[bytes], None]:
        """Note the status and the headers. They are sent together with the first chunk (PEP 3333)."""
        if exc_info and self.headers_sent:
            raise exc_info[1].with_traceback(exc_info[2])
        if self.status and not exc_info:
            raise AssertionError("start_response() has already been called")
        self.status, self.response_headers = status, headers
        return self.write

    def write(self, data: bytes) -> None:
        """Send one chunk of the body, and the headers before the first one."""
        if not self.headers_sent:
            self.send_headers()
        if data:
            self.wfile.write(b"%x\r\n%b\r\n" % (len(data), data) if self.chunked else data)

    def send_headers(self) -> None:
        """Send the status line and the headers. A body without Content-Length is chunked (RFC 9112, 6)."""
        if not self.status:
            raise AssertionError("the app has not called start_response()")
        code, _, reason = self.status.partition(" ")
        names = {name.lower() for name, _ in self.response_headers}
        has_body = self.command != "HEAD" and int(code) not in (204, 304)
        self.chunked = has_body and "content-length" not in names and self.protocol_version == "HTTP/1.1"
        self.send_response(int(code), reason)
        for name, value in self.response_headers:
            self.send_header(name, value)
        if self.chunked:
            self.send_header("Transfer-Encoding", "chunked")
        self.send_header("Connection", "close")
        self.end_headers()
        self.headers_sent = True
        self.let_system_time_out()

    def let_system_time_out(self) -> None:
        """Replace the timeout of Python by the one of the operating system, which needs no extra call per chunk."""
        milliseconds = int(IDLE_SECONDS * 1000)
        if os.name == "nt":
            timeout = struct.pack("L", milliseconds)
        else:
            timeout = struct.pack("ll", milliseconds // 1000, milliseconds % 1000 * 1000)
        self.connection.settimeout(None)
        for option in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):
            self.connection.setsockopt(socket.SOL_SOCKET, option, timeout)

    def discard_request_body(self) -> None:
        """Read the rest of the request, within limits.

        Closing a connection with unread bytes resets it, and the client might not receive the response.
        """
        has_body = "Content-Length" in self.headers or "Transfer-Encoding" in self.headers
        deadline = time.monotonic() + has_body * DISCARD_SECONDS
        remaining = DISCARD_BYTES
        with contextlib.suppress(OSError):  # the time is over, or the client has disconnected
            self.connection.shutdown(socket.SHUT_WR)
            while remaining > 0:
                self.connection.settimeout(max(0, deadline - time.monotonic()))
                data = self.connection.recv(65536)
                remaining = remaining - len(data) if data else 0


class Refuser:
    """Refuses the next client of a listening socket while the process has no file descriptor left.

    It keeps one descriptor in reserve and frees it for the moment in which the client is accepted and closed. Without
    it accept() would fail again and again, and the client would wait.
    """

    def __init__(self, listener: socket.socket) -> None:
        self.listener = listener
        self.reserve = open(os.devnull)  # noqa: SIM115
        self.last_report = -float(LOG_SECONDS)

    def refuse(self, error: OSError) -> bool:
        """Refuse a client if accept() failed for lack of descriptors. Return whether to report it: not too often."""
        if error.errno not in (errno.EMFILE, errno.ENFILE):
            return False
        self.reserve.close()
        with contextlib.suppress(OSError):
            self.listener.accept()[0].close()
        try:
            self.reserve = open(os.devnull)  # noqa: SIM115
        except OSError:  # another thread was faster: wait, and try again at the next client
            time.sleep(0.05)
        now = time.monotonic()
        report = now - self.last_report >= LOG_SECONDS
        if report:
            self.last_report = now
        return report

    def close(self) -> None:
        """Free the reserved descriptor."""
        self.reserve.close()
