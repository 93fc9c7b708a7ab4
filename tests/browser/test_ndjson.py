"""The page of newline-delimited JSON. The test of a claim in static/ndjson.html has the name of the claim."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from page_form import TICK, hold, logged, submit
from playwright.sync_api import FrameLocator, Page, expect

from server.lab import BackgroundServer, Tap
from server.wire.ndjson import encode

Visit = Callable[[str], Page]

# Split some reads into lines with the code of the page. Return the lines, and the error if there is one.
SPLIT = """async reads => {
  const { lines } = await import(new URL("ndjson.js", document.baseURI))
  const body = new ReadableStream({
    start(controller) {
      for (const read of reads) controller.enqueue(new Uint8Array(read))
      controller.close()
    }
  })
  const found = []
  try {
    await lines(body).pipeTo(new WritableStream({ write: line => { found.push(line) } }))
  } catch (error) {
    found.push(String(error))
  }
  return found
}"""


def test_the_page_waits_for_the_first_document(visit: Visit, page: Page) -> None:
    release = hold(page, "**/ndjson?*")
    visit("ndjson")
    expect(page.locator("#state")).to_contain_text("connecting")
    expect(page.locator("#data")).to_have_text("nothing received yet")
    release()
    expect(page.locator("#data")).to_have_text(TICK)
    expect(page.locator("#state")).to_have_text("open: the response has started")


def test_documents_arrive_in_order(visit: Visit) -> None:
    page = visit("ndjson")
    submit(page, interval="0.02")
    page.wait_for_function("/^. 1\\d$/.test(document.querySelector('#log .text')?.textContent)")  # ten lines
    numbers = [int(text.split()[1]) for text in logged(page)]
    assert numbers == list(range(numbers[0], numbers[0] + 10))
    assert all(re.fullmatch(r"\+\d+ ms", gap) for gap in logged(page, "gap"))


def test_posted_words_are_returned_in_order(server: BackgroundServer, page: Page) -> None:
    words = ["grüße ☃", "a\u2028b\u0085c", 'say "so" \\n', "</script><b>&amp;", "🎈", " "]
    with Tap(server.url) as tap:
        page.goto(f"{tap.url}/static/ndjson.html")
        page.locator("input[name=interval]").fill("0.02")
        page.locator("#words").fill("\n".join(words))
        page.locator("#post").click()
        expect(page.locator("#state")).to_contain_text("done: true")
    assert logged(page) == [f"{word} {n}" for n, word in enumerate(words)]
    sent, received = tap.recording.bytes("->"), tap.recording.bytes("<-")
    assert json.dumps({"words": words}, ensure_ascii=False, separators=(",", ":")).encode() in sent
    assert all(encode({"char": word, "n": n}) in received for n, word in enumerate(words))


def test_lines_do_not_depend_on_the_reads(visit: Visit) -> None:
    page = visit("ndjson")
    texts = ['{"char":"☃\u2028","n":0}', '{"n":1}']
    data = "".join(f"{text}\n" for text in texts).encode()
    for end in range(len(data) + 1):
        assert page.evaluate(SPLIT, [list(data[:end]), list(data[end:])]) == texts
    assert page.evaluate(SPLIT, [[byte] for byte in data]) == texts
    assert page.evaluate(SPLIT, [list(data[:-1])]) == [texts[0], "Error: the last line is not complete"]


def test_stop_aborts_the_reader(visit: Visit, all_ended: Callable[[], None]) -> None:
    page = visit("ndjson")
    submit(page, interval="60")
    expect(page.locator("#data")).to_have_text("\\ 0")
    page.locator("#stop").click()
    all_ended()
    expect(page.locator("#state")).to_have_text("stopped: the page called abort(), and the reader throws AbortError")
    page.locator("#post").click()  # a request with a body ends in the same way
    expect(page.locator("#data")).to_have_text("Grüße 0")
    page.locator("#stop").click()
    all_ended()
    expect(page.locator("#state")).to_contain_text("AbortError")
    assert logged(page) == ["Grüße 0"]


def test_start_again_begins_at_zero(visit: Visit) -> None:
    page = visit("ndjson")
    expect(page.locator("#log li").nth(2)).to_be_attached()
    submit(page, interval="60")
    expect(page.locator("#log .text")).to_have_text(["\\ 0"])
    expect(page.locator("#state")).to_contain_text("open")


def test_the_reader_is_done_after_the_last_document(
    visit: Visit, server: BackgroundServer, all_ended: Callable[[], None]
) -> None:
    page = visit("ndjson")
    submit(page, interval="0", count="3")
    expect(page.locator("#state")).to_have_text("ended: the reader returns done: true; the body is complete")
    assert logged(page) == ["\\ 0", "| 1", "/ 2"]
    all_ended()
    assert len([line for line in server.log if "count=3" in line]) == 1


def test_a_lost_connection_is_an_error(visit: Visit, server: BackgroundServer, complaints: Any) -> None:
    complaints.expect("ERR_")  # the browser writes to its console, too
    page = visit("ndjson")
    submit(page, interval="60")
    expect(page.locator("#data")).to_have_text("\\ 0")
    server.stop()
    expect(page.locator("#state")).to_contain_text(
        "interrupted: the body is not complete; the reader throws TypeError"
    )
    assert logged(page) == ["\\ 0"]


def test_a_stopped_server_is_reported(visit: Visit, server: BackgroundServer, complaints: Any) -> None:
    complaints.expect("ERR_")
    page = visit("ndjson")
    expect(page.locator("#data")).to_have_text(TICK)
    server.stop()
    page.locator("#start").click()
    expect(page.locator("#state")).to_contain_text("no response: fetch throws TypeError")
    expect(page.locator("#data")).to_have_text("nothing received yet")


def test_the_body_of_a_400_is_shown(visit: Visit, complaints: Any) -> None:
    complaints.expect("status of 400")
    page = visit("ndjson")
    submit(page, interval="x")
    message = "refused: 400, interval must be a number of seconds from 0 to 3600, such as 0.5, not 'x'"
    expect(page.locator("#state")).to_have_text(message)
    expect(page.locator("#data")).to_have_text("nothing received yet")


def test_reduced_motion_requests_one_document_per_second(visit: Visit, page: Page) -> None:
    page.emulate_media(reduced_motion="reduce")
    with page.expect_request("**/ndjson?*") as requested:
        visit("ndjson")
    assert requested.value.url.endswith("/ndjson?interval=1")


def test_a_sandboxed_page_cannot_post(
    sandboxed: Callable[[str], FrameLocator], page: Page, server: BackgroundServer, complaints: Any
) -> None:
    complaints.expect("Access-Control-Allow-Headers")
    complaints.expect("ERR_FAILED")
    pane = sandboxed("ndjson")
    expect(pane.locator("#data")).to_have_text(TICK)
    expect(pane.locator("#sandboxed")).to_contain_text("cannot post the words")
    expect(pane.locator("#post")).to_be_disabled()
    # The request of the button, which is disabled.
    failed = page.frames[1].evaluate(
        """fetch("../ndjson", {
          method: "POST", headers: { "Content-Type": "application/json" }, body: '{"words": ["one"]}'
        }).catch(String)"""
    )
    assert failed == "TypeError: Failed to fetch"
    methods = [line.split()[0].strip('"') for line in server.log if "/ndjson HTTP" in line]
    assert methods == ["OPTIONS"]
