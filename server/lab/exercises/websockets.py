"""Serve a learner's app and connect WebSocket clients to it."""

from __future__ import annotations

import contextlib
from typing import Any

from simple_websocket import ConnectionClosed
from wsproto.utilities import LocalProtocolError

from ..client import SECONDS
from ..websocket_client import WebSocketClient
from .client import GRACE, Served, serving
from .locations import describe
from .response import NotYet, check

DISCONNECTED = (OSError, ConnectionClosed, LocalProtocolError)  # exceptions of a view whose client has disconnected


class WebSockets:
    """A running server with a learner's app, and WebSocket clients of it; a context manager.

    `with WebSockets(app) as server: anna = server.connect("/chat")`. At the end of the block all clients disconnect
    and the server stops. Raises NotYet if `app` is not an application, and if it has raised an exception, unless a
    disconnect is the reason.
    """

    def __init__(self, app: Any) -> None:
        self.app, self.clients = app, list[WebSocketClient]()
        self._stack = contextlib.ExitStack()
        self._server: Served

    def connect(self, path: str = "/", seconds: float = SECONDS) -> WebSocketClient:
        """Return a new client after its handshake. Raises NotYet unless the status of the response is 101."""
        client = WebSocketClient(self._server.url, path, seconds)
        self.clients.append(client)
        came = f"the status of GET {path} is {client.status}" if client.status else f"GET {path} has no response"
        view = f"@sock.route({path.partition('?')[0]!r})"
        check(client.status == 101, f"{came}, expected 101. Its view must begin with {view}", client)
        return client

    def __enter__(self) -> WebSockets:
        self._server = self._stack.enter_context(serving(self.app))
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        with self._stack:
            for client in self.clients:
                client.close_socket()
            line = self._server.watched.wait_idle(GRACE)
        errors = self._server.watched.errors
        raised = [describe(each) for _, each in errors if not isinstance(each, DISCONNECTED)]
        if error is None or isinstance(error, NotYet):
            texts = [f"your code raises {raised[-1]}"] if raised else []
            texts += [str(error)] if error else []
            texts += [f"The server's code is still running at {line}"] if line and error else []
            if raised or (line and error):
                raise NotYet("\n\n".join(texts)) from None
