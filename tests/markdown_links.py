"""Where the links of a notebook or of a Markdown file lead: the headings of their targets, as JupyterLab names them.

JupyterLab 4 opens `01_wire.ipynb#Framed-by-length` at the heading "Framed by length". The name of a heading is its
text with a hyphen for each space, and it is case-sensitive. In a Markdown file the names are those of GitHub.
"""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import urlsplit

from server.lab.classroom import links as markdown
from server.lab.classroom import notebooks

PLAIN = re.compile(r"[\w,.:;!'()-]+", re.ASCII)  # characters that browsers do not encode in a URL


def text(file: Path) -> str:
    """Return the Markdown of a file or of a notebook's cells."""
    return notebooks.prose(file) if file.suffix == ".ipynb" else file.read_text(encoding="utf-8")


def links(file: Path) -> list[str]:
    """Return the targets of all links, in order."""
    return markdown.targets(text(file))


def headings(file: Path) -> list[str]:
    """Return the names of the headings of a file, by which a link can lead to them."""
    found = markdown.headings(text(file))
    if file.suffix == ".ipynb":
        return [heading.replace(" ", "-") for heading in found]
    return [re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in found]


def fault(file: Path, link: str, root: Path) -> str:
    """Return the error of a link in this file, or "". Links to other hosts are not followed."""
    parts = urlsplit(link)
    if parts.scheme or parts.netloc:
        return ""
    target = (file.parent / parts.path).resolve() if parts.path else file
    if not target.is_relative_to(root):
        return f"{link} leads out of the project"
    if not target.exists():
        return f"{link} leads to no file"
    if not parts.fragment:
        return ""
    if not PLAIN.fullmatch(parts.fragment):
        return f"{link} has a heading with characters that browsers encode"
    found = headings(target).count(parts.fragment)
    return "" if found == 1 else f"{link} leads to {found} headings"
