"""Tests of server.techniques.template: the chunks of a streamed template, with and without buffering."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from server import create_app
from server.lab import BackgroundServer
from server.lab.recording import Recording
from server.lab.tap import Tap
from server.techniques import template
from server.ticks import Tick, ticks
from server.wire import http

client = create_app().test_client()


def strings(query: str) -> list[str]:
    with client.get(f"/template?{query}") as response:
        return [piece if isinstance(piece, str) else piece.decode() for piece in response.response]


def chunks(recording: Recording) -> list[bytes]:
    parts = http.Parser("response").feed(recording.bytes("<-"))
    return [part.raw for part in parts if isinstance(part, http.Data)]


def test_without_buffering_a_tick_has_three_chunks() -> None:
    found = strings("count=2&interval=0")
    assert found[0].startswith("<!doctype html>")
    assert found[1:] == [part for tick in ('"h 0"', '"e 1"') for part in ("<script>show(", tick, ")</script>\n")]


@pytest.mark.parametrize("size", [2, 5, 1000])
def test_buffering_joins_the_given_number_of_strings(size: int) -> None:
    plain, joined = strings("count=4&interval=0"), strings(f"count=4&interval=0&buffering={size}")
    assert joined == ["".join(plain[start : start + size]) for start in range(0, len(plain), size)]


def test_each_string_is_sent_as_one_chunk(server: BackgroundServer) -> None:
    with Tap(server.url) as tap:
        for buffering in ("", "&buffering=5"):
            tap.recording.clear()
            requests.get(f"{tap.url}/template?count=4&interval=0{buffering}", timeout=5)
            assert [chunk.decode() for chunk in chunks(tap.recording)] == strings(f"count=4&interval=0{buffering}")


def test_the_page_shows_hello_ten_times() -> None:
    text = client.get("/template?interval=0").text
    assert text.count("<script>show(") == 50
    assert text.count('"h ') == 10


@pytest.mark.parametrize("value", ["0", "1", "-1", "x", "1001", "", "2.5"])
def test_an_invalid_buffering_is_refused_with_the_allowed_values(value: str) -> None:
    response = client.get(f"/template?buffering={value}")
    assert response.status_code == 400
    assert response.text == f"buffering must be a whole number from 2 to 1000, not {value!r}\n"


def test_a_disconnect_ends_the_template_and_its_ticks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ended = threading.Event()

    def watched_ticks(*arguments: Any, **options: Any) -> Iterator[Tick]:
        try:
            yield from ticks(*arguments, **options)
        finally:
            ended.set()

    monkeypatch.setattr(template, "ticks", watched_ticks)
    with BackgroundServer(create_app()) as server:
        response = requests.get(f"{server.url}/template?interval=60", stream=True, timeout=5)
        body = response.iter_content(None)  # keep a reference: the response is closed when this iterator is freed
        assert next(body).startswith(b"<!doctype html>")
        assert not ended.is_set()
        response.close()
        assert ended.wait(2)
