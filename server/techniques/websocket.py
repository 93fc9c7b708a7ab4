"""WebSocket: after one upgrade both sides speak whenever they like, in messages.

The view is a plain function that runs as long as the connection does. Where a stream would pause between two ticks it
listens, so what the client says takes effect at once, and its leaving is known at once.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, NoReturn

from flask import Blueprint, Flask, Response, request
from flask_sock import Sock
from simple_websocket import Server
from simple_websocket.ws import LocalProtocolError

from server.pace import ClientLeftError, pace, refuse
from server.ticks import SPINNER, ticks

blueprint = Blueprint("websocket", __name__)

PING_SECONDS = 25  # between two pings, so that proxies see that the connection lives
MOST_BYTES = 65_536  # of a message: a longer one is answered with close 1009
MOST_WORD = 200  # characters
CLOSE = b"\x88"  # how it begins: FIN, and the opcode 8
GOODBYE_SECONDS = 1  # for a close to be answered; the thread that listens does it for this side
LOOK_SECONDS = 0.25  # a listener looks up that often: when the connection ends, it is not always woken
MOST_JOIN = 1  # seconds in which a thread ends whose socket has been shut down


@blueprint.before_request
def check() -> None:
    """Refuse a pace that is not allowed, and half a handshake: after the 101 no status can say so."""
    pace()
    asked, fields = request.headers.get("Upgrade", "").lower() == "websocket", request.headers
    if asked and not (fields.get("Sec-WebSocket-Key") and fields.get("Sec-WebSocket-Version") == "13"):
        refuse("a WebSocket begins with a Sec-WebSocket-Key and with Sec-WebSocket-Version: 13 (RFC 6455, 4.1)")


@blueprint.get("/websocket")
def plain() -> Response:
    """Answer a request that asks for no upgrade: 426 (RFC 9110, 15.5.22)."""
    text = "speak WebSocket here: new WebSocket(url) in a page, simple_websocket.Client.connect(url) in Python\n"
    return Response(text, 426, {"Upgrade": "websocket"}, content_type="text/plain; charset=utf-8")


def stream(ws: Server) -> None:
    """Send a tick a message, without end unless `count` says otherwise, and close with 1000.

    A message from the client is the word that the ticks show from then on; "stop" ends the stream.
    """
    count, interval, _ = pace(count=None, interval=0.1)
    ws.sock = LastWord(ws.sock)
    word = ""

    def listen(wait: float) -> None:
        nonlocal word
        for word in heard(ws, wait):
            if word == "stop":
                return

    try:
        for tick in ticks(SPINNER, count, interval, listen):
            listen(0)
            if word == "stop":
                break
            ws.send(f"{word or tick.char} {tick.n}")
        ws.close(1000, "that was all")
    except (OSError, LocalProtocolError):
        return  # the client has left, or said goodbye, while it was spoken to
    finally:
        hang_up(ws)


class LastWord:
    """A socket on which a close is the last that is sent (RFC 6455, 5.5.1).

    The view speaks, and so does the thread that listens, when it answers a close: a tick must not come after that.
    """

    def __init__(self, sock: socket.socket) -> None:
        self.sock, self.over, self.lock = sock, False, threading.Lock()

    def send(self, frame: bytes) -> int:
        """Send a frame, unless a close has been sent."""
        with self.lock:
            if self.over:
                return len(frame)
            self.over = frame[:1] == CLOSE
            return self.sock.send(frame)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.sock, name)


def heard(ws: Server, wait: float) -> Iterator[str]:
    """Yield what the client says within some seconds; close with 1008 for what is no word."""
    due = time.monotonic() + wait
    while (message := awaited(ws, due)) is not None:
        if not isinstance(message, str) or len(message) > MOST_WORD:
            ws.close(1008, f"a message is a text of at most {MOST_WORD} characters")
        else:
            yield message


def awaited(ws: Server, due: float) -> str | bytes | None:
    """Return the next message, None where none comes until `due`."""
    while True:
        left = max(0, due - time.monotonic())
        message: str | bytes | None = ws.receive(timeout=min(left, LOOK_SECONDS))
        if message is not None or left <= LOOK_SECONDS:
            return message


def hang_up(ws: Server) -> None:
    """Leave each side a moment to answer a close with its own (RFC 6455, 7.1.1), then end connection and thread."""
    ws.thread.join(GOODBYE_SECONDS)
    with suppress(OSError):  # it has ended by itself
        ws.sock.shutdown(socket.SHUT_RDWR)
    ws.thread.join(MOST_JOIN)  # a socket that is closed before the thread wakes would leave it asleep


Sock().route("/websocket", bp=blueprint)(stream)


class Silence(Response):
    """What follows a WebSocket: nothing. flask-sock's own empty 200 would stand on the wire after the close."""

    def __call__(self, *args: Any) -> NoReturn:
        """Tell the server that the connection is over."""
        raise ClientLeftError("the WebSocket is closed")


@blueprint.after_request
def say_no_more(response: Response) -> Response:
    """Send nothing after the frames, where the server hands out its socket as Werkzeug does."""
    upgraded = request.method == "GET" and response.status_code == 200
    return Silence() if upgraded and "werkzeug.socket" in request.environ else response


@blueprint.record_once
def configure(state: Any) -> None:
    """Let the connections ping, and refuse messages that are too long."""
    app: Flask = state.app
    app.config.setdefault("SOCK_SERVER_OPTIONS", {"ping_interval": PING_SECONDS, "max_message_size": MOST_BYTES})
