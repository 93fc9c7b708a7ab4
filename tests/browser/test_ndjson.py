"""The page of newline-delimited JSON. Each test proves the claim of static/ndjson.html that it is named after."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from page_form import TURNING, ask, hold, logged
from playwright.sync_api import FrameLocator, Page, expect

from server.lab import BackgroundServer, Tap
from server.wire.ndjson import encode

Visit = Callable[[str], Page]

# What the page's own splitter makes of some pieces of bytes: its lines, and the error that it ends with.
SPLIT = """async pieces => {
  const { lines } = await import(new URL("ndjson.js", document.baseURI))
  const body = new ReadableStream({
    start(controller) {
      for (const piece of pieces) controller.enqueue(new Uint8Array(piece))
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


def test_nothing_yet(visit: Visit, page: Page) -> None:
    go_on = hold(page, "**/ndjson?*")
    visit("ndjson")
    expect(page.locator("#state")).to_contain_text("connecting")
    expect(page.locator("#data")).to_have_text("nothing received yet")
    go_on()
    expect(page.locator("#data")).to_have_text(TURNING)
    expect(page.locator("#state")).to_have_text("open: the answer has begun and is not over")


def test_in_order(visit: Visit) -> None:
    page = visit("ndjson")
    ask(page, interval="0.02")
    page.wait_for_function("/^. 1\\d$/.test(document.querySelector('#log .text')?.textContent)")  # the first are gone
    numbers = [int(text.split()[1]) for text in logged(page)]
    assert numbers == list(range(numbers[0], numbers[0] + 10))
    assert all(re.fullmatch(r"\+\d+ ms", gap) for gap in logged(page, "gap"))


def test_words(server: BackgroundServer, page: Page) -> None:
    words = ["grüße ☃", "a\u2028b\u0085c", 'say "so" \\n', "</script><b>&amp;", "🎈", " "]
    with Tap(server.url) as tap:
        page.goto(f"{tap.url}/static/ndjson.html")
        page.locator("input[name=interval]").fill("0.02")
        page.locator("#words").fill("\n".join(words))
        page.locator("#post").click()
        expect(page.locator("#state")).to_contain_text("done")
    assert logged(page) == [f"{word} {n}" for n, word in enumerate(words)]
    asked, answered = tap.recording.bytes("->"), tap.recording.bytes("<-")
    assert json.dumps({"words": words}, ensure_ascii=False, separators=(",", ":")).encode() in asked
    assert all(encode({"char": word, "n": n}) in answered for n, word in enumerate(words))


def test_pieces(visit: Visit) -> None:
    page = visit("ndjson")
    texts = ['{"char":"☃\u2028","n":0}', '{"n":1}']
    data = "".join(f"{text}\n" for text in texts).encode()
    for cut in range(len(data) + 1):
        assert page.evaluate(SPLIT, [list(data[:cut]), list(data[cut:])]) == texts
    assert page.evaluate(SPLIT, [[byte] for byte in data]) == texts
    assert page.evaluate(SPLIT, [list(data[:-1])]) == [texts[0], "Error: the last line has no end"]


def test_stop(visit: Visit, all_ended: Callable[[], None]) -> None:
    page = visit("ndjson")
    ask(page, interval="60")
    expect(page.locator("#data")).to_have_text("\\ 0")
    page.locator("#stop").click()
    all_ended()
    expect(page.locator("#state")).to_have_text("stopped: abort() has been called, and all ends with AbortError")
    page.locator("#post").click()  # a request with a body is left as easily
    expect(page.locator("#data")).to_have_text("Grüße 0")
    page.locator("#stop").click()
    all_ended()
    expect(page.locator("#state")).to_contain_text("AbortError")
    assert logged(page) == ["Grüße 0"]


def test_start_again(visit: Visit) -> None:
    page = visit("ndjson")
    expect(page.locator("#log li").nth(2)).to_be_attached()
    ask(page, interval="60")
    expect(page.locator("#log .text")).to_have_text(["\\ 0"])
    expect(page.locator("#state")).to_contain_text("open")


def test_end(visit: Visit, server: BackgroundServer, all_ended: Callable[[], None]) -> None:
    page = visit("ndjson")
    ask(page, interval="0", count="3")
    expect(page.locator("#state")).to_have_text("ended: the reader says done, the answer is whole")
    assert logged(page) == ["\\ 0", "| 1", "/ 2"]
    all_ended()
    assert len([line for line in server.log if "count=3" in line]) == 1


def test_cut(visit: Visit, server: BackgroundServer, complaints: Any) -> None:
    complaints.expect("ERR_")  # the browser tells its console, too
    page = visit("ndjson")
    ask(page, interval="60")
    expect(page.locator("#data")).to_have_text("\\ 0")
    server.stop()
    expect(page.locator("#state")).to_contain_text("cut: what came is not whole, the reader ends with TypeError")
    assert logged(page) == ["\\ 0"]


def test_no_answer(visit: Visit, server: BackgroundServer, complaints: Any) -> None:
    complaints.expect("ERR_")
    page = visit("ndjson")
    expect(page.locator("#data")).to_have_text(TURNING)
    server.stop()
    page.locator("#start").click()
    expect(page.locator("#state")).to_contain_text("no answer: the request has failed with TypeError")
    expect(page.locator("#data")).to_have_text("nothing received yet")


def test_refused(visit: Visit, complaints: Any) -> None:
    complaints.expect("status of 400")
    page = visit("ndjson")
    ask(page, interval="x")
    said = "refused: 400, interval must be a number of seconds from 0 to 3600, such as 0.5, not 'x'"
    expect(page.locator("#state")).to_have_text(said)
    expect(page.locator("#data")).to_have_text("nothing received yet")


def test_calm(visit: Visit, page: Page) -> None:
    page.emulate_media(reduced_motion="reduce")
    with page.expect_request("**/ndjson?*") as asked:
        visit("ndjson")
    assert asked.value.url.endswith("/ndjson?interval=1")


def test_sandbox(
    sandboxed: Callable[[str], FrameLocator], page: Page, server: BackgroundServer, complaints: Any
) -> None:
    complaints.expect("Access-Control-Allow-Headers")
    complaints.expect("ERR_FAILED")
    pane = sandboxed("ndjson")
    expect(pane.locator("#data")).to_have_text(TURNING)
    expect(pane.locator("#foreign")).to_contain_text("cannot post the words")
    expect(pane.locator("#post")).to_be_disabled()
    # What the button would do, were it not disabled.
    failed = page.frames[1].evaluate(
        """fetch("../ndjson", {
          method: "POST", headers: { "Content-Type": "application/json" }, body: '{"words": ["one"]}'
        }).catch(String)"""
    )
    assert failed == "TypeError: Failed to fetch"
    methods = [line.split()[0].strip('"') for line in server.log if "/ndjson HTTP" in line]
    assert methods == ["OPTIONS"]
