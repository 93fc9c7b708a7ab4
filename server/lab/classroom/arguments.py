"""The command line of the editions and generators. With arguments, check them: run.py does so before it installs.

run.py runs this file by its path, so it imports only the standard library.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path


def command_line() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(
        prog="run.py", description="Make an edition of the course, or update its files.", allow_abbrev=False
    )
    commands = parser.add_subparsers(dest="command", required=True)
    writing = commands.add_parser("write", help="update every generated file of the course", allow_abbrev=False)
    writing.add_argument(
        "notebooks", nargs="*", type=_existing_file, metavar="NOTEBOOK", help="run these notebooks first"
    )
    writing.add_argument("--run", action="store_true", help="run all notebooks of the course first")
    writing.add_argument("--measure", action="store_true", help="run all notebooks and store their run times")
    for name, description in (
        ("course", "make a course for nbgrader"),
        ("blank", "copy the notebooks with empty code cells"),
        ("bundle", "copy the course with all its packages"),
    ):
        command = commands.add_parser(name, help=description, allow_abbrev=False)
        command.add_argument("folder", type=_empty_folder, metavar="DIR", help="a new or an empty folder")
        if name == "bundle":
            command.add_argument("--learners", action="store_true", help="leave out solutions and quiz answers")
    return parser


def _existing_file(text: str) -> Path:
    """Return the path of a file; raise ArgumentTypeError if there is none."""
    if not os.path.isfile(text):
        raise argparse.ArgumentTypeError(
            f"{text} does not exist. Name an existing notebook, such as notebooks/01_wire.ipynb."
        )
    return Path(text)


def _empty_folder(text: str) -> Path:
    """Return the path of a folder that is empty or does not exist; raise ArgumentTypeError for another path."""
    if os.path.lexists(text) and not (os.path.isdir(text) and not os.listdir(text)):
        raise argparse.ArgumentTypeError(
            f"{text} exists and is not an empty folder. Name a new folder; existing files are never overwritten."
        )
    return Path(text)


if __name__ == "__main__":
    command_line().parse_args()
