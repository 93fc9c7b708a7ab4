"""The front page. The test of a claim in static/index.html has the name of the claim."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from typing import Any
from urllib.parse import urlsplit

import requests
from page_form import TICK, hold, logged
from playwright.sync_api import Page, expect

from server import create_app
from server.lab import BackgroundServer
from server.techniques import TECHNIQUES
from server.ticks import ticks

Visit = Callable[[str], Page]


def test_the_page_waits_for_the_first_event(visit: Visit, page: Page, server: BackgroundServer) -> None:
    release = hold(page, f"{server.url}/")
    visit("index")
    expect(page.locator("#state")).to_contain_text("connecting")
    expect(page.locator("#data")).to_have_text("nothing received yet")
    release()
    expect(page.locator("#data")).to_have_text(TICK)


def test_each_event_replaces_the_one_before(visit: Visit) -> None:
    page = visit("index")
    expect(page.locator("#data")).to_have_text(TICK)
    expect(page.locator("#log li")).to_have_count(10)
    texts = logged(page)
    first = int(texts[0].split()[1])
    assert texts == [str(tick) for tick in islice(ticks(interval=0), first, first + 10)]


def test_the_root_url_serves_html_and_the_stream(server: BackgroundServer, page: Page) -> None:
    with page.expect_request(lambda request: request.resource_type == "eventsource") as requested:
        page.goto(f"{server.url}/")
    assert page.url == f"{server.url}/static/index.html"
    assert requested.value.url == f"{server.url}/"
    assert requested.value.all_headers()["accept"] == "text/event-stream"
    expect(page.locator("#data")).to_have_text(TICK)


def test_stop_closes_the_stream(visit: Visit, all_ended: Callable[[], None]) -> None:
    page = visit("index")
    expect(page.locator("#data")).to_have_text(TICK)
    page.locator("#stop").click()
    last = page.locator("#data").text_content()
    all_ended()
    expect(page.locator("#state")).to_have_text("closed: the page called source.close()")
    assert page.locator("#data").text_content() == last


def test_start_again_begins_at_zero(visit: Visit) -> None:
    page = visit("index")
    first = page.locator("#log .text").first
    first.evaluate("first => { first.textContent = 'old' }")
    page.locator("#start").click()
    expect(first).to_have_text("\\ 0")
    expect(page.locator("#state")).to_contain_text("open")


def test_stop_is_reached_and_pressed_with_the_keyboard(visit: Visit, all_ended: Callable[[], None]) -> None:
    page = visit("index")
    expect(page.locator("#data")).to_have_text(TICK)
    for _ in range(20):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.id") == "stop":
            break
    expect(page.locator("#stop")).to_be_focused()
    assert page.locator("#stop").evaluate("stop => getComputedStyle(stop).outlineStyle") == "solid"
    page.keyboard.press("Enter")
    expect(page.locator("#state")).to_contain_text("closed")
    all_ended()


def test_the_stream_reconnects_after_a_restart(visit: Visit, server: BackgroundServer, complaints: Any) -> None:
    complaints.expect("ERR_")  # the browser reports the lost connection
    page, port = visit("index"), urlsplit(server.url).port
    expect(page.locator("#data")).to_have_text(TICK)
    server.stop()
    expect(page.locator("#state")).to_contain_text("the browser retries by itself")
    page.locator("#data").evaluate("data => { data.textContent = 'still' }")
    with BackgroundServer(create_app(), port or 0):
        expect(page.locator("#data")).to_have_text(TICK, timeout=10_000)
        expect(page.locator("#state")).to_contain_text("open")


def test_leaving_the_page_ends_the_stream(visit: Visit, all_ended: Callable[[], None]) -> None:
    page = visit("index")
    expect(page.locator("#data")).to_have_text(TICK)
    page.goto("about:blank")
    all_ended()
    page.go_back()
    expect(page.locator("#data")).to_have_text(TICK)


def test_reduced_motion_requests_one_event_per_second(visit: Visit, page: Page) -> None:
    page.emulate_media(reduced_motion="reduce")
    with page.expect_request(lambda request: request.resource_type == "eventsource") as requested:
        visit("index")
    assert requested.value.url.endswith("/?interval=1")
    expect(page.locator("#data")).to_have_text(TICK)


def test_the_list_has_every_technique_in_order(visit: Visit, server: BackgroundServer) -> None:
    page = visit("index")
    stems = [technique.blueprint.name for technique in TECHNIQUES]
    expect(page.locator("#techniques li")).to_have_count(len(stems))
    assert hrefs(page, "#techniques a:not(.raw)") == [f"{stem}.html" for stem in stems]
    raw = hrefs(page, "#techniques a.raw")
    assert [link.removeprefix("../").partition("?")[0] for link in raw] == stems
    for link in raw:
        with requests.get(f"{server.url}/static/{link}", stream=True, timeout=5) as response:
            assert response.status_code == (426 if "websocket" in link else 200)  # no link requests for an upgrade


def hrefs(page: Page, links: str) -> list[str]:
    return [str(link.get_attribute("href")) for link in page.locator(links).all()]
