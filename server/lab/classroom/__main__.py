"""The command line of the editions and generators: `python -m server.lab.classroom --help`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from time import monotonic as clock

from . import course_path, notebooks, tables
from .blank import make_blank
from .bundle import make_bundle
from .exercises import write_exercises
from .folders import EditionError
from .grading import make_course


def write_all(to_run: list[Path], measure: bool) -> None:
    """Update every generated file of the course.

    Args:
        to_run: the notebooks to run; the others keep their outputs.
        measure: store the run times in TEACHING.md.
    """
    seconds: dict[str, float] = {}
    for path in to_run:
        began = clock()
        notebooks.write(path, notebooks.run(path))
        seconds[path.stem] = clock() - began
        print(f"{path.stem}: {seconds[path.stem]:.1f} s", flush=True)
    for path in [*notebooks.course(), notebooks.GLOSSARY]:
        notebooks.write(path, notebooks.canonical(notebooks.read(path)))
    for path in notebooks.SOLUTIONS.glob("*.ipynb"):
        notebooks.write(path, notebooks.canonical(notebooks.read(path), keep_outputs=False))
    course_path.write()
    write_exercises(notebooks.SOLUTIONS, notebooks.EXERCISES)
    tables.write(seconds if measure else {})


def command_line() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m server.lab.classroom", description="Make an edition of the course, or update its files."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    writing = commands.add_parser("write", help="update every generated file of the course")
    writing.add_argument("notebooks", nargs="*", type=Path, metavar="NOTEBOOK", help="run these notebooks first")
    writing.add_argument("--run", action="store_true", help="run all notebooks of the course first")
    writing.add_argument("--measure", action="store_true", help="run all notebooks and store their run times")
    for name, description in (
        ("course", "make a course for nbgrader"),
        ("blank", "copy the notebooks with empty code cells"),
        ("bundle", "copy the course with all its packages"),
    ):
        command = commands.add_parser(name, help=description)
        command.add_argument("folder", type=Path, metavar="DIR", help="a new or an empty folder")
        if name == "bundle":
            command.add_argument("--learners", action="store_true", help="leave out solutions and quiz answers")
    return parser


def main() -> None:
    """Run the command that the command line names."""
    options = command_line().parse_args()
    try:
        if options.command == "write":
            everything = options.run or options.measure
            write_all(notebooks.course() if everything else options.notebooks, options.measure)
        elif options.command == "course":
            make_course(options.folder.resolve())
        elif options.command == "blank":
            make_blank(options.folder.resolve())
        else:
            make_bundle(options.folder.resolve(), options.learners)
    except EditionError as error:
        sys.exit(f"Stopped: {error}")


if __name__ == "__main__":
    main()
