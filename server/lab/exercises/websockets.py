"""Talk to a learner's app over WebSocket."""

from __future__ import annotations

import contextlib
import socket
from typing import Any
from urllib.parse import urlsplit

from simple_websocket import ConnectionClosed
from wsproto import ConnectionType, WSConnection, events
from wsproto.connection import ConnectionState
from wsproto.utilities import LocalProtocolError, RemoteProtocolError

from ..pieces import How
from ..recording import Recording
from .bounded import SECONDS, Deadline
from .client import GRACE, MOST_BYTES, WatchedApp, running
from .locations import describe
from .response import NotYet, check

DISCONNECTED = (OSError, ConnectionClosed, LocalProtocolError)  # what a view raises when its client has disconnected


class WebSockets:
    """A running server with a learner's app, and WebSocket clients of it; a context manager.

    `with WebSockets(app) as server: anna = server.connect("/chat")`. At the end of the block all clients disconnect
    and the server stops. Raises NotYet if the app has raised an exception, unless a disconnect is its reason.
    """

    def __init__(self, app: Any) -> None:
        check(callable(app), f"{app!r} is not an application. Write Flask(...), with a view.")
        self.app, self.clients = app, list[WebSocketClient]()
        self._stack = contextlib.ExitStack()
        self._watched: WatchedApp

    def connect(self, path: str = "/", seconds: float = SECONDS) -> WebSocketClient:
        """Return a new client after its handshake. Raises NotYet unless the status of the response is 101."""
        client = WebSocketClient(self._server.url, path, seconds)
        self.clients.append(client)
        came = f"the status of GET {path} is {client.status}" if client.status else f"GET {path} has no response"
        view = f"@sock.route({path.partition('?')[0]!r})"
        check(client.status == 101, f"{came}, expected 101. Its view must begin with {view}", client)
        return client

    def __enter__(self) -> WebSockets:
        self._server, self._watched = self._stack.enter_context(running(self.app))
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        with self._stack:
            for client in self.clients:
                client.close_socket()
            line = self._watched.wait_idle(GRACE)
        raised = [describe(each) for _, each in self._watched.errors if not isinstance(each, DISCONNECTED)]
        if error is None or isinstance(error, NotYet):
            texts = [f"your code raises {raised[-1]}"] if raised else []
            texts += [str(error)] if error else []
            texts += [f"The server's code is still running at {line}"] if line and error else []
            if raised or (line and error):
                raise NotYet("\n\n".join(texts)) from None


class WebSocketClient:
    """One WebSocket client of a learner's server.

    Attributes:
        status: status code of the response to the handshake, 0 if there was none.
        end: "open", "closed" (the server sent a close frame) or "interrupted" (the connection ended without one).
        code, reason: the content of the server's close frame.
        recording: every byte in both directions; it draws itself.
    """

    def __init__(self, url: str, path: str, seconds: float) -> None:
        self.status, self.end, self.code, self.reason = 0, "open", 0, ""
        self.recording = Recording(keep=MOST_BYTES)
        self._protocol = WSConnection(ConnectionType.CLIENT)
        self._message, self._messages = list[Any](), list[Any]()  # the parts of one message; complete messages
        self._over = False
        parts = urlsplit(url)
        self._sock = socket.create_connection((parts.hostname or "", parts.port or 80), timeout=seconds)
        self._send(events.Request(host=parts.netloc, target=path))
        self._read_while(lambda: not self.status, seconds)

    def send(self, data: bytes) -> None:
        """Send bytes as they are, whether they are valid frames or not."""
        self.recording.add(1, "->", data)
        with contextlib.suppress(OSError):  # the server has disconnected; what it sent before can still be read
            self._sock.settimeout(SECONDS)
            self._sock.sendall(data)

    def send_text(self, text: str) -> None:
        """Send a text message in one frame."""
        self._send(events.TextMessage(data=text))

    def receive(self, seconds: float = SECONDS) -> str | bytes | None:
        """Return the next message, None if none arrives within the time or the connection has ended."""
        self._read_while(lambda: not self._messages and self.end == "open", seconds)
        return self._messages.pop(0) if self._messages else None

    def close(self, code: int = 1000, reason: str = "", seconds: float = SECONDS) -> None:
        """Send a close frame and wait for the server's; messages that arrive before it can still be received."""
        self._send(events.CloseConnection(code, reason))
        self._read_while(lambda: self.end == "open", seconds)

    def disconnect(self, seconds: float = SECONDS) -> bool:
        """Disconnect without a close frame. Return whether the server notices and closes its side, too."""
        with contextlib.suppress(OSError):
            self._sock.shutdown(socket.SHUT_WR)
        self._read_while(lambda: not self._over, seconds)
        noticed = self._over
        self.close_socket()
        return noticed

    def close_socket(self) -> None:
        """Close the connection at once."""
        self._sock.close()
        self.end = "interrupted" if self.end == "open" else self.end

    def __str__(self) -> str:
        return self.recording.text(most=30)

    def _send(self, event: events.Event) -> None:
        with contextlib.suppress(LocalProtocolError):  # the connection is closed
            self.send(self._protocol.send(event))

    def _read_while(self, wanted: Any, seconds: float) -> None:
        """Read as long as `wanted()`, for some seconds at most."""
        deadline = Deadline(seconds)
        while wanted() and not self._over and not self.recording.dropped and (step := deadline.step()):
            self._read(step)

    def _read(self, seconds: float) -> None:
        how: How = "closed"
        try:
            self._sock.settimeout(seconds)
            data = self._sock.recv(1 << 16)
        except TimeoutError:
            return
        except OSError:
            data, how = b"", "reset"
        self.recording.add(1, "<-", data, "" if data else how)
        if not data:
            self._over = True
            self.end = "interrupted" if self.end == "open" else self.end
        elif self.end == "open":
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
            self._message.append(event.data)
            if event.message_finished:
                self._messages.append(type(event.data)().join(self._message))
                self._message = []
        elif isinstance(event, events.Ping):
            self._send(event.response())
        elif isinstance(event, events.CloseConnection):
            if self._protocol.state in (ConnectionState.OPEN, ConnectionState.LOCAL_CLOSING):
                self.end = "interrupted"  # these bytes are not a frame
                return
            self.end, self.code, self.reason = "closed", event.code, event.reason or ""
            self._send(event.response())
