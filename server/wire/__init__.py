"""Formats as values: bytes in, events out. No socket, no Flask, no clock.

Every module here has the same pair of words. `encode` makes the bytes of a value; `feed` takes bytes, however they
are cut, and returns the values that are now complete. A module has two names more, by which a drawing finds it:
MEDIA_TYPE (of a body's format) or UPGRADE (of a protocol that follows a 101), and Explainer, made of the content
type. Its `feed` takes a line (or a part of one) and says what it means; where the format is not made of lines, its
`cut` takes the bytes and returns the fragments that `feed` wants, as soon as they are complete.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Generic, NamedTuple, TypeVar

Value = TypeVar("Value")


class Meaning(NamedTuple):
    """What a line means, and its place in a group of lines: "first", "inside" or "last".

    A line of the place "same" goes on with the one before it, and the text is said of both.
    """

    place: str
    text: str = ""


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
