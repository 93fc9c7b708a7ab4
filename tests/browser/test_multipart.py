"""The page of multipart. The test of a claim in static/multipart.html has the name of the claim."""

from __future__ import annotations

import io
from base64 import b64decode
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
import requests
from page_form import submit
from PIL import Image
from playwright.sync_api import Browser, Locator, Page, expect

from server.lab import BackgroundServer
from server.techniques import multipart
from server.ticks import SPINNER, Tick, ticks

Visit = Callable[[str], Page]
BOTH = ("plain", "ahead")
LOADING = "loading: no picture is complete yet"


def drawn(png: bytes) -> bytes:
    """Return the pixels of a PNG file."""
    return Image.open(io.BytesIO(png)).convert("RGB").tobytes()


PICTURES = [drawn(multipart.picture(tick)) for tick in ticks(SPINNER, count=8, interval=0)]
COPY = """image => {
  const canvas = document.createElement("canvas")
  canvas.width = canvas.height = 160
  if (image.naturalWidth) canvas.getContext("2d").drawImage(image, 0, 0)
  return canvas.toDataURL()
}"""


def number(image: Locator) -> int | None:
    """Return the number of the picture that an element shows, None if it shows none of the first eight."""
    png = b64decode(image.evaluate(COPY).partition(",")[2])
    return PICTURES.index(drawn(png)) if drawn(png) in PICTURES else None


def expect_numbers(page: Page, plain: int | None, ahead: int | None) -> None:
    """Wait until the pictures have these numbers. Check that the numbers stay after all sent bytes have arrived."""
    shown = (number(page.locator(f"#{name} img")) for _ in range(100) if settle(page) for name in BOTH)
    assert (plain, ahead) in zip(shown, shown, strict=True)
    settle(page)
    assert [number(page.locator(f"#{name} img")) for name in BOTH] == [plain, ahead]


def settle(page: Page) -> bool:
    """Wait for a response of the server, and for two repaints after it."""
    script = "fetch('base.css').then(() => new Promise(go => requestAnimationFrame(() => requestAnimationFrame(go))))"
    page.evaluate(script)
    return True


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the stream pause for a minute after tick 3."""

    def four_ticks(chars: Sequence[str], *, pause: Callable[[float], Any], **_: Any) -> Iterator[Tick]:
        yield from ticks(chars, count=4, interval=0.1, pause=pause)
        pause(60)

    monkeypatch.setattr(multipart, "ticks", four_ticks)


def test_the_plain_picture_appears_with_the_next_headers(visit: Visit) -> None:
    page = visit("multipart")
    submit(page, interval="60")
    expect_numbers(page, None, 0)
    expect(page.locator("#plain-state")).to_have_text(LOADING)
    expect(page.locator("#ahead-strip li")).to_have_count(1)


def test_the_plain_picture_is_one_tick_late(visit: Visit, held: None) -> None:
    page = visit("multipart")
    expect_numbers(page, 2, 3)


def test_a_content_length_does_not_help(visit: Visit, held: None) -> None:
    page = visit("multipart")
    with page.expect_response(lambda response: "length=1" in response.url and "ahead" not in response.url):
        submit(page, length=True)
    expect_numbers(page, 2, 3)


def test_both_streams_have_the_same_bytes(server: BackgroundServer) -> None:
    plain, ahead = (
        requests.get(f"{server.url}/multipart?count=3&interval=0&ahead={on}", timeout=5).content for on in "01"
    )
    assert plain == ahead
    assert plain.count(b"\x89PNG") == 3


def test_the_load_event_occurs_once(visit: Visit, held: None) -> None:
    page = visit("multipart")
    expect_numbers(page, 2, 3)
    for name in BOTH:
        expect(page.locator(f"#{name}-strip li").nth(1)).to_be_attached()
        expect(page.locator(f"#{name}-state")).to_have_text("open: 1 load event so far")


def test_the_last_picture_appears_at_the_end(
    visit: Visit, server: BackgroundServer, all_ended: Callable[[], None]
) -> None:
    page = visit("multipart")
    submit(page, interval="0.05", count="3")
    expect_numbers(page, 2, 2)
    all_ended()
    expect(page.locator("#plain-state")).to_have_text("open: 1 load event so far")
    assert len([line for line in server.log if "count=3" in line]) == 2  # one request per picture


def test_stop_closes_the_connections(visit: Visit, all_ended: Callable[[], None], held: None) -> None:
    page = visit("multipart")
    expect_numbers(page, 2, 3)
    page.locator("#stop").click()
    all_ended()
    for name in BOTH:
        expect(page.locator(f"#{name}-state")).to_contain_text("the src attribute is removed")
        assert page.locator(f"#{name} img").get_attribute("src") is None
    expect_numbers(page, None, None)


def test_start_again_begins_at_zero(visit: Visit) -> None:
    page = visit("multipart")
    submit(page, interval="0.05")
    expect(page.locator("#ahead-strip li").nth(1)).to_be_attached()
    submit(page, interval="60")
    expect_numbers(page, None, 0)


def test_a_lost_connection_shows_the_alternative_text(
    visit: Visit, server: BackgroundServer, complaints: Any, held: None
) -> None:
    complaints.expect("ERR_")  # the browser writes to its console and does not tell the page
    page, requested = visit("multipart"), list[str]()
    expect_numbers(page, 2, 3)
    page.on("request", lambda request: requested.append(request.url))
    server.stop()
    for name in BOTH:
        broken = page.locator(f"#{name} img").element_handle()
        page.wait_for_function("image => image.complete && !image.naturalWidth", arg=broken)
        expect(page.locator(f"#{name}-state")).to_have_text("open: 1 load event so far")
        assert number(page.locator(f"#{name} img")) is None
    assert requested == []


def test_a_400_is_an_error_event(visit: Visit, complaints: Any) -> None:
    complaints.expect("status of 400")
    page = visit("multipart")
    submit(page, interval="x")
    for name in BOTH:
        expect(page.locator(f"#{name}-state")).to_have_text("closed: an error event, which has no reason")
        expect(page.locator(f"#{name}-strip li")).to_have_count(0)


def test_reduced_motion_requests_one_picture_per_second(visit: Visit, page: Page) -> None:
    page.emulate_media(reduced_motion="reduce")
    with page.expect_request("**/multipart?*") as requested:
        visit("multipart")
    assert requested.value.url.endswith("/multipart?interval=1")


def test_the_plain_picture_needs_no_script(browser: Browser, server: BackgroundServer, held: None) -> None:
    with browser.new_context(java_script_enabled=False) as context:
        page = context.new_page()
        page.goto(f"{server.url}/static/multipart.html")
        assert any(number(page.locator("#plain img")) == 2 for _ in range(100))
        expect(page.locator("#ahead img")).to_have_count(0)  # a script adds this one


def test_the_pictures_are_dark_in_the_dark_scheme(visit: Visit, held: None) -> None:
    page = visit("multipart")
    expect_numbers(page, 2, 3)
    page.emulate_media(color_scheme="dark")
    for name in BOTH:
        picture = Image.open(io.BytesIO(page.locator(f"#{name} img").screenshot())).convert("L")
        assert sum(picture.tobytes()) / len(picture.tobytes()) < 64
