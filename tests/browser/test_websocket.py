"""The page of WebSocket. Each test here proves the claim of static/websocket.html that it is named after."""

from __future__ import annotations

import threading
from collections.abc import Callable
from itertools import islice
from typing import Any
from urllib.parse import urlsplit

import pytest
from page_form import TURNING, ask, logged, texts_from_now
from playwright.sync_api import Page, expect

from server import create_app
from server.lab import BackgroundServer
from server.ticks import ticks

Visit = Callable[[str], Page]
DONE = "closed: code 1000, “that was all”; clean"
LOST = "closed: code 1006, no reason; not clean"


def say(page: Page, word: str) -> None:
    """Send a word, once the connection is open."""
    expect(page.locator("#send")).to_be_enabled()
    page.locator("#word").fill(word)
    page.locator("#word").press("Enter")


def sockets(page: Page) -> list[str]:
    """Return a list that gets the address of every WebSocket that the page opens from now on."""
    opened: list[str] = []
    page.on("websocket", lambda socket: opened.append(socket.url))
    return opened


def test_nothing_yet(visit: Visit, streams: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    app, go_on = streams.app, threading.Event()

    def held(environ: dict[str, Any], start_response: Any) -> Any:
        assert environ["PATH_INFO"] != "/websocket" or go_on.wait(5)
        return app(environ, start_response)

    monkeypatch.setattr(streams, "app", held)
    page = visit("websocket")
    expect(page.locator("#data")).to_have_text("nothing received yet")
    expect(page.locator("#state")).to_contain_text("connecting")
    expect(page.locator("#send")).to_be_disabled()
    expect(page.locator("#over")).to_be_disabled()
    came = texts_from_now(page, "log")
    go_on.set()
    expect(page.locator("#data")).to_have_text(TURNING)
    assert came.json_value()[0] == "\\ 0"


def test_open(visit: Visit) -> None:
    page = visit("websocket")
    expect(page.locator("#state")).to_have_text("open: the server has agreed, and both sides may speak")
    expect(page.locator("#send")).to_be_enabled()


def test_in_order(visit: Visit) -> None:
    page = visit("websocket")
    ask(page, interval="0.02", count="15")
    expect(page.locator("#state")).to_have_text(DONE)
    assert logged(page) == [str(tick) for tick in islice(ticks(interval=0), 5, 15)]
    expect(page.locator("#received")).to_have_text("15")


def test_both_ways(visit: Visit) -> None:
    page, word = visit("websocket"), "grüße ☃ <b>&amp;</b>"
    came = texts_from_now(page, "log")
    ask(page, interval="0.1")
    say(page, word)
    expect(page.locator("#data")).to_contain_text(word)
    expect(page.locator("#sent")).to_have_text("1")
    texts = came.json_value()
    texts = texts[max(index for index, text in enumerate(texts) if text == "\\ 0") :]  # of this connection
    assert [text.rpartition(" ")[2] for text in texts] == [str(n) for n in range(len(texts))]
    assert [word in text for text in texts] == sorted(word in text for text in texts)  # from there on


def test_server_ends(visit: Visit, all_ended: Callable[[], None]) -> None:
    page = visit("websocket")
    ask(page, interval="60")
    expect(page.locator("#data")).to_have_text("\\ 0")
    page.locator("#over").click()
    expect(page.locator("#state")).to_have_text(DONE)
    expect(page.locator("#over")).to_be_disabled()
    all_ended()


def test_end(visit: Visit, page: Page, all_ended: Callable[[], None]) -> None:
    visit("websocket")
    opened = sockets(page)
    ask(page, interval="0.02", count="3")
    expect(page.locator("#state")).to_have_text(DONE)
    expect(page.locator("#log .text")).to_have_text(["\\ 0", "| 1", "/ 2"])
    all_ended()
    assert len([url for url in opened if "count=3" in url]) == 1


def test_stop(visit: Visit, all_ended: Callable[[], None]) -> None:
    page = visit("websocket")
    ask(page, interval="0.02")
    expect(page.locator("#data")).to_contain_text("/")
    page.locator("#stop").click()
    expect(page.locator("#state")).to_have_text("closed: code 1000, no reason; clean")
    all_ended()
    assert page.locator("#received").text_content() == str(int(logged(page)[-1].split()[1]) + 1)


def test_start_again(visit: Visit) -> None:
    page = visit("websocket")
    ask(page, interval="0.02")
    say(page, "cat")
    expect(page.locator("#data")).to_contain_text("cat")
    said = texts_from_now(page, "state")
    ask(page, interval="60")
    expect(page.locator("#log .text")).to_have_text(["\\ 0"])
    expect(page.locator("#sent")).to_have_text("0")
    expect(page.locator("#state")).to_contain_text("open")
    assert [text.partition(":")[0] for text in said.json_value()] == ["connecting", "open"]  # not the old one's end


def test_too_long(visit: Visit, all_ended: Callable[[], None]) -> None:
    page = visit("websocket")
    ask(page, interval="0.05")
    say(page, "x" * 200)
    expect(page.locator("#data")).to_contain_text("x" * 200)
    say(page, "x" * 201)
    expect(page.locator("#state")).to_have_text(
        "closed: code 1008, “a message must be a text of at most 200 characters”; clean"
    )
    all_ended()


def test_refused(visit: Visit, complaints: Any) -> None:
    complaints.expect("Unexpected response code: 400")  # the browser tells its console, not the page
    page = visit("websocket")
    ask(page, interval="x")
    expect(page.locator("#state")).to_have_text(LOST)
    expect(page.locator("#data")).to_have_text("nothing received yet")


def test_cut(visit: Visit, server: BackgroundServer, complaints: Any) -> None:
    complaints.expect("ERR_")  # of the other stream
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


def test_many(visit: Visit) -> None:
    page = visit("websocket")
    page.evaluate("window.six = Array.from({ length: 6 }, () => new EventSource('../sse?interval=60'))")
    page.wait_for_function("six.every(source => source.readyState === EventSource.OPEN)")
    page.evaluate("window.seventh = new EventSource('../sse')")
    ask(page, interval="60")
    expect(page.locator("#log .text")).to_have_text(["\\ 0"])
    assert page.evaluate("seventh.readyState === EventSource.CONNECTING")


def test_calm(visit: Visit, page: Page) -> None:
    page.emulate_media(reduced_motion="reduce")
    with page.expect_websocket() as opened:
        visit("websocket")
    assert opened.value.url.endswith("/websocket?interval=1")
