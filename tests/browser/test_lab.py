"""JupyterLab in a real browser: the shipped workspace, the start notebook, and the live page beside it."""

import importlib
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from free_port import free_port
from markdown_links import headings, links
from playwright.sync_api import Browser, FrameLocator, Locator, Page, expect

from server.lab import jupyter

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 60_000  # milliseconds
# Appends the host of each connection of JupyterLab and its kernels to a file.
HOOK = """import sys

def log(event, arguments):
    if event == "socket.getaddrinfo" or (event == "socket.connect" and isinstance(arguments[1], tuple)):
        host = arguments[1][0] if event == "socket.connect" else arguments[0]
        with open({log!r}, "a") as file:
            print(host.decode() if isinstance(host, bytes) else host, file=file)

sys.addaudithook(log)
"""
TICK = re.compile(r"[\\|/-] \d+")


@pytest.fixture(scope="module")
def port() -> int:
    """The port that the notebook's server prefers in these tests, instead of 23423."""
    return free_port()


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copy_course(tmp_path_factory.mktemp("course"))


def copy_course(folder: Path) -> Path:
    """Copy the files of the project that a learner sees, and return the folder."""
    for name in ("notebooks", "static"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns(".ipynb_checkpoints"))
    hook = HOOK.format(log=str(folder / "connections"))
    (folder / "hook").mkdir()
    (folder / "hook" / "sitecustomize.py").write_text(hook)
    return folder


@pytest.fixture(scope="module")
def url(course: Path, port: int) -> Iterator[str]:
    """JupyterLab as `run.py lab --no-browser` starts it, once for all tests of this module. Its URL."""
    with jupyterlab(course, port) as url:
        yield url


@contextmanager
def jupyterlab(course: Path, port: int, *options: str, **variables: str) -> Iterator[str]:
    """Run JupyterLab in a copy of the course as `run.py lab --no-browser` does, and give its URL."""
    jupyter.write_settings(course / "lab", course)
    more = [f"--LabApp.user_settings_dir={course / 'user'}", "--ServerApp.port=0", *options]
    runtime, live = course / "runtime", course / "live"
    runtime.mkdir()
    own = {
        **os.environ,
        "STREAMING_PORT": str(port),
        "PYTHONPATH": os.pathsep.join([str(course / "hook"), str(ROOT)]),
        "JUPYTER_RUNTIME_DIR": str(runtime),
        **jupyter.live_page(live),
        **variables,
    }
    silent: dict[str, Any] = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    command = jupyter.command(course / "lab", live, browser=False, port=None, more=more, root=course)
    with subprocess.Popen(command, env=own, **silent) as child:
        try:
            yield jupyter.address(child, runtime)
        finally:
            child.terminate()
            child.wait(timeout=30)


def open_course(page: Page, url: str) -> FrameLocator:
    """Open the workspace, wait until the notebook's kernel is idle, and return the page beside it."""
    page.goto(url)
    expect(page.get_by_text("Python 3 (ipykernel) | Idle")).to_be_visible(timeout=PATIENCE)
    return page.frame_locator(".jp-Help iframe")


def run_all(page: Page) -> None:
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()


def test_nothing_pops_up_and_nbgrader_adds_no_menus(url: str, page: Page) -> None:
    importlib.import_module("nbgrader")  # the test means nothing without it
    open_course(page, url)
    expect(page.get_by_role("menuitem", name="Run", exact=True)).to_be_visible()
    expect(page.get_by_role("menuitem", name="Nbgrader")).to_have_count(0)
    expect(page.locator("[class*=nbgrader], [id*=nbgrader]")).to_have_count(0)
    expect(page.locator(".jp-DirListing")).to_be_hidden()
    expect(page.locator(".jp-Dialog, .Toastify__toast")).to_have_count(0)
    page.get_by_role("tab", name="File Browser").click()
    expect(page.locator(".jp-DirListing")).to_be_visible()


def test_jupyterlab_contacts_no_other_machine(url: str, course: Path, page: Page) -> None:
    open_course(page, url)
    with page.expect_response(lambda response: "lab/api/extensions" in response.url):
        page.get_by_role("tab", name="Extension Manager").click()
    hosts = set((course / "connections").read_text().split())
    assert hosts
    assert hosts <= {"127.0.0.1", "::1", "localhost", "0.0.0.0"}


def expect_live(beside: FrameLocator, port: int) -> None:
    """Wait until the page beside the notebook shows the spinner of the server on this port."""
    frame = beside.locator("iframe#page")
    expect(frame).to_have_attribute("src", f"http://127.0.0.1:{port}/", timeout=PATIENCE)
    spinner = frame.content_frame.locator("#data")
    expect(spinner).to_have_text(TICK, timeout=PATIENCE)
    first = spinner.inner_text()
    expect(spinner).not_to_have_text(first)
    expect(spinner).to_have_text(TICK)


