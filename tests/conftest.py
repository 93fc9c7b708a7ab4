"""What all tests share: the server, and the rule that a test leaves no thread of it behind."""

from __future__ import annotations

import gc
import os
import threading
import time
from collections.abc import Iterator

import coverage
import pytest
from hypothesis import settings

from server import create_app
from server.lab import BackgroundServer

NAMES = ("server ", "stream of ", "tap ", "end of ")  # with which the workbench names its threads

LONG = ("tests/test_notebooks.py", "tests/test_run.py", "tests/lab/test_classroom.py", "tests/browser/test_lab.py")
BROWSER = ("tests/browser/",)
WAITING = ("tests/exercises/", "tests/lab/test_exercises.py")

UNTRACED = (*BROWSER, *WAITING, *LONG)  # these spend their time in other programs and measure time

# check.py lets coverage.py measure the processes that run tests, but not the processes that these start.
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.pop("COVERAGE_PROCESS_START", None)

# The same examples on every run and on every machine, and no verdict by the clock.
settings.register_profile("course", deadline=None, derandomize=True)
settings.load_profile("course")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let what takes longest begin first; then, by turns, what works a browser and what mostly waits.

    So no worker is left alone at the end, and no processor idle. A worker takes one scope after the other: a module,
    or a class of it.
    """
    scopes, rank = list(dict.fromkeys(map(_scope, items))), dict[str, int]()
    for turn, names in enumerate((BROWSER, WAITING)):
        rank |= {scope: 2 * number + turn for number, scope in enumerate(s for s in scopes if s.startswith(names))}
    rank |= dict.fromkeys((scope for scope in scopes if scope.startswith(LONG)), -1)
    items.sort(key=lambda item: rank.get(_scope(item), len(scopes)))


def _scope(item: pytest.Item) -> str:
    return item.nodeid.rpartition("::")[0]


_measured, _traced = coverage.Coverage.current(), True  # current() is None while it is stopped


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Trace the unit tests only, because tracing makes the servers of the other tests slow."""
    global _traced
    wanted = not item.nodeid.startswith(UNTRACED)
    if _measured and wanted != _traced:
        (_measured.start if wanted else _measured.stop)()
        _traced = wanted


@pytest.fixture
def server() -> Iterator[BackgroundServer]:
    """The whole server, on a port of its own."""
    with BackgroundServer(create_app()) as running:
        yield running


@pytest.fixture(autouse=True)
def no_thread_left() -> Iterator[None]:
    """After each test: no thread of a server or of a tap is left that was not there before it."""
    before = set(threading.enumerate())
    yield
    if _of_the_workbench(before):
        gc.collect()  # what nobody holds any more ends now
    due = time.monotonic() + 5
    for thread in _of_the_workbench(before):
        thread.join(max(0, due - time.monotonic()))
    assert _of_the_workbench(before) == []


def _of_the_workbench(before: set[threading.Thread]) -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread not in before and thread.name.startswith(NAMES)]
