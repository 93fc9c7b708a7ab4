"""The page of polling. The test of a claim in static/polling.html has the name of the claim."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from page_form import TICK, counted, expect_counted, expect_no_more_requests, hold, logged, submit
from playwright.sync_api import FrameLocator, Page, expect

from server import create_app
from server.lab import BackgroundServer

Visit = Callable[[str], Page]


def test_the_page_waits_for_the_first_response(visit: Visit, page: Page) -> None:
    release = hold(page, "**/polling?*")
    visit("polling")
    expect(page.locator("#state")).to_contain_text("connecting")
    expect(page.locator("#data")).to_have_text("nothing received yet")
    release()
    expect(page.locator("#data")).to_have_text(TICK)


def test_an_unchanged_tick_is_a_304(visit: Visit, server: BackgroundServer) -> None:
    page = visit("polling")
    submit(page, every="0.02", interval="60")
    expect_counted(page, "unchanged", 3)
    page.locator("#stop").click()
    assert logged(page) == ["\\ 0"]
    statuses = [line.split()[-1] for line in server.log if "interval=60" in line]
    assert statuses[:5] == ["303", "200", "304", "304", "304"]
    assert counted(page, "received") == 1
    assert counted(page, "requests") - counted(page, "unchanged") <= 2  # the last request may have no response yet


def test_the_browser_cache_hides_the_304(visit: Visit, server: BackgroundServer) -> None:
    page = visit("polling")
    page.locator("#stop").click()
    url = page.evaluate("fetch('../polling?start=now&interval=50').then(response => response.url)")
    fetched = f"fetch({url!r}, {{ cache: 'no-cache' }}).then(response => response.status)"
    assert [page.evaluate(fetched), page.evaluate(fetched)] == [200, 200]
    assert [line.split()[-1] for line in server.log if "interval=50" in line] == ["303", "200", "304", "304"]


def test_frequent_polls_miss_no_tick(visit: Visit) -> None:
    page = visit("polling")
    submit(page, every="0.02", interval="0.5", count="3")
    expect(page.locator("#state")).to_contain_text("ended")
    assert logged(page) == ["\\ 0", "| 1", "/ 2"]
    assert counted(page, "missed") == 0
    assert counted(page, "unchanged") > counted(page, "received")


def test_a_tick_arrives_late_after_a_long_pause(visit: Visit) -> None:
    page = visit("polling")
    submit(page, every="0.5", interval="0.3", count="2")
    expect(page.locator("#state")).to_contain_text("ended")
    assert logged(page) == ["\\ 0", "| 1"]
    [_, gap] = page.locator("#log .gap").all_text_contents()
    assert int(gap.strip("+ ms")) >= 490


def test_rare_polls_miss_ticks(visit: Visit) -> None:
    page = visit("polling")
    submit(page, every="0.2", interval="0.02")
    expect_counted(page, "received", 3)
    page.locator("#stop").click()
    numbers = [int(text.split()[1]) for text in logged(page)]
    assert counted(page, "received") == len(numbers)
    assert counted(page, "missed") == numbers[-1] + 1 - len(numbers)
    assert counted(page, "missed") > 2 * len(numbers)


@pytest.mark.fresh
def test_stop_ends_polling(visit: Visit, page: Page, all_ended: Callable[[], None]) -> None:
    page.clock.install()
    visit("polling")
    expect(page.locator("#data")).to_have_text(TICK)
    page.locator("#stop").click()
    all_ended()
    expect(page.locator("#state")).to_have_text("stopped: the page sends no more requests")
    expect_no_more_requests(page)


def test_start_again_begins_a_new_feed(visit: Visit) -> None:
    page = visit("polling")
    expect(page.locator("#data")).to_have_text(TICK)
    requested: list[str] = []
    page.on("request", lambda request: requested.append(request.url))
    submit(page, every="0.02", interval="60")
    expect(page.locator("#log .text")).to_have_text(["\\ 0"])
    expect_counted(page, "unchanged", 2)
    starts = [parse_qs(urlsplit(url).query)["start"][0] for url in requested if "interval=60" in url]
    assert starts[0] == "now"
    assert starts[1].isdigit()
    assert set(starts[1:]) == {starts[1]}


@pytest.mark.fresh
def test_polling_ends_with_the_feed(visit: Visit, page: Page) -> None:
    page.clock.install()
    visit("polling")
    submit(page, every="0.02", interval="0.02", count="3")
    expect(page.locator("#state")).to_have_text("ended: the last response has more: false, so the page stops polling")
    assert logged(page)[-1] == "/ 2"
    expect_no_more_requests(page)


@pytest.mark.fresh
def test_the_body_of_a_400_is_shown(visit: Visit, page: Page, complaints: Any) -> None:
    complaints.expect("status of 400")
    page.clock.install()
    visit("polling")
    submit(page, every="0.02", interval="x")
    message = "refused: 400, interval must be a number of seconds from 0.001 to 3600, such as 0.5, not 'x'"
    expect(page.locator("#state")).to_have_text(message)
    expect(page.locator("#data")).to_have_text("nothing received yet")
    expect_no_more_requests(page)


def test_polling_continues_after_a_restart(visit: Visit, server: BackgroundServer, complaints: Any) -> None:
    complaints.expect("ERR_", "status of 502")  # the browser reports the failed requests
    page, port = visit("polling"), urlsplit(server.url).port
    submit(page, every="0.02", interval="0.02")
    expect_counted(page, "received", 2)
    server.stop()
    expect(page.locator("#state")).to_have_text("no response: the server cannot be reached; the page polls again")
    before, requests = int(logged(page)[-1].split()[1]), counted(page, "requests")
    expect_counted(page, "requests", requests + 2)
    page.route("**/polling?*", lambda route: route.fulfill(status=502))  # as a proxy responds
    with page.expect_response("**/polling?*"):
        requests = counted(page, "requests")
    expect_counted(page, "requests", requests + 2)
    page.unroute("**/polling?*")
    with BackgroundServer(create_app(), port or 0):
        expect(page.locator("#state")).to_contain_text("the server responds")
        page.locator("#stop").click()
    latest = int(logged(page)[-1].split()[1])
    assert latest > before
    assert counted(page, "received") + counted(page, "missed") == latest + 1


def test_reduced_motion_polls_once_per_second(visit: Visit, page: Page) -> None:
    page.emulate_media(reduced_motion="reduce")
    with page.expect_request("**/polling?*") as requested:
        visit("polling")
    assert requested.value.url.endswith("/polling?start=now&interval=1")
    expect(page.locator("#every")).to_have_value("1")


def test_a_sandboxed_page_receives_no_304(
    sandboxed: Callable[[str], FrameLocator], page: Page, server: BackgroundServer, complaints: Any
) -> None:
    complaints.expect("Access-Control-Allow-Headers")
    complaints.expect("ERR_FAILED")
    pane = sandboxed("polling")
    expect(pane.locator("#sandboxed")).to_contain_text("receives no 304")
    expect(pane.locator("#data")).to_have_text(TICK)
    submit(pane, every="0.02", interval="60")
    expect(pane.locator("#requests")).to_have_text(re.compile(r"^([5-9]|\d\d+)$"))
    expect(pane.locator("#log .text")).to_have_text(["\\ 0"])
    expect(pane.locator("#unchanged")).to_have_text("0")
    assert not any(line.endswith(" 304") for line in server.log if "/polling" in line)
    failed = page.frames[1].evaluate("""fetch("../polling", { headers: { "If-None-Match": '"0"' } }).catch(String)""")
    assert failed == "TypeError: Failed to fetch"
    assert page.frames[1].evaluate("fetch('../polling').then(response => response.headers.get('ETag'))") is None
