"""Conversations with a learner's app over WebSocket."""

from __future__ import annotations

import contextlib
import socket
import threading
from typing import Any
from urllib.parse import urlsplit

from server.wire import http, websocket

from ..background import BackgroundServer
from ..pieces import How
from ..recording import Recording
from .asking import MOST_BYTES, told
from .ending import SECONDS, Due, end_server, short_sleeps, wait_for
from .places import errors
from .seen import NotYet, check

LEFT = (  # what a view raises at a client that has left
    "BrokenPipeError",
    "ConnectionResetError",
    "ConnectionAbortedError",
    "OSError",
    "simple_websocket.errors.ConnectionClosed",
    "wsproto.utilities.LocalProtocolError",
)


class WebSockets:
    """A learner's server, and clients that speak WebSocket to it, frame by frame.

    `with WebSockets(app) as server: anna = server.connect("/chat")`. At the end of the block every client is gone,
    and the server with every thread. Raises NotYet where the app has raised, other than at a client that has left.
    """

    def __init__(self, app: Any) -> None:
        check(callable(app), f"{app!r} is no application: write Flask(...), with a view.")
        self.app, self.clients = app, list[WebSocketClient]()

    def connect(self, path: str = "/", seconds: float = SECONDS) -> WebSocketClient:
        """Return a new client, upgraded. Raises NotYet where the answer is not 101."""
        client = WebSocketClient(self._server.url, path, seconds)
        self.clients.append(client)
        answer = f"the answer to GET {path} is {client.status}" if client.status else f"no answer to GET {path}"
        view = f"@sock.route({path.partition('?')[0]!r})"
        check(client.status == 101, f"{answer}, expected 101: does its view begin with {view}?", client)
        return client

    def __enter__(self) -> WebSockets:
        self._before = set(threading.enumerate())
        with contextlib.ExitStack() as stack:
            stack.enter_context(short_sleeps())
            self._server = BackgroundServer(self.app).start()
            stack.enter_context(told(self.app, self._server))
            self._stack = stack.pop_all()
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        with self._stack:
            for client in self.clients:
                client.hang_up()
            log, stuck = end_server(self._server)
            self._join_listeners()
        raised = [line for line in errors(log) if not line.startswith(LEFT)]
        if error is None or isinstance(error, NotYet):
            said = [f"your code raises {raised[-1]}"] if raised else []
            said += [str(error)] if error else []
            said += [f"The server goes on{stuck}"] if stuck and error else []
            if raised or (stuck and error):
                raise NotYet("\n\n".join(said)) from None

    def _join_listeners(self) -> None:
        """Wait for the threads in which simple-websocket listens: each ends when its client has gone."""
        begun = set(threading.enumerate()) - self._before
        wait_for([thread for thread in begun if "simple_websocket" in thread.name], SECONDS)


