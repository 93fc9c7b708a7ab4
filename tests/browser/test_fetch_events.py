"""Server-sent events over fetch: the page of notebook 07_ndjson, and an EventSource that is authenticated."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask, Response, request
from playwright.sync_api import Page, expect

from server.lab import BackgroundServer
from server.lab.classroom import notebooks
from server.wire.sse import Event

NOTEBOOK = notebooks.NOTEBOOKS / "07_ndjson.ipynb"
CELLS = ("model_ended", "chat_app", "EVENTS_JS", "CHAT_JS", "PAGE", "private_app")  # a name that each cell defines
TEXT = "A stream is a response that grows slowly."

# Opens an EventSource and returns its first messages, with the readyState of each error (0 connecting, 2 closed).
EVENTS_UNTIL_CLOSED = """url => new Promise(resolve => {
  const received = []
  const source = new EventSource(url)
  source.onmessage = event => received.push(event.data)
  source.onerror = () => {
    received.push(source.readyState)
    if (source.readyState === EventSource.CLOSED || received.length > 3) resolve(received)
    if (received.length > 3) source.close()
  }
})"""
POST_WITH_TOKEN = """path => fetch(path, { method: "POST", headers: { Authorization: "Bearer secret" } })"""


@pytest.fixture(scope="module")
def names() -> dict[str, Any]:
    """Run the cells of the notebook that define its two apps, and return the names that they define."""
    defined: dict[str, Any] = {
        "BackgroundServer": BackgroundServer, "Event": Event, "Flask": Flask, "Response": Response,
        "request": request, "threading": threading, "time": time,
    }  # fmt: skip
    sources = ["".join(cell["source"]) for cell in notebooks.cells(NOTEBOOK, "code")]
    for beginning in CELLS:
        (source,) = (source for source in sources if f"{beginning} = " in source)
        exec(compile(source, f"<cell of {beginning}>", "exec"), defined)
    defined["chats"].stop()
    return defined


@pytest.fixture
def requested(names: dict[str, Any]) -> list[tuple[str | None, ...]]:
    """The Last-Event-ID and Content-Type of each request to /chat, in order."""
    found = list[tuple[str | None, ...]]()

    def note() -> None:
        if request.path == "/chat":
            found.append((request.headers.get("Last-Event-ID"), request.headers.get("Content-Type")))

    names["chat_app"].before_request_funcs[None] = [note]
    return found


@pytest.fixture
def chat(names: dict[str, Any], page: Page) -> Iterator[Page]:
    with BackgroundServer(names["chat_app"]) as server:
        page.route("**/favicon.ico", lambda route: route.fulfill(status=204))
        page.goto(server.url)
        yield page
        page.goto("about:blank")


@pytest.fixture
def private(names: dict[str, Any], page: Page) -> Iterator[Page]:
    """An empty page of the origin of the notebook's app whose events need a ticket or a cookie."""
    app: Flask = names["private_app"]
    with BackgroundServer(app) as server:
        page.route(f"{server.url}/", lambda route: route.fulfill(content_type="text/html", body="<title>x</title>"))
        page.route("**/favicon.ico", lambda route: route.fulfill(status=204))
        page.goto(server.url)
        yield page
        page.context.clear_cookies()
        page.goto("about:blank")


def send(page: Page, prompt: str) -> None:
    page.locator("#prompt").select_option(prompt)
    page.locator("#send").click()


def test_a_post_with_a_token_streams_events_until_done(chat: Page, requested: list[tuple[str | None, ...]]) -> None:
    send(chat, "hello")
    expect(chat.locator("#state")).to_have_text("done: complete")
    expect(chat.locator("#text")).to_have_text(TEXT)
    assert requested == [("0", "application/json")]


def test_a_wrong_token_is_reported_with_its_status(chat: Page, complaints: Any) -> None:
    complaints.expect("status of 401")
    chat.locator("#token").fill("wrong")
    send(chat, "hello")
    expect(chat.locator("#state")).to_have_text("refused: status 401")
    expect(chat.locator("#text")).to_have_text("")


def test_an_error_after_the_200_arrives_as_an_event(chat: Page) -> None:
    with chat.expect_response("**/chat") as response:
        send(chat, "fail")
    assert response.value.status == 200
    expect(chat.locator("#state")).to_have_text("failed: the model is overloaded")
    expect(chat.locator("#text")).to_have_text("A stream is")


def test_after_a_disconnect_the_page_resumes_with_the_last_id(
    chat: Page, requested: list[tuple[str | None, ...]], complaints: Any
) -> None:
    complaints.expect("ERR_INCOMPLETE_CHUNKED_ENCODING")
    send(chat, "disconnect")
    expect(chat.locator("#state")).to_have_text("disconnected: the next request follows in 1 s")
    expect(chat.locator("#text")).to_have_text("A stream is")
    expect(chat.locator("#state")).to_have_text("done: complete")
    expect(chat.locator("#text")).to_have_text(TEXT)
    assert [last_id for last_id, _ in requested] == ["0", "3"]


def test_an_abort_ends_the_generator_of_the_server(chat: Page, names: dict[str, Any]) -> None:
    names["generated"].clear()
    names["model_ended"].clear()
    send(chat, "hello")
    expect(chat.locator("#text")).to_contain_text("A")
    chat.locator("#abort").click()
    expect(chat.locator("#state")).to_have_text("aborted")
    assert names["model_ended"].wait(5)
    assert len(names["generated"]) < 9


def test_a_ticket_authenticates_an_eventsource_once(private: Page, complaints: Any) -> None:
    complaints.expect("status of 401")
    url = private.evaluate(
        f"""async () => "events?ticket=" + (await (await ({POST_WITH_TOKEN})("ticket")).json()).ticket"""
    )
    assert private.evaluate(EVENTS_UNTIL_CLOSED, url) == ["private", 0, 2]


def test_a_cookie_authenticates_an_eventsource_after_each_reconnect(private: Page) -> None:
    assert private.evaluate(f"""async () => (await ({POST_WITH_TOKEN})("login")).status""") == 204
    assert private.evaluate(EVENTS_UNTIL_CLOSED, "events") == ["private", 0, "private", 0]


def test_without_ticket_and_cookie_an_eventsource_is_closed(private: Page, complaints: Any) -> None:
    complaints.expect("status of 401")
    assert private.evaluate(EVENTS_UNTIL_CLOSED, "events") == [2]
