"""The command line of the editions and generators: `python -m server.lab.classroom --help`."""

from __future__ import annotations

import sys
from pathlib import Path
from time import monotonic as clock

from . import course_path, glossary, notebooks, tables
from .arguments import command_line
from .blank import make_blank
from .bundle import make_bundle
from .exercises import write_exercises
from .folders import EditionError
from .grading import make_course


def write_all(to_run: list[Path], measure: bool) -> None:
    """Update every generated file of the course.

    Args:
        to_run: the notebooks to run; the others keep their outputs.
        measure: store these run times in TEACHING.md; otherwise only those of new notebooks.
    """
    seconds: dict[str, float] = {}
    for path in to_run:
        began = clock()
        notebooks.write(path, notebooks.run(path))
        seconds[path.stem] = clock() - began
        print(f"{path.stem}: {seconds[path.stem]:.1f} s", flush=True)
    for path in [*notebooks.with_outputs(), notebooks.GLOSSARY]:
        notebooks.write(path, notebooks.canonical(notebooks.read(path)))
    for path in notebooks.SOLUTIONS.glob("*.ipynb"):
        notebooks.write(path, notebooks.canonical(notebooks.read(path), keep_outputs=False))
    course_path.write()
    glossary.write()
    write_exercises(notebooks.SOLUTIONS, notebooks.EXERCISES)
    tables.write(seconds, measure)


def main() -> None:
    """Run the command that the command line names."""
    options = command_line().parse_args()
    try:
        if options.command == "write":
            everything = options.run or options.measure
            write_all(notebooks.with_outputs() if everything else options.notebooks, options.measure)
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
