"""A recorded response, and the result of a check."""

from __future__ import annotations

import contextlib
import json
from typing import Any, NoReturn

from server.wire import http, multipart, ndjson, sse

from ..recording import Recording
from .locations import describe


class NotYet(AssertionError):  # noqa: N818 - it is not an error, it is the result of a check
    """The exercise is not solved yet: why, and what was on the wire. A notebook shows no traceback."""

    def _render_traceback_(self) -> list[str]:
        return [f"Not yet: {self}"]


class RecordedResponse:
    """A response as it came over the wire.

    Attributes:
        status: status code of the first response, 0 if there was none.
        head: its status line and headers, None if there was none.
        type: media type in lower case, "" without a Content-Type.
        chunks: the body as it was framed, one item per chunk.
        times: when each chunk was complete, in seconds since the request.
        body: all bytes of the body.
        end: "complete", "interrupted" (the connection closed too early) or "open" (the client stopped reading first).
        client_port: the port from which the request came.
        errors: exceptions that the app raised.
        still_running: the line at which the app still was after the client had disconnected, "" if it had ended.
        recording: every byte in both directions; it draws itself.
    """

    def __init__(self, recording: Recording, method: str = "GET", client_port: int = 0) -> None:
        self.recording, self.client_port = recording, client_port
        self.errors, self.still_running = list[BaseException](), ""
        self.head: http.Head | None = None
        self.chunks: list[bytes] = []
        self.times: list[float] = []
        self.end = "open"
        self._read(http.Parser("response", [method]))
        self.body = b"".join(self.chunks)
        self.status = self.head.status if self.head else 0
        self.type = self.header("Content-Type").partition(";")[0].strip().lower()

    def _read(self, parser: http.Parser) -> None:
        fresh = True  # the next data begins a chunk
        for when, _, direction, data, how in self.recording.pieces:
            if direction == "->":
                continue
            for part in parser.close() if how else parser.feed(data):
                if isinstance(part, http.Head) and self.head is None:
                    self.head = part
                elif isinstance(part, http.Data):
                    if fresh or not self._chunked():
                        self.chunks.append(b"")
                        self.times.append(when)
                    self.chunks[-1] += part.raw
                    self.times[-1], fresh = when, False
                elif isinstance(part, http.DataEnd):
                    fresh = True
                elif isinstance(part, http.End) and self.end == "open":
                    self.end = "interrupted" if part.how == "cut" else "complete"

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

    @property
    def error(self) -> str:
        """The last exception that the app raised, with its line; "" if there was none."""
        return describe(self.errors[-1]) if self.errors else ""

    def __str__(self) -> str:
        running = f"\nThe server's code is still running at {self.still_running}" if self.still_running else ""
        return self.recording.text(most=30) + running


def check(condition: object, message: str, shown: Any = None) -> None:
    """Raise NotYet with the message, and with the frames of `shown`, unless the condition holds."""
    if not condition:
        fail(message, shown)


def fail(message: str, shown: Any = None) -> NoReturn:
    """Raise NotYet with the message, the exception of the app if there was one, and the frames of `shown`."""
    if isinstance(shown, RecordedResponse):
        if shown.error and shown.error not in message:
            message += f". Your code raises {shown.error}"
        if shown.status == 404 and b"was not found on the server" in shown.body:
            message += ". No view has this path"
        if shown.status == 405:
            message += f". The view of this path allows only {shown.header('Allow')}"
    raise NotYet(message if shown is None else f"{message}\n\nOn the wire:\n{shown}")
