r"""HTTP/1.1 messages: the header section, and the three ways to mark the end of a body.

A message begins with a start line and headers (RFC 9110 calls them fields), each line ending in CRLF, and a blank
line. The body follows. Its end is marked by a length (`Content-Length`), by chunks (`Transfer-Encoding: chunked`) or
by the close of the connection. Before each chunk stands its size in hexadecimal; a chunk of size 0 is the last.

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

The parts of a stream, joined, are the stream: no byte is left out, so a drawing can show every byte.
The standard: RFC 9112, sections 2 (messages), 5 (headers), 6 (bodies) and 7.1 (chunks).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Literal

LAST_CHUNK = b"0\r\n\r\n"
MAX_HEADERS = 1 << 18  # bytes of a start line with its headers, or of a last chunk with its trailers
MAX_SIZE_LINE = 1 << 14  # bytes of the line before a chunk
LINE_END = re.compile(rb"\r?\n")
BLANK_LINE = re.compile(rb"\r?\n\r?\n")  # with the line end before it
TOKEN = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
START_LINE = {
    # Bytes from 0x80 on are not allowed in a target, but curl and others send UTF-8 there, and servers accept it.
    "request": re.compile(TOKEN.pattern + rb" [!-~\x80-\xff]+ HTTP/1\.[0-9]"),
    "response": re.compile(rb"HTTP/1\.[0-9] [0-9]{3}(?: [\t -~\x80-\xff]*)?"),
}
RESPONSE_STARTS = (b"HTTP/1.", b"\r\nHTTP/1.", b"\nHTTP/1.")
SIZE_LINE = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(?:;([\t -~\x80-\xff]*))?\r?\n")
OTHER_PROTOCOLS = {
    "TLS": re.compile(rb"[\x14-\x17]\x03[\x00-\x04]"),  # a record: type and version (RFC 8446, 5.1)
    "HTTP/2": re.compile(rb"PRI \* HTTP/2\.0\r\n|\0\0[^\n]\x04[\0\1]\0\0\0\0"),  # preface, SETTINGS (RFC 9113, 3.4)
}

Role = Literal["request", "response"]
Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Head:
    r"""A start line and its headers. Header names are written as they were sent.

    A parsed head has its bytes in `raw`, and in `problems` the codes of its faults that a reader may tolerate:

    - "obs-fold": a header continues on the next line; the line end is read as a space (RFC 9112, 5.2).
    - "space-before-colon": in a response, removed (RFC 9112, 5.1).
    - "bare-lf": a line ends in LF without CR (RFC 9112, 2.2).
    - "length-beside-transfer-encoding": Content-Length is ignored (RFC 9112, 6.3).
    - "repeated-length": Content-Length is given more than once, with the same number (RFC 9110, 8.6).
    - "transfer-encoding-in-http-1.0": HTTP/1.0 has no Transfer-Encoding (RFC 9112, 6.1).

    >>> Head("GET / HTTP/1.1", (("Host", "example"),)).encode()
    b'GET / HTTP/1.1\r\nHost: example\r\n\r\n'
    """

    start_line: str
    fields: Headers = ()
    raw: bytes = field(default=b"", compare=False, repr=False)
    problems: tuple[str, ...] = field(default=(), compare=False)

    def encode(self) -> bytes:
        r"""Return the bytes of the start line, the headers and the blank line.

        Raises ValueError if a CR, LF or NUL would forge another line.

        >>> Head("HTTP/1.1 200 OK", (("X", "1\r\nSet-Cookie: forged"),)).encode()
        Traceback (most recent call last):
        ValueError: a start line or header contains CR, LF or NUL: 'X: 1\r\nSet-Cookie: forged'
        """
        lines = [self.start_line, *(f"{name}: {value}" for name, value in self.fields)]
        for line in lines:
            if re.search("[\r\n\0]", line):
                raise ValueError(f"a start line or header contains CR, LF or NUL: {line!r}")
        return "".join(f"{line}\r\n" for line in [*lines, ""]).encode("latin-1")

    def get(self, name: str, default: str = "") -> str:
        """Return the values of a header, joined with commas. Header names are case-insensitive (RFC 9110, 5.2)."""
        values = [value for key, value in self.fields if key.lower() == name.lower()]
        return ", ".join(values) if values else default

    @property
    def media_type(self) -> str:
        """The media type of the body in lower case, without parameters; "" if Content-Type is missing."""
        return self.get("Content-Type").partition(";")[0].strip().lower()

    @property
    def method(self) -> str:
        """The method of a request: the first word of its start line."""
        return self.start_line.split(" ")[0]

    @property
    def status(self) -> int:
        """The status code of a response, 0 if the start line has none."""
        found = re.match(r"\S+ ([0-9]{3})\b", self.start_line)
        return int(found[1]) if found else 0


# The parts of chunks are not frozen, although nothing changes them: it would take three times as long to make one.


@dataclass(slots=True)
class Size:
    """The line before a chunk: its size in bytes, and an extension ("" for none), which hardly any server sends."""

    size: int
    extension: str
    raw: bytes


@dataclass(slots=True)
class Data:
    """Bytes of a body, as many as have arrived: one chunk may give several of these."""

    raw: bytes


@dataclass(slots=True)
class Tunnel(Data):
    """Bytes of another protocol, after a 101 response or after a 2xx response to CONNECT: no body."""


@dataclass(slots=True)
class DataEnd:
    """The line end after the bytes of a chunk."""

    raw: bytes


@dataclass(frozen=True)
class LastChunk:
    """The chunk of size 0 with its extension, its trailers (headers after the body) and a blank line."""

    raw: bytes
    extension: str = ""
    trailers: Headers = ()
    problems: tuple[str, ...] = field(default=(), compare=False)


@dataclass(frozen=True)
class End:
    """The end of a message, and how the parser learned of it.

    After "close", nobody can know whether the body is complete. After "cut" the message is incomplete, and `raw` has
    the bytes of the part that had begun. "tunnel" is the end of another protocol's bytes.
    """

    how: Literal["no body", "length", "last chunk", "close", "tunnel", "cut"]
    raw: bytes = b""


@dataclass(frozen=True)
class Excess:
    """Bytes after a complete response that do not begin another response; `after` is the `how` of its end.

    After "no body" a server has sent a body in a response that cannot have one: to HEAD, or with status 204 or 304.
    """

    raw: bytes
    after: str


@dataclass(frozen=True)
class NotHTTP:
    """All bytes from the first that cannot be HTTP/1, and why; `protocol` is "TLS" or "HTTP/2" if it is known."""

    raw: bytes
    why: str
    protocol: str = ""


CHUNK_END = DataEnd(b"\r\n")
Part = Head | Size | Data | DataEnd | LastChunk | End | Excess | NotHTTP


def chunk(data: bytes) -> bytes:
    r"""Return one chunk. Raises ValueError if `data` is empty, because a chunk of size 0 ends the body.

    >>> chunk(b"data: x\n\n")
    b'9\r\ndata: x\n\n\r\n'
    """
    if not data:
        raise ValueError("a chunk of 0 bytes would end the body: send LAST_CHUNK for that")
    return b"%x\r\n%b\r\n" % (len(data), data)


def read_headers(section: bytes, allow_space: bool = False) -> tuple[Headers, tuple[str, ...]]:
    r"""Return the headers of a header section without its blank line, and the codes of tolerated faults (see Head).

    `allow_space` tolerates spaces between a name and its colon, which a client removes and a server must refuse.
    Raises ValueError for a line that is not a header.

    >>> read_headers(b"Host: x\r\nAccept: a,\r\n  b\r\n")
    ((('Host', 'x'), ('Accept', 'a, b')), ('obs-fold',))
    """
    problems = set()
    headers: list[list[bytes]] = []  # of each header, its lines
    for line in section.removesuffix(b"\n").split(b"\n") if section else []:
        line = line.removesuffix(b"\r")
        if not line.startswith((b" ", b"\t")):
            headers.append([line])
        elif headers:
            headers[-1].append(line.strip(b" \t"))
            problems.add("obs-fold")
        else:
            raise ValueError("the first header begins with a space")
    found = []
    for lines in headers:
        name, colon, value = b" ".join([lines[0].rstrip(b" \t"), *lines[1:]]).partition(b":")
        if allow_space and name.endswith((b" ", b"\t")):
            name = name.rstrip(b" \t")
            problems.add("space-before-colon")
        if not colon:
            raise ValueError("a header has no colon")
        if not TOKEN.fullmatch(name):
            raise ValueError("the name of a header is not a token")
        if re.search(b"[\r\0]", value):
            raise ValueError(f"CR or NUL in the value of a header: {_quoted(name[:40])}")
        found.append((name.decode(), value.strip(b" \t").decode("latin-1")))
    return tuple(found), tuple(sorted(problems))


class Parser:
    """An incremental parser of one direction of one connection: it reads any number of messages.

    A "response" parser takes the `methods` of the requests, in order (GET if there are no more), because a response
    to HEAD has no body and one to CONNECT may open a tunnel. After a 101 response or a 2xx response to CONNECT,
    `switched` is the number of that request, counted from 1. Pass this number as `switched` to the "request" parser:
    the bytes after that request are another protocol's.

    It never raises. From the first byte that cannot be HTTP/1, all bytes are returned as NotHTTP. This also happens
    if a start line with its headers, or a last chunk with its trailers, is longer than `limit` bytes. Not checked:
    the syntax of chunk extensions, and control characters other than CR, LF and NUL in header values.
    """

    def __init__(
        self,
        role: Role,
        methods: Iterable[str] = (),
        switched: int | None = None,
        limit: int = MAX_HEADERS,
    ) -> None:
        self.role = role
        self.switched = switched
        self.limit = limit
        self._methods = iter(methods)
        self._messages = 0  # header sections so far, without those of 1xx responses
        self._buffer = bytearray()
        self._at = 0  # how many bytes of the buffer have been read, during one call of feed
        self._scanned = 0  # how many bytes from there on are known not to hold the end that is looked for
        self._left = 0  # bytes of the body or chunk that have not arrived
        self._last_end = ""  # the `how` of the last End
        self._why, self._protocol = "", ""  # of NotHTTP
        self._state: Callable[[list[Part]], bool] = self._read_start_line

    @property
    def pending(self) -> bytes:
        """The bytes of a part that is not complete yet."""
        return bytes(self._buffer)

    def feed(self, data: bytes) -> list[Part]:
        """Take the next bytes; return the parts that they complete, in order."""
        self._buffer += data
        parts: list[Part] = []
        try:
            while self._state(parts):
                pass
        except ValueError as error:
            self._why = str(error)
            self._state = self._read_not_http
            self._read_not_http(parts)
        del self._buffer[: self._at]
        self._at = 0
        return parts

    def close(self) -> list[Part]:
        """Return the End of the message that had begun, if any: the connection is closed, no bytes will follow."""
        rest = bytes(self._buffer)
        self._buffer.clear()
        if self._state in (self._read_not_http, self._read_excess) or (
            self._state == self._read_start_line and not rest
        ):
            return []
        how: Literal["close", "tunnel", "cut"] = "cut"
        if self._state == self._read_until_close:
            how = "close"
        elif self._state == self._read_tunnel:
            how = "tunnel"
        return [End(how, rest)]

    # Each state reads one or more parts at self._at and appends them to the list. It returns False if it needs more
    # bytes, and raises ValueError if the bytes cannot be HTTP/1.

    def _read_start_line(self, parts: list[Part]) -> bool:
        if self._messages and self.role == "response" and not self._may_begin_response():
            self._state = self._read_excess
            return True
        if found := [name for name, start in OTHER_PROTOCOLS.items() if start.match(self._buffer, self._at)]:
            self._protocol = found[0]
            raise ValueError(f"the bytes are {self._protocol}")
        start = self._skipped_line()
        end = self._buffer.find(b"\n", max(start, self._at + self._scanned))
        if end < 0:
            return self._need_more("header section", self.limit)
        line = bytes(self._buffer[start:end]).removesuffix(b"\r")
        if not START_LINE[self.role].fullmatch(line):
            raise ValueError(f"not the start line of a {self.role}")
        self._scanned = end - self._at  # the blank line may begin with this line end
        self._state = self._read_head
        return True

    def _skipped_line(self) -> int:
        """Return where the start line begins: an empty line before it is ignored (RFC 9112, 2.2)."""
        for line_end in (b"\r\n", b"\n"):
            if self._buffer.startswith(line_end, self._at):
                return self._at + len(line_end)
        return self._at

    def _may_begin_response(self) -> bool:
        starts = (self._buffer[self._at : self._at + len(start)] for start in RESPONSE_STARTS)
        return any(start.startswith(begun) for start, begun in zip(RESPONSE_STARTS, starts, strict=True))

    def _read_head(self, parts: list[Part]) -> bool:
        end = self._blank_line("header section")
        if end is None:
            return False
        raw = bytes(self._buffer[self._at : end])
        start, _, section = raw[self._skipped_line() - self._at :].partition(b"\n")
        headers, problems = read_headers(_without_blank_line(section), self.role == "response")
        start_line = start.removesuffix(b"\r").decode("latin-1")
        head = Head(start_line, headers, raw, tuple(sorted({*problems, *_problems(start_line, headers, raw)})))
        self._state = self._framing(head)
        self._at, self._scanned = end, 0
        parts.append(head)
        return True

    def _blank_line(self, what: str) -> int | None:
        """Return where the next blank line ends; None if it has not arrived."""
        start = self._at + max(0, self._scanned - 3)
        if found := BLANK_LINE.search(self._buffer, start, self._at + self.limit):
            return found.end()
        self._need_more(what, self.limit)
        return None

    def _need_more(self, what: str, limit: int) -> bool:
        size = len(self._buffer) - self._at
        if size >= limit:
            raise ValueError(f"the {what} does not end within {limit} bytes")
        self._scanned = size
        return False

    def _framing(self, head: Head) -> Callable[[list[Part]], bool]:
        """Return the state that reads the body, chosen in the order of RFC 9112, 6.3."""
        if self.role == "response" and head.status != 101 and 100 <= head.status < 200:
            return self._no_body  # the final response follows
        self._messages += 1
        if self.role == "request" and self._messages == self.switched:
            return self._read_tunnel
        if self.role == "response":
            method = next(self._methods, "GET")
            if head.status == 101 or (method == "CONNECT" and 200 <= head.status < 300):
                self.switched = self._messages
                return self._read_tunnel
            if method == "HEAD" or head.status in (204, 304):
                return self._no_body
        if _has(head.fields, "transfer-encoding"):
            return self._by_transfer_encoding(head.get("Transfer-Encoding"))
        if _has(head.fields, "content-length"):
            self._left = _length(head.get("Content-Length"))
            return self._read_by_length
        return self._no_body if self.role == "request" else self._read_until_close

    def _by_transfer_encoding(self, value: str) -> Callable[[list[Part]], bool]:
        codings = [coding.strip(" \t") for coding in value.lower().split(",")]
        codings = [coding for coding in codings if coding]  # empty elements are ignored: RFC 9110, 5.6.1
        if codings[-1:] == ["chunked"]:
            return self._read_size_line
        if self.role == "request":  # it cannot end with the connection, because its response is still to come
            raise ValueError(f"the last Transfer-Encoding of a request is not chunked: {value[:40]!r}")
        return self._read_until_close

    def _end(self, parts: list[Part], how: Literal["no body", "length", "last chunk"]) -> bool:
        parts.append(End(how))
        self._last_end, self._state = how, self._read_start_line
        return True

    def _no_body(self, parts: list[Part]) -> bool:
        return self._end(parts, "no body")

    def _read_by_length(self, parts: list[Part]) -> bool:
        return self._read_data(parts) if self._left else self._end(parts, "length")

    def _read_data(self, parts: list[Part]) -> bool:
        if data := self._take(self._left):
            self._left -= len(data)
            parts.append(Data(data))
        return bool(data)

    def _read_size_line(self, parts: list[Part]) -> bool:
        buffer = self._buffer
        if buffer.find(b"\n", self._at + self._scanned, self._at + MAX_SIZE_LINE) < 0:
            return self._need_more("line with a chunk's size", MAX_SIZE_LINE)
        self._scanned = 0
        line = SIZE_LINE.match(buffer, self._at)
        if line is None:
            start = bytes(buffer[self._at : self._at + 40]).partition(b"\n")[0].removesuffix(b"\r")
            raise ValueError(f"the size of a chunk is not a hexadecimal number: {_quoted(start)}")
        size = int(line[1], 16)
        if size == 0:
            self._state = self._read_last_chunk
            return True
        parts.append(Size(size, line[2].decode("latin-1") if line[2] else "", line[0]))
        begin, end = line.end(), line.end() + size
        if buffer.startswith(b"\r\n", end):  # the common case: the whole chunk has arrived
            parts += (Data(bytes(buffer[begin:end])), CHUNK_END)
            self._at = end + 2
        else:
            self._at, self._left, self._state = begin, size, self._read_chunk
        return True

    def _read_chunk(self, parts: list[Part]) -> bool:
        if self._left:
            return self._read_data(parts)
        following = bytes(self._buffer[self._at : self._at + 2])
        if following in (b"", b"\r"):
            return False
        line_end = LINE_END.match(following)
        if line_end is None:
            raise ValueError("a chunk is longer than its size: no line end follows it")
        parts.append(DataEnd(line_end[0]))
        self._at, self._state = self._at + len(line_end[0]), self._read_size_line
        return True

    def _read_last_chunk(self, parts: list[Part]) -> bool:
        end = self._blank_line("last chunk")
        if end is None:
            return False
        raw = bytes(self._buffer[self._at : end])
        line, _, section = raw.partition(b"\n")
        trailers, problems = read_headers(_without_blank_line(section), self.role == "response")
        extension = line.removesuffix(b"\r").partition(b";")[2].decode("latin-1")
        parts.append(LastChunk(raw, extension, trailers, problems))
        self._at, self._scanned = end, 0
        return self._end(parts, "last chunk")

    def _read_until_close(self, parts: list[Part]) -> bool:
        return self._append_all(parts, Data)

    def _read_tunnel(self, parts: list[Part]) -> bool:
        return self._append_all(parts, Tunnel)

    def _read_excess(self, parts: list[Part]) -> bool:
        return self._append_all(parts, lambda raw: Excess(raw, self._last_end))

    def _read_not_http(self, parts: list[Part]) -> bool:
        return self._append_all(parts, lambda raw: NotHTTP(raw, self._why, self._protocol))

    def _append_all(self, parts: list[Part], part: Callable[[bytes], Part]) -> bool:
        """Append the bytes that have arrived as one part."""
        if data := self._take(len(self._buffer)):
            parts.append(part(data))
        return False

    def _take(self, most: int) -> bytes:
        taken = bytes(self._buffer[self._at : self._at + most])
        self._at += len(taken)
        return taken


def _without_blank_line(section: bytes) -> bytes:
    return section.removesuffix(b"\n").removesuffix(b"\r")


def _problems(start_line: str, fields: Headers, raw: bytes) -> set[str]:
    """Return the codes of the faults that a reader may tolerate and that concern the message as a whole."""
    found = set()
    if raw.count(b"\n") > raw.count(b"\r\n"):
        found.add("bare-lf")
    lengths = [value for name, value in fields if name.lower() == "content-length"]
    if len(lengths) > 1 or "," in "".join(lengths):
        found.add("repeated-length")
    if _has(fields, "transfer-encoding"):
        found |= {"length-beside-transfer-encoding"} if lengths else set()
        found |= {"transfer-encoding-in-http-1.0"} if "HTTP/1.0" in start_line else set()
    return found


def _has(fields: Headers, name: str) -> bool:
    return any(key.lower() == name for key, _ in fields)


def _length(text: str) -> int:
    length, *others = {value.strip(" \t") for value in text.split(",")}  # a repeated number is one: RFC 9110, 8.6
    if others or not re.fullmatch("[0-9]{1,18}", length):
        raise ValueError(f"Content-Length is not a number of bytes: {text[:40]!r}")
    return int(length)


def _quoted(line: bytes) -> str:
    return repr(line[:80].decode("latin-1"))
