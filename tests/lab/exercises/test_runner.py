"""Checks run in a process of their own: its verdict, its limits, and its errors."""

from __future__ import annotations

import multiprocessing
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from server.lab.child_process import MOST_OUTPUT, Limits
from server.lab.exercises import NotYet, runner
from server.lab.exercises.runner import run_check_cell

SETUP = "import queue\nimport threading\nimport time\nfrom flask import Flask\nfrom flask_sock import Sock\n"
LOOPS = {  # the body of a function that never returns
    "a busy loop": "while True: pass",
    "a long sleep": "time.sleep(600)",
    "short sleeps": "while True: time.sleep(0.01)",
    "an event": "threading.Event().wait()",
    "a queue": "queue.Queue().get()",
    "a bare except": """
    while True:
        try:
            time.sleep(0.01)
        except:
            pass""",
}
CHECKS = {  # every way in which a check runs the function `stuck`
    "called": "within(0.2, stuck)",
    "in a view": """
    app = Flask("exercise")
    app.add_url_rule("/", "stuck", stuck)
    fetch(app, seconds=0.2)""",
    "in a served view": """
    app = Flask("exercise")
    app.add_url_rule("/", "stuck", stuck)
    with serving(app) as server:
        server.fetch(seconds=0.2)""",
    "in a generator": """
    def generate():
        yield "first"
        stuck()
    response = fetch(streamed(generate), seconds=1)
    check(response.text != "first", f"It is at {response.still_running}")""",
    "in a WebSocket view": """
    app = Flask("exercise")
    Sock(app).route("/")(lambda ws: stuck())
    with WebSockets(app) as server:
        check(server.connect().disconnect(seconds=0.2), "it goes on", "frames")""",
}


def check_of(body: str, names: str = "stuck") -> str:
    return (
        f"def check_it({names}):\n    from flask import Flask\n    from flask_sock import Sock\n"
        "    from server.lab.exercises import WebSockets, check, fail, fetch, predict, serving, streamed, within\n"
        f"    {body}\n\n\nrun_check(check_it)"
    )


@pytest.fixture(autouse=True)
def no_process_left() -> Iterator[None]:
    yield
    assert multiprocessing.active_children() == []


@pytest.mark.parametrize("body", LOOPS.values(), ids=LOOPS)
@pytest.mark.parametrize("check", CHECKS.values(), ids=CHECKS)
def test_an_endless_function_ends_with_the_check_and_its_line_is_named(body: str, check: str) -> None:
    with pytest.raises(NotYet, match=r"(It is|still running) at line \d+ of your cell: "):
        run_check_cell([SETUP, f"def stuck():\n    {body}\n"], check_of(check))


@pytest.mark.parametrize("check", list(CHECKS.values())[:2], ids=list(CHECKS)[:2])
def test_a_call_that_holds_pythons_lock_ends_with_its_line(check: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "LIMITS", Limits(stuck=1))
    says = r"^your code is still running after \d s\. It is at line 2 of your cell: return sum"
    with pytest.raises(NotYet, match=says):
        run_check_cell([SETUP, "def stuck():\n    return sum(range(10**12))\n"], check_of(check))


def test_an_endless_loop_in_a_cell_ends_with_its_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "LIMITS", Limits(first=0.5))
    with pytest.raises(NotYet, match=r"^your code is still running after \d s\. It is at line 2 of your cell: while"):
        run_check_cell(["stuck = 0\nwhile True: pass"], check_of("pass"))


@pytest.mark.parametrize(
    ("body", "line"),
    [("stuck()", "line 2 of your cell: while True: pass"), ("while True: pass", "line 5 of the check")],
    ids=["in a function of the learner", "in the check"],
)
def test_a_check_without_end_ends_with_its_line(body: str, line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "LIMITS", Limits(run=0.5, stuck=0.5))
    with pytest.raises(NotYet, match=rf"^your code is still running after \d s\. It is at {line}$"):
        run_check_cell(["def stuck():\n    while True: pass"], check_of(body))


