"""The technique of server-sent events: ticks as events."""

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


# A reader that comes back.

SOON = 1  # seconds: a stream ends within that
STARTED = 1_700_000_000.5


class Clock:
    """Time that goes on while somebody waits, and no faster."""

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
    """Stop the clock at a feed's start; only a wait moves it on."""
    stopped = Clock(STARTED)
    monkeypatch.setattr("time.time", stopped.time)
    monkeypatch.setattr("time.sleep", stopped.wait)  # where there is no socket, a pause is a sleep
    return stopped


def resume(query: str = "", last: str | None = None) -> Any:
    headers = {} if last is None else {"Last-Event-ID": last}
    return client.get(f"/sse?resume=1&interval=1{query}", headers=headers)


def events(response: Any) -> list[tuple[str, str, str]]:
    """The event, its data and the last id; the blocks in which nothing is sent are left out."""
    return [(event.event or "", event.data, event.id or "") for event in Parser().feed(response.data)]


@pytest.mark.usefixtures("clock")
def test_with_resume_each_event_has_an_id_and_the_first_bytes_say_that_a_reader_is_connected() -> None:
    response = resume("&count=2")
    assert response.headers["Content-Type"] == "text/event-stream"
    assert response.headers["Cache-Control"] == "no-store"
    assert response.data == (b": connected\n\nid: 1700000000500-0\ndata: \\ 0\n\nid: 1700000000500-1\ndata: | 1\n\n")


@pytest.mark.parametrize(("retry", "first"), [("0", b"retry: 0\n\n"), ("3600000", b"retry: 3600000\n\n")])
@pytest.mark.usefixtures("clock")
def test_a_waiting_time_for_the_browser_comes_first(retry: str, first: bytes) -> None:
    response = resume(f"&count=1&retry={retry}")
    assert response.data.startswith(first + b"id: ")


@given(st.lists(st.integers(0, 8), max_size=6), st.integers(1, 20), st.floats(0, 3))
def test_a_reader_cut_off_anywhere_that_comes_back_loses_nothing_and_gets_nothing_twice(
    cuts: list[int], count: int, away: float
) -> None:
    clock, last = Clock(STARTED), ""
    seen: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("time.time", clock.time)
        for taken in [*cuts, count]:
            feed, n = Feed(STARTED, 0.5).at(last) or (Feed(STARTED, 0.5), -1)
            parser = Parser()
            stream = sse.events(Feed(feed.start, feed.interval, count), n, 10, clock.wait)
            seen += [event.data for raw in islice(stream, taken) for event in parser.feed(raw)]
            last = parser.last_event_id or last
            clock.now += away
    assert seen == [str(tick) for tick in ticks(count=count, interval=0)]


def test_a_reader_cut_off_on_the_wire_after_every_single_event_reads_the_whole_story(
    server: BackgroundServer,
) -> None:
    url, seen, last = f"{server.url}/sse?resume=1&count=6&interval=0.02", [], ""
    for _ in range(6):
        with requests.get(url, headers={"Last-Event-ID": last} if last else {}, stream=True, timeout=5) as response:
            parser, found = Parser(), []
            for piece in response.iter_content(None):
                found = parser.feed(piece)
                if found:
                    break
        seen.append(found[0].data)
        last = found[0].id or ""
    assert seen == [str(tick) for tick in ticks(count=6, interval=0)]
    assert requests.get(url, headers={"Last-Event-ID": last}, timeout=5).status_code == 204


def test_a_reader_that_has_everything_gets_204_which_tells_a_browser_to_ask_no_more(clock: Clock) -> None:
    clock.now = STARTED + 60
    response = resume("&count=3", f"{STARTED * 1000:.0f}-2")
    assert (response.status_code, response.data) == (204, b"")
    assert resume("&count=4", f"{STARTED * 1000:.0f}-2").status_code == 200


def test_what_is_kept_comes_at_once_and_how_many_are_forgotten_is_told(clock: Clock) -> None:
    clock.now = STARTED + 150
    found = events(resume("&count=151", f"{STARTED * 1000:.0f}-9"))
    assert found[0] == ("missed", str(150 - 9 - KEPT), "")
    assert [data for _, data, _ in found[1:]] == [str(Feed(0, 1).tick(n)) for n in range(151 - KEPT, 151)]
    assert found[-1][2] == "1700000000500-150"
    assert clock.waits == []


def test_a_reader_that_is_too_slow_is_told_in_the_middle_what_it_has_missed(clock: Clock) -> None:
    stream = sse.events(Feed(STARTED, 1, 160), -1, 10, clock.wait)
    assert next(stream) == b"id: 1700000000500-0\ndata: \\ 0\n\n"
    clock.now += 150
    assert next(stream) == Event(str(150 - KEPT), event="missed").encode()
    assert next(stream).startswith(b"id: 1700000000500-%d\n" % (151 - KEPT))


@pytest.mark.parametrize(
    "last", ["7", "x-1", "1700000000500-", "1700000000500-1", "1700000999000-0", "\u00e9", "0-0-0"]
)
@pytest.mark.usefixtures("clock")
def test_an_id_that_is_not_ours_or_from_the_future_is_called_unknown_and_a_new_feed_begins(last: str) -> None:
    found = events(resume("&count=2", last))
    assert [(event, data) for event, data, _ in found] == [("unknown", last), ("message", "\\ 0"), ("message", "| 1")]
    assert found[-1][2] == "1700000000500-1"


@pytest.mark.usefixtures("clock")
def test_an_empty_id_is_none() -> None:
    assert [event for event, _, _ in events(resume("&count=1", ""))] == ["message"]


def test_a_comment_breaks_the_silence_and_moves_no_tick(clock: Clock) -> None:
    response = resume("&count=3&heartbeat=0.4")
    beat = b": still here\n\n"
    ids = [b"id: 1700000000500-%d\ndata: %s %d\n\n" % (n, char, n) for n, char in enumerate([b"\\", b"|", b"/"])]
    assert response.data == b": connected\n\n" + ids[0] + beat * 2 + ids[1] + beat * 2 + ids[2]
    assert clock.waits == pytest.approx([0.4, 0.4, 0.2] * 2, abs=1e-5)


def test_a_heartbeat_longer_than_the_interval_is_never_heard(clock: Clock) -> None:
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
def test_what_cannot_be_resumed_is_refused_with_what_is_allowed(query: str, allowed: str) -> None:
    response = client.get(f"/sse?resume=1&{query}")
    assert (response.status_code, response.mimetype) == (400, "text/plain")
    assert response.text.startswith(allowed)


def streams(server: BackgroundServer) -> list[threading.Thread]:
    end = f"stream of server {server.url.rpartition(':')[2]}"
    return [thread for thread in threading.enumerate() if thread.name == end]


@pytest.mark.parametrize("heartbeat", ["15", "0.02"])
def test_a_resumed_stream_ends_when_its_client_leaves(server: BackgroundServer, heartbeat: str) -> None:
    sock = ask(server.url, f"/sse?resume=1&interval=60&heartbeat={heartbeat}")
    read_until(sock, b"data: \\ 0\n\n\r\n")
    began = time.monotonic()
    sock.close()
    wait_for(lambda: not streams(server), "the thread has ended")
    assert time.monotonic() - began < SOON
    assert not [line for line in server.log if "Traceback" in line]


def test_a_stop_ends_the_resumed_streams() -> None:
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
