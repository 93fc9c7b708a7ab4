"""The feed: ticks that are there by the clock, and cursors that say how far a reader has come."""

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
def test_a_tick_is_there_from_the_time_on_at_which_it_is_due(start: float, interval: float, n: int) -> None:
    subject = Feed(start, interval)
    assert subject.latest(subject.time_of(n)) == n
    assert subject.latest(subject.time_of(n) - interval / 2) == n - 1


def test_before_the_first_tick_there_is_none() -> None:
    subject = Feed(1000.0, 0.5)
    assert (subject.latest(999.9), subject.latest(0), subject.latest(1000.0)) == (-1, -1, 0)
    assert subject.after(-1, 999.9) == []


def test_a_feed_shows_the_story_of_the_ticks() -> None:
    assert Feed(0, 1, count=9).after(-1, now=60) == list(ticks(count=9, interval=0))


def test_a_feed_ends_after_its_count_and_one_without_never() -> None:
    assert [Feed(0, 1, count=3).latest(now) for now in (0, 1, 2, 3, 99)] == [0, 1, 2, 2, 2]
    assert [Feed(0, 1, count=3).ends_with(n) for n in (-1, 1, 2, 3)] == [False, False, True, True]
    assert not Feed(0, 1).ends_with(10**9)


@given(st.integers(-1, 400), st.integers(0, 400))
def test_what_comes_after_a_tick_is_what_is_there_and_kept(n: int, latest: int) -> None:
    found = [tick.n for tick in Feed(0, 1).after(n, now=latest)]
    assert found == [each for each in range(n + 1, latest + 1) if each > latest - KEPT]


@given(st.lists(st.floats(0, 0.9), max_size=30))
def test_a_reader_that_comes_often_enough_gets_every_tick_once(waits: list[float]) -> None:
    subject, now, n, seen = Feed(1_700_000_000.5, 0.01), 1_700_000_000.5, -1, []
    for wait in waits:
        now += wait
        found = subject.after(n, now)
        seen += [tick.n for tick in found]
        n = found[-1].n if found else n
    assert seen == list(range(len(seen)))


# Cursors.


@given(START, st.integers(0, 10**12))
def test_a_cursor_names_the_feed_and_the_tick_and_keeps_the_pace_that_was_asked_for(start: float, n: int) -> None:
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
def test_a_cursor_that_is_not_ours_names_nothing(cursor: str) -> None:
    assert Feed(0, 1).at(cursor) is None


def test_nobody_has_read_what_is_not_there_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.time", lambda: 1010.0)
    assert Feed(0, 1).at("1000000-10") == (Feed(1000.0, 1), 10)
    assert Feed(0, 1).at("1000000-11") is None
    assert Feed(0, 1, count=5).at("1000000-5") is None
    assert Feed(0, 1).at("1011000-0") is None


# What a request asks for.


def asking(query: str) -> Feed:
    with app.test_request_context(f"/?{query}"):
        return requested_feed()


def test_a_feed_starts_at_a_whole_millisecond_at_the_pace_that_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.time", lambda: 1000.1239)
    assert asking("") == Feed(1000.123, 0.5)
    assert asking("count=1&interval=3600") == Feed(1000.123, 3600, 1)
    assert asking("count=1000000&interval=0.001") == Feed(1000.123, 0.001, 1_000_000)
    assert Feed(0, 0.5).at(asking("").cursor(0)) == (asking(""), 0)


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
def test_a_pace_that_no_feed_can_go_at_is_refused_with_what_is_allowed(query: str, allowed: str) -> None:
    with pytest.raises(BadRequest) as caught:
        asking(query)
    text = caught.value.get_response().get_data(as_text=True)
    assert text.startswith(allowed)
    assert text.count("\n") == 1
