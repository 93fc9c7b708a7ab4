"""Formats as values: bytes in, events out. No socket, no Flask, no clock.

Each module has `encode` functions, which return the bytes of a value, and a `Parser`. Its `feed` takes the next
bytes, split anywhere, and returns the values that they complete.

The module of a format also has three names that drawings use:

- `matches(head)` returns True if a body (or the protocol after a 101 response) has this format.
- `Explainer(head)` splits the bytes into lines or frames and returns the meaning of each one as facts.
- `describe(meaning, raw)` returns a short English text for a meaning.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Generic, Literal, NamedTuple, Protocol, TypeVar

Value = TypeVar("Value")
LIMIT = 1 << 26  # bytes that a parser buffers for one value, unless it is given another limit
Position = Literal["first", "inside", "last"]
LINE = re.compile(rb"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")
MAX_LABEL = 40  # characters


class Meaning(NamedTuple):
    """The facts about one line of a body, or about one field of a frame.

    `position` is its position in its unit. `kind` is a code of the format, such as "data" or "comment". `unit` is the
    noun for the unit: "event", "document", "part" or "message". `complete` is True if this line completes a unit:
    `number` counts the units of this body from 1, `size` is the number of bytes in it, and `label` is the
    beginning of its text. `detail` holds one more text that the kind needs, such as the type of an event. `problem`
    is a code of the format for a fault, "" for none.
    """

    position: Position = "inside"
    kind: str = ""
    unit: str = ""
    number: int = 0
    size: int = 0
    label: str = ""
    detail: str = ""
    complete: bool = False
    problem: str = ""


Fragment = tuple[bytes, Meaning]


class Explainer(Protocol):
    """Splits the bytes of one body into lines or frames. The fragments, joined, are the bytes."""

    def feed(self, data: bytes) -> list[Fragment]:
        """Take the next bytes; return the lines or frames that they complete."""

    def flush(self) -> list[Fragment]:
        """Return the beginning of an unfinished line or frame, because a chunk or the recording ends here."""

    def close(self) -> Meaning | None:
        """Return a meaning with a problem if the body ends here in the middle of a unit, None otherwise."""


class LineExplainer:
    """The common part of the explainers of formats that are made of lines: it splits the bytes into lines.

    A subclass defines `_explain`. `line` matches one line with its line end, which is one of `line_ends`.
    """

    line = LINE
    line_ends: tuple[bytes, ...] = (b"\r", b"\n")

    def __init__(self) -> None:
        self._begun: list[bytes] = []  # the reads of a line that has not ended

    def feed(self, data: bytes) -> list[Fragment]:
        """Take the next bytes; return the lines that they complete."""
        begun = self._begun or not data.endswith(b"\n")
        lines = self._lines(data) if begun else self.line.findall(data)
        return [(line, self._explain(line)) for line in lines]

    def flush(self) -> list[Fragment]:
        """Return the beginning of an unfinished line as a fragment. The next fragment continues the line."""
        if not self._begun:
            return []
        rest = self._joined(b"")
        return [(rest, self._explain(rest))]

    def close(self) -> Meaning | None:
        """Return None: lines of an unknown format are never incomplete."""
        return None

    def _explain(self, fragment: bytes) -> Meaning:
        raise NotImplementedError

    def _lines(self, data: bytes) -> Iterator[bytes]:
        if self._begun and self._begun[-1].endswith(self.line_ends) and not data.startswith(b"\n"):
            yield self._joined(b"")
        *ended, last = self.line.findall(data) or [b""]
        for line in ended:
            yield self._joined(line)
        if last.endswith(b"\n"):
            yield self._joined(last)
        elif last:  # a CR at the end may be the beginning of a CRLF
            self._begun.append(last)

    def _joined(self, last: bytes) -> bytes:
        line = b"".join([*self._begun, last])
        self._begun.clear()
        return line


def shorten(text: str) -> str:
    """Return the text, or its beginning and "..." if it has more than 40 characters."""
    return text if len(text) <= MAX_LABEL else f"{text[: MAX_LABEL - 3]}..."


def plural(number: int, noun: str) -> str:
    """Return a number with its noun.

    >>> plural(1, "byte"), plural(2, "byte")
    ('1 byte', '2 bytes')
    """
    return f"{number} {noun}{'s' * (number != 1)}"


class StrictParser(Generic[Value]):
    """What the parsers have in common that refuse bad bytes: nothing that was good before them is lost."""

    _error: ValueError | None = None

    def feed(self, data: bytes) -> list[Value]:
        """Take the next bytes; return the values that they complete, in order.

        Raises ValueError where the bytes are not of this format. The values before that place are returned first,
        and the error comes with the next call, and with every other.
        """
        self._complain()
        found: list[Value] = []
        try:
            for value in self._read(data):
                found.append(value)  # one by one, so that those before an error stay
        except ValueError as error:
            self._error = error
        if not found:
            self._complain()
        return found

    def _read(self, data: bytes) -> Iterator[Value]:
        raise NotImplementedError

    def _complain(self) -> None:
        if self._error:
            raise self._error
