"""Show things in a notebook: code of this project, read from its file, and a page of the server."""

from __future__ import annotations

import html
import inspect
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Source:
    """A part of this project's code: its file (a path relative to the project), its first line and its text."""

    path: str
    line: int
    text: str

    @property
    def title(self) -> str:
        """The file, and the line where the code begins if it is not the first line."""
        return self.path if self.line == 1 else f"{self.path}, from line {self.line}"

    def __str__(self) -> str:
        return f"# {self.title}\n\n{self.text}"

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(str(self))

    def _repr_markdown_(self) -> str:
        language = {".py": "python", ".html": "html", ".js": "javascript"}.get(Path(self.path).suffix, "")
        return f"`{self.title}`\n\n````{language}\n{self.text}````\n"


def source(thing: Any) -> Source:
    """Return the code of a module, class or function of this project, or of a file given by its path in the project.

    Of a file with the comments `// <shown>` and `// </shown>`, only the lines between them are returned: the lines of
    a page's script that it shows itself. Raises FileNotFoundError if there is no such file.
    """
    if isinstance(thing, str):
        text = (ROOT / thing).read_text(encoding="utf-8")
        before, mark, shown = text.partition("// <shown>\n")
        if not mark:
            return Source(thing, 1, text)
        return Source(thing, before.count("\n") + 2, shown.partition("// </shown>")[0])
    path = Path(inspect.getsourcefile(thing) or "").resolve()
    lines, first = inspect.getsourcelines(thing)
    return Source(path.relative_to(ROOT).as_posix(), max(first, 1), "".join(lines))


@dataclass(frozen=True)
class Page:
    """A page of a running server: a frame below the cell, and a link that opens the page in a new tab.

    The frame is folded if the live page beside the first notebook already shows this page.
    """

    url: str
    height: int = 340
    beside: bool = False  # whether the live page shows it

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(f"the page {self.url}")

    def _repr_html_(self) -> str:
        url = html.escape(self.url, quote=True)
        link = f'<p>Open it in a new tab: <a href="{url}" target="_blank">{url}</a></p>'
        lazy = ' loading="lazy"' if self.beside else ""  # a folded frame sends no request
        frame = (
            f'<iframe src="{url}" title="{url}" width="100%" height="{self.height}"{lazy} '
            'style="border: 1px solid #8888"></iframe>'
        )
        if self.beside:
            summary = "The live page beside this notebook shows it. Show it here too"
            frame = f"<details><summary>{summary}</summary>{frame}</details>"
        return frame + link


def page(url: str, height: int = 340) -> Page:
    """Return a page that displays itself in a notebook. `height` is in pixels."""
    address = browser_url(url)
    return Page(address, height, live_address(address) == _live_file())


def live_address(url: str) -> str:
    """Return the line of JavaScript that gives the live page its address; see live.py."""
    return f"liveAddress = {json.dumps(url)}\n"


def _live_file() -> str:
    """Return the text of the file that gives the live page its address, "" if there is no live page."""
    name = os.environ.get("STREAMING_LIVE_PAGE")
    return Path(name).read_text(encoding="utf-8") if name and Path(name).exists() else ""


def browser_url(url: str) -> str:
    """Return the URL at which the learner's browser reaches a server of this machine.

    On a JupyterHub the browser runs on another machine. It reaches the server through jupyter-server-proxy, at a path
    below the address of the hub. Otherwise the URL stays as it is.
    """
    prefix, parts = os.environ.get("JUPYTERHUB_SERVICE_PREFIX"), urlsplit(url)
    path = url.partition(parts.netloc)[2]
    return f"{prefix.rstrip('/')}/proxy/{parts.port}{path}" if prefix and parts.port else url
