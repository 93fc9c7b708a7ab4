r"""Parts that replace each other: the format multipart/x-mixed-replace.

A body is a row of parts, and a boundary stands between them: a line of two hyphens and a text that no part holds. A
part has a head, as a message has, then a blank line, then its bytes. The CRLF before a boundary belongs to the
boundary, and so do two hyphens after the last one. Each part replaces the one before.

>>> Part(b"hello").encode("cut")
b'--cut\r\nContent-Type: text/plain\r\n\r\nhello\r\n'
>>> parser = Parser("cut")
>>> parser.feed(Part(b"hello").encode("cut")), parser.feed(closing("cut"))
([], [Part(body=b'hello', content_type='text/plain', with_length=False)])

A part that does not tell its length is whole when the next boundary has come, and not before.
The standard: RFC 2046, section 5.1.1; WHATWG HTML, "multipart/x-mixed-replace" among its IANA considerations.
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
MOST_HEAD = 1 << 16  # bytes of the headers of a part
KEPT = 512  # bytes in which a boundary line with its white space fits
ENDED = re.compile(rb"(--)|[ \t]{0,255}\r?\n")  # what may stand after a boundary; two hyphens after the last
PROBLEMS = {
    "not multipart": "not multipart: {meaning.detail}",
    "never ended": "part {meaning.number} is incomplete: no boundary follows it",
    "ignored before": "before the first boundary: ignored",
    "ignored between": "more bytes than Content-Length: ignored",
    "ignored after": "after the last boundary: ignored",
}
UNDECIDED = re.compile(rb"-|[ \t]{0,255}\r?")
HEAD_END = re.compile(rb"\A\r?\n|\r?\n\r?\n")


@dataclass(frozen=True)
class Part:
    """One part: its bytes, their type, and whether its head tells their number."""

    body: bytes
    content_type: str = "text/plain"
    with_length: bool = False

    def encode(self, boundary: str) -> bytes:
        r"""Return the bytes of this part: the boundary before it, its head, its body and a CRLF.

        Raises ValueError for a boundary that RFC 2046 does not allow or that the body holds, and for a line end in
        the type.

        >>> Part(b"12", with_length=True).encode("cut")
        b'--cut\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\n12\r\n'
        >>> Part(b"1\r\n--cut\r\n").encode("cut")
        Traceback (most recent call last):
        ValueError: the body holds the boundary 'cut'
        """
        if b"\n--" + boundary.encode() in b"\n" + self.body:
            raise ValueError(f"the body holds the boundary {boundary!r}")
        length = len(self.body) if self.with_length else None
        return opening(boundary, self.content_type, length) + self.body + b"\r\n"


def opening(boundary: str, content_type: str, length: int | None = None) -> bytes:
    r"""Return the boundary before a part and the part's head. Raises ValueError as Part.encode does.

    >>> opening("cut", "image/png")
    b'--cut\r\nContent-Type: image/png\r\n\r\n'
    """
    if re.search("[\r\n\0]", content_type):
        raise ValueError(f"content_type has a line end or a NULL: {content_type!r}")
    number = "" if length is None else f"Content-Length: {length}\r\n"
    return _line(boundary) + f"\r\nContent-Type: {content_type}\r\n{number}\r\n".encode("latin-1")


def closing(boundary: str) -> bytes:
    r"""Return the last boundary, after which no part comes.

    >>> closing("cut")
    b'--cut--\r\n'
    """
    return _line(boundary) + b"--\r\n"


def boundary_of(content_type: str) -> str:
    """Return the boundary that a Content-Type names. Raises ValueError where it names none.

    >>> boundary_of('multipart/x-mixed-replace; boundary="a b"')
    'a b'
    """
    message = Message()
    message["Content-Type"] = content_type
    found = message.get_boundary()
    if not found:
        raise ValueError(f"no boundary in {content_type!r}")
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
        self._buffer = bytearray(b"\n")  # so that the first boundary, too, stands after a line end
        self._seen = 0  # bytes of the buffer in which there is no boundary
        self._head: tuple[str, int | None] | None = None  # of the part under way: its type, its length
        self._inside = False  # a boundary has come, and the part after it is not whole
        self._gap = "before"  # what is outside of a part

    @property
    def place(self) -> str:
        """Where the bytes so far end: "before" all parts, in a "head" or a "body", "between" two parts, "after" all.

        Between two parts is what stands after a body whose length was told, up to the next boundary.
        """
        if self.closed or not self._inside:
            return "after" if self.closed else self._gap
        return "body" if self._head else "head"

    def close(self) -> None:
        """Say that no bytes will come any more. Raises ValueError where the last boundary has not come."""
        self._complain()
        if not self.closed:
            raise ValueError(f"the last boundary never came: {bytes(self._buffer[:40])!r}")

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
        """Go on by one head, body or boundary; False where more bytes are needed."""
        if not self._inside:
            return self._boundary(found)
        return self._read_head() if self._head is None else self._body(found)

    def _read_head(self) -> bool:
        end = HEAD_END.search(self._buffer, max(0, self._seen - 3), MOST_HEAD)
        if end is None:
            if len(self._buffer) >= MOST_HEAD:
                raise ValueError(f"the headers of a part do not end within {MOST_HEAD} bytes")
            self._seen = len(self._buffer)
            return False
        self._head = _read(bytes(self._buffer[: end.start()]))
        # Where the body may be empty, the head's last line end stays: the boundary may stand right after it.
        del self._buffer[: end.end() if self._head[1] else end.end() - 1]
        self._seen = 0
        return True

    def _body(self, found: list[Part]) -> bool:
        content_type, length = self._head or ("", None)
        if length is None:
            return self._boundary(found)
        self._check_size(length)
        if len(self._buffer) < length:
            return False
        found.append(Part(bytes(self._buffer[:length]), content_type, True))
        if length:  # the next boundary may follow at once, so the last byte becomes its line end
            del self._buffer[: length - 1]
            self._buffer[0] = ord("\n")
        self._inside, self._head, self._seen, self._gap = False, None, 0, "between"
        return True

    def _boundary(self, found: list[Part]) -> bool:
        """Look for the next boundary, and end with it the part that does not tell its length."""
        start = max(0, self._seen - len(self._line))
        while delimiter := self._delimiter.search(self._buffer, start):
            at, start = delimiter.span()
            if ended := ENDED.match(self._buffer, start):
                self._end_part(found, bytes(self._buffer[:at]))
                end, last = ended.end(), bool(ended[1])
                del ended, delimiter  # a match locks the size of the buffer
                self._inside, self._head, self._seen, self.closed = True, None, 0, last
                del self._buffer[:end]
                return True
            if UNDECIDED.fullmatch(self._buffer, start):
                self._seen = at
                return False
        self._seen = len(self._buffer)
        if self._head is not None:
            self._check_size(self._seen - KEPT)  # a boundary line may have begun
        elif self._seen > KEPT:  # bytes outside of the parts are not needed any more
            del self._buffer[: self._seen - KEPT]
            self._seen = KEPT
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
        raise ValueError(f"a boundary is 1 to 70 characters of RFC 2046, 5.1.1, not {boundary!r}")
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
