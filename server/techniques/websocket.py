"""WebSocket: after one upgrade request, client and server send messages to each other at any time.

The view is a plain function that runs as long as the connection is open. Between two ticks it waits for messages from
the client instead of sleeping, so a message takes effect at once, and a disconnect is noticed at once.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, NoReturn
from urllib.parse import urlsplit

from flask import Blueprint, Flask, Response, request
from flask_sock import Sock
from simple_websocket import Server
from simple_websocket.ws import LocalProtocolError

from server.disconnect import ClientDisconnected
from server.query import bad_request, read_count, read_interval
from server.ticks import SPINNER, ticks
from server.wire.websocket import TEXT, Parser

blueprint = Blueprint("websocket", __name__)

TICK_END = None  # each tick is a WebSocket message: see receive_ticks

PING_SECONDS = 25  # between two pings, so that proxies see that the connection is in use
MAX_BYTES = 65_536  # of a message; the server closes the connection with code 1009 after a longer one
MAX_WORD = 200  # characters
CLOSE = b"\x88"  # the first byte of a close frame: FIN and opcode 8
CLOSE_SECONDS = 1  # the time limit for the client's close frame
CHECK_SECONDS = 0.25  # receive() sometimes misses the end of the connection, so it returns this often
IDLE_SECONDS = 10  # without a message, after which receive_ticks raises TimeoutError
JOIN_SECONDS = 1  # the time limit for the receiving thread to end after its socket has been shut down


@blueprint.before_request
def check_request() -> None:
    """Respond with 400 to bad query parameters and to an incomplete handshake. After the 101 it would be too late."""
    read_count()
    read_interval(0.1)
    headers = request.headers
    complete = headers.get("Sec-WebSocket-Key") and headers.get("Sec-WebSocket-Version") == "13"
    if headers.get("Upgrade", "").lower() == "websocket" and not complete:
        bad_request("a WebSocket handshake needs Sec-WebSocket-Key and Sec-WebSocket-Version: 13 (RFC 6455, 4.1)")


@blueprint.get("/websocket")
def plain() -> Response:
    """Return 426 for a request without an upgrade (RFC 9110, 15.5.22)."""
    text = "use a WebSocket client: new WebSocket(url) in a page, simple_websocket.Client.connect(url) in Python\n"
    return Response(text, 426, {"Upgrade": "websocket"}, content_type="text/plain; charset=utf-8")


def stream(ws: Server) -> None:
    """Send one tick per message, and close with code 1000 after `count` ticks (default: endless).

    A message from the client replaces the character that the ticks show. The message "stop" ends the stream.
    """
    ws.sock = CloseIsLast(ws.sock)
    word = ""

    def listen(seconds: float) -> None:
        nonlocal word
        for word in received(ws, seconds):
            if word == "stop":
                return

    try:
        for tick in ticks(SPINNER, count=read_count(), interval=read_interval(0.1), pause=listen):
            listen(0)
            if word == "stop":
                break
            ws.send(f"{word or tick.char} {tick.n}")
        ws.close(1000, "that was all")
    except (OSError, LocalProtocolError):
        return  # the client has disconnected or has sent a close frame
    finally:
        end_connection(ws)


class CloseIsLast:
    """A socket that sends nothing after a close frame (RFC 6455, 5.5.1).

    Two threads send on it: the view sends ticks, and the receiving thread responds to the client's close frame.
    """

    def __init__(self, sock: socket.socket) -> None:
        self.sock, self.closed, self.lock = sock, False, threading.Lock()

    def send(self, frame: bytes) -> int:
        """Send a frame unless a close frame has been sent."""
        with self.lock:
            if self.closed:
                return len(frame)
            self.closed = frame[:1] == CLOSE
            return self.sock.send(frame)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.sock, name)


def received(ws: Server, seconds: float) -> Iterator[str]:
    """Yield the messages that arrive within some seconds. Close with code 1008 if a message is not a short text."""
    deadline = time.monotonic() + seconds
    while (message := receive(ws, deadline)) is not None:
        if not isinstance(message, str) or len(message) > MAX_WORD:
            ws.close(1008, f"a message must be a text of at most {MAX_WORD} characters")
        else:
            yield message


def receive(ws: Server, deadline: float) -> str | bytes | None:
    """Return the next message, or None if none arrives before the deadline."""
    while True:
        remaining = max(0, deadline - time.monotonic())
        message: str | bytes | None = ws.receive(timeout=min(remaining, CHECK_SECONDS))
        if message is not None or remaining <= CHECK_SECONDS:
            return message


def end_connection(ws: Server) -> None:
    """Wait briefly for the client's close frame (RFC 6455, 7.1.1), then end the connection and its thread."""
    ws.thread.join(CLOSE_SECONDS)
    with suppress(OSError):  # the connection has already ended
        ws.sock.shutdown(socket.SHUT_RDWR)
    ws.thread.join(JOIN_SECONDS)  # the thread would sleep forever if the socket were closed before it wakes up


Sock().route("/websocket", bp=blueprint)(stream)


class NoResponse(Response):
    """The end of a WebSocket view. flask-sock returns an empty 200, which must not follow the close frame."""

    def __call__(self, *args: Any) -> NoReturn:
        """Raise ClientDisconnected, so that the server closes the connection without a response."""
        raise ClientDisconnected("the WebSocket is closed")


@blueprint.after_request
def send_no_response(response: Response) -> Response:
    """Send nothing after the frames if the view used the server's own socket, as with Werkzeug."""
    upgraded = request.method == "GET" and response.status_code == 200
    return NoResponse() if upgraded and "werkzeug.socket" in request.environ else response


@blueprint.record_once
def configure(state: Any) -> None:
    """Turn on pings, and limit the length of a message."""
    app: Flask = state.app
    app.config.setdefault("SOCK_SERVER_OPTIONS", {"ping_interval": PING_SECONDS, "max_message_size": MAX_BYTES})


HANDSHAKE = (
    "GET /websocket?{query} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


def receive_ticks(url: str, query: str) -> Iterator[int]:
    """Yield the numbers of the ticks, as a WebSocket client receives them.

    `url` is the root of the server, and `query` has `count` and `interval`. Raises OSError if the connection fails.
    """
    server = urlsplit(url)
    address = (server.hostname, server.port or 80)
    with socket.create_connection(address, IDLE_SECONDS) as sock, sock.makefile("rb") as stream:
        sock.sendall(HANDSHAKE.format(query=query, host=server.netloc).encode())
        status = stream.readline()
        if b" 101 " not in status:
            raise ConnectionError(f"the upgrade was refused: {status!r}. Is there a proxy that knows no WebSocket?")
        while stream.readline().strip():  # the headers of the response
            pass
        frames = Parser(masks=False)
        while not frames.closed and (data := stream.read1()):
            yield from (int(frame.payload.split()[-1]) for frame in frames.feed(data) if frame.opcode == TEXT)
