"""Tests of every page, including new ones: claims, links, layout, and the page in a frame or behind a proxy."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from importlib import resources
from pathlib import Path
from typing import Literal
from urllib.parse import parse_qsl, urlsplit

import pytest
from playwright.sync_api import Browser, FrameLocator, Page, expect
from werkzeug.exceptions import NotFound
from werkzeug.middleware.dispatcher import DispatcherMiddleware

from server import create_app
from server.lab import BackgroundServer, Tap
from server.techniques import TECHNIQUES

Visit = Callable[[str], Page]
HERE = Path(__file__).parent
STATIC = HERE.parent.parent / "static"
STEMS = [technique.blueprint.name for technique in TECHNIQUES]
# tests/test_technique_files.py reports a missing page.
PAGES = ["index", *(stem for stem in STEMS if (STATIC / f"{stem}.html").is_file())]
AXE = resources.files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")
every_page = pytest.mark.parametrize("stem", PAGES)
every_still_page = pytest.mark.parametrize("still", PAGES, indirect=True)


def html(stem: str) -> str:
    return (STATIC / f"{stem}.html").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def still(request: pytest.FixtureRequest, browser: Browser) -> Iterator[tuple[str, Page]]:
    """A stopped page with data in it, opened once for all tests that only read it."""
    with (
        BackgroundServer(create_app()) as server,
        browser.new_context(viewport={"width": 1280, "height": 800}) as own,
    ):
        page = own.new_page()
        page.goto(f"{server.url}/static/{request.param}.html")
        expect_data(page)
        page.get_by_role("button", name="Stop").click()
        expect(page.locator("#source")).to_contain_text("function")
        yield request.param, page


def expect_data(page: Page) -> None:
    """Wait until the page has logged some data."""
    expect(page.locator("[role=log] li").first).to_be_attached()


@every_page
def test_each_claim_has_a_test_with_its_name(stem: str) -> None:
    claims = [f"test_{claim.replace('-', '_')}" for claim in re.findall(r'data-claim="([a-z0-9-]+)"', html(stem))]
    tree = ast.parse((HERE / f"test_{stem}.py").read_text(encoding="utf-8"))
    tests = [part.name for part in tree.body if isinstance(part, ast.FunctionDef) and part.name.startswith("test_")]
    assert 4 <= len(claims) <= 6
    assert set(claims) <= set(tests)


@every_still_page
def test_a_page_has_at_most_250_words_beside_its_working_part(still: tuple[str, Page]) -> None:
    text = still[1].evaluate(TEXT_BESIDE_THE_WORKING_PART)
    assert "Try it" in text
    assert len(text.split()) <= 250


TEXT_BESIDE_THE_WORKING_PART = """() => {
  const main = document.querySelector("main").cloneNode(true)
  const working = ["figure", "form", "button", ".live", ".counts", ".frames", "#source", "#techniques"]
  for (const part of main.querySelectorAll(working)) part.remove()
  return main.textContent
}"""


@every_page
def test_the_header_is_the_same_everywhere(stem: str) -> None:
    headers = {page: html(page).partition("<header>")[2].partition("</header>")[0] for page in (stem, "index")}
    assert headers[stem] == headers["index"]


@every_still_page
def test_the_header_leads_to_every_technique_in_order(still: tuple[str, Page]) -> None:
    links = still[1].locator("header a")
    expect(links).to_have_count(1 + len(STEMS))
    found = [link.get_attribute("href") for link in links.all()]
    assert found == ["index.html", *(f"{technique}.html" for technique in STEMS)]


@every_still_page
def test_the_page_is_valid_html(still: tuple[str, Page]) -> None:
    stem, page = still
    assert page.evaluate("document.compatMode") == "CSS1Compat"
    assert page.evaluate("document.documentElement.lang") == "en"
    assert page.title() in (page.locator("h1").text_content(), "Streaming data with Python and Flask")
    expect(page.locator("h1")).to_have_count(1)
    expect(page.locator("main")).to_have_count(1)
    expect(page.locator("meta[name=viewport]")).to_have_count(1)
    expect(page.locator("header a[aria-current=page]")).to_have_attribute("href", f"{stem}.html")
    expect(page.get_by_role("button", name="Stop")).to_be_visible()
    expect(page.get_by_role("button", name="Start again")).to_be_visible()
    assert page.get_by_role("log").count() >= 1
    assert page.get_by_role("status").count() >= 1
    ids = page.evaluate("[...document.querySelectorAll('[id]')].map(element => element.id)")
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("scheme", ["light", "dark"])
@every_still_page
def test_axe_finds_no_violation(still: tuple[str, Page], scheme: Literal["light", "dark"]) -> None:
    _, page = still
    page.emulate_media(color_scheme=scheme)
    assert violations(page) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", ["static/waiting.html", "snippets?interval=0", "template?interval=0"])
def test_axe_finds_no_violation_in_a_page_without_a_header(
    path: str, scheme: Literal["light", "dark"], server: BackgroundServer, page: Page
) -> None:
    page.route("**/live.js", lambda route: route.fulfill(body="look = () => {}"))  # no server; look once
    page.emulate_media(color_scheme=scheme)
    page.goto(f"{server.url}/{path}")
    assert violations(page) == []


def violations(page: Page) -> list[str]:
    """Return the violations that axe-core finds: the rule and the elements."""
    page.evaluate(AXE)
    found = page.evaluate("axe.run({ resultTypes: ['violations'] })")["violations"]
    return [f"{each['help']}: {[node['target'] for node in each['nodes']]}" for each in found]


@every_still_page
def test_the_shown_code_is_the_code_that_runs(still: tuple[str, Page]) -> None:
    stem, page = still
    lines = (STATIC / f"{stem}.js").read_text(encoding="utf-8")
    shown = lines.partition("// <shown>\n")[2].partition("// </shown>")[0].strip()
    assert shown
    expect(page.locator("#source")).to_have_text(shown, use_inner_text=True)


@pytest.mark.parametrize(
    "name",
    [
        "base.css",
        "base.js",
        "lanes.css",
        "lanes.js",
        *(f"{s}.{k}" for s in PAGES for k in ("html", "js")),
    ],
)
def test_no_file_contains_a_host_or_an_absolute_path(name: str) -> None:
    text = (STATIC / name).read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")  # a namespace
    assert re.findall(r"""\w+://|["'`(]//?\w""", text) == []
    assert "innerHTML =" not in text


