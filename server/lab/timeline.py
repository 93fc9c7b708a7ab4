"""A recording as a picture of time: when each piece was received, and when each event or line was complete."""

from __future__ import annotations

import io
import logging
import re
import sys
import warnings
from typing import Any

from .pieces import Pieces
from .rows import Row, rows

# Colours that read on white and on black; the ground is transparent.
INK, REQUEST, RESPONSE, EVENT = "#808080", "#d9730d", "#2f81f7", "#1a9f5c"
MOST_LABELS = 12
NOUNS = ("document", "part", "message")


class Timeline:
    """The picture of one recording; shows itself in a notebook as PNG, and as one line of text."""

    def __init__(self, recording: Pieces) -> None:
        self.pieces = recording.pieces
        numbers = sorted({piece.connection for piece in self.pieces})
        self.rows = [
            row
            for number in numbers
            for row in rows([piece for piece in self.pieces if piece.connection == number], most=sys.maxsize)
        ]
        self.sent = [row for row in self.rows if " is sent" in row.note]
        self.things = _things(self.sent[0].note) if self.sent else ""
        self.chunks = [row for row in self.rows if row.note.startswith("a chunk of")]

    def __str__(self) -> str:
        same = ("chunks", self.things)  # pieces differ from run to run
        counted = [_counted(len(times), name) for name, _, times in self._lanes() if name in same]
        return ", ".join(["a timeline", *counted])

    def figure(self) -> Any:
        """Return the picture as a matplotlib Figure."""
        # The first picture on a machine looks through its fonts, and says so on stderr when that takes long.
        logging.getLogger("matplotlib.font_manager").setLevel(logging.ERROR)
        from matplotlib.figure import Figure

        lanes = self._lanes()
        figure = Figure(figsize=(8.4, 1 + 0.4 * len(lanes)), layout="constrained")
        axes = figure.add_subplot()
        for at, (_, colour, times) in enumerate(lanes):
            axes.eventplot(times, lineoffsets=-at, linelengths=0.6, colors=colour, linewidths=2)
            axes.plot(times, [-at] * len(times), "o", color=colour, markersize=3)
        for row in self.sent[:MOST_LABELS]:
            where = (row.when * 1000, 0.65 - len(lanes))  # below the last lane
            label = axes.annotate(_label(row), where, ha="center", va="top", fontsize=8, color=INK)
            label.set(family="monospace", parse_math=False)  # a dollar is a dollar
        _dress(axes, [name for name, _, _ in lanes])
        return figure

    def png(self) -> bytes:
        """Return the picture as the bytes of a PNG file."""
        buffer = io.BytesIO()
        with warnings.catch_warnings():  # a character that the font has not is drawn as a box: nothing to warn of
            warnings.filterwarnings("ignore", message="Glyph")
            self.figure().savefig(buffer, format="png", dpi=120, transparent=True)
        return buffer.getvalue()

    def _lanes(self) -> list[tuple[str, str, list[float]]]:
        lanes = [
            ("client speaks", REQUEST, [p.when * 1000 for p in self.pieces if p.direction == "->" and p.data]),
            ("pieces received", RESPONSE, [p.when * 1000 for p in self.pieces if p.direction == "<-" and p.data]),
            ("chunks", RESPONSE, [row.when * 1000 for row in self.chunks]),
            (self.things, EVENT, [row.when * 1000 for row in self.sent]),
        ]
        return [lane for lane in lanes if lane[2]]

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> Any:
        return {"image/png": self.png(), "text/plain": str(self)}, {"image/png": {"alt": str(self)}}


def _dress(axes: Any, names: list[str]) -> None:
    axes.set_yticks([-at for at in range(len(names))], names)
    axes.set_ylim(-len(names) - 0.1, 0.6)
    axes.set_xlabel("milliseconds", color=INK)
    axes.tick_params(colors=INK)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color(INK)


def _things(note: str) -> str:
    """Return what is sent: the noun that the format's own module uses."""
    subject = note.partition(" is sent")[0].rstrip("0123456789 ")
    return f"{next((noun for noun in NOUNS if subject.endswith(noun)), 'event')}s"


def _label(row: Row) -> str:
    """Return the text that is sent, or the number of what is sent."""
    if row.note.endswith('"'):
        return row.note.rpartition(': "')[2].rstrip('"')
    numbered = re.search("([0-9]+) is sent", row.note)
    return numbered[1] if numbered else ""


def _counted(number: int, things: str) -> str:
    return f"{number} {things if number != 1 else things.removesuffix('s')}"
