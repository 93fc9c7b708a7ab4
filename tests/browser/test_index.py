"""The front page. Each test here proves the claim of static/index.html that it is named after."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from typing import Any
from urllib.parse import urlsplit

import requests
from page_form import TURNING, hold, logged
from playwright.sync_api import Page, expect

from server import create_app
from server.lab import BackgroundServer
from server.techniques import TECHNIQUES
from server.ticks import ticks

Visit = Callable[[str], Page]


def test_nothing_yet(visit: Visit, page: Page, server: BackgroundServer) -> None:
    go_on = hold(page, f"{server.url}/")
    visit("index")
    expect(page.locator("#state")).to_contain_text("connecting")
    expect(page.locator("#data")).to_have_text("nothing received yet")
    go_on()
    expect(page.locator("#data")).to_have_text(TURNING)


def test_spinner(visit: Visit) -> None:
    page = visit("index")
    expect(page.locator("#data")).to_have_text(TURNING)
    expect(page.locator("#log li")).to_have_count(10)
    texts = logged(page)
    first = int(texts[0].split()[1])
    assert texts == [str(tick) for tick in islice(ticks(interval=0), first, first + 10)]


def test_one_address(server: BackgroundServer, page: Page) -> None:
    with page.expect_request(lambda request: request.resource_type == "eventsource") as asked:
        page.goto(f"{server.url}/")
    assert page.url == f"{server.url}/static/index.html"
    assert asked.value.url == f"{server.url}/"
    assert asked.value.all_headers()["accept"] == "text/event-stream"
    expect(page.locator("#data")).to_have_text(TURNING)


def test_stop(visit: Visit, all_ended: Callable[[], None]) -> None:
    page = visit("index")
    expect(page.locator("#data")).to_have_text(TURNING)
    page.locator("#stop").click()
    last = page.locator("#data").text_content()
    all_ended()
    expect(page.locator("#state")).to_have_text("closed: source.close() has been called")
    assert page.locator("#data").text_content() == last


def test_start_again(visit: Visit) -> None:
    page = visit("index")
    first = page.locator("#log .text").first
    first.evaluate("first => { first.textContent = 'old' }")
    page.locator("#start").click()
    expect(first).to_have_text("\\ 0")
    expect(page.locator("#state")).to_contain_text("open")


def test_keyboard(visit: Visit, all_ended: Callable[[], None]) -> None:
    page = visit("index")
    expect(page.locator("#data")).to_have_text(TURNING)
    for _ in range(20):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.id") == "stop":
            break
    expect(page.locator("#stop")).to_be_focused()
    assert page.locator("#stop").evaluate("stop => getComputedStyle(stop).outlineStyle") == "solid"
    page.keyboard.press("Enter")
    expect(page.locator("#state")).to_contain_text("closed")
    all_ended()


def test_away(visit: Visit, server: BackgroundServer, complaints: Any) -> None:
    complaints.expect("ERR_")  # the browser itself says that the connection broke
    page, port = visit("index"), urlsplit(server.url).port
    expect(page.locator("#data")).to_have_text(TURNING)
    server.stop()
    expect(page.locator("#state")).to_contain_text("the browser tries again by itself")
    page.locator("#data").evaluate("data => { data.textContent = 'still' }")
    with BackgroundServer(create_app(), port or 0):
        expect(page.locator("#data")).to_have_text(TURNING, timeout=10_000)
        expect(page.locator("#state")).to_contain_text("open")


def test_leave(visit: Visit, all_ended: Callable[[], None]) -> None:
    page = visit("index")
    expect(page.locator("#data")).to_have_text(TURNING)
    page.goto("about:blank")
    all_ended()
    page.go_back()
    expect(page.locator("#data")).to_have_text(TURNING)


def test_calm(visit: Visit, page: Page) -> None:
    page.emulate_media(reduced_motion="reduce")
    with page.expect_request(lambda request: request.resource_type == "eventsource") as asked:
        visit("index")
    assert asked.value.url.endswith("/?interval=1")
    expect(page.locator("#data")).to_have_text(TURNING)


def test_list(visit: Visit, server: BackgroundServer) -> None:
    page = visit("index")
    stems = [technique.blueprint.name for technique in TECHNIQUES]
    expect(page.locator("#techniques li")).to_have_count(len(stems))
    assert hrefs(page, "#techniques a:not(.raw)") == [f"{stem}.html" for stem in stems]
    raw = hrefs(page, "#techniques a.raw")
    assert [link.removeprefix("../").partition("?")[0] for link in raw] == stems
    for link in raw:
        with requests.get(f"{server.url}/static/{link}", stream=True, timeout=5) as answer:
            assert answer.status_code == (426 if "websocket" in link else 200)  # no link asks for an upgrade


def hrefs(page: Page, links: str) -> list[str]:
    return [str(link.get_attribute("href")) for link in page.locator(links).all()]
