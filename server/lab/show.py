"""Show things in a notebook: a room's own code, from its file, and a page of the server."""

from __future__ import annotations

import html
import inspect
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Source:
    """A piece of this project's code as it stands in its file: `path` below the project, its first line, its text."""

    path: str
    line: int
    text: str

    @property
    def title(self) -> str:
        """The file, with the line where the piece begins unless it is the whole file."""
        return self.path if self.line == 1 else f"{self.path}, from line {self.line}"

    def __str__(self) -> str:
        return f"# {self.title}\n\n{self.text}"

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(str(self))

    def _repr_markdown_(self) -> str:
        language = {".py": "python", ".html": "html", ".js": "javascript"}.get(Path(self.path).suffix, "")
        return f"`{self.title}`\n\n````{language}\n{self.text}````\n"


def source(thing: Any) -> Source:
    """Return the code of a module, class or function of this project, or of a file named by its path below it.

    Raises FileNotFoundError for a path that is not there.
    """
    if isinstance(thing, str):
        return Source(thing, 1, (ROOT / thing).read_text(encoding="utf-8"))
    path = Path(inspect.getsourcefile(thing) or "").resolve()
    lines, first = inspect.getsourcelines(thing)
    return Source(path.relative_to(ROOT).as_posix(), max(first, 1), "".join(lines))


@dataclass(frozen=True)
class Page:
    """A page of a running server, shown in a frame below the cell, with a link to open it by itself."""

    url: str
    height: int = 340

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(f"the page {self.url}")

    def _repr_html_(self) -> str:
        url = html.escape(self.url, quote=True)
        return (
            f'<iframe src="{url}" title="{url}" width="100%" height="{self.height}" style="border: 1px solid #8888">'
            f'</iframe><p>Or in a tab of its own: <a href="{url}" target="_blank">{url}</a></p>'
        )


def page(url: str, height: int = 340) -> Page:
    """Return a page that shows itself in a notebook; `height` in pixels.

    On a hub the browser runs on another machine than the server, and reaches it through `jupyter-server-proxy`.
    """
    return Page(_through_the_hub(url), height)


def _through_the_hub(url: str) -> str:
    prefix, parts = os.environ.get("JUPYTERHUB_SERVICE_PREFIX"), urlsplit(url)
    path = url.partition(parts.netloc)[2]
    return f"{prefix.rstrip('/')}/proxy/{parts.port}{path}" if prefix and parts.port else url
