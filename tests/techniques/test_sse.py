"""Tests of server.techniques.sse: ticks as server-sent events."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from itertools import islice
from typing import Any

import pytest
import requests
from flask import Flask, Response, request
from hypothesis import given
from hypothesis import strategies as st
from raw_client import ask, read_all, read_until, wait_for

from server import create_app, pause
from server.feed import KEPT, Feed
from server.lab import BackgroundServer
from server.techniques import sse
from server.ticks import Tick, ticks
from server.wire.sse import Event, Parser

client = create_app().test_client()


def test_each_tick_is_one_event_in_one_chunk() -> None:
    assert list(sse.frames([Tick("\\", 0), Tick("|", 1)])) == [b"data: \\ 0\n\n", b"data: | 1\n\n"]


def test_the_headers_tell_caches_and_proxies_not_to_store_or_buffer() -> None:
    headers = client.get("/sse?count=0").headers
    assert headers["Content-Type"] == "text/event-stream"
    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Accel-Buffering"] == "no"


def test_the_events_have_the_ticks_in_order() -> None:
    events = Parser().feed(client.get("/sse?count=9&interval=0").data)
    assert [event.data for event in events] == [str(tick) for tick in ticks(count=9, interval=0)]


def test_a_count_of_0_has_an_empty_body() -> None:
    response = client.get("/sse?count=0")
    assert (response.status_code, response.data) == (200, b"")


def test_the_largest_count_is_1000000() -> None:
    with client.get("/sse?count=1000000") as response:
        assert response.status_code == 200
    assert client.get("/sse?count=1000001").status_code == 400


@pytest.mark.parametrize("interval", [0.05, 60])
def test_a_disconnect_ends_the_stream_and_runs_its_cleanup(interval: float) -> None:
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
        body = response.iter_content(None)  # keep a reference: the response is closed when this iterator is freed
        assert next(body) == b"data: \\ 0\n\n"
        assert not ended.is_set()
        response.close()
        assert ended.wait(2)  # seconds; a few milliseconds on an idle machine


# Reconnecting clients.

SOON = 1  # seconds, the limit for the end of a stream
STARTED = 1_700_000_000.5


class Clock:
    """A clock that advances only in `wait`."""

    def __init__(self, now: float) -> None:
        self.now = now
        self.waits: list[float] = []

    def time(self) -> float:
        return self.now

    def wait(self, seconds: float) -> None:
        assert seconds >= 0
        self.waits.append(seconds)
        self.now += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Stop the clock at the start of a feed. It advances only in a wait."""
    stopped = Clock(STARTED)
    monkeypatch.setattr("time.time", stopped.time)
    monkeypatch.setattr("time.sleep", stopped.wait)  # without a socket, a pause is a sleep
    return stopped


def resume(query: str = "", last: str | None = None) -> Any:
    headers = {} if last is None else {"Last-Event-ID": last}
    return client.get(f"/sse?resume=1&interval=1{query}", headers=headers)


def events(response: Any) -> list[tuple[str, str, str]]:
    """Return the type, the data and the id of each dispatched event."""
    return [(event.event or "", event.data, event.id or "") for event in Parser().feed(response.data)]


@pytest.mark.usefixtures("clock")
def test_with_resume_a_comment_comes_first_and_each_event_has_an_id() -> None:
    response = resume("&count=2")
    assert response.headers["Content-Type"] == "text/event-stream"
    assert response.headers["Cache-Control"] == "no-store"
    assert response.data == (b": connected\n\nid: 1700000000500-0\ndata: \\ 0\n\nid: 1700000000500-1\ndata: | 1\n\n")


@pytest.mark.parametrize(("retry", "first"), [("0", b"retry: 0\n\n"), ("3600000", b"retry: 3600000\n\n")])
@pytest.mark.usefixtures("clock")
def test_with_resume_the_retry_delay_comes_first(retry: str, first: bytes) -> None:
    response = resume(f"&count=1&retry={retry}")
    assert response.data.startswith(first + b"id: ")


@given(st.lists(st.integers(0, 8), max_size=6), st.integers(1, 20), st.floats(0, 3))
def test_a_client_that_reconnects_after_any_event_receives_each_tick_once(
    taken_before_disconnects: list[int], count: int, disconnected: float
) -> None:
    clock, last = Clock(STARTED), ""
    received: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("time.time", clock.time)
        for taken in [*taken_before_disconnects, count]:
            feed, n = Feed(STARTED, 0.5).at(last) or (Feed(STARTED, 0.5), -1)
            parser = Parser()
            stream = sse.events(Feed(feed.start, feed.interval, count), n, 10, clock.wait)
            received += [event.data for raw in islice(stream, taken) for event in parser.feed(raw)]
            last = parser.last_event_id or last
            clock.now += disconnected
    assert received == [str(tick) for tick in ticks(count=count, interval=0)]


def test_a_client_that_reconnects_after_every_event_receives_all_ticks(
    server: BackgroundServer,
) -> None:
    url, received, last = f"{server.url}/sse?resume=1&count=6&interval=0.02", [], ""
    for _ in range(6):
        with requests.get(url, headers={"Last-Event-ID": last} if last else {}, stream=True, timeout=5) as response:
            parser, found = Parser(), []
            for piece in response.iter_content(None):
                found = parser.feed(piece)
                if found:
                    break
        received.append(found[0].data)
        last = found[0].id or ""
    assert received == [str(tick) for tick in ticks(count=6, interval=0)]
    assert requests.get(url, headers={"Last-Event-ID": last}, timeout=5).status_code == 204


