"""Formats as values: bytes in, events out. No socket, no Flask, no clock.

Every module here has the same pair of words. `encode` makes the bytes of a value; `feed` takes bytes, however they
are cut, and returns the values that are now complete. A module whose format is a body's has two names more, by which
a drawing finds it: MEDIA_TYPE, and Explainer, whose `feed` takes a line (or a part of one) and says what it means.
"""

from typing import NamedTuple


class Meaning(NamedTuple):
    """What a line means, and its place in a group of lines: "first", "inside" or "last"."""

    place: str
    text: str = ""
