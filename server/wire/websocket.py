r"""WebSocket: the frames that follow the answer 101, in both directions.

A frame begins with two bytes. The first holds FIN (the message ends with this frame), three bits for extensions and
the opcode: what the frame is. The second holds MASK and the length of the payload: up to 125 as it is; 126 says that
the length follows in 16 bits, 127 in 64. A client masks what it sends: four bytes follow, and each byte of the
payload is XORed with one of them in turn, so that no cache between can be made to take it for HTTP.

>>> Frame(TEXT, b"hello").encode()
b'\x81\x05hello'
>>> Frame(TEXT, b"hello", mask=b"\x01\x02\x03\x04").encode()
b'\x81\x85\x01\x02\x03\x04igohn'
>>> Parser().feed(b'\x81\x85\x01\x02\x03\x04igohn')
[Frame(opcode=1, payload=b'hello', fin=True, rsv=0, mask=b'\x01\x02\x03\x04')]

The standard: RFC 6455, sections 5.2 (frames), 5.3 (masks), 5.5 (control frames) and 7.4 (close codes).
"""

from __future__ import annotations

import zlib
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

from . import Meaning, StrictParser

UPGRADE = "websocket"
CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
NAMES = {0: "continuation", 1: "text", 2: "binary", 8: "close", 9: "ping", 10: "pong"}
MOST_CONTROL = 125  # bytes of a control frame's payload
MOST_SHOWN = 40  # characters of a payload in a drawing


@dataclass(frozen=True)
class Frame:
    """One frame. `payload` is unmasked; `mask` are the four bytes that it travels under, None for none.

    `rsv` are the three bits for extensions as a number from 0 to 7: 4 says that the message is compressed
    (permessage-deflate, RFC 7692).
    """

    opcode: int
    payload: bytes = b""
    fin: bool = True
    rsv: int = 0
    mask: bytes | None = None

    def encode(self) -> bytes:
        """Return the bytes of this frame, its length in the shortest form.

        Raises ValueError for an opcode that has no meaning, a mask that is not four bytes, bits out of range, and a
        control frame (close, ping, pong) of more than 125 bytes or in pieces.

        >>> Frame(PING, bytes(126)).encode()
        Traceback (most recent call last):
        ValueError: a ping has at most 125 bytes of payload, not 126
        """
        if not 0 <= self.rsv <= 7:
            raise ValueError(f"rsv is a number from 0 to 7, not {self.rsv}")
        if self.mask is not None and len(self.mask) != 4:
            raise ValueError(f"a mask is four bytes, not {self.mask!r}")
        _check(self.opcode, len(self.payload), self.fin)
        first = self.fin << 7 | self.rsv << 4 | self.opcode
        payload = self.payload if self.mask is None else masked(self.payload, self.mask)
        return bytes([first]) + _length(len(payload), self.mask is not None) + (self.mask or b"") + payload


