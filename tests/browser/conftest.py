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
    # Nothing but this machine has a name or an address, so no test can depend on the network.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1",
]
WIDE: ViewportSize = {"width": 1280, "height": 800}
REMEDY = "no Chromium found: install chromium (or Chrome, or Edge), or name its program in CHROMIUM"


def find_browser() -> str:
    """Return the path of a Chromium on this machine. Without one, the test is skipped; under CI, it fails."""
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
    """One headless Chromium for all tests of a worker, with its own profile, which is deleted at the end."""
    with sync_playwright() as playwright, launch(playwright.chromium) as running:
        yield running


class Complaints(list[str]):
    """The errors of a page: console errors and exceptions that no script caught.

    A test that causes an error calls `complaints.expect("part of its text")` before.
    """

    def __init__(self) -> None:
        super().__init__()
        self.expected: list[str] = []

    def expect(self, *parts: str) -> None:
        """Expect at least one error for each part, with the part in its text or URL."""
        self.expected += parts

    def unexpected(self) -> list[str]:
        """Return the errors that no test expected."""
        return [text for text in self if not any(part in text for part in self.expected)]

    def missing(self) -> list[str]:
        """Return the expected parts that no error contains."""
        return [part for part in self.expected if not any(part in text for text in self)]

    def add_console(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.append(f"{message.text} ({message.location['url']})")

    def add_exception(self, error: Error) -> None:
        self.append(f"uncaught: {error}")

    @contextmanager
    def collected(self, page: Page) -> Iterator[None]:
        """Collect the errors of a page inside the `with` block."""
        page.on("console", self.add_console)
        page.on("pageerror", self.add_exception)
        yield
        page.remove_listener("console", self.add_console)
        page.remove_listener("pageerror", self.add_exception)


@pytest.fixture
def complaints() -> Complaints:
    return Complaints()


class Tab:
    """One page for many tests, because a new page takes three times as long."""

    def __init__(self, browser: Browser) -> None:
        self.browser = browser
        self.page: Page | None = None

    def open(self) -> Page:
        """Return the page, 1280 by 800, with the settings of a new browser."""
        if self.page is None:
            self.page = self.browser.new_context(viewport=WIDE).new_page()
        self.page.set_viewport_size(WIDE)
        self.page.emulate_media(color_scheme="light", reduced_motion="no-preference")
        return self.page

    def reset(self) -> None:
        """Remove the routes of the page and unload it."""
        if self.page is not None:
            self.page.unroute_all(behavior="ignoreErrors")
            self.page.goto("about:blank")

    def close(self) -> None:
        """Close the page. The next test receives a new one."""
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
    """A page. The test fails if the page has an unexpected error, or if an expected error is missing.

    Mark a test `fresh` if it changes the page permanently, such as its clock: then no other test uses this page.
    """
    fresh = request.node.get_closest_marker("fresh") is not None
    if fresh:
        tab.close()
    page = tab.open()
    with complaints.collected(page):
        yield page
        tab.reset()
    if fresh:
        tab.close()
    assert complaints.unexpected() == []
    assert complaints.missing() == []


class Streams:
    """A WSGI app around another one. `open` contains the paths of the responses that are not complete."""

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
            response = self.app(environ, start_response)
        except BaseException:  # a WebSocket has ended: there is no response to close
            self.end(path)
            raise
        return ClosingIterator(response, lambda: self.end(path))

    def expect_none(self) -> None:
        with self.changed:
            assert self.changed.wait_for(lambda: not self.open, 3), f"still open: {self.open}"


@pytest.fixture
def streams() -> Streams:
    return Streams(create_app())


@pytest.fixture
def server(streams: Streams) -> Iterator[BackgroundServer]:
    """The server with all techniques, on its own port."""
    with BackgroundServer(streams) as running:
        yield running


@pytest.fixture
def all_ended(streams: Streams) -> Callable[[], None]:
    """A function that waits until every response of `server` has ended, including its cleanup."""
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
    """A function that opens the page of a stem in a sandboxed frame with an opaque origin, like a help pane."""

    def go(stem: str) -> FrameLocator:
        source = f"{server.url}/static/{stem}.html"
        frame = f'<iframe id="pane" sandbox="allow-scripts allow-forms" src="{source}"></iframe>'
        body = f'<link rel="icon" href="data:,">{frame}'
        page.route("**/pane", lambda route: route.fulfill(content_type="text/html", body=body))
        page.goto(f"{server.url}/pane", wait_until="commit")  # the load event would wait for the streams inside
        page.unroute("**/pane")  # requests of the frame, including preflights, reach the server
        return page.frame_locator("#pane")

    return go
