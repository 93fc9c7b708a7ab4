"""Read a stream and note when each piece came."""

from __future__ import annotations

import time
from collections.abc import Iterable
from itertools import islice
from typing import Any, NamedTuple

from .draw import milliseconds, visible


class Arrival(NamedTuple):
    """One piece of a stream, and when it came, in seconds since the reading began."""

    when: float
    piece: Any


class Arrivals(list[Arrival]):
    """Arrivals in order. They draw themselves: when each piece came, its size, what it is."""

    @property
    def pieces(self) -> list[Any]:
        """The pieces without their times."""
        return [arrival.piece for arrival in self]

    @property
    def times(self) -> list[float]:
        """The times without their pieces, in seconds."""
        return [arrival.when for arrival in self]

    def __str__(self) -> str:
        return "\n".join(f"{milliseconds(when):>10}  {_describe(piece)}" for when, piece in self)

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text("Arrivals(...)" if cycle else str(self))


def arrivals(pieces: Iterable[Any], most: int | None = None) -> Arrivals:
    """Read `pieces`, at most `most` of them (None: to the end), and note when each came."""
    began = time.perf_counter()
    return Arrivals(Arrival(time.perf_counter() - began, piece) for piece in islice(pieces, most))


def _describe(piece: Any) -> str:
    if isinstance(piece, bytes):
        return f"{len(piece):>5} bytes  {visible(piece)}"
    return repr(piece)
