"""Tests of server.feed: the times at which ticks become available, and cursors."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from werkzeug.exceptions import BadRequest

from server import create_app
from server.feed import KEPT, MIN_INTERVAL, Feed, requested_feed
from server.ticks import ticks

START = st.integers(0, 2_000_000_000_000).map(lambda milliseconds: milliseconds / 1000)
INTERVAL = st.sampled_from([MIN_INTERVAL, 0.02, 0.1, 1 / 3, 0.5, 1, 3600])

app = create_app()


@given(START, INTERVAL, st.integers(0, 100_000))
@example(1_700_000_000.123, 0.001, 86_399_999)
@example(0.0, 0.1, 17_000_000_000)
def test_a_tick_is_available_from_its_time_on(start: float, interval: float, n: int) -> None:
    subject = Feed(start, interval)
    assert subject.latest(subject.time_of(n)) == n
    assert subject.latest(subject.time_of(n) - interval / 2) == n - 1


def test_no_tick_is_available_before_the_start() -> None:
    subject = Feed(1000.0, 0.5)
    assert (subject.latest(999.9), subject.latest(0), subject.latest(1000.0)) == (-1, -1, 0)
    assert subject.after(-1, 999.9) == []


def test_a_feed_has_the_same_ticks_as_the_stream() -> None:
    assert Feed(0, 1, count=9).after(-1, now=60) == list(ticks(count=9, interval=0))


def test_a_feed_ends_after_count_ticks_and_without_count_never() -> None:
    assert [Feed(0, 1, count=3).latest(now) for now in (0, 1, 2, 3, 99)] == [0, 1, 2, 2, 2]
    assert [Feed(0, 1, count=3).ends_with(n) for n in (-1, 1, 2, 3)] == [False, False, True, True]
    assert not Feed(0, 1).ends_with(10**9)


@given(st.integers(-1, 400), st.integers(0, 400))
def test_after_returns_the_available_ticks_that_are_still_kept(n: int, latest: int) -> None:
    found = [tick.n for tick in Feed(0, 1).after(n, now=latest)]
    assert found == [each for each in range(n + 1, latest + 1) if each > latest - KEPT]


@given(st.lists(st.floats(0, 0.9), max_size=30))
def test_a_client_that_polls_often_receives_every_tick_once(pauses: list[float]) -> None:
    subject, now, n, received = Feed(1_700_000_000.5, 0.01), 1_700_000_000.5, -1, []
    for pause in pauses:
        now += pause
        found = subject.after(n, now)
        received += [tick.n for tick in found]
        n = found[-1].n if found else n
    assert received == list(range(len(received)))


# Cursors.


@given(START, st.integers(0, 10**12))
def test_a_cursor_identifies_the_feed_and_the_tick(start: float, n: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("time.time", lambda: start + n)
        assert Feed(start=5, interval=1, count=7).at(Feed(start, 0.25).cursor(n)) == (
            (Feed(start, 1, 7), n) if n < 7 else None
        )
        assert Feed(start=5, interval=1).at(Feed(start, 0.25).cursor(n)) == (Feed(start, 1), n)


@pytest.mark.parametrize(
    "cursor",
    [
        *["", "-", "1", "1-", "-1", "1--1", "a-1", "1-a", " 1-1", "1-1\n", "1-1 ", "1.5-1", "+1-1", "1-1-1", "1_0-1"],
        *["\u0661-1", "1-\u00b2", "9" * 16 + "-1", "1-" + "9" * 16, "9" * 5000 + "-1"],
    ],
)
def test_an_invalid_cursor_is_refused(cursor: str) -> None:
    assert Feed(0, 1).at(cursor) is None


def test_a_cursor_of_a_tick_that_is_not_available_yet_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.time", lambda: 1010.0)
    assert Feed(0, 1).at("1000000-10") == (Feed(1000.0, 1), 10)
    assert Feed(0, 1).at("1000000-11") is None
    assert Feed(0, 1, count=5).at("1000000-5") is None
    assert Feed(0, 1).at("1011000-0") is None


# The feed of a request.


def feed_of(query: str) -> Feed:
    with app.test_request_context(f"/?{query}"):
        return requested_feed()


def test_a_requested_feed_starts_at_a_whole_millisecond_with_the_requested_interval(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("time.time", lambda: 1000.1239)
    assert feed_of("") == Feed(1000.123, 0.5)
    assert feed_of("count=1&interval=3600") == Feed(1000.123, 3600, 1)
    assert feed_of("count=1000000&interval=0.001") == Feed(1000.123, 0.001, 1_000_000)
    assert Feed(0, 0.5).at(feed_of("").cursor(0)) == (feed_of(""), 0)


@pytest.mark.parametrize(
    ("query", "allowed"),
    [
        *[
            (f"count={bad}", "count must be a whole number from 1 to 1000000, not '")
            for bad in ("0", "-1", "x", "1000001")
        ],
        *[
            (f"interval={bad}", "interval must be a number of seconds from 0.001 to 3600")
            for bad in ("-1", "x", "1e9", "3601", "0", "0.0009", "0.0")
        ],
    ],
)
def test_an_invalid_count_or_interval_is_refused_with_the_allowed_values(query: str, allowed: str) -> None:
    with pytest.raises(BadRequest) as caught:
        feed_of(query)
    text = caught.value.get_response().get_data(as_text=True)
    assert text.startswith(allowed)
    assert text.count("\n") == 1
