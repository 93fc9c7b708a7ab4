"""The bytes that a recording holds: each read from a socket, in order, and how each direction ended."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Literal, NamedTuple, TypeVar

Direction = Literal["->", "<-"]
How = Literal["", "closed", "reset", "refused", "unreachable"]
Self = TypeVar("Self", bound="Pieces")


class Piece(NamedTuple):
    """The bytes of one read, or the end of one direction.

    `when` is in seconds since the first piece. `connection` counts from 1. `direction` is "->" towards the server
    and "<-" towards the client. `data` is b"" at an end, and `how` says how the direction ended ("" otherwise).
    """

    when: float
    connection: int
    direction: Direction
    data: bytes
    how: How = ""


class Snapshot(NamedTuple):
    """The state of a recording at one moment.

    `incomplete` are the connections of which bytes were dropped. `now` is the time in seconds since the first piece;
    it stands still when the recording is not `running` any more.
    """

    pieces: list[Piece]
    incomplete: frozenset[int]
    dropped: int
    dropped_ends: int
    now: float
    running: bool


class Pieces:
    """The pieces of one or more connections. Threads may add pieces while others read.

    The clock starts at the first piece: `started` is that moment in time.perf_counter() seconds, None before.
    `keep` is the largest number of bytes to keep; None keeps all. When the limit is reached, all further bytes are
    dropped, and so are the ends of connections that lost bytes. `dropped` and `dropped_ends` count both.

    Raises ValueError if `keep` is negative.
    """

    def __init__(self, keep: int | None = None) -> None:
        if keep is not None and keep < 0:
            raise ValueError(f"keep must be a number of bytes (0 or more) or None to keep all, not {keep}")
        self.keep = keep
        self._changed = threading.Condition()
        self.clear()

    def clear(self) -> None:
        """Remove all pieces. The clock starts again at the next piece."""
        with self._changed:
            self.started: float | None = None
            self.stopped: float | None = None
            self._pieces: list[Piece] = []
            self._complete: set[int] = set()  # connections that have lost nothing
            self._incomplete: set[int] = set()  # connections of which some bytes were kept and others dropped
            self.dropped = self.dropped_ends = 0
            self._left = self.keep

    def stop(self) -> None:
        """Stop the clock, because nothing is recorded any more. Adding a piece starts it again."""
        with self._changed:
            self.stopped = time.perf_counter()

    def add(self, connection: int, direction: Direction, data: bytes, how: How = "") -> None:
        """Add the bytes that have just been read, or the end of a direction, with the present time."""
        now = time.perf_counter()
        with self._changed:
            self.started = now if self.started is None else self.started
            self.stopped = None
            kept = data if self._left is None else data[: self._left]
            if self._keeps(connection, len(kept), len(data), how):
                self._pieces.append(Piece(now - self.started, connection, direction, kept, how))
            self._changed.notify_all()

    def _keeps(self, connection: int, kept: int, received: int, how: How) -> bool:
        """Count what is kept and dropped; return whether a piece is to be kept."""
        full = self._left == 0
        if self._left is not None:
            self._left -= kept
        if not full:
            self._complete.add(connection)
        if kept < received:
            self.dropped += received - kept
            if connection in self._complete:
                self._complete.remove(connection)
                self._incomplete.add(connection)
        keeps_end = bool(how) and connection in self._complete
        self.dropped_ends += bool(how) and not keeps_end
        return bool(kept) or keeps_end

    def snapshot(self) -> Snapshot:
        """Return a copy of the state at this moment."""
        with self._changed:
            until = time.perf_counter() if self.stopped is None else self.stopped
            now = 0.0 if self.started is None else until - self.started
            incomplete = frozenset(self._incomplete)
            running = self.stopped is None
            return Snapshot(list(self._pieces), incomplete, self.dropped, self.dropped_ends, now, running)

    @property
    def pieces(self) -> list[Piece]:
        """A copy of the pieces so far."""
        with self._changed:
            return list(self._pieces)

    def bytes(self, direction: Direction, connection: int | None = None) -> bytes:
        """Return all bytes of one direction, of one connection or of all."""
        return b"".join(
            piece.data
            for piece in self.pieces
            if piece.direction == direction and connection in (None, piece.connection)
        )

    def wait(self: Self, until: Callable[[Self], object], seconds: float = 5) -> Self:
        """Wait until `until(self)` is true, for at most `seconds`, and return self.

        Raises TimeoutError when the time is over. Its message shows what was recorded so far.
        """
        with self._changed:
            if not self._changed.wait_for(lambda: until(self), seconds):
                raise TimeoutError(f"the condition was not true within {seconds} s; recorded so far:\n{self}")
        return self


def by_connection(pieces: list[Piece]) -> dict[int, list[Piece]]:
    """Return the pieces of each connection, in the order of their numbers."""
    found: dict[int, list[Piece]] = {}
    for piece in pieces:
        found.setdefault(piece.connection, []).append(piece)
    return dict(sorted(found.items()))
