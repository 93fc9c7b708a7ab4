"""How a browser's EventSource reconnects, and when it stops, as notebook 10_reconnect describes it.

WHATWG HTML, section 9.2.3 "Processing model". Each case is a list of responses. After the last one, the server
responds with 204, and the browser must stop.
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
RETRY = ["error", 0]  # CONNECTING: the browser reconnects

OPEN = """() => {
  window.seen = []
  const source = new EventSource("stream")
  source.onopen = () => seen.push(["open"])
  source.onmessage = event => seen.push([event.data, event.lastEventId])
  source.onerror = () => seen.push(["error", source.readyState])
}"""


class Reply(NamedTuple):
    body: str = ""
    status: int = 200
    content_type: str = EVENTS
    location: str = ""


class Scripted(NamedTuple):
    """A server that sends these replies in order, and the Last-Event-ID of each request (None: no such header)."""

    url: str
    replies: list[Reply]
    last_ids: list[str | None]


@pytest.fixture
def scripted() -> Iterator[Scripted]:
    app, replies, last_ids = Flask(__name__), list[Reply](), list["str | None"]()

    @app.get("/")
    def page() -> str:
        return '<!doctype html><html lang="en"><title>empty</title><link rel="icon" href="data:,">'

    @app.get("/stream")
    def stream() -> Response:
        last = request.headers.get("Last-Event-ID")
        last_ids.append(None if last is None else last.encode("latin-1").decode())
        reply = replies.pop(0) if replies else Reply(status=204)
        headers = {"Location": reply.location} if reply.location else {}
        return Response(reply.body, reply.status, headers, content_type=reply.content_type)

    with BackgroundServer(app) as server:
        yield Scripted(server.url, replies, last_ids)


def events_of_the_page(page: Page, scripted: Scripted, replies: list[Reply]) -> list[list[object]]:
    """Open the stream. Return all events of the page after the browser has stopped reconnecting."""
    scripted.replies[:] = replies
    page.goto(scripted.url)
    page.evaluate(OPEN)
    page.wait_for_function("JSON.stringify(seen.at(-1)) === '[\"error\",2]'", timeout=SECONDS * 1000)
    seen: list[list[object]] = page.evaluate("seen")
    return seen


@pytest.mark.parametrize(
    ("reply", "messages"),
    [
        (Reply(status=204), []),
        (Reply("data: x\n\n", status=205), []),
        (Reply("data: x\n\n", status=299), []),
        (Reply("data: x\n\n", status=404), ["status of 404"]),
        (Reply("data: x\n\n", status=503), ["status of 503"]),
        (Reply("data: x\n\n", content_type="text/plain"), ['MIME type ("text/plain")']),
        (Reply("data: x\n\n", content_type="text/x-event-stream"), ['MIME type ("text/x-event-stream")']),
    ],
    ids=str,
)
def test_any_other_status_or_content_type_stops_the_reconnects(
    page: Page, scripted: Scripted, complaints: Any, reply: Reply, messages: list[str]
) -> None:
    complaints.expect(*messages)  # the console reports some of these
    assert events_of_the_page(page, scripted, [reply]) == [CLOSED]
    assert scripted.last_ids == [None]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_followed(page: Page, scripted: Scripted, status: int) -> None:
    replies = [Reply(status=status, location="stream"), Reply("retry: 20\ndata: x\n\n")]
    assert events_of_the_page(page, scripted, replies) == [["open"], ["x", ""], RETRY, CLOSED]


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
def test_after_the_end_the_browser_reconnects_with_the_last_id(
    page: Page, scripted: Scripted, body: str, events: list[list[object]], last: str | None
) -> None:
    seen = events_of_the_page(page, scripted, [Reply(f"retry: 20\n{body}"), Reply("data: z\n\n")])
    assert seen == [["open"], *events, RETRY, ["open"], ["z", last or ""], RETRY, CLOSED]
    assert scripted.last_ids == [None, last, last]