def test_a_client_that_has_every_event_receives_204(clock: Clock) -> None:
    clock.now = STARTED + 60
    response = resume("&count=3", f"{STARTED * 1000:.0f}-2")
    assert (response.status_code, response.data) == (204, b"")
    assert resume("&count=4", f"{STARTED * 1000:.0f}-2").status_code == 200


def test_an_old_id_receives_the_number_of_missed_ticks_and_the_kept_ticks(clock: Clock) -> None:
    clock.now = STARTED + 150
    found = events(resume("&count=151", f"{STARTED * 1000:.0f}-9"))
    assert found[0] == ("missed", str(150 - 9 - KEPT), "")
    assert [data for _, data, _ in found[1:]] == [str(Feed(0, 1).tick(n)) for n in range(151 - KEPT, 151)]
    assert found[-1][2] == "1700000000500-150"
    assert clock.waits == []


def test_a_slow_client_receives_the_number_of_missed_ticks(clock: Clock) -> None:
    stream = sse.events(Feed(STARTED, 1, 160), -1, 10, clock.wait)
    assert next(stream) == b"id: 1700000000500-0\ndata: \\ 0\n\n"
    clock.now += 150
    assert next(stream) == Event(str(150 - KEPT), event="missed").encode()
    assert next(stream).startswith(b"id: 1700000000500-%d\n" % (151 - KEPT))


@pytest.mark.parametrize(
    "last", ["7", "x-1", "1700000000500-", "1700000000500-1", "1700000999000-0", "\u00e9", "0-0-0"]
)
@pytest.mark.usefixtures("clock")
def test_an_invalid_or_future_id_is_reported_as_unknown_and_starts_a_new_feed(last: str) -> None:
    found = events(resume("&count=2", last))
    assert [(event, data) for event, data, _ in found] == [("unknown", last), ("message", "\\ 0"), ("message", "| 1")]
    assert found[-1][2] == "1700000000500-1"


@pytest.mark.usefixtures("clock")
def test_an_empty_id_is_treated_as_no_id() -> None:
    assert [event for event, _, _ in events(resume("&count=1", ""))] == ["message"]


def test_a_heartbeat_is_sent_between_ticks_and_delays_no_tick(clock: Clock) -> None:
    response = resume("&count=3&heartbeat=0.4")
    beat = b": still here\n\n"
    ids = [b"id: 1700000000500-%d\ndata: %s %d\n\n" % (n, char, n) for n, char in enumerate([b"\\", b"|", b"/"])]
    assert response.data == b": connected\n\n" + ids[0] + beat * 2 + ids[1] + beat * 2 + ids[2]
    assert clock.waits == pytest.approx([0.4, 0.4, 0.2] * 2, abs=1e-5)


def test_a_heartbeat_longer_than_the_interval_is_never_sent(clock: Clock) -> None:
    assert b"still here" not in resume("&count=3&heartbeat=1.5").data
    assert clock.waits == pytest.approx([1, 1], abs=1e-5)


@pytest.mark.parametrize(
    ("query", "allowed"),
    [
        ("count=0", "count must be a whole number from 1 to 1000000, not '0'"),
        ("count=-1", "count must be a whole number from 1"),
        ("interval=x", "interval must be a number of seconds from 0.001 to 3600"),
        ("interval=1e9", "interval must be a number of seconds from 0.001 to 3600"),
        ("interval=0", "interval must be a number of seconds from 0.001 to 3600"),
        *[
            (f"retry={bad}", "retry must be a whole number from 0 to 3600000, not '")
            for bad in ("-1", "x", "1.5", "3600001")
        ],
        *[(f"heartbeat={bad}", "heartbeat must be a number of seconds from 0 to 3600") for bad in ("-1", "x", "1e9")],
    ],
)
def test_an_invalid_query_parameter_is_refused_with_the_allowed_values(query: str, allowed: str) -> None:
    response = client.get(f"/sse?resume=1&{query}")
    assert (response.status_code, response.mimetype) == (400, "text/plain")
    assert response.text.startswith(allowed)


def streams(server: BackgroundServer) -> list[threading.Thread]:
    end = f"stream of server {server.url.rpartition(':')[2]}"
    return [thread for thread in threading.enumerate() if thread.name == end]


@pytest.mark.parametrize("heartbeat", ["15", "0.02"])
def test_a_disconnect_ends_a_resumed_stream(server: BackgroundServer, heartbeat: str) -> None:
    sock = ask(server.url, f"/sse?resume=1&interval=60&heartbeat={heartbeat}")
    read_until(sock, b"data: \\ 0\n\n\r\n")
    began = time.monotonic()
    sock.close()
    wait_for(lambda: not streams(server), "the thread has ended")
    assert time.monotonic() - began < SOON
    assert not [line for line in server.log if "Traceback" in line]


def test_stopping_the_server_ends_resumed_streams() -> None:
    with BackgroundServer(create_app()) as server:
        socks = [ask(server.url, "/sse?resume=1&interval=60") for _ in range(3)]
        for sock in socks:
            read_until(sock, b"data: \\ 0\n\n")
        threads, began = streams(server), time.monotonic()
        assert len(threads) == 3
        server.stop()
        assert time.monotonic() - began < SOON
        assert not any(thread.is_alive() for thread in threads)
        for sock in socks:
            assert b"0\r\n\r\n" not in read_all(sock)
