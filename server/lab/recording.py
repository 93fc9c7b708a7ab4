"""A recording that displays itself as text, as HTML and as a timeline."""

from __future__ import annotations

from typing import Any

from . import draw
from .pieces import Pieces
from .timeline import Timeline


class Recording(Pieces):
    """The bytes of one or more connections. It draws itself as text and, in a notebook, as HTML."""

    def text(self, times: bool = True, secrets: bool = False, most: int = 60) -> str:
        """Return the drawing as text: with or without the times, with or without the secrets of header sections.

        `most` limits the lines of each body. A drawing also has at most `most` messages, or 60 if `most` is smaller.
        It says how much is not drawn. Bodies are always shown, also if they contain secrets.
        """
        return draw.text(self, times=times, secrets=secrets, most=most)

    def html(self, times: bool = True, secrets: bool = False, most: int = 60) -> str:
        """Return the same drawing as plain HTML. Each message can be folded. Bodies are always shown."""
        return draw.html(self, times=times, secrets=secrets, most=most)

    def timeline(self) -> Timeline:
        """Return a picture that shows when each read and each event was complete."""
        return Timeline(self)

    def received(self, secrets: bool = False, most: int = 200) -> str:
        """Return the first `most` reads one per line: the time, the direction, the number of bytes and the bytes.

        Cookies and tokens in header sections are replaced by one asterisk per byte, unless `secrets` is true.
        """
        return draw.received(self, secrets=secrets, most=most)

    def __str__(self) -> str:
        return self.text()

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text("Recording(...)" if cycle else str(self))

    def _repr_html_(self) -> str:
        return self.html()