@every_page
def test_the_page_works_through_a_tap_which_records_the_stream(
    stem: str, server: BackgroundServer, page: Page
) -> None:
    with Tap(server.url) as tap:
        page.goto(f"{tap.url}/static/{stem}.html")
        expect_data(page)
        tap.recording.wait(lambda recording: b"GET /static/base.css HTTP/1.1" in recording.bytes("->"))
        page.goto("about:blank")
    drawn = tap.recording.text()
    assert f"-> GET /static/{stem}.html HTTP/1.1" in drawn
    assert "User-Agent: Mozilla" in drawn
    assert re.search(rf"-> GET /{'' if stem == 'index' else stem}[? ]", drawn)


@every_page
def test_the_page_works_behind_a_prefix(stem: str, prefixed: str, page: Page) -> None:
    requested: list[str] = []
    page.on("request", lambda request: requested.append(request.url))
    page.goto(f"{prefixed}/" if stem == "index" else f"{prefixed}/static/{stem}.html")
    assert page.url == f"{prefixed}/static/{stem}.html"
    expect_data(page)
    assert [url for url in requested if not url.startswith((prefixed, "data:"))] == []


@pytest.fixture
def prefixed() -> Iterator[str]:
    """The URL of the app behind a prefix that the app does not know, as behind a hub's proxy."""
    app = create_app()
    mounted = DispatcherMiddleware(
        NotFound(), {"/proxy/1234": lambda environ, start: app({**environ, "SCRIPT_NAME": ""}, start)}
    )
    with BackgroundServer(mounted) as running:
        yield f"{running.url}/proxy/1234"


@every_page
def test_the_page_works_in_a_sandboxed_frame(stem: str, sandboxed: Callable[[str], FrameLocator]) -> None:
    pane = sandboxed(stem)
    expect(pane.locator(".state[data-kind=open], .state[data-kind=loading]").first).to_be_attached()
    expect(pane.locator("#source")).to_contain_text("function")


@every_page
def test_its_streams_close_with_pagehide_and_open_with_pageshow(
    stem: str, visit: Visit, all_ended: Callable[[], None]
) -> None:
    page = visit(stem)
    expect_data(page)
    page.evaluate("dispatchEvent(new PageTransitionEvent('pagehide', { persisted: true }))")
    all_ended()
    page.evaluate("for (const log of document.querySelectorAll('[role=log] ol')) log.replaceChildren()")
    page.evaluate("dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))")
    expect_data(page)


@every_page
def test_its_streams_close_while_its_tab_is_hidden(stem: str, visit: Visit, all_ended: Callable[[], None]) -> None:
    page = visit(stem)
    expect_data(page)
    set_hidden(page, True)
    all_ended()
    page.evaluate("for (const log of document.querySelectorAll('[role=log] ol')) log.replaceChildren()")
    set_hidden(page, False)
    expect_data(page)


def set_hidden(page: Page, hidden: bool) -> None:
    """Report the page as hidden or visible, as the browser does when the reader changes tabs."""
    page.evaluate(
        "hidden => { Object.defineProperty(document, 'hidden', { value: hidden, configurable: true });"
        " document.dispatchEvent(new Event('visibilitychange')) }",
        hidden,
    )


@every_page
def test_its_streams_close_while_its_frame_is_not_displayed(
    stem: str, sandboxed: Callable[[str], FrameLocator], page: Page, all_ended: Callable[[], None]
) -> None:
    """JupyterLab hides the pages of its other tabs in this way."""
    running = sandboxed(stem).locator(".state[data-kind=open], .state[data-kind=loading]").first
    expect(running).to_be_attached()
    page.evaluate("document.getElementById('pane').style.display = 'none'")
    all_ended()
    page.evaluate("document.getElementById('pane').style.display = ''")
    expect(running).to_be_attached()


