"""What passed over the wire: the pieces, in the order in which they were received."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any, Literal, NamedTuple

Direction = Literal["->", "<-"]
How = Literal["", "closed", "reset", "refused"]


class Piece(NamedTuple):
    """One piece as received, or the end of one direction.

    `when` in seconds since the first piece; `connection` counted from 1; `direction` "->" towards the server,
    "<-" towards the client; `data` the bytes, b"" at an end; `how` the direction ended, "" where it did not.
    """

    when: float
    connection: int
    direction: Direction
    data: bytes
    how: How = ""


class Recording:
    """Pieces of one or more connections, safe to read while it grows. It draws itself as text and as HTML.

    Its clock starts at the first piece: `started` is that moment as time.perf_counter() tells it, None before.

    It keeps the first `keep` bytes (None: all); of what comes after, it counts the bytes in `dropped`.
    """

    def __init__(self, keep: int | None = None) -> None:
        if keep is not None and keep < 0:
            raise ValueError(f"keep is a number of bytes from 0 up, or None for all, not {keep}")
        self.keep = keep
        self._changed = threading.Condition()
        self.clear()

    def clear(self) -> None:
        """Forget everything; the clock starts again at the next piece."""
        with self._changed:
            self.started: float | None = None
            self._pieces: list[Piece] = []
            self.dropped = 0
            self._room = self.keep

    def add(self, connection: int, direction: Direction, data: bytes, how: How = "") -> None:
        """Note what has just been received, at the time it is now."""
        now = time.perf_counter()
        with self._changed:
            self.started = now if self.started is None else self.started
            kept = data if self._room is None else data[: self._room]
            self.dropped += len(data) - len(kept)
            if self._room is not None:
                self._room -= len(kept)
            if kept or how:
                self._pieces.append(Piece(now - self.started, connection, direction, kept, how))
            self._changed.notify_all()

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

    def wait(self, until: Callable[[Recording], object], seconds: float = 5) -> Recording:
        """Wait until a condition of this recording holds, and return it. Raises TimeoutError after `seconds`."""
        with self._changed:
            if not self._changed.wait_for(lambda: until(self), seconds):
                raise TimeoutError(f"not seen within {seconds} s; so far:\n{self}")
        return self

    def text(self, times: bool = True, secrets: bool = False, most: int = 60) -> str:
        """Return the drawing as text: with or without the times, with or without cookies and tokens.

        Of a body it draws the first `most` lines and says how many more there are.
        """
        from . import draw

        return draw.text(self, times=times, secrets=secrets, most=most)

    def html(self, times: bool = True, secrets: bool = False, most: int = 60) -> str:
        """Return the same drawing as plain HTML, to fold and unfold."""
        from . import draw

        return draw.html(self, times=times, secrets=secrets, most=most)

    def timeline(self) -> Any:
        """Return the drawing of when each piece and each event came, as a picture."""
        from . import timeline

        return timeline.Timeline(self)

    def received(self, secrets: bool = False) -> str:
        """Return the pieces as received, a line each: when, who speaks, how many bytes, which.

        Of cookies and tokens in heads it shows an asterisk a byte, unless asked for `secrets`.
        """
        from . import draw

        return draw.received(self, secrets=secrets)

    def __str__(self) -> str:
        return self.text()

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text("Recording(...)" if cycle else str(self))

    def _repr_html_(self) -> str:
        return self.html()