def test_a_check_may_take_longer_than_a_call_that_holds_pythons_lock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "LIMITS", Limits(first=0.5, stuck=0.5))
    slow = "def stuck():\n    began = time.monotonic()\n    while time.monotonic() < began + 1.5: pass"
    run_check_cell([SETUP, slow], check_of("stuck()"))


def test_code_that_ends_python_is_reported() -> None:
    with pytest.raises(NotYet, match=r"^your code ends Python itself \(exit code 3\)"):
        run_check_cell(["import os\ndef stuck():\n    os._exit(3)\n"], check_of("stuck()"))


def test_what_code_prints_is_printed(capfd: pytest.CaptureFixture[str]) -> None:
    run_check_cell(["import sys\nprint('cell')\nstuck = print"], check_of("stuck('check', flush=True)"))
    assert capfd.readouterr() == ("cell\ncheck\n", "")


def test_text_printed_before_the_end_of_python_is_printed(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(NotYet, match="ends Python itself"):
        run_check_cell(["import os\ndef stuck():\n    print('before')\n    os._exit(3)\n"], check_of("stuck()"))
    assert capfd.readouterr() == ("before\n", "")


def test_only_the_beginning_of_much_output_is_printed(capfd: pytest.CaptureFixture[str]) -> None:
    run_check_cell(["stuck = '\\ud800' + 'ä' * 150_000"], check_of("print(stuck)"))
    printed, _ = capfd.readouterr()
    assert printed.startswith("\\ud800ää")
    assert printed.endswith("ä\n... (the rest of the output is not shown)\n")
    assert len(printed) < MOST_OUTPUT + 100


def test_a_mistake_in_the_check_is_an_error_of_the_course() -> None:
    with pytest.raises(RuntimeError, match="ZeroDivisionError"):
        run_check_cell(["stuck = 0"], check_of("1 / stuck"))


def test_a_cell_that_raises_is_reported_with_its_line() -> None:
    with pytest.raises(NotYet, match=r"^your cell raises KeyError: 'a', at line 1 of your cell: "):
        run_check_cell(["stuck = {}['a']"], check_of("pass"))


def test_a_name_that_no_cell_defines_is_reported() -> None:
    with pytest.raises(NotYet, match=r"^the name stuck is not defined"):
        run_check_cell([], check_of("pass"))


@pytest.mark.skipif(not hasattr(signal, "pthread_kill"), reason="needs a signal for one thread")
def test_an_interrupt_ends_the_process_of_the_check(tmp_path: Path) -> None:
    started = tmp_path / "started"

    def interrupt() -> None:
        deadline = time.monotonic() + 10
        while not started.exists() and time.monotonic() < deadline:
            time.sleep(0.01)
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        run_check_cell([f"stuck = {str(started)!r}"], check_of("open(stuck, 'w').close()\n    while True: pass"))
    thread.join()
    assert started.exists()


@pytest.mark.parametrize(
    "answer",
    [
        "def check(*a): pass\nfail = within = fetch = predict = check\nclass NotYet(Exception): pass\nprint = check",
        "import server.lab.exercises as e\ne.check = e.fail = e.predict = e.within = lambda *a, **b: None",
        "def run_check(check): pass",
        "get_ipython().set_custom_exc((Exception,), lambda *a: None)",
        "shown = lambda page: 'right'",
    ],
    ids=["names", "module", "run_check", "hook", "helper"],
)
def test_an_answer_cannot_replace_what_the_check_uses(answer: str) -> None:
    helper = "def shown(page):\n    return page\n"
    check = check_of("check(shown(stuck) == 'right', 'wrong')", "stuck, *, shown")
    with pytest.raises(NotYet, match=r"^wrong$"):
        run_check_cell([helper, f"{answer}\nstuck = 'wrong'"], check)
