"""The lanes: the drawing of the requests, responses and messages of a page."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
from page_form import submit
from playwright.sync_api import Page, expect

from server.lab import BackgroundServer

if TYPE_CHECKING:
    from browser.conftest import Complaints

Visit = Callable[[str], Page]

HTML = """<!doctype html><html lang="en"><title>Lanes</title><meta charset="utf-8">
<meta name="viewport" content="width=device-width"><link rel="icon" href="data:,">
<link rel="stylesheet" href="base.css"><link rel="stylesheet" href="lanes.css">
<main><h1>Lanes</h1><figure class="lanes" id="lanes"></figure></main>"""

START = """async () => {
  Object.assign(window, await import("./lanes.js"))
  window.lanes = new Lanes(document.getElementById("lanes"))
  window.ago = seconds => performance.now() - seconds * 1000
}"""

# One stream with `n` events, half a second apart, the last one half a second ago.
STREAM = """n => {
  window.c = lanes.open({ t: ago(n / 2 + .5) })
  c.request({ url: "../sse?interval=0.5", t: ago(n / 2 + .5) })
  c.response({ status: 200, t: ago(n / 2 + .49) })
  const event = { format: "event", bytes: 11 }
  for (let i = n; i > 0; i--) window.last = c.message({ ...event, text: `| ${n - i}`, t: ago(i / 2) })
  lanes.draw()
}"""


@pytest.fixture
def blank(page: Page, server: BackgroundServer) -> Iterator[Page]:
    """A page with empty lanes."""
    page.route("**/static/lanes-test.html", lambda route: route.fulfill(content_type="text/html", body=HTML))
    page.goto(f"{server.url}/static/lanes-test.html")
    page.evaluate(START)
    yield page
    page.unroute("**/static/lanes-test.html")


def heights(page: Page, selector: str) -> list[float]:
    """The heights of the bars or stems of marks, in pixels."""
    found: list[float] = page.locator(selector).evaluate_all(
        "marks => marks.map(mark => mark.querySelector('rect, .stem').getBBox().height)"
    )
    return found


def test_a_stream_is_one_connection_with_a_mark_for_each_event(blank: Page) -> None:
    blank.evaluate(STREAM, 6)
    expect(blank.locator(".span.tube")).to_have_count(1)
    expect(blank.locator(".mark.client[data-kind=request]")).to_have_count(1)
    expect(blank.locator(".mark.server[data-kind=response][data-status='200']")).to_have_count(1)
    expect(blank.locator(".mark.server[data-format=event]")).to_have_count(6)


def test_time_runs_from_left_to_right_at_one_scale(blank: Page) -> None:
    blank.evaluate(STREAM, 6)
    stems = "marks => marks.map(mark => mark.querySelector('circle').getBoundingClientRect().x)"
    places = blank.locator(".mark[data-format=event]").evaluate_all(stems)
    steps = [after - before for before, after in pairwise(places)]
    assert max(steps) - min(steps) < 1
    assert steps[0] == pytest.approx(blank.evaluate("lanes.scale * 500"), abs=1)


def test_a_mark_that_is_twice_as_tall_has_the_square_of_the_bytes(blank: Page) -> None:
    blank.evaluate("""() => {
      const c = lanes.open({ t: ago(4) })
      c.message({ format: "event", bytes: 63, t: ago(3) })
      c.message({ format: "event", bytes: 4095, t: ago(2) })
      lanes.draw()
    }""")
    small, large = heights(blank, ".mark")
    assert large == pytest.approx(2 * small, rel=0.05)


def test_a_response_without_a_body_is_hollow(blank: Page) -> None:
    blank.evaluate("""() => {
      for (const [n, status] of [200, 204, 304].entries()) {
        const c = lanes.open({ t: ago(4 - n) })
        c.request({ url: "../polling", t: ago(4 - n) })
        c.response({ status, t: ago(4 - n) + 2 })
        c.close("complete", { t: ago(4 - n) + 3 })
      }
      lanes.draw()
    }""")
    hollow = blank.locator(".mark[data-kind=response]:has(.open)")
    assert hollow.evaluate_all("all => all.map(mark => mark.dataset.status)") == ["204", "304"]
    expect(blank.locator(".span.tube")).to_have_count(3)


def test_a_held_request_is_a_hatched_bar_that_grows_until_its_response(blank: Page) -> None:
    labels = blank.evaluate("""() => {
      const c = lanes.open({ t: ago(3) })
      const bar = () => document.querySelector(".span.held .time").textContent
      c.request({ url: "../longpoll", t: c.t })
      const labels = [3100, 3400].map(ms => { lanes.draw(c.t + ms); return bar() })
      c.response({ status: 200, t: c.t + 3500 })
      return [...labels, ...[3600, 9000].map(ms => { lanes.draw(c.t + ms); return bar() })]
    }""")
    assert labels == ["held 3.1 s", "held 3.4 s", "held 3.5 s", "held 3.5 s"]
    expect(blank.locator(".span.held .hatched")).to_have_count(1)


def test_silence_is_a_bracket_with_its_duration(blank: Page) -> None:
    blank.evaluate(STREAM, 6)
    expect(blank.locator(".span.silence")).to_have_count(0)
    expect(blank.locator(".span.silence .time")).to_have_text(re.compile(r"^[1-4]\.\d s$"))  # from three intervals on


@pytest.mark.parametrize("how", ["complete", "interrupted", "lost", "failed", "disconnected"])
def test_each_way_to_end_has_a_shape_of_its_own(how: str, blank: Page) -> None:
    blank.evaluate(STREAM, 3)
    blank.evaluate("how => { c.close(how); c.close('complete'); lanes.draw() }", how)
    expect(blank.locator(f".end[data-how={how}]")).to_have_count(1)
    expect(blank.locator(".end")).to_have_count(1)
    torn = blank.locator(".end .gap").count()
    assert torn == (1 if how in ("interrupted", "lost") else 0)


def test_a_reconnect_is_joined_to_the_event_whose_id_it_sends(blank: Page) -> None:
    blank.evaluate(STREAM, 3)
    blank.evaluate("""() => {
      c.close("lost", { t: ago(.4) })
      lanes.open().request({ url: "../sse", link: { to: last.id, name: "Last-Event-ID" } })
      lanes.draw()
    }""")
    places = blank.evaluate("""() => [".arc .ring", ".mark[data-format=event] .edge"].map(shape =>
      [...document.querySelectorAll(shape)].at(-1).cx.baseVal.value)""")
    assert places[0] == pytest.approx(places[1], abs=0.1)
    expect(blank.locator(".arc .link")).to_have_count(1)


def test_a_websocket_shows_both_directions(blank: Page) -> None:
    blank.evaluate("""() => {
      const c = lanes.open({ t: ago(3) })
      c.request({ url: "../websocket", t: ago(3) })
      c.response({ status: 101, t: ago(2.9) })
      c.message({ format: "frame", bytes: 5, text: "| 0", t: ago(2) })
      c.message({ from: "client", format: "frame", bytes: 9, text: "cat", t: ago(1) })
      lanes.draw()
    }""")
    expect(blank.locator(".span.tube.both")).to_have_count(1)
    down = blank.locator(".mark.server[data-format=frame] .stem").bounding_box()
    up = blank.locator(".mark.client[data-format=frame] .stem").bounding_box()
    assert down is not None
    assert up is not None
    assert up["y"] < down["y"]


def test_only_the_window_is_in_the_page_and_a_flood_is_merged(blank: Page) -> None:
    blank.evaluate("""() => {
      const c = lanes.open({ t: ago(60) })
      for (let i = 60_000; i > 0; i -= 2) c.message({ format: "event", bytes: 10, t: ago(i / 1000) })
      lanes.draw()
    }""")
    blank.wait_for_function("lanes.marks[0].t > ago(13)")
    assert blank.locator(".mark").count() < 400
    assert blank.evaluate("lanes.rows.length") == 30
    total = blank.evaluate("lanes.marks.reduce((sum, { bytes, count = 1 }) => sum + bytes - 10 * count, 0)")
    assert total == 0
    assert max(heights(blank, ".mark")) < 104


def test_a_frame_takes_less_than_a_millisecond_of_script(blank: Page) -> None:
    blank.evaluate(STREAM, 18)
    mean = blank.evaluate("""() => {
      for (let i = 900; i > 0; i--) c.message({ format: "event", bytes: 11, t: ago(i / 100) })
      lanes.draw()
      const begun = performance.now()
      for (let i = 0; i < 300; i++) lanes.draw()
      return (performance.now() - begun) / 300
    }""")
    assert mean < 1


def test_a_pause_stops_the_picture_until_the_next_connection(blank: Page) -> None:
    blank.evaluate(STREAM, 3)
    blank.evaluate("() => { c.close('disconnected'); lanes.pause() }")
    blank.wait_for_function("!lanes.running")
    blank.evaluate("() => { lanes.open().request({ url: '../sse' }) }")
    blank.wait_for_function("lanes.running")
    expect(blank.locator(".mark[data-kind=request]")).to_have_count(2)


def test_events_outside_the_view_are_drawn_when_the_lanes_become_visible(blank: Page) -> None:
    blank.evaluate(STREAM, 3)
    blank.evaluate(
        "() => { document.body.append(Object.assign(document.createElement('p'), { style: 'height: 3000px' })) }"
    )
    blank.evaluate("scrollTo(0, 3000)")
    blank.wait_for_function("lanes.visible === false")
    blank.evaluate("() => { c.close('disconnected'); lanes.pause(ago(5)) }")
    blank.wait_for_function(
        "() => new Promise(go => requestAnimationFrame(() => requestAnimationFrame(() => go(true))))"
    )
    expect(blank.locator(".end")).to_have_count(0)
    blank.evaluate("scrollTo(0, 0)")
    expect(blank.locator(".end[data-how=disconnected]")).to_have_count(1)


def test_it_moves_once_per_second_with_reduced_motion(blank: Page) -> None:
    blank.emulate_media(reduced_motion="reduce")
    blank.evaluate(STREAM, 3)
    passed = blank.evaluate("""() => new Promise(done => {
      const moves = []
      const group = document.querySelector("#lanes [clip-path] > g")
      new MutationObserver(() => {
        moves.push(performance.now())
        if (moves.length === 3) done(moves[2] - moves[0])
      }).observe(group, { attributes: true })
    })""")
    assert passed > 1500


def test_the_same_events_are_text(blank: Page) -> None:
    blank.evaluate(STREAM, 2)
    blank.evaluate("() => { c.close('lost'); lanes.draw() }")
    blank.locator("summary").press("Enter")
    log = blank.get_by_role("log", name="The same as text")
    expect(log).to_have_attribute("aria-live", "off")
    expect(log.locator("tbody tr")).to_have_count(5)
    rows = [row.locator("td").all_text_contents() for row in log.locator("tbody tr").all()]
    assert [row[1:3] for row in rows] == [
        ["client → server", "GET /sse?interval=0.5"],
        ["server → client", "response 200"],
        ["server → client", "event | 0"],
        ["server → client", "event | 1"],
        ["server → client", "connection lost"],
    ]
    assert [row[3] for row in rows[2:]] == ["11", "11", ""]
    assert rows[0][3].startswith("about ")
    expect(blank.locator("figcaption")).to_contain_text("1 request, 1 response, 2 messages")
    expect(blank.get_by_role("img")).to_have_accessible_description(blank.locator("figcaption").text_content() or "")


def test_a_new_width_draws_the_same_again(blank: Page) -> None:
    blank.evaluate(STREAM, 6)
    blank.set_viewport_size({"width": 360, "height": 740})
    blank.wait_for_function("lanes.seconds === 6")
    expect(blank.locator(".mark[data-format=event]")).to_have_count(6)
    assert blank.evaluate("document.documentElement.scrollWidth") == 360


@pytest.mark.parametrize(
    ("call", "size"),
    [
        ("eventBytes({ data: '| 1' })", len(b"data: | 1\n\n")),
        (
            "eventBytes({ data: 'é\\nb', type: 'note', lastEventId: '7' })",
            len("id: 7\nevent: note\ndata: é\ndata: b\n\n".encode()),
        ),
        ("frameBytes('cat', false)", 5),
        ("frameBytes('cat', true)", 9),
        ("frameBytes('x'.repeat(126), false)", 130),
        ("frameBytes('x'.repeat(70000), true)", 70014),
    ],
)
def test_sizes_are_those_of_the_wire(call: str, size: int, blank: Page) -> None:
    assert blank.evaluate(call) == size


def test_fetch_draws_the_response_a_failure_and_an_abort(blank: Page, complaints: Complaints) -> None:
    complaints.expect("ERR_")
    blank.evaluate("""async () => {
      await (await lanes.fetch("../ndjson?count=2&interval=0.1", {}, text => `n ${JSON.parse(text).n}`)).text()
      const stop = new AbortController()
      const reading = lanes.fetch("../ndjson?interval=60", { signal: stop.signal })
      await reading
      stop.abort()
      await lanes.fetch("http://x.invalid/").catch(() => {})
    }""")
    blank.wait_for_function("document.querySelectorAll('.end').length === 3")
    ends = blank.locator(".end").evaluate_all("ends => ends.map(end => end.dataset.how).sort()")
    assert ends == ["complete", "disconnected", "failed"]
    blank.locator("summary").click()
    assert "json n 1" in blank.locator("tbody td:nth-child(3)").all_text_contents()


def test_colors_follow_the_scheme(blank: Page) -> None:
    blank.evaluate(STREAM, 2)
    color = "getComputedStyle(document.querySelector('.mark.client rect')).fill"
    light = blank.evaluate(color)
    blank.emulate_media(color_scheme="dark")
    assert blank.evaluate(color) != light


# The lanes of each page contain at least this number of elements for each selector.
SEEN = {
    "polling": [(".span.tube", 4), (".mark[data-status='304'] .open", 2), (".mark[data-format=json]", 2)],
    "longpoll": [(".span.tube", 3), (".span.held .hatched", 3), (".mark[data-format=json]", 2)],
    "sse": [(".span.tube.down", 1), (".mark.server[data-format=event]", 3)],
    "ndjson": [(".span.tube.down", 1), (".mark.server[data-format=json]", 3)],
    "websocket": [(".span.tube.both", 1), (".mark.server[data-format=frame]", 3)],
    "multipart": [(".span.tube.down", 2), (".mark.server[data-format=part]", 4)],
    "snippets": [(".span.tube.down", 1), (".mark.server[data-format=script]", 3)],
    "template": [(".span.tube.down", 2), (".mark.server[data-format=script]", 6)],
}


@pytest.mark.parametrize("stem", SEEN)
def test_the_lanes_of_a_page_show_its_technique_and_stop_with_it(stem: str, visit: Visit) -> None:
    page = visit(stem)
    for selector, least in SEEN[stem]:
        expect(page.locator(f"#lanes {selector}").nth(least - 1)).to_be_attached()
    requests = page.locator("#lanes .mark[data-kind=request]").count()
    assert (requests > 2) == (stem in ("polling", "longpoll"))
    page.get_by_role("button", name="Stop").click()
    page.locator("#lanes summary").click()
    page.locator("#lanes > svg").scroll_into_view_if_needed()  # outside the view it is not drawn
    expect(page.locator("#lanes tbody tr")).not_to_have_count(0)
    if stem != "polling":
        expect(page.locator("#lanes .end").last).to_be_attached()


@pytest.mark.parametrize("stem", SEEN)
@pytest.mark.parametrize(("width", "height"), [(1280, 800), (360, 740)])
def test_the_lanes_are_on_the_first_screen(stem: str, width: int, height: int, visit: Visit) -> None:
    page = visit(stem)
    page.set_viewport_size({"width": width, "height": height})
    expect(page.locator("#lanes .mark").first).to_be_attached()
    box = page.locator("#lanes > svg").bounding_box()
    header = page.locator("header").bounding_box()
    assert box is not None
    assert header is not None
    assert box["y"] + box["height"] <= height
    assert header["height"] < height / 5
    assert page.locator("#lanes").evaluate("it => !!(it.compareDocumentPosition(query) & 4)")  # above the form


def test_a_sent_word_is_drawn_at_the_line_of_the_client(visit: Visit) -> None:
    page = visit("websocket")
    expect(page.locator("#send")).to_be_enabled()
    page.locator("#send").click()
    expect(page.locator("#lanes .mark.client[data-format=frame]")).to_have_count(1)
    page.locator("#send-stop").click()
    page.locator("#lanes > svg").scroll_into_view_if_needed()
    expect(page.locator("#lanes .end[data-how=complete] .why")).to_have_text("code 1000")


def test_the_end_of_an_event_stream_and_the_reconnect_are_drawn(visit: Visit) -> None:
    page = visit("sse")
    submit(page, interval="0.05", count="2")
    page.locator("#lanes > svg").scroll_into_view_if_needed()
    expect(page.locator("#lanes .end[data-how=lost]")).not_to_have_count(0)
    before = page.locator("#lanes .span.tube").count()
    tubes = page.locator("#lanes .span.tube")
    expect(tubes.nth(before)).to_be_attached(timeout=10_000)  # Chromium reconnects after about 3 s


def test_a_last_event_id_is_drawn(visit: Visit, streams: Any) -> None:
    page, app = visit("sse"), streams.app

    def short(environ: dict[str, Any], start_response: Any) -> Any:
        if "resume=1" not in environ["QUERY_STRING"] or environ.get("HTTP_LAST_EVENT_ID"):
            return app(environ, start_response)
        start_response("200 OK", [("Content-Type", "text/event-stream")])
        return [b"retry: 50\nid: x-7\ndata: cat 7\n\n"]

    streams.app = short
    submit(page, resume=True, interval="60")
    page.locator("#lanes > svg").scroll_into_view_if_needed()
    expect(page.locator("#lanes .arc .link")).to_have_count(1)
