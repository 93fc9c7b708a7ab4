"""A server that is killed in the middle of a stream and started again: a page and a loop in Python miss nothing."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from page_form import ask, numbers_in, texts_from_now
from playwright.sync_api import Page, expect
from raw_client import SECONDS, wait_for
from sseclient import SSEClient

COUNT = 40
FIELDS = {"interval": "0.03", "count": str(COUNT), "retry": "50"}
ASKED = {"resume": "1", **FIELDS}
KILLED_AFTER = (8, 22)  # events


class Process:
    """`python -m server` on a port of its own, to be killed without a warning."""

    def __init__(self) -> None:
        with socket.create_server(("localhost", 0)) as free:
            self.port = free.getsockname()[1]
        self.url = f"http://localhost:{self.port}"
        self.start()

    def start(self) -> None:
        command = [sys.executable, "-m", "server", "--port", str(self.port)]
        self.running = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def kill(self) -> None:
        self.running.kill()  # SIGKILL where there are signals
        self.running.wait(SECONDS)

    def answers(self) -> bool:
        try:
            return requests.get(f"{self.url}/techniques", timeout=1).ok
        except requests.ConnectionError:
            return False


@pytest.fixture
def process() -> Iterator[Process]:
    process = Process()
    try:
        wait_for(process.answers, "the server answers")
        yield process
    finally:
        process.kill()


def test_the_page_shows_each_event_once_and_in_order(process: Process, page: Page, complaints: Any) -> None:
    complaints.expect("ERR_")  # the browser tells its console of each cut
    page.goto(f"{process.url}/static/sse.html")
    page.locator("#stop").click()
    seen = texts_from_now(page, "log")
    ask(page, resume=True, **FIELDS)
    for number in KILLED_AFTER:
        page.wait_for_function(f"seen => seen.length > {number}", arg=seen, timeout=SECONDS * 1000)
        process.kill()
        process.start()
    expect(page.locator("#state")).to_have_attribute("data-kind", "refused", timeout=SECONDS * 1000)  # the 204
    assert numbers_in(seen) == list(range(COUNT))


def test_a_loop_in_python_gets_each_event_once_and_in_order(process: Process) -> None:
    numbers: list[int] = []
    for event in follow(f"{process.url}/sse"):
        numbers.append(int(event.data.split()[1]))
        if len(numbers) in KILLED_AFTER:
            process.kill()
            process.start()
    assert numbers == list(range(COUNT))


def follow(url: str) -> Iterator[Any]:
    """Read events until the server says 204; ask again with the last id where the connection fails."""
    last, due = "", time.monotonic() + 3 * SECONDS
    while time.monotonic() < due:
        try:
            headers = {"Last-Event-ID": last} if last else {}
            with requests.get(url, ASKED, headers=headers, stream=True, timeout=SECONDS) as response:
                if response.status_code == 204:
                    return
                for event in SSEClient(response.iter_content(None)).events():
                    last = event.id or last
                    yield event
        except (requests.ConnectionError, requests.exceptions.ChunkedEncodingError):
            time.sleep(0.02)  # the server's start is on its way; `due` bounds the loop
    pytest.fail(f"no end within {3 * SECONDS} s; the last id is {last!r}")
