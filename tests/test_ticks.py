"""The story that every technique streams."""

from __future__ import annotations

from itertools import islice, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.ticks import SPINNER, Tick, ticks


@given(st.text(min_size=1, max_size=6), st.integers(0, 30))
def test_the_characters_are_shown_in_turn_and_the_ticks_counted_from_0(chars: str, count: int) -> None:
    story = list(ticks(chars, count=count, interval=0))
    assert story == [Tick(chars[n % len(chars)], n) for n in range(count)]
    assert [str(tick) for tick in story] == [f"{chars[n % len(chars)]} {n}" for n in range(count)]


def test_without_a_count_the_story_has_no_end() -> None:
    assert [tick.n for tick in islice(ticks(interval=0), 10_000)] == list(range(10_000))


def test_the_spinner_turns_through_its_four_characters() -> None:
    assert "".join(tick.char for tick in ticks(count=5, interval=0)) == SPINNER + "\\"


class Clock:
    """A clock that goes on while somebody pauses or works, and keeps a diary."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.diary: list[object] = []

    def __call__(self) -> float:
        return self.now

    def pause(self, seconds: float) -> None:
        self.diary.append(seconds)
        self.now += seconds


def test_a_pause_stands_between_two_ticks_and_neither_before_the_first_nor_after_the_last() -> None:
    clock = Clock()
    for tick in ticks(count=3, interval=0.5, pause=clock.pause, clock=clock):
        clock.diary.append(tick.n)
    assert clock.diary == [0, 0.5, 1, 0.5, 2]


def times(work: list[float], interval: float = 0.5) -> list[float]:
    """When each tick comes to a reader that works so long with each, in seconds after the first."""
    clock, found = Clock(), []
    for tick in ticks(count=len(work), interval=interval, pause=clock.pause, clock=clock):
        found.append(clock.now - 1000)
        clock.now += work[tick.n]
    assert all(isinstance(pause, float | int) and pause >= 0 for pause in clock.diary)
    return found


def test_what_the_reader_s_work_takes_is_not_waited_once_more() -> None:
    assert times([0.125, 0.25, 0.5, 0.0, 0.375]) == [0, 0.5, 1, 1.5, 2]


def test_a_thousand_ticks_do_not_drift() -> None:
    assert times([0.03125] * 1001)[-1] == 500


def test_a_reader_that_has_held_the_story_up_gets_no_burst_and_it_goes_on_from_there() -> None:
    assert times([0, 3.25, 0, 0, 0]) == [0, 0.5, 3.75, 4.25, 4.75]
    assert times([0.75, 0.75, 0.75, 0, 0]) == [0, 0.75, 1.5, 2.25, 2.75]


@given(st.lists(st.floats(0, 2), min_size=1, max_size=20))
def test_two_ticks_are_never_closer_than_the_work_and_the_interval_allow(work: list[float]) -> None:
    found = times(work)
    for n, (before, after) in enumerate(pairwise(found)):
        held_up = after - before > 0.5 + 1e-9
        assert after - before >= work[n] - 1e-9
        assert not held_up or abs(after - before - work[n]) < 0.5
    assert found[-1] >= 0.5 * (len(work) - 1) - 1e-9


def test_without_a_clock_of_its_own_the_story_keeps_real_time() -> None:
    paused: list[float] = []
    assert len(list(ticks(count=3, interval=0.5, pause=paused.append))) == 3
    assert len(paused) == 2
    assert 0 < paused[0] <= 0.5


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
