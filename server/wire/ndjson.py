r"""Newline-delimited JSON: the format application/x-ndjson, also called JSON Lines.

A stream is UTF-8 text. Each line is one JSON document and ends in LF; nothing else ends a line. That is safe, since
JSON writes a line end inside a string as `\n`. But U+2028 and U+0085 may stand in a string as they are, so
`str.splitlines` would cut a document there.

>>> encode({"text": "one\ntwo", "n": 1})
b'{"text":"one\\ntwo","n":1}\n'
>>> parser = Parser()
>>> parser.feed(b'{"n":0}\n{"n'), parser.feed(b'":1}\n'), parser.close()
([{'n': 0}], [{'n': 1}], None)

The standard: RFC 8259 (JSON); ndjson-spec 1.0, sections 3.1 "Serialization" and 3.2 "Parsing".
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from . import Meaning, StrictParser

MEDIA_TYPE = "application/x-ndjson"
BLANK = b" \t\r"


def encode(value: Any) -> bytes:
    r"""Return one document on one line, with the LF that ends it.

    Raises ValueError for what JSON has no word for, such as NaN, for text that UTF-8 cannot encode and for what is
    nested too deeply; TypeError for what is no JSON value.

    >>> encode(float("nan"))  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ValueError: Out of range float values are not JSON compliant...
    """
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    except RecursionError:
        raise ValueError("nested too deeply") from None
    return text.encode() + b"\n"


class Parser(StrictParser[Any]):
    """An incremental parser: feed it the bytes of one stream, however they are cut.

    It refuses a line that is no JSON, and says its number. Blank lines are skipped, and a CR before the LF is blank
    space to JSON. `lines` counts the lines so far.
    """

    def __init__(self) -> None:
        self.lines = 0
        self._pieces: list[bytes] = []  # of the line that has not ended yet

    def close(self) -> None:
        """Say that no bytes will come any more.

        Raises ValueError where the last line has not ended: of 123, cut to 12, nobody can tell that it was more.
        """
        self._complain()
        rest = b"".join(self._pieces)
        if rest.strip(BLANK):
            raise ValueError(f"line {self.lines + 1} never ended: {rest[:40]!r}")

    def _read(self, data: bytes) -> Iterator[Any]:
        *ended, rest = data.split(b"\n")
        for line in ended:
            whole = b"".join([*self._pieces, line])
            self._pieces.clear()
            self.lines += 1
            if whole.strip(BLANK):
                yield self._document(whole)
        if rest:
            self._pieces.append(rest)

    def _document(self, line: bytes) -> Any:
        try:
            return _document(line)
        except ValueError as error:
            raise ValueError(f"line {self.lines} is no JSON ({error}): {line[:40]!r}") from None


class Explainer:
    r"""Says what each line of a stream means, for whoever draws it.

    >>> Explainer().feed(b'{"n":0}\n')
    Meaning(place='last', text='line end: document 1 is sent')
    """

    def __init__(self, content_type: str = "") -> None:
        self._pieces: list[bytes] = []  # of the line that has not ended yet
        self._documents = 0
        self._lines = 0

    def feed(self, fragment: bytes) -> Meaning:
        """Take one line with its line end, or a part of one that a chunk has cut; return what it means."""
        begun = bool(self._pieces)
        self._pieces.append(fragment)
        if not fragment.endswith(b"\n"):
            return Meaning("inside" if begun else "first")
        line = b"".join(self._pieces)
        self._pieces.clear()
        self._lines += 1
        if not line.strip(BLANK + b"\n"):
            return Meaning("last", f"line {self._lines} is blank: skipped")
        try:
            _document(line.removesuffix(b"\n"))
        except ValueError as error:
            return Meaning("last", f"line {self._lines} is no JSON: {error}")
        self._documents += 1
        return Meaning("last", f"line end: document {self._documents} is sent")


def _document(line: bytes) -> Any:
    # json.loads would take NaN and Infinity, which JSON has not, and guess at UTF-16.
    try:
        return json.loads(line.decode(), parse_constant=_refuse)
    except json.JSONDecodeError as error:  # its own text counts lines anew in every line
        raise ValueError(f"{error.msg.removesuffix(' at')} at character {error.pos + 1}") from None
    except RecursionError:
        raise ValueError("nested too deeply") from None


def _refuse(word: str) -> Any:
    raise ValueError(f"{word} is not a JSON value")
