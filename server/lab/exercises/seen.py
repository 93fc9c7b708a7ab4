"""What was seen of an answer, and the verdict of a check."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable
from typing import Any, NoReturn

from server.wire import http, multipart, ndjson, sse

from ..recording import Recording
from .places import errors


class NotYet(AssertionError):  # noqa: N818 - it is no error, it is an answer
    """An exercise is not solved yet: why, and what was on the wire. A notebook shows the text and no traceback."""

    def _render_traceback_(self) -> list[str]:
        return [f"Not yet: {self}"]


class Seen:
    """An answer as it came over the wire: its head, its body in chunks with their times, how it ended.

    `status` and `head` of the first answer (0 and None where none came); `type` its media type, in lower case;
    `chunks` the pieces of the body as they were framed, `times` when each was whole, in seconds since the request;
    `body` all of it; `end` is "whole", "cut" or "open" (nobody waited any longer); `events` what an EventSource would
    send; `log` the server's. `recording` holds every piece and draws itself.
    """

    def __init__(self, recording: Recording, method: str = "GET", log: Iterable[str] = ()) -> None:
        self.recording, self.log = recording, list(log)
        self.stuck = ""  # where the server's code still was
        self.head: http.Head | None = None
        self.chunks: list[bytes] = []
        self.times: list[float] = []
        self.end = "open"
        self._read(http.Parser("response", [method]))
        self.body = b"".join(self.chunks)
        self.status = self.head.status if self.head else 0
        self.type = self.field("Content-Type").partition(";")[0].strip().lower()

    def _read(self, parser: http.Parser) -> None:
        fresh = True
        for when, _, direction, data, how in self.recording.pieces:
            if direction == "->":
                continue
            for part in parser.close() if how else parser.feed(data):
                if isinstance(part, http.Head) and self.head is None:
                    self.head = part
                elif isinstance(part, http.Data):
                    fresh = self._add(when, part.raw, fresh or not self._chunked())
                elif isinstance(part, http.DataEnd):
                    fresh = True
                elif isinstance(part, http.End) and self.end == "open":
                    self.end = "cut" if part.how == "cut" else "whole"

    def _add(self, when: float, data: bytes, fresh: bool) -> bool:
        if fresh:
            self.chunks.append(data)
            self.times.append(when)
        else:
            self.chunks[-1] += data
            self.times[-1] = when
        return False

    def _chunked(self) -> bool:
        return "chunked" in self.field("Transfer-Encoding").lower()

    def field(self, name: str) -> str:
        """Return the value of a field of the head, "" where it has none."""
        return self.head.get(name) if self.head else ""

    @property
    def events(self) -> list[sse.Event]:
        """What the body means as an event stream (WHATWG HTML, section 9.2.6)."""
        return sse.Parser().feed(self.body)

    @property
    def documents(self) -> list[Any]:
        """The JSON documents of the body, one a line, up to a line that is none."""
        with contextlib.suppress(ValueError):
            return ndjson.Parser().feed(self.body)
        return []

    @property
    def parts(self) -> list[multipart.Part]:
        """The parts of the body that are whole, by the boundary that the Content-Type names."""
        with contextlib.suppress(ValueError):
            return multipart.Parser(multipart.boundary_of(self.field("Content-Type"))).feed(self.body)
        return []

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode("utf-8", "replace")

    @property
    def json(self) -> Any:
        """The body as JSON, None where it is none."""
        with contextlib.suppress(ValueError):
            return json.loads(self.body)
        return None

    @property
    def error(self) -> str:
        """What the server's code has raised, as its log tells it, "" where it has raised nothing."""
        return next(reversed(errors(self.log)), "")

    def __str__(self) -> str:
        return self.recording.text(most=30) + (f"\nThe server goes on{self.stuck}" if self.stuck else "")


def check(condition: object, message: str, seen: Any = None) -> None:
    """Raise NotYet with the message, and with the frames of `seen`, unless the condition holds."""
    if not condition:
        fail(message, seen)


def fail(message: str, seen: Any = None) -> NoReturn:
    """Raise NotYet with the message, with what the code has raised where it is not said, and the frames of `seen`."""
    if isinstance(seen, Seen):
        if seen.error and seen.error not in message:
            message += f". Your code raises {seen.error}"
        if seen.status == 404 and b"was not found on the server" in seen.body:
            message += ". No view answers this path"
        if seen.status == 405:
            message += f". The view of this path takes only {seen.field('Allow')}"
    raise NotYet(message if seen is None else f"{message}\n\nOn the wire:\n{seen}")
