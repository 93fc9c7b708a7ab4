"""The page of server-sent events. Each test here proves the claim of static/sse.html that it is named after."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from playwright.sync_api import Page, Route, expect

Visit = Callable[[str], Page]
TURNING = re.compile(r"^[\\|/-] \d+$")


def ask(page: Page, **fields: str) -> None:
    """Fill fields of the form and press Start again."""
    for name, value in fields.items():
        page.locator(f"input[name={name}]").fill(value)
    page.locator("#start").click()


def logged(page: Page, what: str = "text") -> list[str]:
    return page.locator(f"#log .{what}").all_text_contents()


def test_nothing_yet(visit: Visit, page: Page) -> None:
    held: list[Route] = []
    page.route("**/sse?*", lambda route: held.append(route))
    visit("sse")
    expect(page.locator("#state")).to_contain_text("connecting")
    expect(page.locator("#data")).to_have_text("nothing received yet")
    held[0].continue_()
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
    gaps = [int(gap.strip("+ ms")) for gap in logged(page, "gap") if gap]
    assert 450 < sum(gaps) / len(gaps) < 1000


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


def test_six(visit: Visit) -> None:
    page = visit("sse")  # holds the first
    expect(page.locator("#state")).to_contain_text("open")
    page.evaluate("window.five = Array.from({ length: 5 }, () => new EventSource('../sse?interval=0.02'))")
    page.wait_for_function("five.every(source => source.readyState === EventSource.OPEN)")
    page.evaluate("window.seventh = new EventSource('../sse'); window.n = 0; five[0].onmessage = () => n++")
    page.wait_for_function("n > 20")
    assert page.evaluate("seventh.readyState === EventSource.CONNECTING")
    page.evaluate("five[0].close()")
    page.wait_for_function("seventh.readyState === EventSource.OPEN")
