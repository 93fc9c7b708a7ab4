r"""Newline-delimited JSON: the format application/x-ndjson, also called JSON Lines.

A stream is UTF-8 text. Each line is one JSON document and ends with LF. This is safe, because JSON writes an LF
inside a string as `\n`. A string may contain U+2028 and U+0085 without an escape, and `str.splitlines` would split a
document there. Therefore only LF ends a line.

>>> encode({"text": "one\ntwo", "n": 1})
b'{"text":"one\\ntwo","n":1}\n'
>>> parser = Parser()
>>> parser.feed(b'{"n":0}\n{"n'), parser.feed(b'":1}\n'), parser.close()
([{'n': 0}], [{'n': 1}], None)

Source: RFC 8259 (JSON); ndjson-spec 1.0, sections 3.1 "Serialization" and 3.2 "Parsing".
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from typing import Any

from . import LIMIT, LineExplainer, Meaning, Position, StrictParser
from .http import Head

MEDIA_TYPE = "application/x-ndjson"
MEDIA_TYPES = (MEDIA_TYPE, "application/ndjson", "application/jsonl", "application/x-jsonlines")
BLANK = b" \t\r"


def encode(value: Any) -> bytes:
    r"""Return a value as one JSON document on one line, including the LF.

    Raises ValueError for NaN and Infinity, for text that UTF-8 cannot encode, and for a value that is nested too
    deeply. Raises TypeError for a value that JSON cannot represent, such as a set.

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
    """An incremental parser: feed it the bytes of one stream, split in any way.

    It raises ValueError for a line that is not JSON, with the number of the line, and for a line of more than `limit`
    bytes. Blank lines are skipped, and a CR before the LF is whitespace in JSON. `lines` counts the lines so far.
    """

    def __init__(self, limit: int = LIMIT) -> None:
        self.limit = limit
        self.lines = 0
        self._pieces: list[bytes] = []  # the reads of the line that has not ended
        self._size = 0  # bytes of these pieces

    def close(self) -> None:
        """Report that the stream has ended.

        Raises ValueError if the last line has no line end. It may be incomplete: 12 may be the beginning of 123.
        """
        self._complain()
        rest = b"".join(self._pieces)
        if rest.strip(BLANK):
            raise ValueError(f"line {self.lines + 1} has no line end: {rest[:40]!r}")

    def _read(self, data: bytes) -> Iterator[Any]:
        *ended, rest = data.split(b"\n")
        for line in ended:
            self._check_size(line)
            complete = b"".join([*self._pieces, line])
            self._pieces.clear()
            self._size = 0
            self.lines += 1
            if complete.strip(BLANK):
                yield self._document(complete)
        if rest:
            self._pieces.append(rest)
            self._check_size(rest)

    def _check_size(self, more: bytes) -> None:
        self._size += len(more)
        if self._size > self.limit:
            raise ValueError(f"line {self.lines + 1} has more than {self.limit} bytes: raise the limit")

    def _document(self, line: bytes) -> Any:
        try:
            return _document(line)
        except ValueError as error:
            raise ValueError(f"line {self.lines} is not JSON ({error}): {line[:40]!r}") from None


def matches(head: Head) -> bool:
    """Return True if a message has a body of this format. This includes the watch streams of Kubernetes."""
    parameters = head.get("Content-Type").lower().replace(" ", "").split(";")[1:]
    return head.media_type in MEDIA_TYPES or (head.media_type == "application/json" and "stream=watch" in parameters)


class Explainer(LineExplainer):
    r"""Splits a body into lines and returns the meaning of each one.

    >>> [(raw, meaning)] = Explainer().feed(b'{"n":0}\n')
    >>> meaning.unit, meaning.number, meaning.complete, describe(meaning)
    ('document', 1, True, 'line end: document 1 is complete')
    """

    line = re.compile(rb"[^\n]*\n|[^\n]+")
    line_ends = (b"\n",)

    def __init__(self, head: Head | None = None) -> None:
        super().__init__()
        self._line: list[bytes] = []  # the fragments of a line that has not ended
        self._documents = 0
        self._lines_ended = 0

    def close(self) -> Meaning | None:
        """Return the problem "never ended" if no line end follows the last document."""
        if not b"".join(self._line).strip(BLANK):
            return None
        return Meaning("last", "end", "document", self._documents + 1, problem="never ended")

    def _explain(self, fragment: bytes) -> Meaning:
        position: Position = "inside" if self._line else "first"
        self._line.append(fragment)
        if not fragment.endswith(b"\n"):
            return Meaning(position, "fragment")
        line = b"".join(self._line)
        self._line.clear()
        self._lines_ended += 1
        if not line.strip(BLANK + b"\n"):
            return Meaning("last", "blank line")
        try:
            _document(line.removesuffix(b"\n"))
        except ValueError as error:
            return Meaning("last", "line", number=self._lines_ended, detail=str(error), problem="not JSON")
        self._documents += 1
        return Meaning("last", "document", "document", self._documents, len(line) - 1, complete=True)


def describe(meaning: Meaning, raw: bytes = b"") -> str:
    """Return a short text for a meaning; "" for a line that needs no explanation."""
    if meaning.problem == "not JSON":
        return f"line {meaning.number} is not JSON: {meaning.detail}"
    if meaning.problem == "never ended":
        return f"document {meaning.number} is incomplete: no line end follows it"
    if meaning.kind == "document":
        return f"line end: document {meaning.number} is complete"
    return "blank line: skipped" if meaning.kind == "blank line" else ""


def _document(line: bytes) -> Any:
    # By itself, json.loads accepts NaN, Infinity and 1e999 (which becomes infinity) and detects UTF-16.
    text = line.decode()
    try:
        document = json.loads(text, parse_constant=_refuse, parse_float=_finite)
    except json.JSONDecodeError as error:  # its text has a line number, which is always 1 here
        raise ValueError(f"{error.msg.removesuffix(' at')} at character {error.pos + 1}") from None
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if "\\u" in text:
        try:
            encode(document)
        except UnicodeEncodeError:
            raise ValueError("an escape such as \\ud800 is half of a surrogate pair") from None
    return document


def _finite(number: str) -> float:
    value = float(number)
    if math.isinf(value):
        raise ValueError(f"{number[:40]} is too large for a float")
    return value


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is not a JSON value")
