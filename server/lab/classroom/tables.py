"""Write the generated tables of README.md and TEACHING.md.

README.md lists each notebook with the module and the page of its technique. TEACHING.md lists the minutes of each
notebook and of its exercises, and how long its cells run.
"""

from __future__ import annotations

import re

from . import notebooks
from .course_path import stops
from .folders import EditionError

TABLE = re.compile(r"(<!-- table: [^\n]*-->\n).*?(<!-- /table -->)", re.DOTALL)
TITLE = re.compile(r"^# (.+)$", re.MULTILINE)
EXERCISE = re.compile(r"^## \d+\.\d+ .+\n\n\*(\d+) minutes, ", re.MULTILINE)
RUN_TIME = re.compile(r"^\| \[(\d\d_\w+)\]\(\S+\) \| \d+ \| (\d+ s) \|", re.MULTILINE)


def write(seconds: dict[str, float], replace: bool = False) -> None:
    """Update both tables.

    Args:
        seconds: the measured run time of notebooks, by stem.
        replace: store all of these times; otherwise only those of notebooks that have no time in TEACHING.md.
    """
    teaching = (notebooks.ROOT / "TEACHING.md").read_text(encoding="utf-8")
    stored, measured = run_times(teaching), {stem: f"{time:.0f} s" for stem, time in seconds.items()}
    times = stored | measured if replace else measured | stored
    for name, table in (("README.md", readme_table()), ("TEACHING.md", teaching_table(times))):
        path = notebooks.ROOT / name
        path.write_text(with_table(path.read_text(encoding="utf-8"), table), encoding="utf-8", newline="\n")


def with_table(text: str, table: str) -> str:
    """Return a Markdown text with the table between its two comments replaced."""
    return TABLE.sub(lambda found: found[1] + table + found[2], text)


def readme_table() -> str:
    """Return the table of README.md."""
    lines = ["| Notebook | About | Server | Page |", "|---|---|---|---|"]
    for path in notebooks.course():
        stem = path.stem.partition("_")[2]
        files = [f"server/techniques/{stem}.py", f"static/{stem}.html"]
        links = [
            f"[{file.rpartition('/')[2]}]({file})" if (notebooks.ROOT / file).is_file() else "" for file in files
        ]
        title = TITLE.findall(notebooks.prose(path))[0]
        lines.append(f"| [{path.stem}](notebooks/{path.name}) | {title} | {links[0]} | {links[1]} |")
    return "\n".join(lines) + "\n"


def teaching_table(run_times: dict[str, str]) -> str:
    """Return the table of TEACHING.md with these run times, by stem, such as "12 s"."""
    lines = ["| Notebook | Minutes | Runs in | Exercises | Their minutes |", "|---|---|---|---|---|"]
    for stop in stops():
        minutes = exercise_minutes(stop.stem)
        lines.append(
            f"| [{stop.stem}](notebooks/{stop.stem}.ipynb) | {stop.minutes} | {run_times.get(stop.stem, '')} "
            f"| [{len(minutes)}](notebooks/exercises/{stop.stem}.ipynb) | {sum(minutes)} |"
        )
    return "\n".join(lines) + "\n"


def run_times(text: str) -> dict[str, str]:
    """Return the run times that the table of TEACHING.md has, by stem."""
    return dict(RUN_TIME.findall(text))


def exercise_minutes(stem: str) -> list[int]:
    """Return the minutes of each exercise of a notebook.

    Raises:
        EditionError: the notebook has no solutions.
    """
    path = notebooks.SOLUTIONS / f"{stem}.ipynb"
    if not path.is_file():
        raise EditionError(
            f"{stem}.ipynb has no exercises, because {path.relative_to(notebooks.ROOT).as_posix()} does not exist",
            "create that notebook with at least one exercise and its solution (see CONTRIBUTING.md)",
        )
    cells = notebooks.cells(path, "markdown")
    return [int(minutes) for cell in cells for minutes in EXERCISE.findall("".join(cell["source"]))]
