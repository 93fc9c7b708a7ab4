"""Functions that run in a child process: their value, their output and their limits.

tests/lab/exercises/test_runner.py tests the same for the checks of the exercises, with an interrupt.
"""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections.abc import Callable

import pytest

from server.lab.child_process import MOST_OUTPUT, Limits, run_in_child

QUICK = Limits(first=0.5, run=0.5, stuck=0.5)
Watch = Callable[[], None]


def add(watch: Watch, one: int, two: int) -> int:
    watch()
    print("adding")
    return one + two


def end(watch: Watch) -> None:
    print("before the end")
    os._exit(3)


def wait_before_watch(watch: Watch) -> None:
    threading.Event().wait()


def wait_after_watch(watch: Watch) -> None:
    watch()
    threading.Event().wait()


def print_much(watch: Watch) -> None:
    print("x" * (2 * MOST_OUTPUT))


def test_the_value_is_returned_and_the_output_is_printed(capfd: pytest.CaptureFixture[str]) -> None:
    outcome = run_in_child(add, 1, 2, limits=Limits())
    assert (outcome.value, outcome.dump) == (3, "")
    assert capfd.readouterr() == ("adding\n", "")
    assert multiprocessing.active_children() == []


def test_a_process_that_ends_itself_has_its_exit_code(capfd: pytest.CaptureFixture[str]) -> None:
    outcome = run_in_child(end, limits=Limits())
    assert (outcome.value, outcome.exit_code, outcome.dump) == (None, 3, "")
    assert capfd.readouterr() == ("before the end\n", "")


@pytest.mark.parametrize("function", [wait_before_watch, wait_after_watch])
def test_a_limit_ends_the_process_with_the_current_lines(function: Callable[[Watch], None]) -> None:
    outcome = run_in_child(function, limits=QUICK)
    assert outcome.value is None
    assert f"in {function.__name__}" in outcome.dump
    assert outcome.seconds < 10


def test_only_the_beginning_of_the_output_is_printed(capfd: pytest.CaptureFixture[str]) -> None:
    run_in_child(print_much, limits=Limits())
    printed, _ = capfd.readouterr()
    assert printed == "x" * MOST_OUTPUT + "\n... (the rest of the output is not shown)\n"
