"""The page of server-sent events. The test of a claim in static/sse.html has the name of the claim."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from typing import Any
from urllib.parse import urlsplit

from page_form import TICK, hold, logged, numbers_in, seconds, submit, texts_from_now
from playwright.sync_api import Page, expect

from server import create_app
from server.lab import BackgroundServer

Visit = Callable[[str], Page]

# Stop when the page has reported missed events and has shown the next event.
STOP_AFTER_A_GAP = """texts => {
  const over = texts.some(text => text.includes("no longer has")) && /^. \\d+$/.test(texts.at(-1))
  if (over) document.getElementById("stop").click()
  return over
}"""


@contextmanager
def restarted(server: BackgroundServer, page: Page, complaints: Any) -> Iterator[None]:
    """Stop the server, wait until the page reports it, and start another one on the same port."""
    complaints.expect("ERR_")  # the browser reports the lost connection
    port = urlsplit(server.url).port or 0
    server.stop()
    expect(page.locator("#state")).to_contain_text("reconnecting")
    with BackgroundServer(create_app(), port):
        yield


def test_the_page_waits_for_the_first_event(visit: Visit, page: Page) -> None:
    release = hold(page, "**/sse?*")
    visit("sse")
    expect(page.locator("#state")).to_contain_text("connecting")
    expect(page.locator("#data")).to_have_text("nothing received yet")
    release()
    expect(page.locator("#data")).to_have_text(TICK)


def test_the_state_is_open_after_the_headers(visit: Visit) -> None:
    page = visit("sse")
    expect(page.locator("#state")).to_have_text("open: the response has started")


def test_events_arrive_in_order(visit: Visit) -> None:
    page = visit("sse")
    submit(page, interval="0.02")
    page.wait_for_function("/^. 1\\d$/.test(document.querySelector('#log .text')?.textContent)")  # ten lines
    numbers = [int(text.split()[1]) for text in logged(page)]
    assert numbers == list(range(numbers[0], numbers[0] + 10))
    assert all(re.fullmatch(r"\+\d+ ms", gap) for gap in logged(page, "gap"))


def test_the_interval_sets_the_time_between_events(visit: Visit) -> None:
    page = visit("sse")
    submit(page, interval="0.5")
    expect(page.locator("#log li").nth(2)).to_be_attached()
    assert 1.0 <= seconds(page)[2] < 2.5  # two intervals after the start; load can delay it


def test_stop_closes_the_stream(visit: Visit, all_ended: Callable[[], None]) -> None:
    page = visit("sse")
    expect(page.locator("#data")).to_have_text(TICK)
    page.locator("#stop").click()
    last = page.locator("#data").text_content()
    all_ended()
    expect(page.locator("#state")).to_have_text("closed: the page called source.close()")
    assert page.locator("#data").text_content() == last


def test_start_again_begins_at_zero(visit: Visit) -> None:
    page = visit("sse")
    expect(page.locator("#log li").nth(2)).to_be_attached()
    submit(page, interval="60")
    expect(page.locator("#log .text")).to_have_text(["\\ 0"])


def test_the_browser_reconnects_after_the_end(visit: Visit) -> None:
    page = visit("sse")
    submit(page, interval="0", count="3")
    expect(page.locator("#log .text")).to_have_text(["\\ 0", "| 1", "/ 2"])
    expect(page.locator("#state")).to_contain_text("reconnecting")
    expect(page.locator("#log .text")).to_have_text(["\\ 0", "| 1", "/ 2"] * 2, timeout=10_000)
    page.locator("#stop").click()


def test_resume_continues_after_a_restart(visit: Visit, server: BackgroundServer, complaints: Any) -> None:
    page = visit("sse")
    page.locator("#stop").click()
    texts = texts_from_now(page, "log")
    submit(page, resume=True, interval="0.05", retry="50")
    expect(page.locator("#data")).to_contain_text(" 2")
    with restarted(server, page, complaints):
        page.wait_for_function("texts => texts.length > 12", arg=texts)
        expect(page.locator("#state")).to_contain_text("open")
    numbers = numbers_in(texts)
    assert numbers == list(range(len(numbers)))


def test_the_server_reports_missed_events(visit: Visit, server: BackgroundServer, complaints: Any) -> None:
    page = visit("sse")
    page.locator("#stop").click()
    texts = texts_from_now(page, "log", "state")
    submit(page, resume=True, interval="0.002", retry="400")
    expect(page.locator("#data")).to_have_text(TICK)
    with restarted(server, page, complaints):
        page.wait_for_function(STOP_AFTER_A_GAP, arg=texts)
    numbers = numbers_in(texts)
    gaps = [after - before - 1 for before, after in pairwise(numbers) if after != before + 1]
    reported = re.findall(r"open: the server no longer has (\d+) of the missed events", "\n".join(texts.json_value()))
    assert reported
    assert [int(number) for number in reported] == gaps  # a slow machine can miss events more than once


def test_an_unknown_id_starts_a_new_stream(visit: Visit, streams: Any) -> None:
    page, app = visit("sse"), streams.app

    def other_server(environ: dict[str, Any], start_response: Any) -> Any:
        if "resume=1" not in environ["QUERY_STRING"]:
            return app(environ, start_response)
        streams.app = app  # for the next request
        start_response("200 OK", [("Content-Type", "text/event-stream")])
        return [b"retry: 50\nid: of-another-7\ndata: cat 7\n\n"]

    streams.app = other_server
    submit(page, resume=True, interval="60")
    expect(page.locator("#state")).to_contain_text("does not know the last id, of-another-7, and starts a new stream")
    expect(page.locator("#log .text")).to_have_text(["cat 7", "\\ 0"])


def test_a_204_stops_the_reconnects(visit: Visit, server: BackgroundServer) -> None:
    page = visit("sse")
    submit(page, resume=True, interval="0.02", count="3", retry="50")
    expect(page.locator("#state")).to_contain_text("the browser does not reconnect")
    expect(page.locator("#log .text")).to_have_text(["\\ 0", "| 1", "/ 2"])
    assert [line.rpartition(" ")[2] for line in server.log if "resume=1" in line] == ["200", "204"]


def test_a_400_stops_the_reconnects(visit: Visit, complaints: Any) -> None:
    complaints.expect("status of 400")
    page = visit("sse")
    submit(page, interval="x")
    expect(page.locator("#state")).to_contain_text("the browser does not reconnect")
    expect(page.locator("#data")).to_have_text("nothing received yet")


def test_reduced_motion_requests_one_event_per_second(visit: Visit, page: Page) -> None:
    page.emulate_media(reduced_motion="reduce")
    with page.expect_request(lambda request: request.resource_type == "eventsource") as requested:
        visit("sse")
    assert requested.value.url.endswith("/sse?interval=1")


def open_six(page: Page) -> None:
    """Open five streams beside the stream of the page."""
    expect(page.locator("#state")).to_contain_text("open")
    page.evaluate("window.five = Array.from({ length: 5 }, () => new EventSource('../sse?interval=0.02'))")
    page.wait_for_function("five.every(source => source.readyState === EventSource.OPEN)")


def test_a_seventh_stream_waits(visit: Visit) -> None:
    page = visit("sse")
    open_six(page)
    page.evaluate("window.seventh = new EventSource('../sse'); window.n = 0; five[0].onmessage = () => n++")
    page.wait_for_function("n > 20")
    assert page.evaluate("seventh.readyState === EventSource.CONNECTING")
    page.evaluate("five[0].close()")
    page.wait_for_function("seventh.readyState === EventSource.OPEN")


def test_another_host_name_has_six_more_connections(visit: Visit, server: BackgroundServer) -> None:
    page = visit("sse")
    open_six(page)
    page.evaluate(
        "url => { window.other = new EventSource(url) }", server.url.replace("127.0.0.1", "localhost") + "/sse"
    )
    page.wait_for_function("other.readyState === EventSource.OPEN")