def masked(payload: bytes, mask: bytes) -> bytes:
    r"""Return the payload XORed with the mask's four bytes in turn; doing it twice gives the payload back.

    >>> masked(masked(b"hello", b"\x01\x02\x03\x04"), b"\x01\x02\x03\x04")
    b'hello'
    """
    size = len(payload)
    key = (mask * (size // 4 + 1))[:size]
    return (int.from_bytes(payload, "big") ^ int.from_bytes(key, "big")).to_bytes(size, "big")


def close_payload(code: int = 1000, reason: str = "") -> bytes:
    r"""Return the payload of a close frame: a code in two bytes, and a reason for the reader's log.

    Raises ValueError for a code that must not be sent, and for a reason of more than 123 bytes.

    >>> close_payload(1000, "done")
    b'\x03\xe8done'
    """
    if code in (1004, 1005, 1006) or not (1000 <= code <= 1014 or 3000 <= code <= 4999):
        raise ValueError(f"{code} is no close code that may be sent")
    payload = code.to_bytes(2, "big") + reason.encode()
    if len(payload) > MOST_CONTROL:
        raise ValueError(f"the reason has {len(payload) - 2} bytes, {len(payload) - MOST_CONTROL} too many")
    return payload


class Parser(StrictParser[Frame]):
    """An incremental parser of one direction of one connection: feed it bytes, however they are cut.

    `masks` says which frames may come: True for what a server reads (all must be masked), False for what a client
    reads (none may be), None for both. A reader to whom it raises closes with code 1002. After a close frame it is
    `closed`, and what follows stays in `pending`: no frame may follow (section 5.5.1).
    """

    def __init__(self, masks: bool | None = None) -> None:
        self.masks = masks
        self.closed = False
        self._buffer = bytearray()

    @property
    def pending(self) -> bytes:
        """The bytes that are no complete frame yet, or never will be."""
        return bytes(self._buffer)

    def _read(self, data: bytes) -> Iterator[Frame]:
        self._buffer += data
        while not self.closed and (head := _Head.read(self._buffer)):
            head.check_mask(self.masks)
            if len(self._buffer) < head.end:
                return
            frame = head.frame(bytes(self._buffer[: head.end]))
            del self._buffer[: head.end]
            self.closed = frame.opcode == CLOSE
            yield frame


class Explainer:
    r"""Cuts one direction into the fields of its frames and says what each means, for whoever draws it.

    >>> explainer = Explainer()
    >>> for fragment in explainer.cut(b"\x81\x02hi"):
    ...     print(fragment, explainer.feed(fragment))
    b'\x81\x02' Meaning(place='first', text='1 000 0001: FIN, text; 0 0000010: no mask, 2 bytes')
    b'hi' Meaning(place='last', text='message is sent: "hi"')
    """

    def __init__(self, content_type: str = "") -> None:
        self._buffer = bytearray()
        self._meanings: deque[Meaning] = deque()
        self._message = bytearray()
        self._opcode = CONTINUATION  # of the message under way; this where there is none
        self._compressed = False
        self._inflate = zlib.decompressobj(-zlib.MAX_WBITS)
        self._broken = ""  # why no frame can follow

    @property
    def pending(self) -> bytes:
        """The bytes of a frame that is not complete yet."""
        return bytes(self._buffer)

    def cut(self, data: bytes) -> list[bytes]:
        """Take the next bytes; return the fields of the frames that they complete, in order."""
        self._buffer += data
        found: list[bytes] = []
        while not self._broken and self._buffer:
            try:
                head = _Head.read(self._buffer)
            except ValueError as error:
                self._broken = f"not a frame: {error}"
                self._meanings.append(Meaning("inside", self._broken))
                return [*found, self._rest()]
            if head is None or len(self._buffer) < head.end:
                break
            found += self._fields(head, bytes(self._buffer[: head.end]))
            del self._buffer[: head.end]
            if head.opcode == CLOSE:
                self._broken = "after the close: no frame may follow, readers ignore it"
        if self._broken and self._buffer:
            self._meanings.append(Meaning("inside", self._broken))
            found.append(self._rest())
        return found

    def feed(self, fragment: bytes) -> Meaning:
        """Say what the next of the fragments means that `cut` has returned."""
        return self._meanings.popleft()

    def _rest(self) -> bytes:
        rest = bytes(self._buffer)
        self._buffer.clear()
        return rest

    def _fields(self, head: _Head, raw: bytes) -> list[bytes]:
        cuts = [0, 2, head.size - 4 * head.masked, head.size, head.end]
        texts = [head.bits(), f"{head.length} bytes", "the mask", self._said(head, head.frame(raw).payload)]
        spans = zip(cuts, cuts[1:], texts, strict=False)
        found = [(raw[start:end], text) for start, end, text in spans if end > start]
        if not head.length:
            found[-1] = (found[-1][0], "; ".join(filter(None, (found[-1][1], texts[-1]))))
        places = ["first", *["inside"] * (len(found) - 2), "last"][-len(found) :]
        self._meanings += [Meaning(place, text) for place, (_, text) in zip(places, found, strict=True)]
        return [fragment for fragment, _ in found]

    def _said(self, head: _Head, payload: bytes) -> str:
        """Return what a frame says; a message is said when its last frame has come."""
        if head.opcode == CLOSE:
            return _close(payload)
        if head.opcode in (PING, PONG):
            return f"{NAMES[head.opcode]}: {_short(payload)}" if payload else ""
        if (head.opcode == CONTINUATION) != (self._opcode != CONTINUATION):
            self._opcode = CONTINUATION
            return "a protocol error: " + (
                "it goes on with no message" if not head.opcode else "a message is under way"
            )
        if head.opcode != CONTINUATION:
            self._message, self._opcode, self._compressed = bytearray(), head.opcode, bool(head.rsv & 4)
        self._message += payload
        return self._sent() if head.fin else "a piece of a message: more follows"

    def _sent(self) -> str:
        opcode, self._opcode = self._opcode, CONTINUATION
        message, note = bytes(self._message), ""
        if self._compressed:
            message, note = self._inflated(message)
        shown = _short(message) if opcode == TEXT else f"{len(message)} bytes"
        return f"message is sent{note}: {shown}"

    def _inflated(self, message: bytes) -> tuple[bytes, str]:
        try:
            return self._inflate.decompress(message + b"\x00\x00\xff\xff"), ", compressed"  # RFC 7692, 7.2.2
        except zlib.error:
            return message, ", compressed in a way unknown here"


@dataclass(frozen=True)
class _Head:
    """What stands before a payload; `size` in bytes, the mask included."""

    fin: bool
    rsv: int
    opcode: int
    masked: bool
    short: int  # the seven bits of the length
    length: int
    size: int

    @classmethod
    def read(cls, data: bytearray) -> _Head | None:
        """Return the head that the bytes begin with, None while it is not complete. Raises ValueError."""
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
            raise ValueError(f"a length has 63 bits, and the first of these 64 is set: {length:#x}")
        if extra and (length < 126 or (extra == 8 and length < 1 << 16)):
            raise ValueError(f"a length of {length} in {8 * extra} bits is not its shortest form")
        _check(opcode, length, fin)
        size = 2 + extra + 4 * has_mask
        return cls(fin, rsv, opcode, has_mask, short, length, size) if len(data) >= size else None

    @property
    def end(self) -> int:
        """How many bytes the whole frame has."""
        return self.size + self.length

    def check_mask(self, masks: bool | None) -> None:
        """Raise ValueError where the frame must have a mask and has none, or the other way round."""
        if masks is not None and masks != self.masked:
            wrong = "without a mask, from a client" if masks else "with a mask, from a server"
            raise ValueError(f"a {NAMES[self.opcode]} frame {wrong}")

    def frame(self, raw: bytes) -> Frame:
        """Return the frame that these bytes are."""
        mask = raw[self.size - 4 : self.size] if self.masked else None
        payload = raw[self.size :]
        return Frame(self.opcode, masked(payload, mask) if mask else payload, self.fin, self.rsv, mask)

    def bits(self) -> str:
        """Return the first two bytes, bit by bit, and what they say."""
        extensions = f", extension bits {self.rsv:03b}" if self.rsv else ""
        first = f"{self.fin:b} {self.rsv:03b} {self.opcode:04b}: {'FIN, ' * self.fin}{NAMES[self.opcode]}{extensions}"
        form = {126: "the length follows in 16 bits", 127: "the length follows in 64 bits"}
        length = form.get(self.short, f"{self.short} byte{'s' * (self.short != 1)}")
        return f"{first}; {self.masked:b} {self.short:07b}: {'masked' if self.masked else 'no mask'}, {length}"


def _check(opcode: int, length: int, fin: bool) -> None:
    if opcode not in NAMES:
        raise ValueError(f"opcode {opcode} has no meaning")
    if opcode >= CLOSE and length > MOST_CONTROL:
        raise ValueError(f"a {NAMES[opcode]} has at most {MOST_CONTROL} bytes of payload, not {length}")
    if opcode >= CLOSE and not fin:
        raise ValueError(f"a {NAMES[opcode]} is not sent in pieces")


def _length(length: int, has_mask: bool) -> bytes:
    bit = 0x80 if has_mask else 0
    if length < 126:
        return bytes([bit | length])
    if length < 1 << 16:
        return bytes([bit | 126]) + length.to_bytes(2, "big")
    return bytes([bit | 127]) + length.to_bytes(8, "big")


def _close(payload: bytes) -> str:
    if len(payload) < 2:
        return "close, with half a code" if payload else "close, without a code"
    code, reason = int.from_bytes(payload[:2], "big"), payload[2:]
    return f"close {code}" + (f": {_short(reason)}" if reason else "")


def _short(payload: bytes) -> str:
    text = payload.decode("utf-8", "replace").replace("\n", "\\n")
    return f'"{text if len(text) <= MOST_SHOWN else text[: MOST_SHOWN - 3] + "..."}"'
