"""A pause between two chunks of a stream that ends early when the client disconnects.

A WSGI server notices a disconnect only when it next writes to the client. A stream that sends nothing for a minute
therefore occupies its thread for up to a minute too long. Many servers put the client's socket into the WSGI environ.
The operating system reports on that socket when the client closes the connection. The pause waits for this report.
"""

from __future__ import annotations

import select
import selectors
import socket
import ssl
import time
from collections.abc import Callable, Mapping
from typing import Any

SOCKET_KEYS = ("werkzeug.socket", "gunicorn.socket")  # the environ keys under which servers store the client's socket


class ClientDisconnected(ConnectionAbortedError):  # noqa: N818  # the name says what happened
    """The client has disconnected or the server is stopping. Nobody reads the stream any more.

    It is raised inside the generator, so that its `finally` and `with` blocks run. It is a ConnectionError because
    servers handle a ConnectionError without an error message.
    """


def pause(environ: Mapping[str, Any]) -> Callable[[float], None]:
    """Return a function that sleeps for some seconds and raises ClientDisconnected if the client disconnects.

    `environ` is the WSGI environ of the request. If it contains no socket (a test client, some servers), or if the
    socket uses TLS, the function is `time.sleep`. A disconnect then shows at the next write.

    The pause reads nothing from the client. On Linux it also notices a disconnect after the client has sent more than
    its request. On other systems, and with gevent, unread bytes hide the disconnect until the next write.
    """
    sock = next((environ[key] for key in SOCKET_KEYS if key in environ), None)
    if not isinstance(sock, socket.socket) or isinstance(sock, ssl.SSLSocket):
        return time.sleep
    # Only Linux has epoll and POLLRDHUP. gevent removes epoll and replaces poll by one that ignores POLLRDHUP.
    disconnects = _disconnects_on_linux if hasattr(select, "epoll") else _disconnects

    def wait(seconds: float) -> None:
        if sock.fileno() < 0:
            raise ClientDisconnected("the server has closed the connection")
        if disconnects(sock, seconds):
            raise ClientDisconnected("the client has disconnected")

    return wait


def _disconnects_on_linux(sock: socket.socket, seconds: float) -> bool:
    """Wait, and return whether the client has closed its side of the connection, even if unread bytes are waiting."""
    poll = select.poll()
    poll.register(sock, select.POLLRDHUP)
    return bool(poll.poll(seconds * 1000))


def _disconnects(sock: socket.socket, seconds: float) -> bool:
    """Wait, and return whether the socket has reached its end. Unread bytes stay unread and hide the end."""
    deadline = time.monotonic() + seconds
    with selectors.DefaultSelector() as selector:
        selector.register(sock, selectors.EVENT_READ)
        if not selector.select(seconds):
            return False
    try:
        if not sock.recv(1, socket.MSG_PEEK):
            return True
    except ConnectionError:  # the client has reset the connection
        return True
    time.sleep(max(0, deadline - time.monotonic()))
    return False
