"""One helper for all parsers: every input, cut everywhere."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import TypeVar

from server.wire import StrictParser

Value = TypeVar("Value")


def every_cut(data: bytes) -> Iterator[list[bytes]]:
    """Yield the input whole, byte by byte, with an empty piece after each byte, and in two at every place."""
    single = [data[at : at + 1] for at in range(len(data))]
    yield [data]
    yield single
    yield [piece for byte in single for piece in (byte, b"")]
    yield from ([data[:at], data[at:]] for at in range(len(data) + 1))


def cut(data: bytes, places: Iterable[int]) -> list[bytes]:
    """Return the input cut at these places, those beyond its end left out."""
    inside = sorted(place for place in places if 0 <= place <= len(data))
    return [data[start:end] for start, end in pairwise([0, *inside, len(data)])]


def read_all(parser: StrictParser[Value], pieces: Iterable[bytes]) -> tuple[list[Value], str]:
    """Feed the pieces; return the values and the text of the first error, "" if there is none."""
    found: list[Value] = []
    for piece in pieces:
        try:
            found += parser.feed(piece)
        except ValueError as error:
            return found, str(error)
    return found, ""
