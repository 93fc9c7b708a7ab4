"""What a browser's EventSource does after a cut, and when it stops: what notebook 10_reconnect says of it.

WHATWG HTML, section 9.2.3 "Processing model". Each case is a row of answers; once they are used up, the server says
204, and the browser must let it be.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
from flask import Flask, Response, request
from playwright.sync_api import Page
from raw_client import SECONDS

from server.lab import BackgroundServer

EVENTS = "text/event-stream"
CLOSED = ["error", 2]
AGAIN = ["error", 0]  # CONNECTING: the browser asks again

OPEN = """() => {
  window.seen = []
  const source = new EventSource("stream")
  source.onopen = () => seen.push(["open"])
  source.onmessage = event => seen.push([event.data, event.lastEventId])
  source.onerror = () => seen.push(["error", source.readyState])
}"""


class Answer(NamedTuple):
    body: str = ""
    status: int = 200
    content_type: str = EVENTS
    location: str = ""


class Scripted(NamedTuple):
    """A server that gives answers in turn, and the Last-Event-ID of each request (None: no such field)."""

    url: str
    answers: list[Answer]
    asked: list[str | None]


@pytest.fixture
def scripted() -> Iterator[Scripted]:
    app, answers, asked = Flask(__name__), list[Answer](), list["str | None"]()

    @app.get("/")
    def page() -> str:
        return '<!doctype html><html lang="en"><title>empty</title><link rel="icon" href="data:,">'

    @app.get("/stream")
    def stream() -> Response:
        last = request.headers.get("Last-Event-ID")
        asked.append(None if last is None else last.encode("latin-1").decode())
        answer = answers.pop(0) if answers else Answer(status=204)
        headers = {"Location": answer.location} if answer.location else {}
        return Response(answer.body, answer.status, headers, content_type=answer.content_type)

    with BackgroundServer(app) as server:
        yield Scripted(server.url, answers, asked)


def seen_by_the_page(page: Page, scripted: Scripted, answers: list[Answer]) -> list[list[object]]:
    """Open the stream and return all that the page has seen when the browser has given up."""
    scripted.answers[:] = answers
    page.goto(scripted.url)
    page.evaluate(OPEN)
    page.wait_for_function("JSON.stringify(seen.at(-1)) === '[\"error\",2]'", timeout=SECONDS * 1000)
    seen: list[list[object]] = page.evaluate("seen")
    return seen


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (Answer(status=204), []),
        (Answer("data: x\n\n", status=205), []),
        (Answer("data: x\n\n", status=299), []),
        (Answer("data: x\n\n", status=404), ["status of 404"]),
        (Answer("data: x\n\n", status=503), ["status of 503"]),
        (Answer("data: x\n\n", content_type="text/plain"), ['MIME type ("text/plain")']),
        (Answer("data: x\n\n", content_type="text/x-event-stream"), ['MIME type ("text/x-event-stream")']),
    ],
    ids=str,
)
def test_any_other_status_or_content_type_ends_it_for_good(
    page: Page, scripted: Scripted, complaints: Any, answer: Answer, said: list[str]
) -> None:
    complaints.expect(*said)  # of some of these the console tells
    assert seen_by_the_page(page, scripted, [answer]) == [CLOSED]
    assert scripted.asked == [None]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_followed(page: Page, scripted: Scripted, status: int) -> None:
    answers = [Answer(status=status, location="stream"), Answer("retry: 20\ndata: x\n\n")]
    assert seen_by_the_page(page, scripted, answers) == [["open"], ["x", ""], AGAIN, CLOSED]


@pytest.mark.parametrize(
    ("body", "events", "last"),
    [
        ("data: a\n\n", [["a", ""]], None),
        ("id: 1\ndata: a\n\n", [["a", "1"]], "1"),
        ("id: 1\ndata: a\n\ndata: b\n\n", [["a", "1"], ["b", "1"]], "1"),
        ("id: 1\ndata: a\n\nid\ndata: b\n\n", [["a", "1"], ["b", ""]], None),
        ("id: 1\n\n", [], "1"),
        ("id: 1\0\ndata: a\n\n", [["a", ""]], None),
        ("id: ☃\ndata: a\n\n", [["a", "☃"]], "☃"),
        ("id: 1\ndata: a\n\nid: 2\ndata: half", [["a", "1"]], "1"),
        ("id: 1\ndata: a\n\nretry: 20x\n\n", [["a", "1"]], "1"),
    ],
)
def test_after_the_end_it_asks_again_with_the_last_id(
    page: Page, scripted: Scripted, body: str, events: list[list[object]], last: str | None
) -> None:
    seen = seen_by_the_page(page, scripted, [Answer(f"retry: 20\n{body}"), Answer("data: z\n\n")])
    assert seen == [["open"], *events, AGAIN, ["open"], ["z", last or ""], AGAIN, CLOSED]
    assert scripted.asked == [None, last, last]
