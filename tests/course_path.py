"""The path through the course, made from what each notebook says of itself: run this to write it anew.

    python tests/course_path.py

A notebook of the course has in its metadata, under "course": its `name` in the links that lead to it, the `question`
that it answers, the `minutes` that it takes, and the notebooks that it `needs`. From these come its line "What you
need" (a hand may add to it, before the time), the line that leads to its exercises, the last line, which leads back,
to the map, to the glossary and on, and the map in the first notebook. Nothing else of a notebook is touched.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import canonical

GLOSSARY = canonical.NOTEBOOKS / "glossary.ipynb"
ALL = "the notebooks before this one"
LINK = r"\[\w+\]\(\w+\.ipynb\)"
NEED = re.compile(rf"(?<=\*\*What you need\*\*: )(?:{ALL}|{LINK}(?:, {LINK})*)?(.*?) \*\*Time\*\*: \d+ minutes\.")
EXERCISES = re.compile(r"^\*\*Exercises that check themselves\*\*: .*$", re.MULTILINE)
LAST = re.compile(r"^\*\*(?:Before|Map|Words|Next)\*\*: .*\Z", re.MULTILINE)
MAP = re.compile(r"^\| Notebook \|.*\n(?:\|.*\n)+", re.MULTILINE)


@dataclass(frozen=True)
class Stop:
    """A notebook of the course: its stem, such as "02_sse", and what its metadata says of it."""

    stem: str
    name: str
    question: str
    minutes: int
    needs: list[str]

    def __str__(self) -> str:
        """Return the link to it that names it."""
        return f"[{self.stem}, {self.name}]({self.stem}.ipynb)"


def stops() -> list[Stop]:
    """Return the notebooks of the course, in order."""
    return [Stop(file.stem, **_read(file)["metadata"]["course"]) for file in canonical.course()]


def need(stop: Stop, before: list[str]) -> str:
    """Return what a notebook needs, as links: of these notebooks before it, or of all."""
    if len(before) > 1 and stop.needs == before:
        return ALL
    return ", ".join(f"[{stem}]({stem}.ipynb)" for stem in stop.needs)


def course_map(course: list[Stop]) -> str:
    """Return the map as a table."""
    lines = ["| Notebook | The question it answers | Needs | Minutes |", "|---|---|---|---|"]
    for number, stop in enumerate(course):
        link = f"[{stop.stem}]({stop.stem}.ipynb)" if number else f"{stop.stem}, this one"
        everything = number > 1 and len(stop.needs) == number
        needs = "all before it" if everything else ", ".join(stop.needs)
        lines.append(f"| {link} | {stop.question} | {needs} | {stop.minutes} |")
    return "\n".join(lines) + "\n"


def last_line(course: list[Stop], number: int) -> str:
    """Return the last line of a notebook: back, the map, the glossary, on."""
    ways = {
        "Before": str(course[number - 1]) if number else "",
        "Map": f"[{course[0].stem}]({course[0].stem}.ipynb#The-map-of-the-course)" if number else "",
        "Words": f"[glossary]({GLOSSARY.name})",
        "Next": str(course[number + 1]) if number + 1 < len(course) else "",
    }
    return " ".join(f"**{way}**: {link}." for way, link in ways.items() if link)


def written(number: int, course: list[Stop]) -> str:
    """Return the text of a notebook's file with these lines made anew; raise ValueError where one has no place."""
    stop, file = course[number], canonical.course()[number]
    notebook = _read(file)
    needs = need(stop, [each.stem for each in course[:number]])
    exercises = f"**Exercises that check themselves**: [exercises/{stop.stem}](exercises/{stop.stem}.ipynb)."
    _replace(notebook, NEED, lambda found: f"{needs}{found[1]} **Time**: {stop.minutes} minutes.")
    _replace(notebook, EXERCISES, lambda _: exercises)
    _replace(notebook, LAST, lambda _: last_line(course, number))
    if number == 0:
        _replace(notebook, MAP, lambda _: course_map(course))
    return canonical.dumps(notebook)


def _read(file: Path) -> dict[str, Any]:
    notebook: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return notebook


def _replace(notebook: dict[str, Any], place: re.Pattern[str], line: Callable[[re.Match[str]], str]) -> None:
    """Replace a line that stands in one cell of the notebook."""
    cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "markdown"]
    found = [cell for cell in cells if place.search("".join(cell["source"]))]
    if len(found) != 1:
        raise ValueError(f"{len(found)} cells have a line like {place.pattern!r}, expected one")
    found[0]["source"] = place.sub(line, "".join(found[0]["source"]), count=1).splitlines(keepends=True)


if __name__ == "__main__":
    for number, file in enumerate(canonical.course()):
        file.write_text(written(number, stops()), encoding="utf-8")
