"""The story that every technique streams."""

from __future__ import annotations

from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.ticks import SPINNER, Tick, ticks


@given(st.text(min_size=1, max_size=6), st.integers(0, 30))
def test_the_characters_are_shown_in_turn_and_the_ticks_counted_from_0(chars: str, count: int) -> None:
    story = list(ticks(chars, count, interval=0))
    assert story == [Tick(chars[n % len(chars)], n) for n in range(count)]
    assert [str(tick) for tick in story] == [f"{chars[n % len(chars)]} {n}" for n in range(count)]


def test_without_a_count_the_story_has_no_end() -> None:
    assert [tick.n for tick in islice(ticks(interval=0), 10_000)] == list(range(10_000))


def test_the_spinner_turns_through_its_four_characters() -> None:
    assert "".join(tick.char for tick in ticks(count=5, interval=0)) == SPINNER + "\\"


def test_a_pause_stands_between_two_ticks_and_neither_before_the_first_nor_after_the_last() -> None:
    order: list[object] = []
    for tick in ticks(count=3, interval=0.5, pause=order.append):
        order.append(tick.n)
    assert order == [0, 0.5, 1, 0.5, 2]


def test_an_interval_of_0_makes_no_pause_at_all() -> None:
    paused: list[float] = []
    assert len(list(ticks(count=3, interval=0, pause=paused.append))) == 3
    assert paused == []


def test_what_the_pause_raises_ends_the_story() -> None:
    def leave(_: float) -> None:
        raise ConnectionAbortedError("left")

    story = ticks(count=3, interval=1, pause=leave)
    assert next(story).n == 0
    with pytest.raises(ConnectionAbortedError, match="left"):
        next(story)
    assert list(story) == []
