r"""WebSocket: the frames after the 101 response, in both directions.

A frame begins with two bytes. The first byte has FIN (this frame ends the message), three reserved bits for
extensions, and the opcode, which is the type of the frame. The second byte has MASK and the length of the payload. A
length up to 125 is in this byte. 126 means that the length follows in 16 bits, and 127 that it follows in 64 bits.

A client masks its frames: a masking key of four bytes follows the length, and each byte of the payload is XORed with
one of them in turn. The mask prevents attacks on caches that take the payload for HTTP.

>>> Frame(TEXT, b"hello").encode()
b'\x81\x05hello'
>>> Frame(TEXT, b"hello", mask=b"\x01\x02\x03\x04").encode()
b'\x81\x85\x01\x02\x03\x04igohn'
>>> Parser().feed(b'\x81\x85\x01\x02\x03\x04igohn')
[Frame(opcode=1, payload=b'hello', fin=True, rsv=0, mask=b'\x01\x02\x03\x04')]

Source: RFC 6455, sections 5.2 (frames), 5.3 (masks), 5.5 (control frames) and 7.4 (close codes).
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from . import LIMIT, Fragment, Meaning, StrictParser, plural, shorten
from .http import Head

UPGRADE = "websocket"
CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
NAMES = {0: "continuation", 1: "text", 2: "binary", 8: "close", 9: "ping", 10: "pong"}
MAX_CONTROL = 125  # bytes of a control frame's payload
MAX_INFLATED = 1 << 20  # bytes of compressed messages in one direction that an Explainer decompresses
TEXTS = {
    "mask": "masking key",
    "fragment": "fragment of a message: more fragments follow",
    "incomplete": "incomplete frame",
}
PROBLEMS = {
    "not a frame": "not a frame: {meaning.detail}",
    "after close": "after the close frame: ignored",
    "no message to continue": "protocol error: no message to continue",
    "message not finished": "protocol error: the message before is not finished",
    "never ended": "the last message is incomplete: no frame with FIN follows",
    "invalid UTF-8": "not valid UTF-8",
    "invalid compression": "not valid deflate data",
    "too much to decompress": "more than 1 MB: not decompressed",
    "half a code": "only one byte of a code",
    "invalid code": "this code must not be sent",
}


@dataclass(frozen=True)
class Frame:
    """One frame.

    `payload` is unmasked. `mask` is the masking key of four bytes, or None if the frame is not masked. `rsv` has the
    three reserved bits as a number from 0 to 7; 4 means a compressed message (permessage-deflate, RFC 7692).
    """

    opcode: int
    payload: bytes = b""
    fin: bool = True
    rsv: int = 0
    mask: bytes | None = None

    def encode(self) -> bytes:
        """Return the bytes of this frame, with its length in the shortest form.

        Raises ValueError for an opcode that is not defined, a mask that has not four bytes, and `rsv` out of range.
        Raises ValueError for a control frame (close, ping, pong) that is fragmented or has more than 125 bytes.

        >>> Frame(PING, bytes(126)).encode()
        Traceback (most recent call last):
        ValueError: a ping frame must have at most 125 bytes of payload, not 126
        """
        if not 0 <= self.rsv <= 7:
            raise ValueError(f"rsv must be a number from 0 to 7, not {self.rsv}")
        if self.mask is not None and len(self.mask) != 4:
            raise ValueError(f"a mask must have four bytes, not {self.mask!r}")
        _check(self.opcode, len(self.payload), self.fin)
        first = self.fin << 7 | self.rsv << 4 | self.opcode
        payload = self.payload if self.mask is None else masked(self.payload, self.mask)
        return bytes([first]) + _length(len(payload), self.mask is not None) + (self.mask or b"") + payload


def masked(payload: bytes, mask: bytes) -> bytes:
    r"""Return the payload XORed with the four bytes of the mask in turn. Masking twice restores the payload.

    >>> masked(masked(b"hello", b"\x01\x02\x03\x04"), b"\x01\x02\x03\x04")
    b'hello'
    """
    size = len(payload)
    key = (mask * (size // 4 + 1))[:size]
    return (int.from_bytes(payload, "big") ^ int.from_bytes(key, "big")).to_bytes(size, "big")


def close_payload(code: int = 1000, reason: str = "") -> bytes:
    r"""Return the payload of a close frame: a code in two bytes, and a reason as UTF-8.

    Raises ValueError for a code that must not be sent, and for a reason of more than 123 bytes.
    Source: RFC 6455, section 7.4.

    >>> close_payload(1000, "done")
    b'\x03\xe8done'
    """
    if not _may_be_sent(code):
        raise ValueError(f"close code {code} must not be sent: use 1000, or a code from 3000 to 4999")
    payload = code.to_bytes(2, "big") + reason.encode()
    if len(payload) > MAX_CONTROL:
        limit = MAX_CONTROL - 2
        raise ValueError(f"the reason has {len(payload) - 2} bytes: at most {limit} fit into a close frame")
    return payload


class Parser(StrictParser[Frame]):
    """An incremental parser of one direction of one connection: feed it bytes, split in any way.

    `masks` says which frames are allowed: True for a server (all must be masked), False for a client (none may be),
    None for both. A frame with a payload of more than `limit` bytes is an error. After an error close the connection
    with code 1002. After a close frame `closed` is True, and the bytes after it stay in `pending`, because no frame
    may follow (section 5.5.1).

    It reads frames, not messages. It does not check the reserved bits, the order of fragments, the UTF-8 of text and
    the codes of close frames. Explainer reports these.
    """

    def __init__(self, masks: bool | None = None, limit: int = LIMIT) -> None:
        self.masks = masks
        self.limit = limit
        self.closed = False
        self._buffer = bytearray()

    @property
    def pending(self) -> bytes:
        """The bytes after the last complete frame."""
        return bytes(self._buffer)

    def _read(self, data: bytes) -> Iterator[Frame]:
        self._buffer += data
        while not self.closed and (header := _Header.read(self._buffer)):
            header.check_mask(self.masks)
            if header.length > self.limit:
                raise ValueError(f"a frame of {header.length} bytes is larger than the limit of {self.limit} bytes")
            if len(self._buffer) < header.end:
                return
            frame = header.frame(bytes(self._buffer[: header.end]))
            del self._buffer[: header.end]
            self.closed = frame.opcode == CLOSE
            yield frame


def matches(head: Head) -> bool:
    """Return True if the connection is upgraded to WebSocket, or a request has headers for this upgrade."""
    return head.get("Upgrade").strip().lower() == UPGRADE and head.status in (0, 101)


class Explainer:
    r"""Splits one direction into the fields of its frames and returns the meaning of each one.

    `head` is the 101 response, which names the extensions that were negotiated.

    >>> for raw, meaning in Explainer().feed(b"\x81\x02hi"):
    ...     print(raw, describe(meaning, raw))
    b'\x81\x02' 1 000 0001: FIN, text; 0 0000010: no mask, 2 bytes
    b'hi' text message: "hi"
    """

    def __init__(self, head: Head | None = None) -> None:
        self._deflate = head is not None and "permessage-deflate" in head.get("Sec-WebSocket-Extensions")
        self._inflater = zlib.decompressobj(-zlib.MAX_WBITS)
        self._inflate_left = MAX_INFLATED
        self._buffer = bytearray()
        self._message: list[bytes] = []
        self._opcode = CONTINUATION  # of the unfinished message; CONTINUATION if there is none
        self._compressed = False
        self._messages = 0
        self._end = Meaning()  # after a close frame or an error: the meaning of all further bytes

    def feed(self, data: bytes) -> list[Fragment]:
        """Take the next bytes; return the fields of the frames that they complete."""
        self._buffer += data
        found: list[Fragment] = []
        while self._buffer and not self._end.kind:
            try:
                header = _Header.read(self._buffer)
            except ValueError as error:
                self._end = Meaning(kind="error", detail=str(error), problem="not a frame")
                break
            if header is None or len(self._buffer) < header.end:
                return found
            found += self._fields(header, bytes(self._buffer[: header.end]))
            del self._buffer[: header.end]
            if header.opcode == CLOSE:
                self._end = Meaning(kind="rest", problem="after close")
        return [*found, *self.flush()] if self._buffer else found

    def flush(self) -> list[Fragment]:
        """Return the beginning of an unfinished frame, because the recording ends here."""
        rest = bytes(self._buffer)
        self._buffer.clear()
        return [(rest, self._end if self._end.kind else Meaning(kind="incomplete"))] if rest else []

    def close(self) -> Meaning | None:
        """Return the problem "never ended" if the connection closes inside a message."""
        unfinished = self._opcode != CONTINUATION
        return Meaning("last", "end", "message", problem="never ended") if unfinished else None

    def _fields(self, header: _Header, raw: bytes) -> Iterator[Fragment]:
        reserved = header.rsv & (3 if self._deflate else 7)
        yield raw[:2], Meaning("first", "frame", problem="reserved bits" if reserved else "")
        mask = header.size - 4 * header.masked
        if mask > 2:
            yield raw[2:mask], Meaning("inside", "length", size=header.length)
        if header.masked:
            yield raw[mask : header.size], Meaning("inside", "mask")
        yield raw[header.size :], self._payload(header, header.frame(raw).payload)

    def _payload(self, header: _Header, payload: bytes) -> Meaning:
        if header.opcode == CLOSE:
            return _close(payload)
        kind, size = NAMES[header.opcode], len(payload)
        if header.opcode in (PING, PONG):
            return Meaning("last", kind, size=size, label=shorten(payload.decode("utf-8", "replace")))
        if header.opcode == CONTINUATION and self._opcode == CONTINUATION:
            return Meaning("last", kind, size=size, problem="no message to continue")
        if header.opcode != CONTINUATION:
            unfinished, self._opcode = self._opcode != CONTINUATION, header.opcode
            self._message, self._compressed = [], self._deflate and bool(header.rsv & 4)
            if unfinished:
                self._opcode = CONTINUATION
                return Meaning("last", kind, size=size, problem="message not finished")
        self._message.append(payload)
        return self._complete() if header.fin else Meaning("last", "fragment", size=size)

    def _complete(self) -> Meaning:
        kind, message = NAMES[self._opcode], b"".join(self._message)
        self._message, self._opcode, self._messages = [], CONTINUATION, self._messages + 1
        problem, detail = "", ""
        if self._compressed:
            message, problem = self._inflated(message)
            detail = "compressed"
        label = shorten(message.decode("utf-8", "replace")) if kind == "text" and not problem else ""
        if kind == "text" and not problem and not _is_utf8(message):
            problem = "invalid UTF-8"
        return Meaning("last", kind, "message", self._messages, len(message), label, detail, True, problem)

    def _inflated(self, message: bytes) -> tuple[bytes, str]:
        """Return a decompressed message, or the compressed one and why it cannot be read."""
        try:
            text = self._inflater.decompress(message + b"\x00\x00\xff\xff", self._inflate_left + 1)  # RFC 7692, 7.2.2
        except zlib.error:
            return message, "invalid compression"
        if self._inflater.unconsumed_tail or len(text) > self._inflate_left:
            self._inflate_left = 0
            return message, "too much to decompress"
        self._inflate_left -= len(text)
        return text, ""


def describe(meaning: Meaning, raw: bytes) -> str:
    """Return a short text for a meaning; `raw` are the bytes of its field."""
    kind = meaning.kind
    if kind == "frame":
        return _bits(raw) + ("; reserved bits without an extension" if meaning.problem else "")
    if meaning.unit == "message" and meaning.complete:
        name = f"compressed {kind}" if meaning.detail else kind
        shown = f'"{meaning.label}"' if kind == "text" and not meaning.problem else plural(meaning.size, "byte")
        return f"{name} message: {shown}" + (f" ({PROBLEMS[meaning.problem]})" if meaning.problem else "")
    if kind == "close":
        code = f"close {meaning.number}" if meaning.size > 1 else "close, no code"
        problem = f" ({PROBLEMS[meaning.problem]})" if meaning.problem else ""
        return code + (f': "{meaning.label}"' if meaning.label else "") + problem
    if meaning.problem:
        return PROBLEMS[meaning.problem].format(meaning=meaning)
    if kind in ("ping", "pong"):
        return f'{kind}: "{meaning.label}"' if meaning.label else kind
    if kind == "length":
        return f"length: {plural(meaning.size, 'byte')}"
    return TEXTS[kind]


def _bits(header: bytes) -> str:
    """Return the first two bytes of a frame, bit by bit, and what they mean."""
    first, second = header
    fin, rsv, opcode, short = first >> 7, first >> 4 & 7, first & 15, second & 127
    masked = "masked" if second >> 7 else "no mask"
    extended = {126: "length in the next 16 bits", 127: "length in the next 64 bits"}
    flags = f"{'FIN, ' * fin}{NAMES[opcode]}"
    return (
        f"{fin:b} {rsv:03b} {opcode:04b}: {flags}; "
        f"{second >> 7:b} {short:07b}: {masked}, {extended.get(short) or plural(short, 'byte')}"
    )


@dataclass(frozen=True)
class _Header:
    """The bytes before a payload. `size` is their number, including the mask."""

    fin: bool
    rsv: int
    opcode: int
    masked: bool
    short: int  # the seven bits of the length
    length: int
    size: int

    @classmethod
    def read(cls, data: bytearray) -> _Header | None:
        """Return the frame header at the start of the bytes, or None if it is incomplete.

        Raises ValueError if the bytes cannot be a frame.
        """
        if len(data) < 2:
            return None
        fin, rsv, opcode = bool(data[0] & 0x80), data[0] >> 4 & 7, data[0] & 0x0F
        has_mask, short = bool(data[1] & 0x80), data[1] & 0x7F
        extra = {126: 2, 127: 8}.get(short, 0)
        _check(opcode, 0, fin)
        if len(data) < 2 + extra:
            return None
        length = int.from_bytes(data[2 : 2 + extra], "big") if extra else short
        if length >> 63:
            raise ValueError(f"the first bit of a 64-bit length must be 0: {length:#x}")
        if extra and (length < 126 or (extra == 8 and length < 1 << 16)):
            raise ValueError(f"a length of {length} must not be encoded in {8 * extra} bits: use the shortest form")
        _check(opcode, length, fin)
        size = 2 + extra + 4 * has_mask
        return cls(fin, rsv, opcode, has_mask, short, length, size) if len(data) >= size else None

    @property
    def end(self) -> int:
        """The size of the complete frame in bytes."""
        return self.size + self.length

    def check_mask(self, masks: bool | None) -> None:
        """Raise ValueError if `masks` is True and the frame has no mask, or if it is False and the frame has one."""
        if masks is not None and masks != self.masked:
            rule = "a client must mask its frames" if masks else "a server must not mask its frames"
            found = "no mask" if masks else "a mask"
            raise ValueError(f"{rule}: this {NAMES[self.opcode]} frame has {found}")

    def frame(self, raw: bytes) -> Frame:
        """Return the frame with these bytes, without its mask."""
        mask = raw[self.size - 4 : self.size] if self.masked else None
        payload = raw[self.size :]
        return Frame(self.opcode, masked(payload, mask) if mask else payload, self.fin, self.rsv, mask)


def _check(opcode: int, length: int, fin: bool) -> None:
    if opcode not in NAMES:
        raise ValueError(f"opcode {opcode} is not defined")
    if opcode >= CLOSE and length > MAX_CONTROL:
        raise ValueError(f"a {NAMES[opcode]} frame must have at most {MAX_CONTROL} bytes of payload, not {length}")
    if opcode >= CLOSE and not fin:
        raise ValueError(f"a {NAMES[opcode]} frame must not be fragmented")


def _length(length: int, has_mask: bool) -> bytes:
    bit = 0x80 if has_mask else 0
    if length < 126:
        return bytes([bit | length])
    if length < 1 << 16:
        return bytes([bit | 126]) + length.to_bytes(2, "big")
    return bytes([bit | 127]) + length.to_bytes(8, "big")


def _close(payload: bytes) -> Meaning:
    if len(payload) < 2:
        return Meaning("last", "close", size=len(payload), problem="half a code" if payload else "")
    code, reason = int.from_bytes(payload[:2], "big"), payload[2:]
    problem = "" if _may_be_sent(code) else "invalid code"
    label = shorten(reason.decode("utf-8", "replace"))
    return Meaning(
        "last",
        "close",
        "",
        code,
        len(payload),
        label,
        problem=problem or ("" if _is_utf8(reason) else "invalid UTF-8"),
    )


def _may_be_sent(code: int) -> bool:
    return (1000 <= code <= 1014 and code not in (1004, 1005, 1006)) or 3000 <= code <= 4999


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True
