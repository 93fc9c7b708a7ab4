"""The table of TEACHING.md: minutes as the notebooks declare them, beside the time that their cells take.

    python tests/teaching.py [--measure]

Without --measure the run times stay as they are. A test holds the rest equal to the notebooks.
"""

from __future__ import annotations

import argparse
import json
import re
import time
from pathlib import Path

import canonical
import course_path

TEACHING = Path(__file__).resolve().parent.parent / "TEACHING.md"
TABLE = re.compile(r"(<!-- table: .*? -->\n).*?(<!-- /table -->)", re.DOTALL)
HEAD = "| Notebook | Minutes | Runs in | Exercises | Their minutes |\n|---|---|---|---|---|\n"
EXERCISE = re.compile(r"^## \d+\.\d+ .+\n\n\*(\d+) minutes, ", re.MULTILINE)


def exercises(stem: str) -> list[int]:
    """Return the minutes of each exercise of a notebook."""
    file = canonical.NOTEBOOKS / "solutions" / f"{stem}.ipynb"
    cells = json.loads(file.read_text(encoding="utf-8"))["cells"]
    return [int(minutes) for cell in cells for minutes in EXERCISE.findall("".join(cell["source"]))]


def table(seconds: dict[str, str]) -> str:
    """Return the table, with these run times."""
    rows = [
        f"| [{stop.stem}](notebooks/{stop.stem}.ipynb) | {stop.minutes} | {seconds.get(stop.stem, '')} "
        f"| [{len(exercises(stop.stem))}](notebooks/exercises/{stop.stem}.ipynb) | {sum(exercises(stop.stem))} |\n"
        for stop in course_path.stops()
    ]
    return HEAD + "".join(rows)


def told(text: str) -> dict[str, str]:
    """Return the run times that the table tells, by notebook."""
    return dict(re.findall(r"^\| \[(\d\d_\w+)\]\(\S+\) \| \d+ \| (\d+ s) \|", text, re.MULTILINE))


def measured() -> dict[str, str]:
    """Run every notebook of the course, and return the time of each."""
    seconds = {}
    for file in canonical.course():
        began = time.monotonic()
        canonical.run(file)
        seconds[file.stem] = f"{time.monotonic() - began:.0f} s"
    return seconds


def written(text: str, seconds: dict[str, str]) -> str:
    """Return the page with its table as it must be."""
    return TABLE.sub(lambda found: found[1] + table(seconds) + found[2], text)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Write the table of TEACHING.md.")
    parser.add_argument("--measure", action="store_true", help="run the notebooks, and note how long that takes")
    text = TEACHING.read_text(encoding="utf-8")
    TEACHING.write_text(written(text, measured() if parser.parse_args().measure else told(text)), encoding="utf-8")