def test_a_stopped_page_stays_stopped_when_its_tab_is_shown_again(
    visit: Visit, all_ended: Callable[[], None]
) -> None:
    page = visit("sse")
    expect_data(page)
    page.locator("#stop").click()
    all_ended()
    set_hidden(page, True)
    set_hidden(page, False)
    expect(page.locator("#state")).to_contain_text("closed")


@every_page
def test_a_stream_behind_a_proxy_ends_within_30_seconds(stem: str, prefixed: str, page: Page) -> None:
    requested: list[str] = []
    page.on("request", lambda request: requested.append(request.url))
    page.on("websocket", lambda socket: requested.append(socket.url))
    page.goto(f"{prefixed}/static/{stem}.html")
    expect_data(page)
    queries = [dict(parse_qsl(urlsplit(url).query)) for url in requested if "?" in url]
    assert queries
    assert max(float(each["count"]) * float(each.get("interval", 0.1)) for each in queries) <= 30


def test_ndjson_behind_a_proxy_requests_an_event_stream(prefixed: str, page: Page) -> None:
    with page.expect_request(lambda request: "/ndjson?" in request.url) as requested:
        page.goto(f"{prefixed}/static/ndjson.html")
    assert requested.value.all_headers()["accept"] == "text/event-stream"


@pytest.mark.parametrize("stem", ["sse", "ndjson", "snippets", "template", "multipart"])
def test_a_page_reports_that_nothing_has_arrived_for_three_seconds(stem: str, visit: Visit, page: Page) -> None:
    page.route(f"**/{stem}?*", lambda route: None)  # no response is ever sent
    visit(stem)
    words = re.compile("nothing has arrived for 3 s|no picture after 3 s")
    expect(page.locator(".state").first).to_contain_text(words, timeout=10_000)


@every_still_page
def test_a_phone_does_not_scroll_sideways(still: tuple[str, Page]) -> None:
    _, page = still
    page.set_viewport_size({"width": 360, "height": 740})
    for details in page.locator("details").all():
        details.evaluate("details => { details.open = true }")
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    small = [box["height"] for button in page.locator("button").all() if (box := button.bounding_box())]
    assert min(small) >= 40  # enough for a thumb


@every_still_page
def test_labels_do_not_wrap_on_a_phone(still: tuple[str, Page]) -> None:
    _, page = still
    page.set_viewport_size({"width": 360, "height": 740})
    assert page.evaluate(WRAPPED) == []


# Return the labels, buttons and names of counts whose text takes more than one line.
WRAPPED = """() => [...document.querySelectorAll("label, button, dt")].filter(element => {
  const range = document.createRange()
  const text = [...element.childNodes].find(node => node.nodeType === 3 && node.data.trim())
  range.selectNodeContents(text ?? element)
  return new Set([...range.getClientRects()].map(({ top }) => Math.round(top))).size > 1
}).map(element => element.textContent.trim())"""


@every_page
@pytest.mark.parametrize(("width", "height"), [(1280, 800), (360, 740)])
def test_the_first_screen_shows_the_controls(stem: str, width: int, height: int, visit: Visit) -> None:
    page = visit(stem)
    page.set_viewport_size({"width": width, "height": height})
    expect_data(page)
    for name in ("Stop", "Start again"):
        box = page.get_by_role("button", name=name, exact=True).bounding_box()
        assert box is not None
        assert box["y"] + box["height"] <= height


@every_still_page
def test_all_text_has_contrast_in_the_light_and_dark_schemes(still: tuple[str, Page]) -> None:
    _, page = still
    papers = []
    for scheme in SCHEMES:
        page.emulate_media(color_scheme=scheme)
        papers.append(page.evaluate("getComputedStyle(document.body).backgroundColor"))
        assert page.evaluate(TOO_FAINT) == []
    assert papers == ["rgb(252, 252, 250)", "rgb(21, 24, 23)"]


SCHEMES: tuple[Literal["light"], Literal["dark"]] = ("light", "dark")

# Return the texts whose contrast with their background is under 4.5 (WCAG 2.2, 1.4.3).
TOO_FAINT = """() => {
  const parse = color => (color.match(/[\\d.]+/g) ?? [0, 0, 0, 0]).map(Number)
  const light = color => {
    const [r, g, b] = parse(color).map(c => c / 255).map(c => c <= .04045 ? c / 12.92 : ((c + .055) / 1.055) ** 2.4)
    return .2126 * r + .7152 * g + .0722 * b
  }
  const behind = element => {
    const color = getComputedStyle(element).backgroundColor
    return parse(color)[3] === 0 ? behind(element.parentElement) : color
  }
  const contrast = (a, b) => (Math.max(a, b) + .05) / (Math.min(a, b) + .05)
  const hasText = node => [...node.childNodes].some(child => child.nodeType === 3 && child.data.trim())
  return [...document.body.querySelectorAll("*")].filter(hasText)
    .filter(element => contrast(light(getComputedStyle(element).color), light(behind(element))) < 4.5)
    .map(element => element.outerHTML)
}"""
