"""Read a recorded HTTP response: its status, headers, chunks and times, and its body in the formats of the course."""

from __future__ import annotations

import contextlib
import json
from typing import Any

from server.wire import http, multipart, ndjson, sse

from .recording import Recording


class RecordedResponse:
    """The first response of a recorded connection. If the recording still grows, `update()` reads the new bytes.

    Attributes:
        status: status code of the first response, 0 if there was none.
        head: its status line and headers, None if there was none.
        type: media type in lower case, "" without a Content-Type.
        chunks: the body as it was framed, one item per chunk.
        times: when each chunk was complete, in seconds since the request.
        end: "complete", "interrupted" (the connection closed too early) or "open" (the client stopped reading first).
        recording: every byte in both directions; it draws itself.
        client_port: the port from which the client sent the request, 0 if it is unknown.
    """

    def __init__(self, recording: Recording, method: str = "GET", client_port: int = 0) -> None:
        self.recording, self.client_port = recording, client_port
        self.head: http.Head | None = None
        self.chunks: list[bytes] = []
        self.times: list[float] = []
        self.status, self.type, self.end = 0, "", "open"
        self._parser, self._read, self._fresh = http.Parser("response", [method]), 0, True
        self.update()

    def update(self) -> None:
        """Read the pieces that were recorded since the last call."""
        pieces = self.recording.pieces[self._read :]
        self._read += len(pieces)
        for when, _, direction, data, how in pieces:
            if direction == "->":
                continue
            for part in self._parser.close() if how else self._parser.feed(data):
                if isinstance(part, http.Head) and self.head is None:
                    self.head, self.status = part, part.status
                    self.type = part.get("Content-Type").partition(";")[0].strip().lower()
                elif isinstance(part, http.Data):
                    if self._fresh or not self._chunked():  # this data begins a chunk
                        self.chunks.append(b"")
                        self.times.append(when)
                    self.chunks[-1] += part.raw
                    self.times[-1], self._fresh = when, False
                elif isinstance(part, http.DataEnd):
                    self._fresh = True
                elif isinstance(part, http.End) and self.end == "open":
                    self.end = "interrupted" if part.how == "cut" else "complete"

    @property
    def body(self) -> bytes:
        """All bytes of the body so far."""
        return b"".join(self.chunks)

    def _chunked(self) -> bool:
        return "chunked" in self.header("Transfer-Encoding").lower()

    def header(self, name: str) -> str:
        """Return the value of a header, "" if it is missing."""
        return self.head.get(name) if self.head else ""

    @property
    def events(self) -> list[sse.Event]:
        """The events that an EventSource would dispatch (WHATWG HTML, section 9.2.6)."""
        return sse.Parser().feed(self.body)

    @property
    def documents(self) -> list[Any]:
        """The JSON documents of the body, one per line, up to the first invalid line."""
        with contextlib.suppress(ValueError):
            return ndjson.Parser().feed(self.body)
        return []

    @property
    def parts(self) -> list[multipart.Part]:
        """The complete parts of the body, separated by the boundary of the Content-Type."""
        with contextlib.suppress(ValueError):
            return multipart.Parser(multipart.boundary_of(self.header("Content-Type"))).feed(self.body)
        return []

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode("utf-8", "replace")

    @property
    def json(self) -> Any:
        """The body as JSON, None if it is not JSON."""
        with contextlib.suppress(ValueError):
            return json.loads(self.body)
        return None

    def __str__(self) -> str:
        return self.recording.text(most=30)
