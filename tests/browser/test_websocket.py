"""The page of WebSocket. The test of a claim in static/websocket.html has the name of the claim."""

from __future__ import annotations

import threading
from collections.abc import Callable
from itertools import islice
from typing import Any
from urllib.parse import urlsplit

import pytest
from page_form import TICK, expect_counted, logged, submit, texts_from_now
from playwright.sync_api import Page, expect

from server import create_app
from server.lab import BackgroundServer
from server.ticks import ticks

Visit = Callable[[str], Page]
DONE = "closed: code 1000, “that was all”; clean"
LOST = "closed: code 1006, no reason; not clean"


def send(page: Page, word: str) -> None:
    """Send a word after the connection has opened."""
    expect(page.locator("#send")).to_be_enabled()
    page.locator("#word").fill(word)
    page.locator("#word").press("Enter")


def sockets(page: Page) -> list[str]:
    """Return a list that collects the URL of each WebSocket that the page opens from now on."""
    opened: list[str] = []
    page.on("websocket", lambda socket: opened.append(socket.url))
    return opened


def test_the_page_waits_for_the_first_message(visit: Visit, streams: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    app, release = streams.app, threading.Event()

    def held(environ: dict[str, Any], start_response: Any) -> Any:
        assert environ["PATH_INFO"] != "/websocket" or release.wait(5)
        return app(environ, start_response)

    monkeypatch.setattr(streams, "app", held)
    page = visit("websocket")
    expect(page.locator("#data")).to_have_text("nothing received yet")
    expect(page.locator("#state")).to_contain_text("connecting")
    expect(page.locator("#send")).to_be_disabled()
    expect(page.locator("#send-stop")).to_be_disabled()
    texts = texts_from_now(page, "log")
    release.set()
    expect(page.locator("#data")).to_have_text(TICK)
    assert texts.json_value()[0] == "\\ 0"


def test_the_state_is_open_after_the_101(visit: Visit) -> None:
    page = visit("websocket")
    expect(page.locator("#state")).to_have_text("open: the server responded with 101; both sides can send messages")
    expect(page.locator("#send")).to_be_enabled()


def test_messages_arrive_in_order(visit: Visit) -> None:
    page = visit("websocket")
    submit(page, interval="0.02", count="15")
    expect(page.locator("#state")).to_have_text(DONE)
    assert logged(page) == [str(tick) for tick in islice(ticks(interval=0), 5, 15)]
    expect(page.locator("#received")).to_have_text("15")


def test_a_sent_word_replaces_the_spinner(visit: Visit) -> None:
    page, word = visit("websocket"), "grüße ☃ <b>&amp;</b>"
    texts = texts_from_now(page, "log")
    submit(page, interval="0.1")
    send(page, word)
    expect(page.locator("#data")).to_contain_text(word)
    expect(page.locator("#sent")).to_have_text("1")
    texts = texts.json_value()
    texts = texts[max(index for index, text in enumerate(texts) if text == "\\ 0") :]  # texts of this connection
    assert [text.rpartition(" ")[2] for text in texts] == [str(n) for n in range(len(texts))]
    assert [word in text for text in texts] == sorted(word in text for text in texts)  # in all later ticks


def test_the_server_closes_after_the_word_stop(visit: Visit, all_ended: Callable[[], None]) -> None:
    page = visit("websocket")
    submit(page, interval="60")
    expect(page.locator("#data")).to_have_text("\\ 0")
    page.locator("#send-stop").click()
    expect(page.locator("#state")).to_have_text(DONE)
    expect(page.locator("#send-stop")).to_be_disabled()
    all_ended()


def test_the_server_closes_after_the_last_tick(visit: Visit, page: Page, all_ended: Callable[[], None]) -> None:
    visit("websocket")
    opened = sockets(page)
    submit(page, interval="0.02", count="3")
    expect(page.locator("#state")).to_have_text(DONE)
    expect(page.locator("#log .text")).to_have_text(["\\ 0", "| 1", "/ 2"])
    all_ended()
    assert len([url for url in opened if "count=3" in url]) == 1


def test_stop_closes_with_code_1000(visit: Visit, all_ended: Callable[[], None]) -> None:
    page = visit("websocket")
    submit(page, interval="0.02")
    expect_counted(page, "received", 3)
    page.locator("#stop").click()
    expect(page.locator("#state")).to_have_text("closed: code 1000, no reason; clean")
    all_ended()
    assert page.locator("#received").text_content() == str(int(logged(page)[-1].split()[1]) + 1)


def test_start_again_begins_at_zero(visit: Visit) -> None:
    page = visit("websocket")
    submit(page, interval="0.02")
    send(page, "cat")
    expect(page.locator("#data")).to_contain_text("cat")
    states = texts_from_now(page, "state")
    submit(page, interval="60")
    expect(page.locator("#log .text")).to_have_text(["\\ 0"])
    expect(page.locator("#sent")).to_have_text("0")
    expect(page.locator("#state")).to_contain_text("open")
    assert [text.partition(":")[0] for text in states.json_value()] == [
        "connecting",
        "open",
    ]  # without the close of the old connection


def test_a_long_word_is_closed_with_code_1008(visit: Visit, all_ended: Callable[[], None]) -> None:
    page = visit("websocket")
    submit(page, interval="0.05")
    send(page, "x" * 200)
    expect(page.locator("#data")).to_contain_text("x" * 200)
    send(page, "x" * 201)
    expect(page.locator("#state")).to_have_text(
        "closed: code 1008, “a message must be a text of at most 200 characters”; clean"
    )
    all_ended()


def test_a_refused_upgrade_has_code_1006(visit: Visit, complaints: Any) -> None:
    complaints.expect("Unexpected response code: 400")  # the browser writes to its console and does not tell the page
    page = visit("websocket")
    submit(page, interval="x")
    expect(page.locator("#state")).to_have_text(LOST)
    expect(page.locator("#data")).to_have_text("nothing received yet")


def test_the_page_does_not_reconnect(visit: Visit, server: BackgroundServer, complaints: Any) -> None:
    complaints.expect("ERR_")  # from the EventSource
    page, port = visit("websocket"), urlsplit(server.url).port
    expect(page.locator("#data")).to_contain_text("0")
    page.evaluate("window.other = new EventSource('../sse?resume=1&retry=50&interval=0.05')")
    page.wait_for_function("other.readyState === EventSource.OPEN")
    opened = sockets(page)
    server.stop()
    expect(page.locator("#state")).to_have_text(LOST)
    page.wait_for_function("other.readyState === EventSource.CONNECTING")
    with BackgroundServer(create_app(), port or 0):
        page.wait_for_function("other.readyState === EventSource.OPEN")
        page.evaluate("other.close()")
    assert opened == []
    expect(page.locator("#state")).to_have_text(LOST)


def test_a_websocket_needs_none_of_the_six_connections(visit: Visit) -> None:
    page = visit("websocket")
    page.evaluate("window.six = Array.from({ length: 6 }, () => new EventSource('../sse?interval=60'))")
    page.wait_for_function("six.every(source => source.readyState === EventSource.OPEN)")
    page.evaluate("window.seventh = new EventSource('../sse')")
    submit(page, interval="60")
    expect(page.locator("#log .text")).to_have_text(["\\ 0"])
    assert page.evaluate("seventh.readyState === EventSource.CONNECTING")


def test_reduced_motion_requests_one_tick_per_second(visit: Visit, page: Page) -> None:
    page.emulate_media(reduced_motion="reduce")
    with page.expect_websocket() as opened:
        visit("websocket")
    assert opened.value.url.endswith("/websocket?interval=1")
