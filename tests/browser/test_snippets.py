"""The page of script snippets. The test of a claim in static/snippets.html has the name of the claim."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from page_form import submit
from playwright.sync_api import Dialog, FrameLocator, Locator, Page, expect

from server.lab import BackgroundServer

Visit = Callable[[str], Page]
HELLO = ["h 0", "e 1", "l 2", "l 3", "o 4"]


def framed(page: Page) -> Locator:
    """Return the data element of the visible frame."""
    return page.frame_locator("#visible iframe").locator("#data")


def expect_states(page: Page, words: str) -> None:
    expect(page.locator("#visible-state")).to_contain_text(words)
    expect(page.locator("#state")).to_contain_text(words)


def test_a_page_without_scripts_is_complete(visit: Visit) -> None:
    page = visit("snippets")
    submit(page, count="0")
    expect_states(page, "ended")
    expect(framed(page)).to_have_text("nothing received yet")
    expect(page.locator("#data")).to_have_text("nothing received yet")


def test_the_visible_frame_shows_each_letter(visit: Visit) -> None:
    page = visit("snippets")
    submit(page, interval="0.05", count="5")
    expect(framed(page)).to_have_text("o 4")
    scripts = page.frame_locator("#visible iframe").locator("main ~ script").all_text_contents()
    assert scripts[1:] == [f'show("{text}")' for text in HELLO]


def test_the_hidden_frame_calls_its_parent(visit: Visit) -> None:
    page = visit("snippets")
    submit(page, interval="0.05", count="5")
    expect(page.locator("#log .text")).to_have_text(HELLO)
    expect(page.locator("#data")).to_have_text("o 4")
    expect(page.locator("#hidden iframe")).to_be_hidden()


def test_the_framed_page_is_loading_while_scripts_arrive(visit: Visit) -> None:
    page = visit("snippets")
    submit(page, interval="60")
    expect(framed(page)).to_have_text("h 0")
    expect_states(page, "loading")
    frame = page.locator("#visible iframe")
    assert frame.evaluate("frame => frame.contentDocument.readyState") == "loading"


def test_both_pages_are_complete_after_the_last_script(
    visit: Visit, server: BackgroundServer, all_ended: Callable[[], None]
) -> None:
    page = visit("snippets")
    submit(page, interval="0.05", count="3")
    expect_states(page, "ended")
    expect(page.locator("#log .text")).to_have_text(HELLO[:3])
    expect(framed(page)).to_have_text("l 2")
    all_ended()
    assert len([line for line in server.log if "count=3" in line]) == 2  # one request per frame


def test_a_lost_connection_is_not_reported(visit: Visit, server: BackgroundServer, complaints: Any) -> None:
    complaints.expect("ERR_")  # the browser writes to its console and does not tell the page
    page = visit("snippets")
    submit(page, interval="60")
    expect(framed(page)).to_have_text("h 0")
    expect(page.locator("#data")).to_have_text("h 0")
    with page.expect_console_message(lambda _: len(complaints) == 2):  # one per frame
        server.stop()
    expect_states(page, "loading")
    assert page.evaluate(
        "[...document.querySelectorAll('iframe')].map(frame => frame.contentDocument.readyState)"
    ) == [
        "loading",
        "loading",
    ]


def test_stop_removes_the_frames(visit: Visit, all_ended: Callable[[], None]) -> None:
    page = visit("snippets")
    expect(framed(page)).to_have_text(re.compile(r"^[helo] \d+$"))
    page.locator("#stop").click()
    expect(page.locator("iframe")).to_have_count(0)
    expect_states(page, "stopped")
    all_ended()


def test_the_server_returns_the_word(visit: Visit) -> None:
    page = visit("snippets")
    word = "grüße ☃ <b>&amp;</b> 'one' \"two\" \\"
    submit(page, word=word, interval="0.05", count="2")
    expect(page.locator("#log .text")).to_have_text([f"{word} 0", f"{word} 1"])
    expect(framed(page)).to_have_text(f"{word} 1")


def test_an_attack_is_shown_as_text(visit: Visit) -> None:
    page, messages = visit("snippets"), list[str]()

    def dismiss(dialog: Dialog) -> None:
        messages.append(dialog.message)
        dialog.dismiss()

    page.on("dialog", dismiss)
    page.locator("input[name=count]").fill("1")
    page.locator("#attack").click()
    text = '</script><script>alert("it ran")</script> 0'
    expect(page.locator("#data")).to_have_text(text)
    expect(framed(page)).to_have_text(text)
    expect_states(page, "ended")
    assert messages == []


def test_the_visible_frame_shows_the_body_of_a_400(visit: Visit, complaints: Any) -> None:
    complaints.expect("status of 400")
    page = visit("snippets")
    submit(page, interval="x")
    message = page.frame_locator("#visible iframe").locator("body")
    expect(message).to_contain_text("interval must be a number of seconds")


def test_reduced_motion_requests_one_letter_per_second(visit: Visit, page: Page) -> None:
    page.emulate_media(reduced_motion="reduce")
    with page.expect_request(lambda request: "/snippets?" in request.url) as requested:
        visit("snippets")
    assert "interval=1&" in requested.value.url


def test_a_sandboxed_page_starts_only_the_visible_frame(sandboxed: Callable[[str], FrameLocator]) -> None:
    pane = sandboxed("snippets")
    expect(pane.locator("#state")).to_contain_text("not started: this page is in a sandboxed frame")
    expect(pane.frame_locator("#visible iframe").locator("#data")).to_have_text(re.compile(r"^[helo] \d+$"))
    expect(pane.locator("#hidden iframe")).to_have_count(0)
