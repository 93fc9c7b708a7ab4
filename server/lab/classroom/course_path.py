"""Write the lines that connect the notebooks, from the metadata of each notebook.

The metadata of a notebook of the course has a section "course": the `name` in links to it, the `question` that it
answers, its `minutes`, and the notebooks that it `needs`. Four places are generated from it: the line "What you
need", the line that leads to the exercises, the last line with its links, and the map in the first notebook. The
author may add text between the needed notebooks and the time. Nothing else in a notebook is changed.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from . import notebooks
from .folders import EditionError
from .notebooks import Notebook

ALL = "the notebooks before this one"
LINK = r"\[\w+\]\(\w+\.ipynb\)"
NEED = re.compile(rf"(?<=\*\*What you need\*\*: )(?:{ALL}|{LINK}(?:, {LINK})*)?(.*?) \*\*Time\*\*: \d+ minutes\.")
EXERCISES = re.compile(r"^\*\*Exercises that check themselves\*\*: .*$", re.MULTILINE)
LAST = re.compile(r"^\*\*(?:Before|Map|Words|Next)\*\*: .*\Z", re.MULTILINE)
MAP = re.compile(r"^\| Notebook \|.*\n(?:\|.*\n)+", re.MULTILINE)


@dataclass(frozen=True)
class Stop:
    """A notebook of the course: its stem, such as "02_sse", and the data in its metadata.

    Attributes:
        stem: the name of the file without its suffix.
        name: the text of links to it.
        question: the question that it answers.
        minutes: the class time, in minutes.
        needs: the stems of the notebooks that it needs.
    """

    stem: str
    name: str
    question: str
    minutes: int
    needs: list[str]

    def __str__(self) -> str:
        """Return a Markdown link with the stem and the name."""
        return f"[{self.stem}, {self.name}]({self.stem}.ipynb)"


def stops() -> list[Stop]:
    """Return the notebooks of the course, in order.

    Raises:
        EditionError: a notebook has no section "course" in its metadata, or another one than a Stop needs.
    """
    found = []
    for path in notebooks.course():
        try:
            found.append(Stop(path.stem, **notebooks.read(path)["metadata"]["course"]))
        except (KeyError, TypeError) as error:
            raise EditionError(
                f'{path.name} has no complete section "course" in its metadata ({error})',
                "add the section with name, question, minutes and needs (see CONTRIBUTING.md)",
            ) from None
    return found


def write() -> None:
    """Update the generated lines of every notebook of the course."""
    course = stops()
    for number, path in enumerate(notebooks.course()):
        notebooks.write(path, updated(notebooks.read(path), number, course))


def updated(notebook: Notebook, number: int, course: list[Stop]) -> Notebook:
    """Return a notebook with its generated lines updated.

    Args:
        notebook: the content of the notebook; it is changed in place.
        number: its position in the course, from 0.
        course: all notebooks of the course.

    Raises:
        EditionError: the notebook has no cell, or several cells, with one of the lines.
    """
    stop = course[number]

    def replace(example: str, line: re.Pattern[str], new: Callable[[re.Match[str]], str]) -> None:
        cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "markdown"]
        found = [cell for cell in cells if line.search("".join(cell["source"]))]
        if len(found) != 1:
            cause = f"{len(found)} cells of {stop.stem}.ipynb have a line like {example!r}"
            raise EditionError(cause, "keep this line in exactly one Markdown cell (see CONTRIBUTING.md)")
        found[0]["source"] = line.sub(new, "".join(found[0]["source"]), count=1).splitlines(keepends=True)

    needs = needed_links(stop, [each.stem for each in course[:number]])
    exercises = f"**Exercises that check themselves**: [exercises/{stop.stem}](exercises/{stop.stem}.ipynb)."
    replace(
        "**What you need**: . **Time**: 20 minutes.",
        NEED,
        lambda found: f"{needs}{found[1]} **Time**: {stop.minutes} minutes.",
    )
    replace("**Exercises that check themselves**: x", EXERCISES, lambda _: exercises)
    replace("**Before**: x", LAST, lambda _: last_line(course, number))
    if number == 0:
        replace("| Notebook |", MAP, lambda _: course_map(course))
    return notebook


def needed_links(stop: Stop, earlier: list[str]) -> str:
    """Return links to the notebooks that a notebook needs, or a short text if it needs all earlier ones."""
    if len(earlier) > 1 and stop.needs == earlier:
        return ALL
    return ", ".join(f"[{stem}]({stem}.ipynb)" for stem in stop.needs)


def course_map(course: list[Stop]) -> str:
    """Return the map of the course as a Markdown table."""
    lines = ["| Notebook | Question | Needs | Minutes |", "|---|---|---|---|"]
    for number, stop in enumerate(course):
        link = f"[{stop.stem}]({stop.stem}.ipynb)" if number else f"{stop.stem}, this one"
        everything = number > 1 and len(stop.needs) == number
        needs = "all before it" if everything else ", ".join(stop.needs)
        lines.append(f"| {link} | {stop.question} | {needs} | {stop.minutes} |")
    return "\n".join(lines) + "\n"


def last_line(course: list[Stop], number: int) -> str:
    """Return the last line of a notebook: links to the previous one, the map, the glossary and the next one."""
    links = {
        "Before": str(course[number - 1]) if number else "",
        "Map": f"[{course[0].stem}]({course[0].stem}.ipynb#The-map-of-the-course)" if number else "",
        "Words": f"[glossary]({notebooks.GLOSSARY.name})",
        "Next": str(course[number + 1]) if number + 1 < len(course) else "",
    }
    return " ".join(f"**{name}**: {link}." for name, link in links.items() if link)
