"""Recordings made by hand, piece by piece, and the streams of which tests make them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from server.lab import Recording
from server.wire.http import LAST_CHUNK, Head, chunk

Step = tuple[Literal["->", "<-"], "bytes | Literal['closed', 'reset', 'refused']"]

GET = Head("GET /sse?count=2 HTTP/1.1", (("Host", "x"),)).encode()
CHUNKED = Head("HTTP/1.1 200 OK", (("Content-Type", "text/event-stream"), ("Transfer-Encoding", "chunked"))).encode()
TWO_TICKS = CHUNKED + chunk(b"data: \\ 0\n\n") + chunk(b"data: | 1\n\n") + LAST_CHUNK


def recorded(*steps: Step, keep: int | None = None, connection: int = 1, into: Recording | None = None) -> Recording:
    """Return a recording of one connection: bytes are a piece, a word is how a direction has ended."""
    recording = Recording(keep) if into is None else into
    for direction, what in steps:
        if isinstance(what, bytes):
            recording.add(connection, direction, what)
        else:
            recording.add(connection, direction, b"", what)
    return recording


def answered(request: bytes, pieces: Iterable[bytes], *ends: Step) -> Recording:
    """Return the recording of a request in one read and its response in several."""
    return recorded(("->", request), *(("<-", piece) for piece in pieces), *ends)
