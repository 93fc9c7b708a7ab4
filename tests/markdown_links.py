"""Where the links of a notebook or of a Markdown file lead: the headings of their targets, as JupyterLab names them.

JupyterLab 4 opens `01_wire.ipynb#Ask-by-hand` at the heading "Ask by hand": the name of a heading is its text with a
hyphen for each blank, in upper and lower case as it is written. In a Markdown file the names are those of GitHub.
"""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import urlsplit

from server.lab.classroom import notebooks

LINK = re.compile(r"\]\(<?([^)\s>]+)>?(?: \"[^\"]*\")?\)")
FENCED = re.compile(r"^(```|~~~).*?^\1[^\n]*$", re.MULTILINE | re.DOTALL)
SPAN = re.compile(r"(`+)(?!`).*?(?<!`)\1(?!`)")
HEADING = re.compile(r"^#{1,6} +(.+?)(?: +#+)? *$", re.MULTILINE)
PLAIN = re.compile(r"[\w,.:;!'()-]+", re.ASCII)  # what no browser writes otherwise in an address


def text(file: Path) -> str:
    """Return the Markdown of a file or of a notebook's cells, without blocks of code."""
    written = notebooks.prose(file) if file.suffix == ".ipynb" else file.read_text(encoding="utf-8")
    return FENCED.sub("", written)


def links(file: Path) -> list[str]:
    """Return the targets of all links, in order; a link that is shown as code is none."""
    return LINK.findall(SPAN.sub("", text(file)))


def headings(file: Path) -> list[str]:
    """Return the names of the headings of a file, by which a link can lead to them."""
    found = [re.sub(r"[`*]|\]\([^)]*\)|\[", "", heading) for heading in HEADING.findall(text(file))]
    if file.suffix == ".ipynb":
        return [heading.replace(" ", "-") for heading in found]
    return [re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in found]


def fault(file: Path, link: str, root: Path) -> str:
    """Say what is wrong with a link of this file, "" where nothing is; a link to another host is not followed."""
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
        return f"{link} has a heading that browsers write in another way"
    found = headings(target).count(parts.fragment)
    return "" if found == 1 else f"{link} leads to {found} headings"
