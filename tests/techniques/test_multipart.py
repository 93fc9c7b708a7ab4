"""Tests of server.techniques.multipart: one picture per tick."""

from __future__ import annotations

import io
import threading
import time
from typing import Any

import pytest
from PIL import Image
from raw_client import ask, read_all, read_until, wait_for

from server import create_app
from server.lab import BackgroundServer
from server.techniques import multipart
from server.techniques.multipart import BOUNDARY, SIDE
from server.ticks import SPINNER, Tick, ticks
from server.wire.multipart import Parser, Part, boundary_of, closing, opening

client: Any = create_app().test_client()

SOON = 1  # seconds, the limit for the end of a stream
OPENING, CLOSING = opening(BOUNDARY, "image/png"), closing(BOUNDARY)


def parts(response: Any) -> list[Part]:
    parser = Parser(boundary_of(response.headers["Content-Type"]))
    found = parser.feed(response.data)
    parser.close()
    return found


def test_the_headers_have_the_boundary_and_prevent_caching_and_buffering() -> None:
    headers = client.get("/multipart?count=0").headers
    assert headers["Content-Type"] == "multipart/x-mixed-replace; boundary=next-picture"
    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Accel-Buffering"] == "no"


@pytest.mark.parametrize(
    ("query", "with_length"), [("", False), ("&length=1", True), ("&ahead=1", False), ("&length=0", False)]
)
def test_the_stream_has_one_picture_per_tick_and_ends_with_the_last_boundary(query: str, with_length: bool) -> None:
    response = client.get(f"/multipart?count=5&interval=0{query}")
    assert parts(response) == [
        Part(multipart.picture(tick), "image/png", with_length) for tick in ticks(count=5, interval=0)
    ]
    assert response.data.endswith(CLOSING)
    assert response.data.count(b"Content-Length") == 5 * with_length


@pytest.mark.parametrize("query", ["", "&length=1", "&ahead=1"])
def test_a_count_of_0_sends_only_the_last_boundary(query: str) -> None:
    assert client.get(f"/multipart?count=0{query}").data == CLOSING


@pytest.mark.parametrize("count", [0, 1, 2, 5])
def test_with_ahead_the_bytes_are_the_same_in_other_chunks(count: int) -> None:
    spinner = list(ticks(count=count, interval=0))
    plain, ahead = list(multipart.parts(spinner)), list(multipart.parts_ahead(spinner, count))
    assert b"".join(plain) == b"".join(ahead)
    assert len(plain) == count + 1
    assert all(piece.endswith(OPENING) for piece in ahead[:-1])
    assert ahead[-1].endswith(CLOSING)


def test_with_ahead_every_chunk_ends_with_the_headers_of_the_next_part() -> None:
    pieces = list(multipart.parts_ahead(ticks(count=3, interval=0), None))
    assert [piece.endswith(OPENING) for piece in pieces] == [True] * 3


def test_each_tick_has_a_different_png_picture() -> None:
    drawn = [multipart.picture(Tick(SPINNER[n % 4], n)) for n in range(5)]
    assert len(set(drawn)) == 5
    for png in drawn:
        with Image.open(io.BytesIO(png)) as image:
            assert (image.format, image.size) == ("PNG", (SIDE, SIDE))
            image.verify()


def ink(char: str, x: int, y: int) -> bool:
    with Image.open(io.BytesIO(multipart.picture(Tick(char, 0)))) as image:
        return bool(image.convert("RGB").getpixel((x, y)) == (0x0B, 0x6A, 0x5F))


def test_the_line_turns_with_the_spinner() -> None:
    low, middle, high = SIDE // 2 - 30, SIDE // 2, SIDE // 2 + 30
    assert all(ink(char, middle, middle) for char in SPINNER)
    for char, inked, empty in (
        ("\\", (low, low), (high, low)),
        ("|", (middle, low), (low, middle)),
        ("/", (high, low), (low, low)),
        ("-", (low, middle), (middle, low)),
    ):
        assert (ink(char, *inked), ink(char, *empty)) == (True, False)


@pytest.mark.parametrize(
    ("query", "allowed"),
    [
        ("count=-1", "count must be a whole number from 0 to 1000000, not '-1'"),
        ("count=x", "count must be a whole number"),
        ("interval=x", "interval must be a number of seconds from 0 to 3600, such as 0.5, not 'x'"),
        ("interval=1e9", "interval must be a number of seconds from 0 to 3600"),
        ("length=1&ahead=1", "length and ahead exclude each other"),
    ],
)
def test_an_invalid_query_parameter_is_refused_with_the_allowed_values(query: str, allowed: str) -> None:
    response = client.get(f"/multipart?{query}")
    assert (response.status_code, response.mimetype) == (400, "text/plain")
    assert response.text.startswith(allowed)


# On the wire.


def streams(server: BackgroundServer) -> list[threading.Thread]:
    end = f"stream of server {server.url.rpartition(':')[2]}"
    return [thread for thread in threading.enumerate() if thread.name == end]


@pytest.mark.parametrize(("query", "end"), [("", b"IEND\xaeB`\x82\r\n"), ("&ahead=1", OPENING)])
def test_each_tick_is_sent_immediately_and_a_disconnect_ends_the_thread(
    server: BackgroundServer, query: str, end: bytes
) -> None:
    sock = ask(server.url, f"/multipart?interval=60{query}")
    assert read_until(sock, end + b"\r\n").endswith(end + b"\r\n")  # the chunk's own line end
    assert len(streams(server)) == 1
    began = time.monotonic()
    sock.close()
    wait_for(lambda: not streams(server), "the thread has ended")
    assert time.monotonic() - began < SOON
    assert not [line for line in server.log if "Traceback" in line]


def test_stopping_the_server_ends_the_streams() -> None:
    with BackgroundServer(create_app()) as server:
        socks = [ask(server.url, f"/multipart?interval=60{query}") for query in ("", "&length=1", "&ahead=1")]
        for sock in socks:
            read_until(sock, b"IEND")
        threads, began = streams(server), time.monotonic()
        assert len(threads) == 3
        server.stop()
        assert time.monotonic() - began < SOON
        assert not any(thread.is_alive() for thread in threads)
        for sock in socks:
            assert CLOSING not in read_all(sock)
