"""The technique of server-sent events: ticks as events."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
import requests
from flask import Flask, Response, request

from server import create_app, pause
from server.lab import BackgroundServer
from server.techniques import sse
from server.ticks import Tick, ticks
from server.wire.sse import Parser

client = create_app().test_client()


def test_each_tick_is_one_event_in_one_piece() -> None:
    assert list(sse.frames([Tick("\\", 0), Tick("|", 1)])) == [b"data: \\ 0\n\n", b"data: | 1\n\n"]


def test_the_head_says_what_browsers_caches_and_proxies_must_know() -> None:
    headers = client.get("/sse?count=0").headers
    assert headers["Content-Type"] == "text/event-stream"
    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Accel-Buffering"] == "no"


def test_the_stream_reads_as_the_story() -> None:
    events = Parser().feed(client.get("/sse?count=9&interval=0").data)
    assert [event.data for event in events] == [str(tick) for tick in ticks(count=9, interval=0)]


def test_a_count_of_0_is_a_stream_of_nothing() -> None:
    response = client.get("/sse?count=0")
    assert (response.status_code, response.data) == (200, b"")


def test_a_large_count_is_allowed_and_one_too_large_is_not() -> None:
    with client.get("/sse?count=1000000") as response:
        assert response.status_code == 200
    assert client.get("/sse?count=1000001").status_code == 400


@pytest.mark.parametrize("interval", [0.05, 60])
def test_when_its_client_leaves_a_stream_ends_and_its_clean_up_runs(interval: float) -> None:
    ended = threading.Event()
    app = Flask(__name__)

    @app.get("/")
    def stream() -> Response:
        wait = pause(request.environ)

        def frames() -> Iterator[bytes]:
            try:
                yield from sse.frames(ticks(interval=interval, pause=wait))
            finally:
                ended.set()

        return Response(frames(), content_type="text/event-stream")

    with BackgroundServer(app) as server:
        response = requests.get(server.url, stream=True, timeout=5)
        body = response.iter_content(None)  # it closes the response when nobody holds it any more
        assert next(body) == b"data: \\ 0\n\n"
        assert not ended.is_set()
        response.close()
        assert ended.wait(2)  # seconds; a few milliseconds on an idle machine
