"""The page of long polling. The test of a claim in static/longpoll.html has the name of the claim."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest
from page_form import (
    TICK,
    counted,
    expect_counted,
    expect_no_more_requests,
    hold,
    numbers_in,
    seconds,
    submit,
    texts_from_now,
)
from playwright.sync_api import JSHandle, Page, expect

from server import create_app
from server.lab import BackgroundServer

Visit = Callable[[str], Page]


def record(page: Page, **fields: str) -> JSHandle:
    """Start a feed and collect each of its texts."""
    page.locator("#stop").click()
    texts = texts_from_now(page, "log")
    submit(page, **fields)
    return texts


def wait(page: Page, seconds: float) -> None:
    """Wait. The feed advances by the clock, with or without requests."""
    page.wait_for_function("deadline => Date.now() > deadline", arg=page.evaluate("Date.now()") + seconds * 1000)


def test_the_page_waits_for_the_first_response(visit: Visit, page: Page) -> None:
    release = hold(page, "**/longpoll?*")
    visit("longpoll")
    expect(page.locator("#state")).to_contain_text("connecting")
    expect(page.locator("#data")).to_have_text("nothing received yet")
    release()
    expect(page.locator("#data")).to_have_text(TICK)


def test_ticks_arrive_once_and_in_order(visit: Visit) -> None:
    page = visit("longpoll")
    recorded = record(page, interval="0.02")
    expect_counted(page, "ticks", 20)
    page.locator("#stop").click()
    numbers = numbers_in(recorded)
    assert numbers == list(range(len(numbers)))
    assert counted(page, "ticks") == len(numbers) >= 20
    assert counted(page, "missed") == 0


def test_each_tick_arrives_immediately(visit: Visit) -> None:
    page = visit("longpoll")
    submit(page, interval="0.5", count="3")
    expect(page.locator("#state")).to_contain_text("ended")
    assert 1.0 <= seconds(page)[2] < 2.5  # two intervals after the start; load can delay it
    assert counted(page, "requests") == counted(page, "ticks") == 3


@pytest.mark.fresh
def test_one_request_waits_at_the_server(visit: Visit, page: Page, streams: Any) -> None:
    page.clock.install()
    visit("longpoll")
    submit(page, interval="60")
    expect(page.locator("#log .text")).to_have_text(["\\ 0"])
    expect(page.locator("#state")).to_contain_text("one request waits at the server")
    with streams.changed:
        assert streams.changed.wait_for(lambda: len(streams.open) == 1, 3)
    assert counted(page, "requests") == 2
    expect_no_more_requests(page)
    assert len(streams.open) == 1


def test_a_timeout_ends_with_an_empty_response(visit: Visit, server: BackgroundServer) -> None:
    page = visit("longpoll")
    submit(page, interval="60", timeout="0.05")
    expect_counted(page, "empty", 3)
    expect(page.locator("#log .text")).to_have_text(["\\ 0"])
    statuses = [line.split()[-1] for line in server.log if "interval=60" in line]
    assert statuses[:4] == ["200", "204", "204", "204"]


def test_resume_continues_at_the_cursor(visit: Visit) -> None:
    page = visit("longpoll")
    recorded = record(page, interval="0.02")
    expect_counted(page, "ticks", 3)
    page.locator("#stop").click()
    last = numbers_in(recorded)[-1]
    wait(page, 0.15)
    with page.expect_response("**/longpoll?*") as response:
        page.locator("#resume").click()
    numbers = [tick["n"] for tick in response.value.json()["ticks"]]
    assert numbers == list(range(last + 1, last + 1 + len(numbers)))
    assert len(numbers) >= 5
    expect_counted(page, "ticks", numbers[-1] + 3)
    everything = numbers_in(recorded)
    assert everything == list(range(len(everything)))


def test_old_ticks_are_counted_as_missed(visit: Visit) -> None:
    page = visit("longpoll")
    recorded = record(page, interval="0.001")
    expect_counted(page, "ticks", 1)
    page.locator("#stop").click()
    before = counted(page, "missed")
    wait(page, 0.2)
    with page.expect_response("**/longpoll?*") as response:
        page.locator("#resume").click()
    assert len(response.value.json()["ticks"]) == 100
    expect_counted(page, "missed", before + response.value.json()["missed"])
    page.locator("#stop").click()
    assert response.value.json()["missed"] >= 90
    assert counted(page, "ticks") + counted(page, "missed") == numbers_in(recorded)[-1] + 1


@pytest.mark.fresh
def test_stop_ends_the_request(visit: Visit, page: Page, all_ended: Callable[[], None]) -> None:
    page.clock.install()
    visit("longpoll")
    submit(page, interval="60")
    expect(page.locator("#data")).to_have_text("\\ 0")
    page.locator("#stop").click()
    all_ended()
    expect(page.locator("#state")).to_have_text("stopped: no request waits; the page keeps its cursor")
    expect_no_more_requests(page)


def test_start_again_begins_a_new_feed(visit: Visit) -> None:
    page = visit("longpoll")
    submit(page, interval="0.02")
    expect(page.locator("#log li").nth(2)).to_be_attached()
    with page.expect_request("**/longpoll?*interval=60*") as requested:
        submit(page, interval="60")
    assert "after=" not in requested.value.url
    expect(page.locator("#log .text")).to_have_text(["\\ 0"])


@pytest.mark.fresh
def test_polling_ends_with_the_feed(visit: Visit, page: Page) -> None:
    page.clock.install()
    visit("longpoll")
    submit(page, interval="0.02", count="3")
    expect(page.locator("#state")).to_have_text("ended: the last response has more: false, so the page stops polling")
    expect(page.locator("#log .text")).to_have_text(["\\ 0", "| 1", "/ 2"])
    expect_no_more_requests(page)


@pytest.mark.fresh
def test_the_body_of_a_400_is_shown(visit: Visit, page: Page, complaints: Any) -> None:
    complaints.expect("status of 400")
    page.clock.install()
    visit("longpoll")
    submit(page, interval="x")
    message = "refused: 400, interval must be a number of seconds from 0.001 to 3600, such as 0.5, not 'x'"
    expect(page.locator("#state")).to_have_text(message)
    expect(page.locator("#data")).to_have_text("nothing received yet")
    expect_no_more_requests(page)


@pytest.mark.fresh
def test_polling_continues_after_a_restart(
    visit: Visit, page: Page, server: BackgroundServer, complaints: Any
) -> None:
    complaints.expect("ERR_", "status of 502")  # the browser reports the failed requests
    page.clock.install()
    visit("longpoll")
    port = urlsplit(server.url).port
    recorded = record(page, interval="0.05")
    expect_counted(page, "ticks", 2)
    server.stop()
    expect(page.locator("#state")).to_contain_text("the server cannot be reached")
    received, requests = counted(page, "ticks"), counted(page, "requests")
    page.clock.fast_forward("00:01")
    expect_counted(page, "requests", requests + 1)
    page.route("**/longpoll?*", lambda route: route.fulfill(status=502))  # as a proxy responds
    with page.expect_response("**/longpoll?*"):
        page.clock.fast_forward("00:01")
    page.unroute("**/longpoll?*")
    with BackgroundServer(create_app(), port or 0):
        page.clock.fast_forward("00:01")
        expect_counted(page, "ticks", received + 2)
        page.locator("#stop").click()
    numbers = numbers_in(recorded)
    assert numbers == list(range(len(numbers)))


def test_reduced_motion_requests_one_tick_per_second(visit: Visit, page: Page) -> None:
    page.emulate_media(reduced_motion="reduce")
    with page.expect_request("**/longpoll?*") as requested:
        visit("longpoll")
    assert requested.value.url.endswith("/longpoll?interval=1&timeout=25")
