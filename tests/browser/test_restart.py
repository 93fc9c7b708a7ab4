"""A server that is killed during a stream and restarted: a page and a loop in Python receive every event."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from page_form import numbers_in, submit, texts_from_now
from playwright.sync_api import Page, expect
from raw_client import SECONDS, wait_for
from sseclient import SSEClient

COUNT = 40
FIELDS = {"interval": "0.03", "count": str(COUNT), "retry": "50"}
QUERY = {"resume": "1", **FIELDS}
KILLED_AFTER = (8, 22)  # events


class Process:
    """`python -m server` on a port of its own, which the test kills."""

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

    def responds(self) -> bool:
        try:
            return requests.get(f"{self.url}/techniques", timeout=1).ok
        except requests.ConnectionError:
            return False


@pytest.fixture
def process() -> Iterator[Process]:
    process = Process()
    try:
        wait_for(process.responds, "the server responds")
        yield process
    finally:
        process.kill()


def test_the_page_shows_each_event_once_and_in_order(process: Process, page: Page, complaints: Any) -> None:
    complaints.expect("ERR_")  # the browser writes each lost connection to its console
    page.goto(f"{process.url}/static/sse.html")
    page.locator("#stop").click()
    seen = texts_from_now(page, "log")
    submit(page, resume=True, **FIELDS)
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
    """Yield events until a 204. Reconnect with the last id after each lost connection."""
    last, deadline = "", time.monotonic() + 3 * SECONDS
    while time.monotonic() < deadline:
        try:
            headers = {"Last-Event-ID": last} if last else {}
            with requests.get(url, QUERY, headers=headers, stream=True, timeout=SECONDS) as response:
                if response.status_code == 204:
                    return
                for event in SSEClient(response.iter_content(None)).events():
                    last = event.id or last
                    yield event
        except (requests.ConnectionError, requests.exceptions.ChunkedEncodingError):
            time.sleep(0.02)  # the server is starting; `deadline` limits the loop
    pytest.fail(f"no end within {3 * SECONDS} s; the last id is {last!r}")