class WebSocketClient:
    """One client of a learner's server.

    `status` of the answer, 0 where none came; `end` is "open", "closed" (a close frame came: then there are its
    `code` and its `reason`) or "cut" (the connection ended without one). `recording` holds every piece and draws
    itself.
    """

    KEY, MASK = "dGhlIHNhbXBsZSBub25jZQ==", b"\x01\x02\x03\x04"

    def __init__(self, url: str, path: str, seconds: float) -> None:
        self.status, self.end, self.code, self.reason = 0, "open", 0, ""
        self.recording = Recording(keep=MOST_BYTES)
        self._parser, self._frames = websocket.Parser(masks=False), list[websocket.Frame]()
        self._message, self._said_goodbye, self._over = b"", False, False
        parts = urlsplit(url)
        self._sock = socket.create_connection((parts.hostname or "", parts.port or 80), timeout=seconds)
        fields = {"Host": parts.netloc, "Upgrade": "websocket", "Connection": "Upgrade"}
        fields |= {"Sec-WebSocket-Key": self.KEY, "Sec-WebSocket-Version": "13"}
        self.send(http.Head(f"GET {path} HTTP/1.1", tuple(fields.items())).encode())
        self._read_head(seconds)

    def send(self, data: bytes) -> None:
        """Send bytes as they are: frames, or what is none."""
        self.recording.add(1, "->", data)
        try:
            self._sock.settimeout(SECONDS)
            self._sock.sendall(data)
        except OSError:  # the server has hung up, or does not read; what it has said before may still be read
            return

    def say(self, text: str) -> None:
        """Send a message of text, in one frame, masked."""
        self.send(websocket.Frame(websocket.TEXT, text.encode(), mask=self.MASK).encode())

    def frame(self, seconds: float = SECONDS) -> websocket.Frame | None:
        """Return the next frame, of any kind; None where none comes within the time, or none can come."""
        return self._frame(Due(seconds))

    def hear(self, seconds: float = SECONDS) -> str | bytes | None:
        """Return the next message; None where none comes within the time, or none can come."""
        due = Due(seconds)
        while (frame := self._frame(due)) is not None:
            if frame.opcode in (websocket.TEXT, websocket.BINARY):
                self._kind, self._message = frame.opcode, b""
            if frame.opcode <= websocket.BINARY:
                self._message += frame.payload
                if frame.fin:
                    text = self._kind == websocket.TEXT
                    return self._message.decode("utf-8", "replace") if text else self._message
        return None

    def close(self, code: int = 1000, reason: str = "", seconds: float = SECONDS) -> None:
        """Say goodbye, and wait for the server's close frame; messages that come before it can still be heard."""
        self._say_goodbye(websocket.close_payload(code, reason))
        due = Due(seconds)
        while self.end == "open" and self._take(due):
            continue

    def leave(self, seconds: float = SECONDS) -> bool:
        """Go without a goodbye, as where a line is cut. Return whether the server notices, and hangs up, too."""
        with contextlib.suppress(OSError):
            self._sock.shutdown(socket.SHUT_WR)
        due = Due(seconds)
        while not self._over and self._take(due):
            continue
        noticed = self._over
        self.hang_up()
        return noticed

    def hang_up(self) -> None:
        """Close the connection, whatever is said."""
        self._sock.close()
        self.end = "cut" if self.end == "open" else self.end

    def __str__(self) -> str:
        return self.recording.text(most=30)

    def _frame(self, due: Due) -> websocket.Frame | None:
        while not self._frames and self.end == "open" and self._take(due):
            continue
        return self._frames.pop(0) if self._frames else None

    def _read_head(self, seconds: float) -> None:
        head, due = b"", Due(seconds)
        while b"\r\n\r\n" not in head and (data := self._piece(due)):
            head += data
        head, blank, rest = head.partition(b"\r\n\r\n")
        self.status = http.Head(head.partition(b"\r\n")[0].decode("latin-1")).status if blank else 0
        if self.status == 101:
            self._read(rest)

    def _take(self, due: Due) -> bool:
        """Read what comes next; return whether something did."""
        data = self._piece(due)
        self._read(data)
        return bool(data)

    def _piece(self, due: Due) -> bytes:
        """Return the next piece; b"" where none comes in time, or none can come."""
        while (step := due.step()) and not self.recording.dropped:
            how: How = "closed"
            try:
                self._sock.settimeout(step)
                data = self._sock.recv(1 << 16)
            except TimeoutError:
                continue
            except OSError:
                data, how = b"", "reset"
            self.recording.add(1, "<-", data, "" if data else how)
            if not data:
                self._over = True
                self.end = "cut" if self.end == "open" else self.end
            return data
        return b""

    def _read(self, data: bytes) -> None:
        if self.end != "open":
            return
        try:
            frames = self._parser.feed(data)
        except ValueError:
            self.end = "cut"  # no frame can follow
            return
        self._frames += frames
        for frame in frames:
            if frame.opcode == websocket.PING:
                self.send(websocket.Frame(websocket.PONG, frame.payload, mask=self.MASK).encode())
            elif frame.opcode == websocket.CLOSE:
                self.end, self.code = "closed", int.from_bytes(frame.payload[:2], "big")
                self.reason = frame.payload[2:].decode("utf-8", "replace")
                self._say_goodbye(frame.payload[:2])

    def _say_goodbye(self, payload: bytes) -> None:
        if not self._said_goodbye:
            self._said_goodbye = True
            self.send(websocket.Frame(websocket.CLOSE, payload, mask=self.MASK).encode())
