r"""HTTP/1.1 messages: the head, and the three ways in which a body says where it ends.

A head is a start line and fields, each line ending in CRLF, and a blank line. What follows is the body. It is framed
by length (`Content-Length`), by chunks (`Transfer-Encoding: chunked`: each chunk tells its size in hexadecimal
before its bytes, and a chunk of size 0 is the last) or by the close of the connection.

>>> head = Head("HTTP/1.1 200 OK", (("Transfer-Encoding", "chunked"),))
>>> parser = Parser("response")
>>> for part in parser.feed(head.encode() + chunk(b"hello") + LAST_CHUNK):
...     print(type(part).__name__, part.raw)
Head b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n'
Size b'5\r\n'
Data b'hello'
DataEnd b'\r\n'
LastChunk b'0\r\n\r\n'
End b''

The parts of a stream, joined, are the stream: nothing is left out, so a drawing can show every byte.
The standard: RFC 9112, sections 2 (messages), 6 (bodies) and 7.1 (chunks).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Literal

LAST_CHUNK = b"0\r\n\r\n"
BLANK_LINE = re.compile(rb"\r?\n\r?\n")  # with the line end before it: it ends a head, and a last chunk
START_LINE = re.compile(rb"(?:\r?\n)?(?!\r?\n)([^\n]+)\n")  # an empty line before it is ignored: RFC 9112, 2.2
MOST_HEAD = 1 << 18  # bytes; what is longer without a blank line is no head
MOST_LINE = 1 << 14  # bytes of a chunk-size line


@dataclass(frozen=True)
class Head:
    r"""A start line and its fields, names as they were sent; `raw` holds the bytes where it was read.

    >>> Head("GET / HTTP/1.1", (("Host", "example"),)).encode()
    b'GET / HTTP/1.1\r\nHost: example\r\n\r\n'
    """

    start_line: str
    fields: tuple[tuple[str, str], ...] = ()
    raw: bytes = field(default=b"", compare=False, repr=False)

    def encode(self) -> bytes:
        r"""Return the bytes of the head. Raises ValueError where a CR, LF or NULL would forge a line.

        >>> Head("HTTP/1.1 200 OK", (("X", "1\r\nSet-Cookie: forged"),)).encode()
        Traceback (most recent call last):
        ValueError: a head's line has a line end or a NULL: 'X: 1\r\nSet-Cookie: forged'
        """
        lines = [self.start_line, *(f"{name}: {value}" for name, value in self.fields)]
        for line in lines:
            if re.search("[\r\n\0]", line):
                raise ValueError(f"a head's line has a line end or a NULL: {line!r}")
        return "".join(f"{line}\r\n" for line in [*lines, ""]).encode("latin-1")

    def get(self, name: str, default: str = "") -> str:
        """Return the values of a field, joined with commas; names do not mind their case (RFC 9110, 5.2)."""
        values = [value for key, value in self.fields if key.lower() == name.lower()]
        return ", ".join(values) if values else default

    @property
    def method(self) -> str:
        """The method of a request: the first word of its start line."""
        return self.start_line.split(" ")[0]

    @property
    def status(self) -> int:
        """The status of a response, 0 where the start line has none."""
        found = re.match(r"\S+ ([0-9]{3})\b", self.start_line)
        return int(found[1]) if found else 0


@dataclass(frozen=True)
class Size:
    """The line before a chunk: its size in bytes, and an extension that hardly anyone sends."""

    size: int
    extension: str
    raw: bytes


@dataclass(frozen=True)
class Data:
    """Bytes of a body, as many as were there: a chunk that arrives in pieces gives several."""

    raw: bytes


@dataclass(frozen=True)
class DataEnd:
    """The line end after a chunk's bytes."""

    raw: bytes


@dataclass(frozen=True)
class LastChunk:
    """The chunk of size 0, trailer fields and a blank line: the body is whole."""

    raw: bytes


@dataclass(frozen=True)
class End:
    """The end of a message: `how` it was seen. A message that is "cut" leaves what was begun in `raw`.

    With "close", nobody can tell a whole body from a cut one.
    """

    how: Literal["no body", "length", "last chunk", "close", "cut"]
    raw: bytes = b""


