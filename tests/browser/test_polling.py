"""The page of polling. Each test here proves the claim of static/polling.html that it is named after."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from page_form import TURNING, ask, counted, expect_counted, expect_no_more_asks, hold, logged
from playwright.sync_api import FrameLocator, Page, expect

from server import create_app
from server.lab import BackgroundServer

Visit = Callable[[str], Page]


def test_nothing_yet(visit: Visit, page: Page) -> None:
    go_on = hold(page, "**/polling?*")
    visit("polling")
    expect(page.locator("#state")).to_contain_text("connecting")
    expect(page.locator("#data")).to_have_text("nothing received yet")
    go_on()
    expect(page.locator("#data")).to_have_text(TURNING)


def test_not_modified(visit: Visit, server: BackgroundServer) -> None:
    page = visit("polling")
    ask(page, every="0.02", interval="60")
    expect_counted(page, "same", 3)
    page.locator("#stop").click()
    assert logged(page) == ["\\ 0"]
    answered = [line.split()[-1] for line in server.log if "interval=60" in line]
    assert answered[:5] == ["303", "200", "304", "304", "304"]
    assert counted(page, "seen") == 1
    assert counted(page, "asks") - counted(page, "same") <= 2  # one may have been under way


def test_cache(visit: Visit, server: BackgroundServer) -> None:
    page = visit("polling")
    page.locator("#stop").click()
    url = page.evaluate("fetch('../polling?start=now&interval=50').then(answer => answer.url)")
    fetched = f"fetch({url!r}, {{ cache: 'no-cache' }}).then(answer => answer.status)"
    assert [page.evaluate(fetched), page.evaluate(fetched)] == [200, 200]
    assert [line.split()[-1] for line in server.log if "interval=50" in line] == ["303", "200", "304", "304"]


def test_every_tick(visit: Visit) -> None:
    page = visit("polling")
    ask(page, every="0.02", interval="0.3", count="3")
    expect(page.locator("#state")).to_contain_text("ended")
    assert logged(page) == ["\\ 0", "| 1", "/ 2"]
    assert counted(page, "unseen") == 0
    assert counted(page, "same") > counted(page, "seen")


def test_late(visit: Visit) -> None:
    page = visit("polling")
    ask(page, every="0.5", interval="0.3", count="2")
    expect(page.locator("#state")).to_contain_text("ended")
    assert logged(page) == ["\\ 0", "| 1"]
    [_, gap] = page.locator("#log .gap").all_text_contents()
    assert int(gap.strip("+ ms")) >= 490


def test_skipped(visit: Visit) -> None:
    page = visit("polling")
    ask(page, every="0.2", interval="0.02")
    expect_counted(page, "seen", 3)
    page.locator("#stop").click()
    numbers = [int(text.split()[1]) for text in logged(page)]
    assert counted(page, "seen") == len(numbers)
    assert counted(page, "unseen") == numbers[-1] + 1 - len(numbers)
    assert counted(page, "unseen") > 2 * len(numbers)


@pytest.mark.fresh
def test_stop(visit: Visit, page: Page, all_ended: Callable[[], None]) -> None:
    page.clock.install()
    visit("polling")
    expect(page.locator("#data")).to_have_text(TURNING)
    page.locator("#stop").click()
    all_ended()
    expect(page.locator("#state")).to_have_text("stopped: no request is under way, and none will follow")
    expect_no_more_asks(page)


def test_start_again(visit: Visit) -> None:
    page = visit("polling")
    expect(page.locator("#data")).to_have_text(TURNING)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    ask(page, every="0.02", interval="60")
    expect(page.locator("#log .text")).to_have_text(["\\ 0"])
    expect_counted(page, "same", 2)
    starts = [parse_qs(urlsplit(url).query)["start"][0] for url in asked if "interval=60" in url]
    assert starts[0] == "now"
    assert starts[1].isdigit()
    assert set(starts[1:]) == {starts[1]}


@pytest.mark.fresh
def test_end(visit: Visit, page: Page) -> None:
    page.clock.install()
    visit("polling")
    ask(page, every="0.02", interval="0.02", count="3")
    expect(page.locator("#state")).to_have_text("ended: the answer says that no more comes, so the page asks no more")
    assert logged(page)[-1] == "/ 2"
    expect_no_more_asks(page)


@pytest.mark.fresh
def test_refused(visit: Visit, page: Page, complaints: Any) -> None:
    complaints.expect("status of 400")
    page.clock.install()
    visit("polling")
    ask(page, every="0.02", interval="x")
    said = "refused: 400, interval must be a number of seconds from 0.001 to 3600, such as 0.5, not 'x'"
    expect(page.locator("#state")).to_have_text(said)
    expect(page.locator("#data")).to_have_text("nothing received yet")
    expect_no_more_asks(page)


def test_away(visit: Visit, server: BackgroundServer, complaints: Any) -> None:
    complaints.expect("ERR_", "status of 502")  # the browser itself says that nobody answers, or a proxy
    page, port = visit("polling"), urlsplit(server.url).port
    ask(page, every="0.02", interval="0.02")
    expect_counted(page, "seen", 2)
    server.stop()
    expect(page.locator("#state")).to_have_text("no answer: the server is away; the page asks again")
    before, asks = int(logged(page)[-1].split()[1]), counted(page, "asks")
    expect_counted(page, "asks", asks + 2)
    page.route("**/polling?*", lambda route: route.fulfill(status=502))  # as a proxy answers in its place
    with page.expect_response("**/polling?*"):
        asks = counted(page, "asks")
    expect_counted(page, "asks", asks + 2)
    page.unroute("**/polling?*")
    with BackgroundServer(create_app(), port or 0):
        expect(page.locator("#state")).to_contain_text("the server answers")
        page.locator("#stop").click()
    latest = int(logged(page)[-1].split()[1])
    assert latest > before
    assert counted(page, "seen") + counted(page, "unseen") == latest + 1


def test_calm(visit: Visit, page: Page) -> None:
    page.emulate_media(reduced_motion="reduce")
    with page.expect_request("**/polling?*") as asked:
        visit("polling")
    assert asked.value.url.endswith("/polling?start=now&interval=1")
    expect(page.locator("#every")).to_have_value("1")


def test_sandbox(
    sandboxed: Callable[[str], FrameLocator], page: Page, server: BackgroundServer, complaints: Any
) -> None:
    complaints.expect("Access-Control-Allow-Headers")
    complaints.expect("ERR_FAILED")
    pane = sandboxed("polling")
    expect(pane.locator("#foreign")).to_contain_text("sees no 304")
    expect(pane.locator("#data")).to_have_text(TURNING)
    ask(pane, every="0.02", interval="60")
    expect(pane.locator("#asks")).to_have_text(re.compile(r"^([5-9]|\d\d+)$"))
    expect(pane.locator("#log .text")).to_have_text(["\\ 0"])
    expect(pane.locator("#same")).to_have_text("0")
    assert not any(line.endswith(" 304") for line in server.log if "/polling" in line)
    refused = page.frames[1].evaluate(
        """fetch("../polling", { headers: { "If-None-Match": '"0"' } }).catch(String)"""
    )
    assert refused == "TypeError: Failed to fetch"
    assert page.frames[1].evaluate("fetch('../polling').then(answer => answer.headers.get('ETag'))") is None
