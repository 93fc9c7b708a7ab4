"""Tests of server.ticks: the demo data that every technique streams."""

from __future__ import annotations

from itertools import islice, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.ticks import SPINNER, Tick, ticks


@given(st.text(min_size=1, max_size=6), st.integers(0, 30))
def test_characters_repeat_and_ticks_are_counted_from_0(chars: str, count: int) -> None:
    stream = list(ticks(chars, count=count, interval=0))
    assert stream == [Tick(chars[n % len(chars)], n) for n in range(count)]
    assert [str(tick) for tick in stream] == [f"{chars[n % len(chars)]} {n}" for n in range(count)]


def test_without_count_the_ticks_never_end() -> None:
    assert [tick.n for tick in islice(ticks(interval=0), 10_000)] == list(range(10_000))


def test_the_spinner_repeats_its_four_characters() -> None:
    assert "".join(tick.char for tick in ticks(count=5, interval=0)) == SPINNER + "\\"


class Clock:
    """A clock that advances only during pauses and work. `events` records the pauses and ticks in order."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.events: list[object] = []

    def __call__(self) -> float:
        return self.now

    def pause(self, seconds: float) -> None:
        self.events.append(seconds)
        self.now += seconds


def test_ticks_pause_only_between_two_ticks() -> None:
    clock = Clock()
    for tick in ticks(count=3, interval=0.5, pause=clock.pause, clock=clock):
        clock.events.append(tick.n)
    assert clock.events == [0, 0.5, 1, 0.5, 2]


def times(work: list[float], interval: float = 0.5) -> list[float]:
    """Return the time of each tick in seconds after the first; `work` is the consumer's time for each tick."""
    clock, found = Clock(), []
    for tick in ticks(count=len(work), interval=interval, pause=clock.pause, clock=clock):
        found.append(clock.now - 1000)
        clock.now += work[tick.n]
    assert all(isinstance(pause, float | int) and pause >= 0 for pause in clock.events)
    return found


def test_the_consumer_s_work_is_part_of_the_interval() -> None:
    assert times([0.125, 0.25, 0.5, 0.0, 0.375]) == [0, 0.5, 1, 1.5, 2]


def test_a_thousand_ticks_do_not_drift() -> None:
    assert times([0.03125] * 1001)[-1] == 500


def test_after_a_delay_no_burst_of_ticks_follows() -> None:
    assert times([0, 3.25, 0, 0, 0]) == [0, 0.5, 3.75, 4.25, 4.75]
    assert times([0.75, 0.75, 0.75, 0, 0]) == [0, 0.75, 1.5, 2.25, 2.75]


@given(st.lists(st.floats(0, 2), min_size=1, max_size=20))
def test_two_ticks_are_at_least_the_work_and_on_average_the_interval_apart(work: list[float]) -> None:
    found = times(work)
    for n, (before, after) in enumerate(pairwise(found)):
        delayed = after - before > 0.5 + 1e-9
        assert after - before >= work[n] - 1e-9
        assert not delayed or abs(after - before - work[n]) < 0.5
    assert found[-1] >= 0.5 * (len(work) - 1) - 1e-9


def test_without_a_clock_the_ticks_use_real_time() -> None:
    paused: list[float] = []
    assert len(list(ticks(count=3, interval=0.5, pause=paused.append))) == 3
    assert len(paused) == 2
    assert 0 < paused[0] <= 0.5


def test_an_interval_of_0_never_pauses() -> None:
    paused: list[float] = []
    assert len(list(ticks(count=3, interval=0, pause=paused.append))) == 3
    assert paused == []


def test_an_exception_in_pause_ends_the_ticks() -> None:
    def disconnect(_: float) -> None:
        raise ConnectionAbortedError("disconnected")

    stream = ticks(count=3, interval=1, pause=disconnect)
    assert next(stream).n == 0
    with pytest.raises(ConnectionAbortedError, match="disconnected"):
        next(stream)
    assert list(stream) == []
