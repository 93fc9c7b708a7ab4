r"""Parts that replace each other: the format multipart/x-mixed-replace.

A body is a sequence of parts with a boundary before each part. A boundary is a line of two hyphens and a text that no
part contains. After the last part, two more hyphens follow the boundary. A part has headers, a blank line and a body.
The CRLF before a boundary belongs to the boundary. Each part replaces the part before it.

>>> Part(b"hello").encode("cut")
b'--cut\r\nContent-Type: text/plain\r\n\r\nhello\r\n'
>>> parser = Parser("cut")
>>> parser.feed(Part(b"hello").encode("cut")), parser.feed(closing("cut"))
([], [Part(body=b'hello', content_type='text/plain', with_length=False)])

A part without Content-Length is complete only when the next boundary has arrived.
Source: RFC 2046, section 5.1.1; WHATWG HTML, "multipart/x-mixed-replace" among its IANA considerations.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import Message

from . import LIMIT, Fragment, Meaning, Position, StrictParser, plural
from .http import Head, read_headers

MEDIA_TYPE = "multipart/x-mixed-replace"
BOUNDARY = re.compile(r"[0-9A-Za-z'()+_,./:=? -]{0,69}[0-9A-Za-z'()+_,./:=?-]")
MAX_HEADERS = 1 << 16  # bytes of the headers of a part
MAX_BOUNDARY_LINE = 512  # bytes, including its whitespace
ENDED = re.compile(rb"(--)|[ \t]{0,255}\r?\n")  # the rest of a boundary line; two hyphens after the last boundary
PROBLEMS = {
    "not multipart": "not multipart: {meaning.detail}",
    "never ended": "part {meaning.number} is incomplete: no boundary follows it",
    "ignored before": "before the first boundary: ignored",
    "ignored between": "more bytes than Content-Length: ignored",
    "ignored after": "after the last boundary: ignored",
}
UNDECIDED = re.compile(rb"-|[ \t]{0,255}\r?")
HEADERS_END = re.compile(rb"\A\r?\n|\r?\n\r?\n")


@dataclass(frozen=True)
class Part:
    """One part: its body, its Content-Type, and whether it has a Content-Length header."""

    body: bytes
    content_type: str = "text/plain"
    with_length: bool = False

    def encode(self, boundary: str) -> bytes:
        r"""Return the bytes of this part: the boundary before it, its headers, its body and a CRLF.

        Raises ValueError if RFC 2046 does not allow the boundary, if the body contains the boundary, or if
        `content_type` has a line end.

        >>> Part(b"12", with_length=True).encode("cut")
        b'--cut\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\n12\r\n'
        >>> Part(b"1\r\n--cut\r\n").encode("cut")
        Traceback (most recent call last):
        ValueError: the body contains the boundary 'cut'
        """
        if b"\n--" + boundary.encode() in b"\n" + self.body:
            raise ValueError(f"the body contains the boundary {boundary!r}")
        length = len(self.body) if self.with_length else None
        return opening(boundary, self.content_type, length) + self.body + b"\r\n"


def opening(boundary: str, content_type: str, length: int | None = None) -> bytes:
    r"""Return the boundary before a part, and the part's headers; `length` is the size of its body in bytes.

    Raises ValueError if RFC 2046 does not allow the boundary, or if `content_type` has a line end.

    >>> opening("cut", "image/png")
    b'--cut\r\nContent-Type: image/png\r\n\r\n'
    """
    if re.search("[\r\n\0]", content_type):
        raise ValueError(f"content_type must not contain a line end or NUL: {content_type!r}")
    number = "" if length is None else f"Content-Length: {length}\r\n"
    return _line(boundary) + f"\r\nContent-Type: {content_type}\r\n{number}\r\n".encode("latin-1")


def closing(boundary: str) -> bytes:
    r"""Return the last boundary, which ends the body. Raises ValueError if RFC 2046 does not allow the boundary.

    >>> closing("cut")
    b'--cut--\r\n'
    """
    return _line(boundary) + b"--\r\n"


def boundary_of(content_type: str) -> str:
    """Return the boundary parameter of a Content-Type. Raises ValueError if there is none.

    >>> boundary_of('multipart/x-mixed-replace; boundary="a b"')
    'a b'
    """
    message = Message()
    message["Content-Type"] = content_type
    found = message.get_boundary()
    if not found:
        raise ValueError(f"there is no boundary in {content_type!r}")
    return found


class Parser(StrictParser[Part]):
    """An incremental parser: feed it the bytes of one stream, split in any way.

    `closed` is True after the last boundary. Bytes before the first boundary and after the last are ignored. Like
    browsers, it reads the streams of cameras: a boundary parameter that already begins with the two hyphens of the
    boundary lines, and a boundary that follows the last byte of a Content-Length without a line end.

    It raises ValueError for malformed headers, for headers of more than 64 KB, and for a body of more than `limit`
    bytes.
    """

    def __init__(self, boundary: str, limit: int = LIMIT) -> None:
        self.closed = False
        self.limit = limit
        self._line = _line(boundary)
        self._delimiter = re.compile(b"\n" + re.escape(self._line))
        if boundary.startswith("--"):
            self._delimiter = re.compile(b"\n(?:--)?" + re.escape(boundary.encode()))
        self._buffer = bytearray(b"\n")  # every boundary follows a line end, even the first
        self._searched = 0  # bytes at the start of the buffer that contain no boundary
        self._head: tuple[str, int | None] | None = None  # the type and length of the current part
        self._inside = False  # a boundary has arrived, and the part after it is incomplete
        self._gap = "before"  # the value of `place` outside of a part

    @property
    def place(self) -> str:
        """The position after the bytes so far: "before", "head", "body", "between" or "after".

        "before" and "after" are outside of all parts, and "head" is in the headers of a part. "between" is after a
        body with Content-Length, before the next boundary.
        """
        if self.closed or not self._inside:
            return "after" if self.closed else self._gap
        return "body" if self._head else "head"

    def close(self) -> None:
        """Report that the stream has ended. Raises ValueError if the last boundary is missing."""
        self._complain()
        if not self.closed:
            raise ValueError(f"the last boundary is missing: {bytes(self._buffer[:40])!r}")

    def _read(self, data: bytes) -> Iterator[Part]:
        self._buffer += data
        found: list[Part] = []
        while not self.closed and self._step(found):
            yield from found
            found.clear()
        yield from found
        if self.closed:
            self._buffer.clear()

    def _step(self, found: list[Part]) -> bool:
        """Read the next headers, body or boundary. Return False if more bytes are needed."""
        if not self._inside:
            return self._boundary(found)
        return self._read_headers() if self._head is None else self._body(found)

    def _read_headers(self) -> bool:
        end = HEADERS_END.search(self._buffer, max(0, self._searched - 3), MAX_HEADERS)
        if end is None:
            if len(self._buffer) >= MAX_HEADERS:
                raise ValueError(f"the headers of a part do not end within {MAX_HEADERS} bytes")
            self._searched = len(self._buffer)
            return False
        self._head = _read(bytes(self._buffer[: end.start()]))
        # If the body may be empty, keep the last line end: the boundary may follow it directly.
        del self._buffer[: end.end() if self._head[1] else end.end() - 1]
        self._searched = 0
        return True

    def _body(self, found: list[Part]) -> bool:
        content_type, length = self._head or ("", None)
        if length is None:
            return self._boundary(found)
        self._check_size(length)
        if len(self._buffer) < length:
            return False
        found.append(Part(bytes(self._buffer[:length]), content_type, True))
        if length:  # the next boundary may follow directly, so replace the last byte by a line end
            del self._buffer[: length - 1]
            self._buffer[0] = ord("\n")
        self._inside, self._head, self._searched, self._gap = False, None, 0, "between"
        return True

    def _boundary(self, found: list[Part]) -> bool:
        """Search for the next boundary. It completes a part without Content-Length."""
        start = max(0, self._searched - len(self._line))
        while delimiter := self._delimiter.search(self._buffer, start):
            at, start = delimiter.span()
            if ended := ENDED.match(self._buffer, start):
                self._end_part(found, bytes(self._buffer[:at]))
                end, last = ended.end(), bool(ended[1])
                del ended, delimiter  # the buffer cannot be resized while a match object uses it
                self._inside, self._head, self._searched, self.closed = True, None, 0, last
                del self._buffer[:end]
                return True
            if UNDECIDED.fullmatch(self._buffer, start):
                self._searched = at
                return False
        self._searched = len(self._buffer)
        if self._head is not None:
            # The last bytes may be the beginning of a boundary line.
            self._check_size(self._searched - MAX_BOUNDARY_LINE)
        elif self._searched > MAX_BOUNDARY_LINE:  # discard bytes outside of the parts
            del self._buffer[: self._searched - MAX_BOUNDARY_LINE]
            self._searched = MAX_BOUNDARY_LINE
        return False

    def _check_size(self, size: int) -> None:
        if size > self.limit:
            raise ValueError(f"a part has more than {self.limit} bytes: raise the limit, or close the connection")

    def _end_part(self, found: list[Part], body: bytes) -> None:
        if self._head is not None:
            self._check_size(len(body))
            found.append(Part(body[1:].removesuffix(b"\r"), self._head[0]))


def matches(head: Head) -> bool:
    """Return True if a message has a body of this format."""
    return head.media_type == MEDIA_TYPE


class Explainer:
    r"""Splits a body into boundaries, the headers of the parts and their bodies, and returns the meaning of each.

    >>> explainer = Explainer(Head("", (("Content-Type", "multipart/x-mixed-replace; boundary=cut"),)))
    >>> for raw, meaning in explainer.feed(b"--cut\r\n\r\nhello\r\n--cut--\r\n"):
    ...     print(raw, describe(meaning))
    b'--cut\r\n' boundary: part 1 begins
    b'\r\n' blank line: end of the part's headers
    b'hello\r\n' body of part 1
    b'--cut--\r\n' last boundary: part 1 is complete, 5 bytes
    """

    def __init__(self, head: Head) -> None:
        self._parser: Parser | None = None
        self._error = ""  # why the bytes cannot be read
        self._buffer = bytearray()
        self._scanned = 0  # bytes of the buffer that were searched
        self._parts = 0  # that are complete
        self._size = 0  # of the last complete part
        self._announced = 0  # parts whose completion a meaning has reported
        try:
            boundary = boundary_of(head.get("Content-Type"))
            self._parser = Parser(boundary)
        except ValueError as error:
            self._error, boundary = str(error), ""
        self._delimiter = b"--" + boundary.lstrip("-").encode("latin-1")  # before it, more hyphens may stand
        self._cut = False  # the last fragment may be the beginning of a boundary

    def feed(self, data: bytes) -> list[Fragment]:
        """Take the next bytes; return the boundaries, headers and bodies that they complete."""
        self._buffer += data
        found: list[Fragment] = []
        while end := self._find_end():
            found += self._take(end)
        return found

    def flush(self) -> list[Fragment]:
        """Return the rest as a fragment. The next fragment continues it."""
        found = self._take(len(self._buffer)) if self._buffer else []
        self._cut = bool(found) and found[0][0].rpartition(b"\n")[2].startswith(b"-")
        return found

    def close(self) -> Meaning | None:
        """Return the problem "never ended" if the body ends inside a part."""
        if self._parser is None or self._parser.place not in ("head", "body"):
            return None
        return Meaning("last", "end", "part", self._parts + 1, problem="never ended")

    def _find_end(self) -> int:
        """Return where the next line or body in the buffer ends, 0 if more bytes are needed."""
        if self._parser is None or self._parser.place == "after":
            return 0
        if self._parser.place == "head" or self._cut or self._buffer.startswith(self._delimiter):
            return self._buffer.find(b"\n") + 1
        start = max(0, self._scanned - len(self._delimiter))
        self._scanned = len(self._buffer)
        return max(0, self._buffer.find(self._delimiter, start))

    def _take(self, end: int) -> list[Fragment]:
        raw = bytes(self._buffer[:end])
        del self._buffer[:end]
        self._scanned, self._cut = 0, False
        return [(raw, self._explain(raw))]

    def _explain(self, raw: bytes) -> Meaning:
        if self._parser is None:
            return Meaning(kind="error", detail=self._error, problem="not multipart")
        before = self._parser.place
        try:
            for part in self._parser.feed(raw):
                self._parts, self._size = self._parts + 1, len(part.body)
        except ValueError as error:
            self._parser, self._error = None, str(error)
            return self._explain(raw)
        return self._meaning(before, self._parser.place, raw)

    def _meaning(self, before: str, after: str, raw: bytes) -> Meaning:
        complete = self._parts > self._announced
        if after != before and after in ("head", "after"):
            position: Position = "last" if after == "after" else "first"
            kind = "boundary" if after == "head" else "last boundary"
        elif before == "head":
            position, kind = "inside", "header" if after == "head" else "end of headers"
        elif before == "body" or (before == "between" and not raw.strip(b"\r\n")):
            position, kind = "inside", "body"
        else:
            return Meaning(kind=before, problem=f"ignored {before}")
        self._announced = self._parts
        ended = complete or kind == "last boundary" or before == "between"
        number = self._parts if (ended and kind != "boundary") or complete else self._parts + 1
        return Meaning(position, kind, "part", number, self._size if complete else len(raw), complete=complete)


def describe(meaning: Meaning, raw: bytes = b"") -> str:
    """Return a short text for a meaning; "" for a line that needs no explanation."""
    if meaning.problem:
        return PROBLEMS[meaning.problem].format(meaning=meaning)
    complete = f"part {meaning.number} is complete, {plural(meaning.size, 'byte')}" if meaning.complete else ""
    if meaning.kind == "boundary":
        begins = meaning.number + 1 if complete else meaning.number
        return f"boundary: {complete}; part {begins} begins" if complete else f"boundary: part {begins} begins"
    if meaning.kind == "last boundary":
        return f"last boundary: {complete or 'no part follows'}"
    if meaning.kind == "body":
        return f"body of part {meaning.number}" + (", complete by Content-Length" if complete else "")
    return "blank line: end of the part's headers" if meaning.kind == "end of headers" else ""


def _line(boundary: str) -> bytes:
    if not BOUNDARY.fullmatch(boundary):
        raise ValueError(f"a boundary must be 1 to 70 characters that RFC 2046, 5.1.1 allows, not {boundary!r}")
    return f"--{boundary}".encode()


def _read(section: bytes) -> tuple[str, int | None]:
    """Return the Content-Type ("text/plain" if there is none) and the Content-Length of a part's headers."""
    headers = Head("", read_headers(section)[0])
    length = headers.get("Content-Length", "none")
    if length == "none":
        return headers.get("Content-Type", "text/plain"), None
    if not re.fullmatch("[0-9]{1,18}", length):
        raise ValueError(f"Content-Length is not a number of bytes: {length[:40]!r}")
    return headers.get("Content-Type", "text/plain"), int(length)
