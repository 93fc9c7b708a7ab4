"""The page of server-sent events. Each test here proves the claim of static/sse.html that it is named after."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from typing import Any
from urllib.parse import urlsplit

from page_form import TURNING, ask, hold, logged, numbers_in, seconds, texts_from_now
from playwright.sync_api import Page, expect

from server import create_app
from server.lab import BackgroundServer

Visit = Callable[[str], Page]

# Stop once the page has said that events are forgotten, and shown the one after them.
STOP_AFTER_A_GAP = """came => {
  const over = came.some(text => text.includes("forgotten")) && /^. \\d+$/.test(came.at(-1))
  if (over) document.getElementById("stop").click()
  return over
}"""


@contextmanager
def restarted(server: BackgroundServer, page: Page, complaints: Any) -> Iterator[None]:
    """Stop the server, wait until the page says so, and start another on the same port."""
    complaints.expect("ERR_")  # the browser itself says that the connection broke
    port = urlsplit(server.url).port or 0
    server.stop()
    expect(page.locator("#state")).to_contain_text("reconnecting")
    with BackgroundServer(create_app(), port):
        yield


def test_nothing_yet(visit: Visit, page: Page) -> None:
    go_on = hold(page, "**/sse?*")
    visit("sse")
    expect(page.locator("#state")).to_contain_text("connecting")
    expect(page.locator("#data")).to_have_text("nothing received yet")
    go_on()
    expect(page.locator("#data")).to_have_text(TURNING)


def test_open(visit: Visit) -> None:
    page = visit("sse")
    expect(page.locator("#state")).to_have_text("open: the answer has begun and is not over")


def test_in_order(visit: Visit) -> None:
    page = visit("sse")
    ask(page, interval="0.02")
    page.wait_for_function("/^. 1\\d$/.test(document.querySelector('#log .text')?.textContent)")  # the first are gone
    numbers = [int(text.split()[1]) for text in logged(page)]
    assert numbers == list(range(numbers[0], numbers[0] + 10))
    assert all(re.fullmatch(r"\+\d+ ms", gap) for gap in logged(page, "gap"))


def test_interval(visit: Visit) -> None:
    page = visit("sse")
    ask(page, interval="0.5")
    expect(page.locator("#log li").nth(2)).to_be_attached()
    assert 1.0 <= seconds(page)[2] < 2.5  # two intervals after the start: never early, and late by what load adds


def test_stop(visit: Visit, all_ended: Callable[[], None]) -> None:
    page = visit("sse")
    expect(page.locator("#data")).to_have_text(TURNING)
    page.locator("#stop").click()
    last = page.locator("#data").text_content()
    all_ended()
    expect(page.locator("#state")).to_have_text("closed: source.close() has been called")
    assert page.locator("#data").text_content() == last


def test_start_again(visit: Visit) -> None:
    page = visit("sse")
    expect(page.locator("#log li").nth(2)).to_be_attached()
    ask(page, interval="60")
    expect(page.locator("#log .text")).to_have_text(["\\ 0"])


def test_end(visit: Visit) -> None:
    page = visit("sse")
    ask(page, interval="0", count="3")
    expect(page.locator("#log .text")).to_have_text(["\\ 0", "| 1", "/ 2"])
    expect(page.locator("#state")).to_contain_text("reconnecting")
    expect(page.locator("#log .text")).to_have_text(["\\ 0", "| 1", "/ 2"] * 2, timeout=10_000)
    page.locator("#stop").click()


def test_resume(visit: Visit, server: BackgroundServer, complaints: Any) -> None:
    page = visit("sse")
    page.locator("#stop").click()
    came = texts_from_now(page, "log")
    ask(page, resume=True, interval="0.05", retry="50")
    expect(page.locator("#data")).to_contain_text(" 2")
    with restarted(server, page, complaints):
        page.wait_for_function("came => came.length > 12", arg=came)
        expect(page.locator("#state")).to_contain_text("open")
    numbers = numbers_in(came)
    assert numbers == list(range(len(numbers)))


def test_missed(visit: Visit, server: BackgroundServer, complaints: Any) -> None:
    page = visit("sse")
    page.locator("#stop").click()
    came = texts_from_now(page, "log", "state")
    ask(page, resume=True, interval="0.002", retry="400")
    expect(page.locator("#data")).to_have_text(TURNING)
    with restarted(server, page, complaints):
        page.wait_for_function(STOP_AFTER_A_GAP, arg=came)
    numbers = numbers_in(came)
    gaps = [after - before - 1 for before, after in pairwise(numbers) if after != before + 1]
    said = re.findall(r"open: too long away, the server has forgotten (\d+) events", "\n".join(came.json_value()))
    assert said
    assert [int(number) for number in said] == gaps  # a busy machine may have fallen behind once more


def test_unknown(visit: Visit, streams: Any) -> None:
    page, app = visit("sse"), streams.app

    def another(environ: dict[str, Any], start_response: Any) -> Any:
        if "resume=1" not in environ["QUERY_STRING"]:
            return app(environ, start_response)
        streams.app = app  # the next request is the course's own server's
        start_response("200 OK", [("Content-Type", "text/event-stream")])
        return [b"retry: 50\nid: of-another-7\ndata: cat 7\n\n"]

    streams.app = another
    ask(page, resume=True, interval="60")
    expect(page.locator("#state")).to_contain_text("does not know the last id, of-another-7, and begins anew")
    expect(page.locator("#log .text")).to_have_text(["cat 7", "\\ 0"])


def test_ended(visit: Visit, server: BackgroundServer) -> None:
    page = visit("sse")
    ask(page, resume=True, interval="0.02", count="3", retry="50")
    expect(page.locator("#state")).to_contain_text("the browser does not ask again")
    expect(page.locator("#log .text")).to_have_text(["\\ 0", "| 1", "/ 2"])
    assert [line.rpartition(" ")[2] for line in server.log if "resume=1" in line] == ["200", "204"]


def test_refused(visit: Visit, complaints: Any) -> None:
    complaints.expect("status of 400")
    page = visit("sse")
    ask(page, interval="x")
    expect(page.locator("#state")).to_contain_text("the browser does not ask again")
    expect(page.locator("#data")).to_have_text("nothing received yet")


def test_calm(visit: Visit, page: Page) -> None:
    page.emulate_media(reduced_motion="reduce")
    with page.expect_request(lambda request: request.resource_type == "eventsource") as asked:
        visit("sse")
    assert asked.value.url.endswith("/sse?interval=1")


def open_six(page: Page) -> None:
    """Open five streams beside that of the page."""
    expect(page.locator("#state")).to_contain_text("open")
    page.evaluate("window.five = Array.from({ length: 5 }, () => new EventSource('../sse?interval=0.02'))")
    page.wait_for_function("five.every(source => source.readyState === EventSource.OPEN)")


def test_six(visit: Visit) -> None:
    page = visit("sse")
    open_six(page)
    page.evaluate("window.seventh = new EventSource('../sse'); window.n = 0; five[0].onmessage = () => n++")
    page.wait_for_function("n > 20")
    assert page.evaluate("seventh.readyState === EventSource.CONNECTING")
    page.evaluate("five[0].close()")
    page.wait_for_function("seventh.readyState === EventSource.OPEN")


def test_another_name(visit: Visit, server: BackgroundServer) -> None:
    page = visit("sse")
    open_six(page)
    page.evaluate(
        "url => { window.other = new EventSource(url) }", server.url.replace("127.0.0.1", "localhost") + "/sse"
    )
    page.wait_for_function("other.readyState === EventSource.OPEN")
