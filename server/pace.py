"""How fast a stream goes and how it ends.

What a request asks for, and a pause that ends early when its client leaves. A WSGI server
learns that a client has left when it next writes to it, so a stream that is quiet for a
minute holds its thread for a minute too long. But servers hand out the client's socket, and
a socket whose other end has closed becomes readable, with nothing to read. A pause here waits
for that, for as long as the stream wants to be quiet.
"""

from __future__ import annotations

import re
import selectors
import socket
import ssl
import time
from collections.abc import Callable, Mapping
from typing import Any, NoReturn

from flask import Response, request
from werkzeug.exceptions import BadRequest

MOST_TICKS = 1_000_000
MOST_SECONDS = 3600
SOCKETS = ("werkzeug.socket", "gunicorn.socket")  # where servers put the client's socket


class ClientLeftError(ConnectionAbortedError):
    """The client of this stream has left, or the server is stopping: nobody reads any more.

    Raised inside the generator, so its `finally` and `with` run; servers take a
    ConnectionError calmly.
    """


# How many ticks (None: no end), how many seconds apart, and the pause between: what ticks() takes.
Pace = tuple[int | None, float, Callable[[float], None]]


def pace(count: int | None = None, interval: float = 0.1) -> Pace:
    """Read `count` and `interval` from the present request; the arguments are the defaults.

    `count` is a whole number from 0 to 1,000,000, `interval` a number of seconds from 0 to
    3,600. Anything else is answered with 400 and a text that says what was wrong and what is
    allowed.
    """
    wanted = whole_number("count", count, 0, MOST_TICKS)
    return wanted, seconds("interval", interval, MOST_SECONDS), pause(request.environ)


def whole_number(name: str, default: int | None, least: int, most: int) -> int | None:
    """Read a whole number from the query; answer 400 where it is something else or out of range."""
    text = request.args.get(name)
    if text is None:
        return default
    if not re.fullmatch("[0-9]{1,15}", text) or not least <= int(text) <= most:
        refuse(f"{name} is a whole number from {least} to {most}, not {text[:40]!r}")
    return int(text)


def seconds(name: str, default: float, most: int) -> float:
    """Read a number of seconds from the query; answer 400 where it is something else or out of range."""
    text = request.args.get(name)
    if text is None:
        return default
    if not re.fullmatch(r"[0-9]{1,9}(\.[0-9]{0,9})?|\.[0-9]{1,9}", text) or float(text) > most:
        refuse(f"{name} is a number of seconds from 0 to {most}, such as 0.5, not {text[:40]!r}")
    return float(text)


def refuse(text: str) -> NoReturn:
    """Answer the present request with 400 and one line of plain text."""
    raise BadRequest(response=Response(f"{text}\n", 400, content_type="text/plain; charset=utf-8"))


def pause(environ: Mapping[str, Any]) -> Callable[[float], None]:
    """Return a function that waits some seconds, but not longer than the client stays.

    It raises ClientLeftError as soon as the client has left. `environ` is the WSGI environ of
    the request. Where it has no socket (a test client, some servers), or where the socket speaks
    TLS, the wait is a plain sleep, and the leaving shows at the next write. What a client says
    after a request without a body is read away, since it would hide the leaving.
    """
    sock = next((environ[key] for key in SOCKETS if key in environ), None)
    if not isinstance(sock, socket.socket) or isinstance(sock, ssl.SSLSocket):
        return time.sleep
    has_body = bool(environ.get("CONTENT_LENGTH") or environ.get("HTTP_TRANSFER_ENCODING"))
    return lambda wait: _watch(sock, wait, has_body)


def _watch(sock: socket.socket, wait: float, has_body: bool) -> None:
    due = time.monotonic() + wait
    with selectors.DefaultSelector() as selector:
        selector.register(_open(sock), selectors.EVENT_READ)
        while (left := due - time.monotonic()) > 0 and selector.select(left):
            if _has_left(sock, has_body):
                raise ClientLeftError("the client has left")
            if has_body:  # it is the app's to read, and hides the leaving: only wait
                time.sleep(max(0, due - time.monotonic()))


def _open(sock: socket.socket) -> socket.socket:
    if sock.fileno() < 0:
        raise ClientLeftError("the server has closed the connection")
    return sock


def _has_left(sock: socket.socket, has_body: bool) -> bool:
    try:
        return not sock.recv(4096, socket.MSG_PEEK if has_body else 0)  # peek: what is there stays
    except ConnectionError:  # it left by a reset
        return True
