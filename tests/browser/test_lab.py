"""JupyterLab in a real browser: the shipped workspace, the start notebook, and the live page beside it."""

import importlib.util
import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

import pytest
from markdown_links import headings, links
from playwright.sync_api import FrameLocator, Locator, Page, expect

if TYPE_CHECKING:
    from browser.conftest import Complaints

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 60_000  # milliseconds
TICK = re.compile(r"[\\|/-] \d+")


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
    return port


@pytest.fixture(scope="module")
def port() -> int:
    """Where the notebook's server listens in these tests, in place of 23423."""
    return free_port()


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory, port: int) -> Path:
    """What the learner sees of this folder, with the live page waiting on the tests' own port."""
    folder = tmp_path_factory.mktemp("course")
    for name in ("notebooks", "static"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns(".ipynb_checkpoints"))
    shutil.copy(ROOT / "run.py", folder)
    workspace = folder / "notebooks" / "course.jupyterlab-workspace"
    workspace.write_text(workspace.read_text().replace("#23423", f"#{port}"))
    return folder


@pytest.fixture(scope="module")
def run(course: Path) -> ModuleType:
    """The copy's run.py, which takes the environment of these tests for its own."""
    spec = importlib.util.spec_from_file_location("run", course / "run.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.PYTHON = sys.executable  # type: ignore[attr-defined]
    return module


@pytest.fixture(scope="module")
def url(run: ModuleType, course: Path, port: int) -> Iterator[str]:
    """JupyterLab as `run.py lab --no-browser` starts it, once for all tests here; the address it answers at."""
    run.furnish()
    settings = f"--LabApp.app_settings_dir={run.LAB / 'settings'}"
    options = run.command_line().parse_args(["lab", "--no-browser"])
    options.extra = [settings, f"--LabApp.user_settings_dir={course / 'user'}", "--ServerApp.port=0"]
    notes = course / "notes"
    notes.mkdir()
    variables = {
        **os.environ,
        "STREAMING_PORT": str(port),
        "PYTHONPATH": str(ROOT),
        "JUPYTER_RUNTIME_DIR": str(notes),
    }
    silent: dict[str, Any] = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(run.lab_command(options), env=variables, **silent) as child:
        try:
            yield run.address(child, notes)
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


def test_nothing_pops_up_and_the_files_are_one_click_away(url: str, page: Page, complaints: "Complaints") -> None:
    complaints.expect("ERR_CONNECTION_REFUSED")
    open_course(page, url)
    expect(page.locator(".jp-DirListing")).to_be_hidden()
    expect(page.locator(".jp-Dialog, .Toastify__toast")).to_have_count(0)
    page.get_by_role("tab", name="File Browser").click()
    expect(page.locator(".jp-DirListing")).to_be_visible()


def test_the_start_notebook_brings_the_page_beside_it_to_life(
    url: str, port: int, page: Page, complaints: "Complaints"
) -> None:
    complaints.expect("ERR_CONNECTION_REFUSED")  # the page beside the notebook, knocking
    beside = open_course(page, url)
    expect(page.get_by_role("tab", name="00_start.ipynb")).to_be_visible()
    expect(beside.get_by_text(f"http://localhost:{port}/")).to_be_visible()
    expect(beside.get_by_role("heading")).to_have_text("This page is waiting for the server")
    run_all(page)
    spinner = beside.locator("#data")
    expect(spinner).to_have_text(TICK, timeout=PATIENCE)
    first = spinner.inner_text()
    expect(spinner).not_to_have_text(first)
    expect(spinner).to_have_text(TICK)


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