@dataclass(frozen=True)
class NotHTTP:
    """Bytes from the first that cannot be HTTP/1 on, and why."""

    raw: bytes
    why: str


Part = Head | Size | Data | DataEnd | LastChunk | End | NotHTTP


def chunk(data: bytes) -> bytes:
    r"""Return one chunk. Raises ValueError for no bytes at all, since a chunk of size 0 ends the body.

    >>> chunk(b"data: x\n\n")
    b'9\r\ndata: x\n\n\r\n'
    """
    if not data:
        raise ValueError("a chunk of 0 bytes would end the body: send LAST_CHUNK for that")
    return b"%x\r\n%b\r\n" % (len(data), data)


class Parser:
    """An incremental parser of one direction of one connection: message after message.

    A "response" parser takes the `methods` of the requests it answers, in order (GET where they run out),
    since the answer to HEAD has no body. A "request" parser is told as `upgraded` how many requests came before
    another protocol took over, as the answer 101 says. It raises at nothing: from the first byte that cannot be
    HTTP/1 on, all bytes come back as NotHTTP.
    """

    def __init__(
        self, role: Literal["request", "response"], methods: Iterable[str] = (), upgraded: int | None = None
    ) -> None:
        self.role = role
        self._heads, self._upgraded = 0, upgraded
        self._methods = iter(methods)
        self._buffer = bytearray()
        self._seen = 0  # bytes of the buffer that hold no blank line
        self._left = 0  # bytes of the body or chunk still to come
        self._why = ""  # it is not HTTP
        self._state: Callable[[], Part | None] = self._head

    @property
    def pending(self) -> bytes:
        """The bytes of a part that is not complete yet."""
        return bytes(self._buffer)

    def feed(self, data: bytes) -> list[Part]:
        """Take the next bytes; return the parts that they complete, in order."""
        self._buffer += data
        parts: list[Part] = []
        while (part := self._next()) is not None:
            parts.append(part)
        return parts

    def _next(self) -> Part | None:
        try:
            return self._state()
        except ValueError as error:
            self._why = str(error)
            self._state = self._not_http
            return self._not_http()

    def _not_http(self) -> Part | None:
        return NotHTTP(self._take(len(self._buffer)), self._why) if self._buffer else None

    def close(self) -> list[Part]:
        """Say that no bytes will come any more; return the End of what was under way."""
        rest = self._take(len(self._buffer))
        if self._state == self._until_close:
            return [End("close", rest)]
        if self._state == self._not_http or (self._state == self._head and not rest):
            return []
        return [End("cut", rest)]

    def _take(self, count: int) -> bytes:
        taken = bytes(self._buffer[:count])
        del self._buffer[:count]
        return taken

    def _head(self) -> Part | None:
        # What is not HTTP may never send a blank line, so the first line tells already.
        if start := START_LINE.match(self._buffer):
            _check_start(start[1].removesuffix(b"\r").decode("latin-1"), self.role)
        end = self._blank_line("head")
        if end is None:
            return None
        head = _read_head(bytes(self._buffer[:end]), self.role)
        self._state = self._framing(head)
        self._take(end)
        return head

    def _blank_line(self, what: str) -> int | None:
        """Return where the next blank line ends; None while it has not come."""
        end = BLANK_LINE.search(self._buffer, max(0, self._seen - 3), MOST_HEAD)
        if end is None and len(self._buffer) >= MOST_HEAD:
            raise ValueError(f"no {what} ends within {MOST_HEAD} bytes: {bytes(self._buffer[:40])!r}")
        self._seen = 0 if end else len(self._buffer)
        return end.end() if end else None

    def _framing(self, head: Head) -> Callable[[], Part | None]:
        """Choose how the body ends: RFC 9112, 6.3, in its order."""
        self._heads += 1
        if self._heads == self._upgraded:
            return self._until_close
        if self.role == "response":
            if head.status == 101:
                return self._until_close  # from here on another protocol speaks
            if 100 <= head.status < 200:
                return lambda: self._end("no body")  # the answer proper is still to come
            if next(self._methods, "GET") == "HEAD" or head.status in (204, 304):
                return lambda: self._end("no body")
        if coding := head.get("Transfer-Encoding").lower().rpartition(",")[2].strip():
            return self._size if coding == "chunked" else self._coded(coding)
        if lengths := [value for name, value in head.fields if name.lower() == "content-length"]:
            self._left = _length(",".join(lengths))
            return self._by_length
        return self._until_close if self.role == "response" else lambda: self._end("no body")

    def _coded(self, coding: str) -> Callable[[], Part | None]:
        if self.role == "request":  # it cannot end by a close, since its answer is still to come
            raise ValueError(f"a request's last Transfer-Encoding is not chunked: {coding[:40]!r}")
        return self._until_close

    def _end(self, how: Literal["no body", "length", "last chunk"]) -> Part:
        self._state = self._head
        return End(how)

    def _by_length(self) -> Part | None:
        return self._body() if self._left else self._end("length")

    def _until_close(self) -> Part | None:
        return Data(self._take(len(self._buffer))) if self._buffer else None

    def _body(self) -> Part | None:
        data = self._take(min(self._left, len(self._buffer)))
        self._left -= len(data)
        return Data(data) if data else None

    def _size(self) -> Part | None:
        end = self._buffer.find(b"\n", 0, MOST_LINE) + 1
        if not end:
            if len(self._buffer) >= MOST_LINE:
                raise ValueError(f"no chunk size within {MOST_LINE} bytes: {bytes(self._buffer[:40])!r}")
            return None
        line = bytes(self._buffer[:end])
        digits, _, extension = line.strip().partition(b";")
        self._left = _chunk_size(digits.strip(), line)
        if self._left == 0:
            self._state = self._last_chunk
            return self._last_chunk()
        self._state = self._chunk
        return Size(self._left, extension.decode("latin-1"), self._take(end))

    def _chunk(self) -> Part | None:
        return self._body() if self._left else self._chunk_end()

    def _chunk_end(self) -> Part | None:
        end = re.match(rb"\r?\n", self._buffer)
        if end is None:
            if self._buffer and self._buffer != b"\r":
                raise ValueError("a chunk is longer than its size: no line end follows it")
            return None
        self._state = self._size
        return DataEnd(self._take(end.end()))

    def _last_chunk(self) -> Part | None:
        end = self._blank_line("last chunk")
        if end is None:
            return None
        self._state = lambda: self._end("last chunk")
        return LastChunk(self._take(end))


