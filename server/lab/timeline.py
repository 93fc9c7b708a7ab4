"""A recording as a picture of time: when each read, each chunk and each event was complete."""

from __future__ import annotations

import io
import logging
import warnings
from typing import Any

from server.wire import Meaning, plural

from .pieces import Pieces, by_connection
from .rows import iter_rows

# Colors that read on white and on black; the ground is transparent.
INK, REQUEST, RESPONSE, EVENT = "#808080", "#d9730d", "#2f81f7", "#1a9f5c"
MAX_LABELS = 12
MAX_MARKS = 2000  # of one lane; the picture is about 1000 pixels wide


class Timeline:
    """The picture of a recording. A notebook shows it as a PNG image, other displays as one line of text."""

    def __init__(self, recording: Pieces) -> None:
        self.pieces = recording.pieces
        self.chunks: list[float] = []  # the time of each, in seconds
        self.units: list[float] = []  # the time of each event, document, part or message, in seconds
        self.labeled: list[tuple[float, Meaning]] = []  # the first of them, with their facts
        for own in by_connection(self.pieces).values():
            for row in iter_rows(own, secrets=True):  # the picture shows no header
                if row.kind == "chunk size":
                    self.chunks.append(row.when)
                elif row.meaning and row.meaning.complete:
                    self.units.append(row.when)
                    if len(self.labeled) < MAX_LABELS:
                        self.labeled.append((row.when, row.meaning))

    def __str__(self) -> str:
        counts = [plural(len(self.chunks), "chunk")] if self.chunks else []
        counts += [plural(len(self.units), self.labeled[0][1].unit)] if self.units else []
        return ", ".join(["a timeline", *counts])

    def figure(self) -> Any:
        """Return the picture as a matplotlib Figure."""
        # On a new machine, matplotlib first searches for fonts. If that takes long, it writes a message to stderr.
        logging.getLogger("matplotlib.font_manager").setLevel(logging.ERROR)
        from matplotlib.figure import Figure

        lanes = self._lanes()
        figure = Figure(figsize=(8.4, 1 + 0.4 * len(lanes)), layout="constrained")
        axes = figure.add_subplot()
        for at, (_, color, all_times) in enumerate(lanes):
            times = _distinct(all_times)
            axes.eventplot(times, lineoffsets=-at, linelengths=0.6, colors=color, linewidths=2)
            axes.plot(times, [-at] * len(times), "o", color=color, markersize=3)
        for when, meaning in self.labeled:
            where = (when * 1000, 0.65 - len(lanes))  # below the last lane
            label = axes.annotate(_label(meaning), where, ha="center", va="top", fontsize=8, color=INK)
            label.set(family="monospace", parse_math=False)  # a dollar sign is not the beginning of a formula
        _dress(axes, [name for name, _, _ in lanes])
        return figure

    def png(self) -> bytes:
        """Return the picture as the bytes of a PNG file."""
        buffer = io.BytesIO()
        with warnings.catch_warnings():  # a character that the font does not have is drawn as a box
            warnings.filterwarnings("ignore", message="Glyph")
            self.figure().savefig(buffer, format="png", dpi=120, transparent=True)
        return buffer.getvalue()

    def _lanes(self) -> list[tuple[str, str, list[float]]]:
        """Return the name, the color and the times in seconds of each lane that has any."""
        pieces = [piece for piece in self.pieces if piece.data]
        lanes = [
            ("client sends", REQUEST, [piece.when for piece in pieces if piece.direction == "->"]),
            ("reads", RESPONSE, [piece.when for piece in pieces if piece.direction == "<-"]),
            ("chunks", RESPONSE, self.chunks),
            (f"{self.labeled[0][1].unit}s" if self.labeled else "", EVENT, self.units),
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


def _distinct(times: list[float]) -> list[float]:
    """Return the times in milliseconds, without those that would be drawn over others."""
    step = (max(times) - min(times)) / MAX_MARKS or 1.0
    return [1000 * when for when in {int(when / step): when for when in times}.values()]


def _label(meaning: Meaning) -> str:
    """Return the text of a unit, or its number if it has no text."""
    return meaning.label.replace("\n", "\\n") or str(meaning.number)
