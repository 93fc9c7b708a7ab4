"""Decode compressed bodies for a drawing, as they arrive and up to a limit."""

from __future__ import annotations

import zlib
from typing import Literal

from server.wire.http import Head

LIMIT = 1 << 20  # bytes that one body may decode to
GZIP_OR_ZLIB = 32 + zlib.MAX_WBITS
Problem = Literal["", "unknown coding", "invalid data", "over the limit"]


def coding_of(head: Head) -> str:
    """Return the compression of a message's body: "gzip", "deflate", "br" and so on; "" if there is none.

    Content-Encoding (RFC 9110, section 8.4) and Transfer-Encoding (RFC 9112, section 6.1) name it. Several codings
    are returned together, such as "gzip, br".
    """
    values = f"{head.get('Content-Encoding')},{head.get('Transfer-Encoding')}".lower().split(",")
    return ", ".join(value for value in map(str.strip, values) if value not in ("", "identity", "chunked"))


class Decoder:
    """Decodes gzip or deflate. `problem` says why it has stopped, "" while it works.

    `unfinished` is True while the end of the compressed data has not been reached.
    """

    def __init__(self, coding: str, limit: int = LIMIT) -> None:
        self.coding = coding.removeprefix("x-")
        self.problem: Problem = "" if self.coding in ("gzip", "deflate") else "unknown coding"
        self._left = limit
        self._header: bytes | None = b""  # the first two bytes; None when the decoder has them
        self._decoder = zlib.decompressobj(GZIP_OR_ZLIB)

    @property
    def unfinished(self) -> bool:
        """Whether more compressed data should follow."""
        return self._header != b"" and not self.problem and not self._decoder.eof

    def feed(self, data: bytes) -> bytes:
        """Return the decoded bytes of the next compressed bytes, b"" after a problem."""
        if self._header is not None:
            data = self._header = self._header + data
            if len(data) < 2:
                return b""
            self._header = None
            if self.coding == "deflate" and not _has_zlib_header(data):
                self._decoder = zlib.decompressobj(-zlib.MAX_WBITS)
        found = []
        while data and not self.problem:
            try:
                found.append(self._decoder.decompress(data, self._left + 1))
            except zlib.error:
                self.problem = "invalid data"
                break
            self._left -= len(found[-1])
            if self._decoder.unconsumed_tail or self._left < 0:
                self.problem = "over the limit"
            data = self._decoder.unused_data  # another gzip member may follow
            if data:
                self._decoder = zlib.decompressobj(GZIP_OR_ZLIB)
        return b"".join(found)


def _has_zlib_header(data: bytes) -> bool:
    """Return False for deflate data without a zlib header, which some servers send (RFC 1950, section 2.2)."""
    return data[0] & 15 == 8 and int.from_bytes(data[:2], "big") % 31 == 0
