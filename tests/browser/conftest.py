"""A real browser for the tests of pages: one for the whole session, a fresh context for every test."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import (
    Browser,
    BrowserType,
    ConsoleMessage,
    Error,
    FrameLocator,
    Page,
    ViewportSize,
    sync_playwright,
)
from werkzeug.wsgi import ClosingIterator

from server import create_app
from server.lab import BackgroundServer

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome", "msedge", "microsoft-edge")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # Nothing but this machine has a name or an address, so no test can lean on the network.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1",
]
WIDE: ViewportSize = {"width": 1280, "height": 800}
REMEDY = "no Chromium found: install chromium (or Chrome, or Edge), or name its program in CHROMIUM"


def find_browser() -> str:
    """The path of a Chromium on this machine; without one the test is skipped, under CI it fails."""
    names = (os.environ.get("CHROMIUM", ""), *NAMES)
    found = next(filter(None, map(shutil.which, filter(None, names))), None)
    if found:
        return found
    if os.environ.get("CI") == "true":
        pytest.fail(REMEDY)
    pytest.skip(REMEDY)


def launch(chromium: BrowserType) -> Browser:
    return chromium.launch(executable_path=find_browser(), args=FLAGS, headless=True)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One headless Chromium for all tests of a worker, with a profile of its own that goes away with it."""
    with sync_playwright() as playwright, launch(playwright.chromium) as running:
        yield running


class Complaints(list[str]):
    """What a page complained about: console errors and exceptions that no script caught.

    A test that provokes an error says so beforehand: `complaints.expect("part of its text")`.
    """

    def __init__(self) -> None:
        super().__init__()
        self.expected: list[str] = []

    def expect(self, *parts: str) -> None:
        """Expect for each part a complaint, or several, with this in its text or in the address it came from."""
        self.expected += parts

    def unexpected(self) -> list[str]:
        """The complaints that nobody announced."""
        return [text for text in self if not any(part in text for part in self.expected)]

    def missing(self) -> list[str]:
        """The announced parts that no complaint has."""
        return [part for part in self.expected if not any(part in text for text in self)]

    def hear(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.append(f"{message.text} ({message.location['url']})")

    def catch(self, error: Error) -> None:
        self.append(f"uncaught: {error}")

    @contextmanager
    def heard(self, page: Page) -> Iterator[None]:
        """Listen to a page for a while."""
        page.on("console", self.hear)
        page.on("pageerror", self.catch)
        yield
        page.remove_listener("console", self.hear)
        page.remove_listener("pageerror", self.catch)


@pytest.fixture
def complaints() -> Complaints:
    return Complaints()


class Tab:
    """One page that serves test after test, since a new one costs three times as much."""

    def __init__(self, browser: Browser) -> None:
        self.browser = browser
        self.page: Page | None = None

    def open(self) -> Page:
        """Return the page, 1280 by 800, as it is in a new browser."""
        if self.page is None:
            self.page = self.browser.new_context(viewport=WIDE).new_page()
        self.page.set_viewport_size(WIDE)
        self.page.emulate_media(color_scheme="light", reduced_motion="no-preference")
        return self.page

    def leave(self) -> None:
        """Let the page end all that it does."""
        if self.page is not None:
            self.page.unroute_all(behavior="ignoreErrors")
            self.page.goto("about:blank")

    def close(self) -> None:
        """Give the page up; the next test gets a new one."""
        if self.page is not None:
            self.page.context.close()
            self.page = None


@pytest.fixture(scope="session")
def tab(browser: Browser) -> Iterator[Tab]:
    tab = Tab(browser)
    yield tab
    tab.close()


@pytest.fixture
def page(tab: Tab, complaints: Complaints, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A page; the test fails where it complained unannounced, or did not where that was announced.

    A test that changes it for good, such as its clock, is marked `fresh`: then nobody else had or gets this page.
    """
    fresh = request.node.get_closest_marker("fresh") is not None
    if fresh:
        tab.close()
    page = tab.open()
    with complaints.heard(page):
        yield page
        tab.leave()
    if fresh:
        tab.close()
    assert complaints.unexpected() == []
    assert complaints.missing() == []


class Streams:
    """An app around another that knows which of its answers are still under way."""

    def __init__(self, app: WSGIApplication) -> None:
        self.app = app
        self.open: list[str] = []
        self.changed = threading.Condition()

    def begin(self, path: str) -> None:
        with self.changed:
            self.open.append(path)

    def end(self, path: str) -> None:
        with self.changed:
            self.open.remove(path)
            self.changed.notify_all()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        self.begin(path)
        try:
            answer = self.app(environ, start_response)
        except BaseException:  # the end of a WebSocket: there is no answer to close
            self.end(path)
            raise
        return ClosingIterator(answer, lambda: self.end(path))

    def expect_none(self) -> None:
        with self.changed:
            assert self.changed.wait_for(lambda: not self.open, 3), f"still under way: {self.open}"


@pytest.fixture
def streams() -> Streams:
    return Streams(create_app())


@pytest.fixture
def server(streams: Streams) -> Iterator[BackgroundServer]:
    """The whole server, on a port of its own."""
    with BackgroundServer(streams) as running:
        yield running


@pytest.fixture
def all_ended(streams: Streams) -> Callable[[], None]:
    """A function that waits until no answer of `server` is under way: each stream has ended, clean-up included."""
    return streams.expect_none


@pytest.fixture
def visit(server: BackgroundServer, page: Page) -> Callable[[str], Page]:
    """A function that opens the page of a stem, such as "sse"."""

    def go(stem: str) -> Page:
        page.goto(f"{server.url}/static/{stem}.html")
        return page

    return go


@pytest.fixture
def sandboxed(server: BackgroundServer, page: Page) -> Callable[[str], FrameLocator]:
    """A function that opens the page of a stem in a frame that has no origin, as help panes are."""

    def go(stem: str) -> FrameLocator:
        source = f"{server.url}/static/{stem}.html"
        frame = f'<iframe id="pane" sandbox="allow-scripts allow-forms" src="{source}"></iframe>'
        body = f'<link rel="icon" href="data:,">{frame}'
        page.route("**/pane", lambda route: route.fulfill(content_type="text/html", body=body))
        page.goto(f"{server.url}/pane", wait_until="commit")  # the load event would wait for what streams inside
        page.unroute("**/pane")  # the frame's own requests go their own way, preflights too
        return page.frame_locator("#pane")

    return go
