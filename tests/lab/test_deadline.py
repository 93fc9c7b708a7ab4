"""Deadlines: stalls of the machine hardly count, and computing counts in full."""

from __future__ import annotations

import threading
import time

import pytest

from server.lab import deadline
from server.lab.deadline import Deadline


def test_a_stall_of_the_machine_counts_as_one_step(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    monkeypatch.setattr(time, "thread_time", lambda: 0.0)
    limit, slept = Deadline(1), list[float]()
    while step := limit.step():
        slept.append(step)
        now += 60 if len(slept) == 5 else step
    assert max(slept) == deadline.STEP
    assert sum(slept) == pytest.approx(1 - deadline.MOST_STEP + deadline.STEP)


def test_the_time_that_this_thread_computes_counts_in_full(monkeypatch: pytest.MonkeyPatch) -> None:
    worked = 0.0
    monkeypatch.setattr(time, "thread_time", lambda: worked)
    limit = Deadline(1)
    worked += 0.6
    assert limit.step() == deadline.STEP
    worked += 0.6
    assert limit.step() == 0


def test_zero_or_negative_seconds_expire_immediately() -> None:
    assert Deadline(0).step() == Deadline(-1).step() == 0


def test_a_wait_at_a_condition_returns_whether_it_holds() -> None:
    condition = threading.Condition()
    with condition:
        assert Deadline(0).wait_for(condition, lambda: True)
        assert not Deadline(0.05).wait_for(condition, lambda: False)
