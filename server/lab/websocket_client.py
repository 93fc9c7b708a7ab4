"""A WebSocket client that records every byte in both directions."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from wsproto import ConnectionType, WSConnection, events
from wsproto.connection import ConnectionState
from wsproto.utilities import LocalProtocolError, RemoteProtocolError

from . import client
from .client import MOST_BYTES, SECONDS
from .deadline import Deadline


class WebSocketClient:
    """One WebSocket connection (RFC 6455) to the server of `url`, such as http://127.0.0.1:23423.

    The constructor connects and waits up to `seconds` for the response to the handshake. A refused connection, a
    timeout and an interrupted connection raise no exception: see `status` and `end`. At most `keep` bytes are
    recorded; after them the client reads nothing more. Raises ValueError unless the URL begins with http://.

    Use it as a context manager, or call `close_socket()` at the end.

    Attributes:
        status: status code of the response to the handshake, 0 if there was none; 101 if it succeeded.
        end: "open", "closed" (the server sent a close frame) or "interrupted" (the connection ended without one, or
            the server sent bytes that are not a valid frame).
        code, reason: the content of the server's close frame.
        recording: every byte in both directions; it draws itself.
    """

    def __init__(self, url: str, path: str = "/", seconds: float = SECONDS, keep: int = MOST_BYTES) -> None:
        self.status, self.end, self.code, self.reason = 0, "open", 0, ""
        self._protocol = WSConnection(ConnectionType.CLIENT)
        self._parts, self._messages = list[Any](), list[Any]()  # of the unfinished message; complete messages
        self._sock, self.recording = client.connect(url, seconds, keep)
        self._disconnected = self._sock is None
        if self._sock is None:
            self.end = "interrupted"
        self._send(events.Request(host=urlsplit(url).netloc, target=path))
        self._read_until(lambda: self.status > 0 or self.end != "open", seconds)

    def send(self, data: bytes) -> None:
        """Send bytes as they are, whether they are valid frames or not.

        If the server has disconnected, nothing happens: the messages that it sent before can still be received.
        """
        if self._sock is not None:
            client.send(self._sock, data, SECONDS, self.recording)

    def send_text(self, text: str) -> None:
        """Send a text message in one frame. After the end of the connection nothing is sent."""
        self._send(events.TextMessage(data=text))

    def receive(self, seconds: float = SECONDS) -> str | bytes | None:
        """Return the next message, None if none arrives within `seconds` or the connection has ended."""
        self._read_until(lambda: bool(self._messages) or self.end != "open", seconds)
        return self._messages.pop(0) if self._messages else None

    def close(self, code: int = 1000, reason: str = "", seconds: float = SECONDS) -> None:
        """Send a close frame and wait up to `seconds` for the server's.

        Messages that arrive before it can still be received.
        """
        self._send(events.CloseConnection(code, reason))
        self._read_until(lambda: self.end != "open", seconds)

    def disconnect(self, seconds: float = SECONDS) -> bool:
        """Disconnect without a close frame. Return whether the server closes its side, too, within `seconds`."""
        if self._sock is not None:
            with contextlib.suppress(OSError):
                self._sock.shutdown(socket.SHUT_WR)
        self._read_until(lambda: False, seconds)
        noticed = self._disconnected
        self.close_socket()
        return noticed

    def close_socket(self) -> None:
        """Close the connection at once, without a close frame."""
        if self._sock is not None:
            self._sock.close()
        self.end = "interrupted" if self.end == "open" else self.end

    def __enter__(self) -> WebSocketClient:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close_socket()

    def __str__(self) -> str:
        return self.recording.text(most=30)

    def _send(self, event: events.Event) -> None:
        with contextlib.suppress(LocalProtocolError):  # the connection is closed
            self.send(self._protocol.send(event))

    def _read_until(self, holds: Callable[[], bool], seconds: float) -> None:
        """Read until `holds()`, the server's disconnect, the limit of the recording, or for `seconds`."""
        deadline = Deadline(seconds)
        while not holds() and not self._disconnected and not self.recording.dropped and (step := deadline.step()):
            self._read(step)

    def _read(self, seconds: float) -> None:
        data = client.receive(self._sock, seconds, self.recording) if self._sock is not None else b""
        if data == b"":
            self._disconnected = True
            self.end = "interrupted" if self.end == "open" else self.end
        elif data and self.end == "open":
            try:
                self._protocol.receive_data(data)
                for event in self._protocol.events():
                    self._handle(event)
            except RemoteProtocolError:
                self.end = "interrupted"

    def _handle(self, event: events.Event) -> None:
        if isinstance(event, events.AcceptConnection):
            self.status = 101
        elif isinstance(event, events.RejectConnection):
            self.status = event.status_code
        elif isinstance(event, events.Message):
            self._parts.append(event.data)
            if event.message_finished:
                self._messages.append(type(event.data)().join(self._parts))
                self._parts = []
        elif isinstance(event, events.Ping):
            self._send(event.response())
        elif isinstance(event, events.CloseConnection):
            if self._protocol.state in (ConnectionState.OPEN, ConnectionState.LOCAL_CLOSING):
                self.end = "interrupted"  # these bytes are not a frame
                return
            self.end, self.code, self.reason = "closed", event.code, event.reason or ""
            self._send(event.response())
