r"""Server-sent events: the format text/event-stream.

A stream is UTF-8 text. It consists of lines, and each line ends with LF, CR or CRLF. A line is `field: value`, or a
comment, which starts with a colon. A blank line dispatches the event that the lines before it describe.

The fields are `data`, `event`, `id` and `retry`. The parser ignores other fields. `data` may be repeated: the parser
joins its values with LF.

>>> Event("hello").encode()
b'data: hello\n\n'
>>> Parser().feed(b"id: 7\ndata: hello\ndata: world\n\n")
[Event(data='hello\nworld', event='message', id='7', retry=None)]

Source: WHATWG HTML, sections 9.2.5 "Parsing an event stream" and 9.2.6 "Interpreting an event stream".
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass

from . import LIMIT, LineExplainer, Meaning, Position, StrictParser, shorten
from .http import Head

MEDIA_TYPE = "text/event-stream"
# str.splitlines() would also split at U+0085, U+2028 and others, which are ordinary characters here.
LINE_END = re.compile("\r\n|\r|\n")
LINE_END_BYTES = re.compile(LINE_END.pattern.encode())
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
FIELDS = {"event", "id", "retry"}  # besides data
TEXTS = {
    "comment": "comment: ignored",
    "blank line": "blank line: no data, so no event",
    "LF of CRLF": "second byte of a CRLF",
}
PROBLEMS = {
    "unknown field": "unknown field: ignored",
    "NUL in id": "id contains NUL: ignored",
    "not a number": "retry is not a number: ignored",
    "never dispatched": "the last event is never dispatched: no blank line follows it",
}


@dataclass(frozen=True)
class Event:
    r"""One event.

    `data` is its text, `event` its type, `id` its id, and `retry` the client's retry delay in milliseconds. `encode`
    omits `event`, `id` and `retry` if they are None. An empty `id` clears the client's last event id.

    In a parsed event, `event` is "message" if the stream named no type, and `id` is the last event id ("" if there is
    none). `retry` is None, because it belongs to the parser.
    """

    data: str
    event: str | None = None
    id: str | None = None
    retry: int | None = None

    def encode(self) -> bytes:
        r"""Return the bytes of this event, including the blank line that dispatches it.

        Each line of `data` becomes one `data` line, so a client receives CR and CRLF as LF.

        Raises ValueError for CR or LF in `event` or `id` (they would begin another field), for NUL in `id` and for a
        negative `retry` (every client ignores them), and for text that UTF-8 cannot encode. Raises TypeError if a
        text is not a str, or if `retry` is not an int.

        >>> Event("one\ntwo", event="pair", id="7", retry=3000).encode()
        b'event: pair\nid: 7\nretry: 3000\ndata: one\ndata: two\n\n'
        >>> Event("x", id="7\ndata: forged").encode()
        Traceback (most recent call last):
        ValueError: id must not contain a line end: '7\ndata: forged'
        """
        data = self.data
        if type(data) is str and "\n" not in data and "\r" not in data:
            lines = f"data: {data}\n\n"
        else:
            lines = "".join(f"data: {line}\n" for line in LINE_END.split(_text("data", data))) + "\n"
        if self.event is None and self.id is None and self.retry is None:
            return lines.encode()
        return (self._fields() + lines).encode()

    def _fields(self) -> str:
        event = "" if self.event is None else f"event: {_one_line('event', self.event)}\n"
        last_id = "" if self.id is None else f"id: {_one_line('id', self.id)}\n"
        retry = "" if self.retry is None else f"retry: {_milliseconds(self.retry)}\n"
        return event + last_id + retry


def comment(text: str = "") -> bytes:
    r"""Return a comment with one comment line per line of text.

    Clients ignore comments. Proxies see that the connection is still in use.

    >>> comment("still here")
    b': still here\n\n'
    """
    return ("".join(f": {line}\n" for line in LINE_END.split(text)) + "\n").encode()


class Parser(StrictParser[Event]):
    r"""An incremental parser: feed it the bytes of one stream, split in any way.

    A client keeps two values when it reconnects: `last_event_id` (text, "" at first) and `retry` (milliseconds, None
    at first). An event without a blank line at the end of the stream is never dispatched.

    The only error is an event whose data, with the line that has not ended, has more than `limit` bytes.

    >>> parser = Parser()
    >>> parser.feed(b"retry: 500\nid: 1\nda"), parser.feed(b"ta: a\n"), parser.feed(b"\n")
    ([], [], [Event(data='a', event='message', id='1', retry=None)])
    >>> parser.last_event_id, parser.retry
    ('1', 500)
    """

    def __init__(self, limit: int = LIMIT) -> None:
        self.limit = limit
        self.last_event_id = ""
        self.retry: int | None = None
        self._pieces: list[bytes] = []  # the reads of the line that has not ended
        self._after_cr = False  # the last read ended with CR, so an LF at the start of the next belongs to it
        self._at_start = True
        self._data: list[str] = []
        self._size = 0  # bytes of the data lines of this event, and of the line that has not ended
        self._event = ""
        self._id = ""

    def _read(self, data: bytes) -> Iterator[Event]:
        # A CR ends its line immediately, even as the last byte. Waiting for an LF would delay the event.
        return (event for line in self._lines(data) if (event := self._line(line)))

    def _lines(self, data: bytes) -> Iterator[bytes]:
        if self._after_cr and data:
            data = data.removeprefix(b"\n")
            self._after_cr = False
        *ended, rest = LINE_END_BYTES.split(data)
        for line in ended:
            self._check_size(line)
            if self._pieces:
                line = b"".join([*self._pieces, line])
                self._pieces.clear()
            yield line
        if rest:
            self._pieces.append(rest)
            self._check_size(rest)
        elif data.endswith(b"\r"):
            self._after_cr = True

    def _check_size(self, more: bytes) -> None:
        self._size += len(more)
        if self._size > self.limit:
            raise ValueError(f"an event has more than {self.limit} bytes: raise the limit, or close the connection")

    def _line(self, line: bytes) -> Event | None:
        size = len(line)
        if self._at_start:
            line, self._at_start = line.removeprefix(BYTE_ORDER_MARK), False
        if not line:
            return self._dispatch()
        name, value = _name_and_value(line)
        self._field(name, value)
        if name != "data":  # other lines are not buffered
            self._size -= size
        return None

    def _field(self, name: str, value: str) -> None:
        if name == "data":
            self._data.append(value)
        elif name == "event":
            self._event = value
        elif name == "id" and "\0" not in value:
            self._id = value
        elif name == "retry" and _is_number(value):
            self.retry = _limited(value)

    def _dispatch(self) -> Event | None:
        self.last_event_id = self._id  # even if no event is dispatched
        data, self._data, self._size = self._data, [], 0
        name, self._event = self._event, ""
        if not data:
            return None
        return Event("\n".join(data), name or "message", self.last_event_id)


def matches(head: Head) -> bool:
    """Return True if a message has a body of this format."""
    return head.media_type == MEDIA_TYPE


class Explainer(LineExplainer):
    r"""Splits a body into lines and returns the meaning of each one.

    >>> explainer = Explainer()
    >>> for raw, meaning in explainer.feed(b"data: hi\n\n"):
    ...     print(raw, meaning.kind, repr(describe(meaning)))
    b'data: hi\n' data ''
    b'\n' dispatch 'blank line: dispatches event "message": "hi"'
    """

    def __init__(self, head: Head | None = None) -> None:
        super().__init__()
        self._parser = Parser()
        self._block: list[bytes] = []  # the lines since the last blank line
        self._line: list[bytes] = []  # the fragments of a line that has not ended
        self._inside = False  # a block of lines has begun
        self._has_data = False  # and it has data
        self._after_cr = False  # a chunk may end between CR and LF
        self._at_start = True
        self._events = 0

    def close(self) -> Meaning | None:
        """Return the problem "never dispatched" if no blank line follows the last event."""
        begun = b"".join(self._line)
        unfinished = self._has_data or (begun and not begun.startswith(b":"))
        return Meaning("last", "end", "event", problem="never dispatched") if unfinished else None

    def _explain(self, fragment: bytes) -> Meaning:
        if self._after_cr and fragment == b"\n":
            self._after_cr = False
            self._block.append(fragment)
            return Meaning("inside" if self._inside else "last", "LF of CRLF")
        position: Position = "inside" if self._inside else "first"
        self._inside, self._after_cr = True, fragment.endswith(b"\r")
        self._block.append(fragment)
        if not fragment.endswith((b"\r", b"\n")):
            self._line.append(fragment)
            return Meaning(position, "fragment")
        line = fragment.rstrip(b"\r\n")
        if self._line:
            line = b"".join([*self._line, line])
            self._line.clear()
        if self._at_start:
            line, self._at_start = line.removeprefix(BYTE_ORDER_MARK), False
        return self._field(position, line) if line else self._end_of_block()

    def _end_of_block(self) -> Meaning:
        events = self._parser.feed(b"".join(self._block))
        self._block.clear()
        self._inside = self._has_data = False
        if not events:
            return Meaning("last", "blank line")
        self._events += 1
        data, name = events[0].data, events[0].event or ""
        size = len(data.encode())
        return Meaning("last", "dispatch", "event", self._events, size, shorten(data), name, complete=True)

    def _field(self, position: Position, line: bytes) -> Meaning:
        if line.startswith(b"data:") or line == b"data":
            self._has_data = True
            return Meaning(position, "data")
        name, value = _name_and_value(line)
        if not name:
            return Meaning(position, "comment")
        if name not in FIELDS:
            return Meaning(position, "unknown", problem="unknown field")
        if name == "id" and "\0" in value:
            return Meaning(position, name, problem="NUL in id")
        if name == "retry":
            valid = _is_number(value)
            return (
                Meaning(position, name, number=_limited(value))
                if valid
                else Meaning(position, name, problem="not a number")
            )
        return Meaning(position, name)


def describe(meaning: Meaning, raw: bytes = b"") -> str:
    """Return a short text for a meaning; "" for a line that needs no explanation."""
    if meaning.problem:
        return PROBLEMS[meaning.problem]
    if meaning.kind == "dispatch":
        return f'blank line: dispatches event "{meaning.detail}": "{meaning.label}"'
    if meaning.kind == "retry":
        return f"sets the reconnect delay to {meaning.number} ms"
    return TEXTS.get(meaning.kind, "")


def _name_and_value(line: bytes) -> tuple[str, str]:
    # Like in a browser, a byte that is not UTF-8 becomes U+FFFD. NUL is not replaced.
    name, _, value = line.decode("utf-8", "replace").partition(":")
    return name, value.removeprefix(" ")


def _is_number(value: str) -> bool:
    return value.isascii() and value.isdigit()


def _text(name: str, value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{name} must be a str, not {value!r}")
    return value


def _one_line(name: str, value: str) -> str:
    if LINE_END.search(_text(name, value)):
        raise ValueError(f"{name} must not contain a line end: {value!r}")
    if name == "id" and "\0" in value:
        raise ValueError(f"id must not contain NUL, because clients ignore such an id: {value!r}")
    return value


def _milliseconds(retry: int) -> int:
    if isinstance(retry, bool) or not isinstance(retry, int):
        raise TypeError(f"retry must be an int, not {retry!r}")
    if retry < 0:
        raise ValueError(f"retry must be a number of milliseconds from 0 up, not {retry!r}")
    return retry


def _limited(digits: str) -> int:
    # int() refuses more than 4,300 digits. Such a delay is endless for every purpose.
    digits = digits.lstrip("0")
    return int(digits or "0") if len(digits) < 19 else sys.maxsize
