"""Compressed bodies are decoded as they arrive, up to a limit."""

from __future__ import annotations

import gzip
import zlib

import pytest
from splits import every_cut

from server.lab.decode import Decoder, coding_of
from server.wire.http import Head

TEXT = b"data: hello\n\n" * 3


def raw_deflate(data: bytes) -> bytes:
    squeeze = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return squeeze.compress(data) + squeeze.flush()


@pytest.mark.parametrize(
    ("coding", "body"),
    [
        ("gzip", gzip.compress(TEXT, mtime=0)),
        ("x-gzip", gzip.compress(TEXT, mtime=0)),
        ("gzip", gzip.compress(TEXT[:14], mtime=0) + gzip.compress(TEXT[14:], mtime=0)),
        ("deflate", zlib.compress(TEXT)),
        ("deflate", raw_deflate(TEXT)),
    ],
)
def test_gzip_and_deflate_are_decoded_from_reads_of_any_size(coding: str, body: bytes) -> None:
    for pieces in every_cut(body):
        decoder = Decoder(coding)
        assert b"".join(map(decoder.feed, pieces)) == TEXT
        assert (decoder.problem, decoder.unfinished) == ("", False)


def test_each_flushed_event_is_decoded_at_once() -> None:
    squeeze, decoder = zlib.compressobj(wbits=31), Decoder("gzip")
    for _ in range(3):
        assert decoder.feed(squeeze.compress(TEXT) + squeeze.flush(zlib.Z_SYNC_FLUSH)) == TEXT
    assert decoder.unfinished


def test_decoding_stops_at_the_limit() -> None:
    decoder = Decoder("gzip", limit=1000)
    assert len(decoder.feed(gzip.compress(bytes(10_000_000)))) <= 1001
    assert decoder.problem == "over the limit"
    assert decoder.feed(b"more") == b""


def test_invalid_data_and_unknown_codings_are_problems() -> None:
    decoder = Decoder("gzip")
    assert (decoder.feed(b"data: hello\n\n"), decoder.problem) == (b"", "invalid data")
    assert Decoder("br").problem == Decoder("gzip, br").problem == "unknown coding"
    assert Decoder("br").feed(b"x") == b""


@pytest.mark.parametrize(
    ("headers", "coding"),
    [
        ((), ""),
        ((("Content-Encoding", "gzip"),), "gzip"),
        ((("Content-Encoding", "identity"), ("Transfer-Encoding", "chunked")), ""),
        ((("Transfer-Encoding", "GZip, chunked"),), "gzip"),
        ((("Content-Encoding", "gzip, br"),), "gzip, br"),
    ],
)
def test_the_coding_is_read_from_both_headers(headers: tuple[tuple[str, str], ...], coding: str) -> None:
    assert coding_of(Head("HTTP/1.1 200 OK", headers)) == coding
