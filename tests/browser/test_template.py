"""The page of streamed templates. The test of a claim in static/template.html has the name of the claim."""

from __future__ import annotations

import re
from collections.abc import Callable
from statistics import median
from typing import Any

from page_form import submit
from playwright.sync_api import FrameLocator, Page, expect

from server.lab import BackgroundServer

Visit = Callable[[str], Page]
BOTH = ("unbuffered", "buffered")


def expect_states(page: Page, words: str) -> None:
    for name in BOTH:
        expect(page.locator(f"#{name}-state")).to_contain_text(words)


def boxes(page: Page, name: str) -> list[int]:
    """Return the number of letters in each box, after all 20 have arrived."""
    expect(page.locator(f"#{name}-strip")).to_have_text("hello" * 4, timeout=15_000)
    return [len(text) for text in page.locator(f"#{name}-strip li").all_text_contents()]


def test_a_template_without_letters_is_complete(visit: Visit) -> None:
    page = visit("template")
    submit(page, count="0")
    expect_states(page, "ended")
    for name in BOTH:
        expect(page.frame_locator(f"#{name} iframe").locator("#data")).to_have_text("nothing received yet")


def test_without_buffering_each_box_has_one_letter(visit: Visit) -> None:
    page = visit("template")
    submit(page, count="20", interval="0.15")
    assert median(boxes(page, "unbuffered")) == 1


def test_with_buffering_several_letters_arrive_together(visit: Visit) -> None:
    page = visit("template")
    submit(page, count="20", interval="0.05")
    assert median(boxes(page, "buffered")) >= 4
    assert len(boxes(page, "buffered")) < len(boxes(page, "unbuffered")) / 2


def test_both_frames_receive_the_same_page(visit: Visit) -> None:
    page = visit("template")
    submit(page, count="20", interval="0.01")
    expect_states(page, "ended")
    unbuffered, buffered = (
        page.frame_locator(f"#{name} iframe").locator("script").all_text_contents() for name in BOTH
    )
    assert unbuffered == buffered
    assert unbuffered[1:] == [f'show("{"hello"[n % 5]} {n}")' for n in range(20)]


def test_both_pages_are_complete_after_the_last_letter(
    visit: Visit, server: BackgroundServer, all_ended: Callable[[], None]
) -> None:
    page = visit("template")
    submit(page, count="3")
    expect_states(page, "ended")
    for name in BOTH:
        expect(page.frame_locator(f"#{name} iframe").locator("#data")).to_have_text("l 2")
    all_ended()
    assert len([line for line in server.log if "count=3" in line]) == 2  # one request per frame


def test_more_buffering_makes_larger_boxes(visit: Visit) -> None:
    page = visit("template")
    submit(page, count="20", interval="0.05", buffering="30")
    assert max(boxes(page, "buffered")) >= 8


def test_stop_removes_the_frames(visit: Visit, all_ended: Callable[[], None]) -> None:
    page = visit("template")
    expect(page.locator("#unbuffered-strip li").first).to_be_visible()
    page.locator("#stop").click()
    expect(page.locator("iframe")).to_have_count(0)
    expect_states(page, "stopped")
    all_ended()


def test_the_frame_shows_the_body_of_a_400(visit: Visit, complaints: Any) -> None:
    complaints.expect("status of 400")
    page = visit("template")
    submit(page, buffering="1")
    message = page.frame_locator("#buffered iframe").locator("body")
    expect(message).to_contain_text("buffering must be a whole number from 2")


def test_reduced_motion_requests_one_letter_per_second(visit: Visit, page: Page) -> None:
    page.emulate_media(reduced_motion="reduce")
    with page.expect_request(lambda request: "/template?" in request.url) as requested:
        visit("template")
    assert "interval=1&" in requested.value.url


def test_the_boxes_are_empty_in_a_sandboxed_page(sandboxed: Callable[[str], FrameLocator]) -> None:
    pane = sandboxed("template")
    expect(pane.locator("#sandboxed")).to_be_visible()
    for name in BOTH:
        data = pane.frame_locator(f"#{name} iframe").locator("#data")
        expect(data).to_have_text(re.compile(r"^[helo] \d+$"))
        expect(pane.locator(f"#{name}-strip li")).to_have_count(0)
