"""The page of long polling. Each test here proves the claim of static/longpoll.html that it is named after."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest
from page_form import (
    TURNING,
    ask,
    counted,
    expect_counted,
    expect_no_more_asks,
    hold,
    numbers_in,
    seconds,
    texts_from_now,
)
from playwright.sync_api import JSHandle, Page, expect

from server import create_app
from server.lab import BackgroundServer

Visit = Callable[[str], Page]


def record(page: Page, **fields: str) -> JSHandle:
    """Begin a feed of which every text is kept."""
    page.locator("#stop").click()
    texts = texts_from_now(page, "log")
    ask(page, **fields)
    return texts


def let_pass(page: Page, seconds: float) -> None:
    """Let the feed go on: it does so by the clock, whether or not anybody asks."""
    page.wait_for_function("due => Date.now() > due", arg=page.evaluate("Date.now()") + seconds * 1000)


def test_nothing_yet(visit: Visit, page: Page) -> None:
    go_on = hold(page, "**/longpoll?*")
    visit("longpoll")
    expect(page.locator("#state")).to_contain_text("connecting")
    expect(page.locator("#data")).to_have_text("nothing received yet")
    go_on()
    expect(page.locator("#data")).to_have_text(TURNING)


def test_in_order(visit: Visit) -> None:
    page = visit("longpoll")
    recorded = record(page, interval="0.02")
    expect_counted(page, "ticks", 20)
    page.locator("#stop").click()
    numbers = numbers_in(recorded)
    assert numbers == list(range(len(numbers)))
    assert counted(page, "ticks") == len(numbers) >= 20
    assert counted(page, "forgotten") == 0


def test_at_once(visit: Visit) -> None:
    page = visit("longpoll")
    ask(page, interval="0.5", count="3")
    expect(page.locator("#state")).to_contain_text("ended")
    assert 1.0 <= seconds(page)[2] < 2.5  # two intervals after the start: never early, and late by what load adds
    assert counted(page, "asks") == counted(page, "ticks") == 3


@pytest.mark.fresh
def test_waits(visit: Visit, page: Page, streams: Any) -> None:
    page.clock.install()
    visit("longpoll")
    ask(page, interval="60")
    expect(page.locator("#log .text")).to_have_text(["\\ 0"])
    expect(page.locator("#state")).to_contain_text("one request waits at the server")
    with streams.changed:
        assert streams.changed.wait_for(lambda: len(streams.open) == 1, 3)
    assert counted(page, "asks") == 2
    expect_no_more_asks(page)
    assert len(streams.open) == 1


def test_empty(visit: Visit, server: BackgroundServer) -> None:
    page = visit("longpoll")
    ask(page, interval="60", timeout="0.05")
    expect_counted(page, "empty", 3)
    expect(page.locator("#log .text")).to_have_text(["\\ 0"])
    answered = [line.split()[-1] for line in server.log if "interval=60" in line]
    assert answered[:4] == ["200", "204", "204", "204"]


def test_go_on(visit: Visit) -> None:
    page = visit("longpoll")
    recorded = record(page, interval="0.02")
    expect_counted(page, "ticks", 3)
    page.locator("#stop").click()
    last = numbers_in(recorded)[-1]
    let_pass(page, 0.15)
    with page.expect_response("**/longpoll?*") as answer:
        page.locator("#go-on").click()
    numbers = [tick["n"] for tick in answer.value.json()["ticks"]]
    assert numbers == list(range(last + 1, last + 1 + len(numbers)))
    assert len(numbers) >= 5
    expect_counted(page, "ticks", numbers[-1] + 3)
    everything = numbers_in(recorded)
    assert everything == list(range(len(everything)))


def test_forgotten(visit: Visit) -> None:
    page = visit("longpoll")
    recorded = record(page, interval="0.001")
    expect_counted(page, "ticks", 1)
    page.locator("#stop").click()
    before = counted(page, "forgotten")
    let_pass(page, 0.2)
    with page.expect_response("**/longpoll?*") as answer:
        page.locator("#go-on").click()
    assert len(answer.value.json()["ticks"]) == 100
    expect_counted(page, "forgotten", before + answer.value.json()["missed"])
    page.locator("#stop").click()
    assert answer.value.json()["missed"] >= 90
    assert counted(page, "ticks") + counted(page, "forgotten") == numbers_in(recorded)[-1] + 1


@pytest.mark.fresh
def test_stop(visit: Visit, page: Page, all_ended: Callable[[], None]) -> None:
    page.clock.install()
    visit("longpoll")
    ask(page, interval="60")
    expect(page.locator("#data")).to_have_text("\\ 0")
    page.locator("#stop").click()
    all_ended()
    expect(page.locator("#state")).to_have_text("stopped: no request waits; the page keeps its cursor")
    expect_no_more_asks(page)


def test_start_again(visit: Visit) -> None:
    page = visit("longpoll")
    ask(page, interval="0.02")
    expect(page.locator("#log li").nth(2)).to_be_attached()
    with page.expect_request("**/longpoll?*interval=60*") as asked:
        ask(page, interval="60")
    assert "after=" not in asked.value.url
    expect(page.locator("#log .text")).to_have_text(["\\ 0"])


@pytest.mark.fresh
def test_end(visit: Visit, page: Page) -> None:
    page.clock.install()
    visit("longpoll")
    ask(page, interval="0.02", count="3")
    expect(page.locator("#state")).to_have_text("ended: the answer says that no more comes, so the page asks no more")
    expect(page.locator("#log .text")).to_have_text(["\\ 0", "| 1", "/ 2"])
    expect_no_more_asks(page)


@pytest.mark.fresh
def test_refused(visit: Visit, page: Page, complaints: Any) -> None:
    complaints.expect("status of 400")
    page.clock.install()
    visit("longpoll")
    ask(page, interval="x")
    said = "refused: 400, interval must be a number of seconds from 0.001 to 3600, such as 0.5, not 'x'"
    expect(page.locator("#state")).to_have_text(said)
    expect(page.locator("#data")).to_have_text("nothing received yet")
    expect_no_more_asks(page)


@pytest.mark.fresh
def test_away(visit: Visit, page: Page, server: BackgroundServer, complaints: Any) -> None:
    complaints.expect("ERR_", "status of 502")  # the browser itself says that nobody answers, or a proxy
    page.clock.install()
    visit("longpoll")
    port = urlsplit(server.url).port
    recorded = record(page, interval="0.05")
    expect_counted(page, "ticks", 2)
    server.stop()
    expect(page.locator("#state")).to_contain_text("the server is away")
    seen, asks = counted(page, "ticks"), counted(page, "asks")
    page.clock.fast_forward("00:01")
    expect_counted(page, "asks", asks + 1)
    page.route("**/longpoll?*", lambda route: route.fulfill(status=502))  # as a proxy answers in its place
    with page.expect_response("**/longpoll?*"):
        page.clock.fast_forward("00:01")
    page.unroute("**/longpoll?*")
    with BackgroundServer(create_app(), port or 0):
        page.clock.fast_forward("00:01")
        expect_counted(page, "ticks", seen + 2)
        page.locator("#stop").click()
    numbers = numbers_in(recorded)
    assert numbers == list(range(len(numbers)))


def test_calm(visit: Visit, page: Page) -> None:
    page.emulate_media(reduced_motion="reduce")
    with page.expect_request("**/longpoll?*") as asked:
        visit("longpoll")
    assert asked.value.url.endswith("/longpoll?interval=1&timeout=25")
