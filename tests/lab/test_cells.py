"""What a cell has started ends when the cell runs again: in a real kernel."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from jupyter_client.manager import KernelManager

from server.lab.cells import present_cell, replace_earlier

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 60  # for a kernel to start on a machine that is busy

# A cell whose value is shown: the shell's history holds it, so that it does not end because nobody holds it any more.
SERVER = "server = BackgroundServer(create_app()).start()\nserver"
TAP = "tap = Tap('http://127.0.0.1:9').start()\ntap"
COUNT = """
import threading
names = [thread.name.split()[0] for thread in threading.enumerate()]
print(sorted(name for name in names if name in ('server', 'tap')))
"""
STOP_ALL = """
for each in list(globals().values()):
    if isinstance(each, (BackgroundServer, Tap)):
        each.stop()
"""
READ_ONE = """
import requests
response = requests.get(server.url + '/sse?interval=60', stream=True)
stream = response.iter_content(None)
next(stream)
"""
READ_ON = """
try:
    next(stream)
except requests.exceptions.ChunkedEncodingError:
    print('ended')
"""


class Kernel:
    """A kernel that runs cells one by one, as JupyterLab does (with the cell's id) or as nbclient does (without)."""

    def __init__(self, client: Any) -> None:
        self.client = client

    def run(self, code: str, cell: str | None = None) -> str:
        """Run a cell; return what it has written."""
        written: list[str] = []
        message = self.client.session.msg("execute_request", {"code": code, "silent": False, "store_history": True})
        message["metadata"] = {"cellId": cell} if cell else {}
        self.client.shell_channel.send(message)
        while True:
            said = self.client.get_iopub_msg(timeout=SECONDS)
            if said["parent_header"].get("msg_id") == message["header"]["msg_id"]:
                content = said["content"]
                assert said["msg_type"] != "error", "\n".join(content["traceback"])
                if said["msg_type"] == "stream":
                    written.append(content["text"])
                if content.get("execution_state") == "idle":
                    return "".join(written)


@pytest.fixture(scope="module")
def kernel() -> Iterator[Kernel]:
    manager = KernelManager()
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    manager.start_kernel(cwd=str(ROOT), env={**os.environ, "PYTHONPATH": path})
    client = manager.client()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=SECONDS)
        running = Kernel(client)
        running.run("from server import create_app\nfrom server.lab import BackgroundServer, Tap")
        yield running
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
        manager.cleanup_resources()


@pytest.fixture
def run(kernel: Kernel) -> Iterator[Any]:
    yield kernel.run
    kernel.run(STOP_ALL)
    assert kernel.run(COUNT) == "[]\n"


@pytest.mark.parametrize("cell", ["a-cell", None])
@pytest.mark.parametrize(("code", "left"), [(SERVER, "['server']\n"), (TAP, "['tap']\n")])
def test_running_a_cell_again_replaces_its_server_or_tap(run: Any, code: str, left: str, cell: str | None) -> None:
    for _ in range(3):
        run(code, cell)
        assert run(COUNT) == left


def test_running_an_edited_cell_again_replaces_its_server(run: Any) -> None:
    run(SERVER, "a-cell")
    run(SERVER + "  # edited", "a-cell")
    assert run(COUNT) == "['server']\n"


def test_another_cell_does_not_stop_the_server(run: Any) -> None:
    run(SERVER, "a-cell")
    run(SERVER.replace("server", "other"), "another-cell")
    assert run(COUNT) == "['server', 'server']\n"


def test_one_cell_may_start_several_and_running_it_again_replaces_all(run: Any) -> None:
    two = f"{SERVER}\nother = BackgroundServer(create_app()).start()\n{TAP}"
    for _ in range(2):
        run(two, "a-cell")
        assert run(COUNT) == "['server', 'server', 'tap']\n"


def test_a_server_that_was_replaced_while_its_stream_was_open_has_ended(run: Any) -> None:
    run(SERVER, "a-cell")
    run(READ_ONE)
    run(SERVER, "a-cell")
    assert run(READ_ON) == "ended\n"


class Thing:
    """Something that can be stopped, and knows whether it was."""

    stopped = False

    def stop(self) -> None:
        self.stopped = True


def test_outside_of_ipython_nothing_is_replaced() -> None:
    first, second = Thing(), Thing()
    assert present_cell() is None
    replace_earlier(first)
    replace_earlier(second)
    assert not first.stopped


def test_a_cell_is_named_by_its_id_or_else_by_its_text(monkeypatch: pytest.MonkeyPatch) -> None:
    parent: dict[str, Any] = {"metadata": {"cellId": "a-cell"}}
    shell = SimpleNamespace(get_parent=lambda: parent, user_ns={"In": ["", "1 + 1"]}, execution_count=7)
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))
    assert present_cell() == ("a-cell", 7)
    parent.clear()
    assert present_cell() == ("1 + 1", 7)
    first, second, third = Thing(), Thing(), Thing()
    replace_earlier(first)
    replace_earlier(second)
    assert not first.stopped  # the same run
    shell.execution_count = 8
    replace_earlier(third)
    assert (first.stopped, second.stopped, third.stopped) == (True, True, False)