def test_two_people_on_one_machine_see_their_own_servers(
    url: str, port: int, page: Page, browser: Browser, tmp_path: Path, complaints: Any
) -> None:
    first = open_course(page, url)
    expect(page.get_by_role("tab", name="00_start.ipynb")).to_be_visible()
    expect(first.get_by_role("heading")).to_have_text("This page is waiting for the server")
    run_all(page)
    expect_live(first, port)
    frame = page.locator(f'.jp-OutputArea-output iframe[src="http://127.0.0.1:{port}/"]')
    expect(frame).to_have_count(1)
    expect(frame).to_be_hidden()  # so that the page is not shown twice
    complaints.expect("ERR_INCOMPLETE_CHUNKED_ENCODING")
    run_all(page)  # the server of this run replaces the one before, whose stream is interrupted
    expect_live(first, port)
    with jupyterlab(copy_course(tmp_path), port) as other_url, browser.new_context() as own:
        other = own.new_page()
        second = open_course(other, other_url)
        expect(second.get_by_role("heading")).to_have_text("This page is waiting for the server")  # not the first's
        run_all(other)
        line = f"Port {port} is already in use on this machine. This server uses another port: http://127.0.0.1:"
        output = other.locator(".jp-OutputArea-output", has_text=line)
        expect(output).to_be_visible(timeout=PATIENCE)
        found = re.search(r"127\.0\.0\.1:(\d+)", str(output.text_content()))
        assert found
        assert int(found[1]) != port
        expect_live(second, int(found[1]))
        expect_live(first, port)


def tab(page: Page, path: str) -> Locator:
    """Return the tab of a notebook; its tooltip has the path."""
    return page.locator(f'.lm-DockPanel-tabBar [role="tab"][title*="Path: notebooks/{path}"]')


def in_front(page: Page, course: Path, path: str) -> Locator:
    """Wait until a notebook of the course is in front, and return it.

    Its links lead where they are written to, and its headings have the names that `links` gives them.
    """
    file = course / "notebooks" / path
    expect(tab(page, path).and_(page.get_by_role("tab", selected=True))).to_be_visible(timeout=PATIENCE)
    notebook = page.locator(".jp-NotebookPanel:not(.lm-mod-hidden)")
    drawn = notebook.locator(".jp-RenderedMarkdown")
    anchors = drawn.locator("a:not(.jp-InternalAnchorLink)")
    expect(anchors).to_have_count(len(links(file)), timeout=PATIENCE)
    expect(anchors.and_(page.locator(':not([href^="http"])'))).to_have_count(0)  # each is a whole address by now
    addresses = [urlsplit(address) for address in anchors.evaluate_all("all => all.map(link => link.href)")]
    assert [(unquote(address.path), address.fragment) for address in addresses] == [
        ("/files/" + (file.parent / target.path).resolve().relative_to(course).as_posix(), target.fragment)
        for target in map(urlsplit, links(file))
    ]
    titles = drawn.locator(":is(h1, h2, h3, h4, h5, h6):has(.jp-InternalAnchorLink)")
    expect(titles).to_have_count(len(headings(file)))
    assert titles.evaluate_all("all => all.map(title => title.dataset.jupyterId ?? title.id)") == headings(file)
    return notebook


def test_links_open_notebooks_and_headings(url: str, course: Path, page: Page) -> None:
    def follow(notebook: Locator, link: str, path: str, number: int = 0) -> Locator:
        notebook.get_by_role("link", name=link, exact=True).nth(number).click(timeout=PATIENCE)
        return in_front(page, course, path)

    # In a workspace of its own, so that the shipped one stays as it is, and without the page beside the notebook.
    page.goto(url.replace("/workspaces/course?", "/workspaces/links/tree/notebooks/00_start.ipynb?"))
    start = in_front(page, course, "00_start.ipynb")
    wire = follow(start, "01_wire", "01_wire.ipynb", -1)
    follow(wire, "00_start, something streams", "00_start.ipynb")
    follow(start, "01_wire, what a response is made of", "01_wire.ipynb")
    follow(wire, "exercises/01_wire", "exercises/01_wire.ipynb")
    tab(page, "01_wire.ipynb").click()
    follow(wire, "00_start", "00_start.ipynb", -1)
    words = follow(start, "glossary", "glossary.ipynb", -1)
    for _ in range(2):  # as the glossary says: the first click may open the notebook and miss the heading
        tab(page, "glossary.ipynb").click()
        follow(words, "01_wire, Framed by the close", "01_wire.ipynb")
    expect(wire.get_by_role("heading", name="Framed by the close")).to_be_in_viewport()