def _read_head(raw: bytes, role: str) -> Head:
    text = raw.decode("latin-1").replace("\r\n", "\n")
    start, *lines = text.removeprefix("\n").removesuffix("\n\n").split("\n")
    _check_start(start, role)
    return Head(start, tuple(_read_field(line) for line in lines), raw)


def _check_start(line: str, role: str) -> None:
    shape = r"HTTP/1\.\d \d{3}( .*)?" if role == "response" else r"[!#-'*+.^-z|~A-Z0-9-]+ \S+ HTTP/1\.\d"
    if not re.fullmatch(shape, line):
        raise ValueError(f"not the start of a {role}: {line[:80]!r}")


def _read_field(line: str) -> tuple[str, str]:
    name, colon, value = line.partition(":")
    if not colon or not name or name != name.strip():
        raise ValueError(f"not a field of a head: {line[:80]!r}")
    return name, value.strip(" \t")


def _length(text: str) -> int:
    length, *others = {value.strip(" \t") for value in text.split(",")}  # the same number twice is one: RFC 9110, 8.6
    if others or not re.fullmatch("[0-9]{1,18}", length):
        raise ValueError(f"Content-Length is not a number of bytes: {text[:40]!r}")
    return int(length)


def _chunk_size(digits: bytes, line: bytes) -> int:
    if not re.fullmatch(b"[0-9A-Fa-f]{1,15}", digits):
        raise ValueError(f"a chunk's size is not a hexadecimal number: {line[:40]!r}")
    return int(digits, 16)
