"""An HTTP client that records every byte: it sends one request and returns the response."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

from server.wire import http

from .deadline import Deadline
from .recording import Recording
from .response import RecordedResponse

SECONDS = 2.0  # for one request, unless the caller says otherwise
MOST_BYTES = 1 << 20  # to record of one connection
READ_BYTES = 1 << 16


def exchange(
    url: str,
    path: str = "/",
    *,
    method: str = "GET",
    headers: Mapping[str, str] | None = None,
    body: bytes = b"",
    until: Callable[[RecordedResponse], object] | None = None,
    seconds: float = SECONDS,
    keep: int = MOST_BYTES,
) -> RecordedResponse:
    """Send one HTTP/1.1 request over a connection of its own and return the recorded response.

    `url` is the address of the server, such as http://127.0.0.1:23423. The request has the header Host, the given
    headers and, if there is a body, Content-Length. The client reads until the response is complete, until
    `until(response)` is true after a read, until `keep` bytes are recorded, or for `seconds`. Then it disconnects.
    It does not follow redirects.

    A refused connection, a timeout and a reset raise no exception: the response then has the status 0 or the end
    "interrupted" or "open", and its recording says why. Raises ValueError unless the URL begins with http://.
    """
    sock, recording = connect(url, seconds, keep)
    if sock is None:
        return RecordedResponse(recording, method)
    host = {"Host": urlsplit(url).netloc}
    length = {"Content-Length": str(len(body))} if body else {}
    request = http.Head(f"{method} {path} HTTP/1.1", tuple({**host, **(headers or {}), **length}.items()))
    response, deadline = RecordedResponse(recording, method, sock.getsockname()[1]), Deadline(seconds)
    with sock:
        send(sock, request.encode() + body, seconds, recording)
        while response.end == "open" and not recording.dropped and (step := deadline.step()):
            data = receive(sock, step, recording)
            if data is None:
                continue
            response.update()
            if (until is not None and until(response)) or not data:
                break
    return response


def connect(url: str, seconds: float, keep: int) -> tuple[socket.socket | None, Recording]:
    """Connect to the server of a URL. Return the socket, None if that fails, and a recording for its bytes.

    The recording keeps `keep` bytes. If the connection fails, it says "refused", or "unreachable" after `seconds`.
    Raises ValueError unless the URL begins with http://.
    """
    parts, recording = urlsplit(url), Recording(keep=keep)
    if parts.scheme != "http" or not parts.hostname:
        raise ValueError(f"the URL must be such as http://127.0.0.1:23423, not {url!r}")
    try:
        return socket.create_connection((parts.hostname, parts.port or 80), seconds), recording
    except TimeoutError:
        recording.add(1, "<-", b"", "unreachable")
    except OSError:
        recording.add(1, "<-", b"", "refused")
    return None, recording


def send(sock: socket.socket, data: bytes, seconds: float, recording: Recording) -> None:
    """Send and record bytes. Stop if the server disconnects or does not read for `seconds`.

    The data that the server sent before can still be received.
    """
    recording.add(1, "->", data)
    with contextlib.suppress(OSError):
        sock.settimeout(seconds)
        sock.sendall(data)


def receive(sock: socket.socket, seconds: float, recording: Recording) -> bytes | None:
    """Read and record bytes. Return b"" if the server has disconnected, None if nothing arrives within `seconds`."""
    try:
        sock.settimeout(seconds)
        data = sock.recv(READ_BYTES)
    except TimeoutError:
        return None
    except OSError:
        recording.add(1, "<-", b"", "reset")
        return b""
    recording.add(1, "<-", data, "" if data else "closed")
    return data
