"""The table in README.md, made from the techniques and the notebooks: run this to write it anew."""

from __future__ import annotations

import re
from pathlib import Path

import canonical

from server.techniques import TECHNIQUES

README = Path(__file__).resolve().parent.parent / "README.md"
TABLE = re.compile(r"(<!-- table: [^\n]*-->\n).*?(<!-- /table -->)", re.DOTALL)


def table() -> str:
    """Return the table: each notebook, what it is about, and the technique's module and page where it has one."""
    rooms = {module.__name__.rpartition(".")[2]: module for module in TECHNIQUES}
    lines = ["| Notebook | About | Server | Page |", "|---|---|---|---|"]
    for path in canonical.course():
        stem = path.stem.partition("_")[2]
        module = f"[{stem}.py](server/techniques/{stem}.py)" if stem in rooms else ""
        page = f"[{stem}.html](static/{stem}.html)" if stem in rooms else ""
        lines.append(f"| [{path.stem}](notebooks/{path.name}) | {title(path)} | {module} | {page} |")
    return "\n".join(lines) + "\n"


def title(path: Path) -> str:
    """Return the title of a notebook: its first heading."""
    found = re.search(r"^# (.+)$", canonical.prose(path), re.MULTILINE)
    if found is None:
        raise ValueError(f"{path.name} has no heading")
    return found[1]


def written(text: str) -> str:
    """Return the text of the README with its table made anew."""
    return TABLE.sub(lambda found: found[1] + table() + found[2], text)


if __name__ == "__main__":
    README.write_text(written(README.read_text(encoding="utf-8")), encoding="utf-8")
