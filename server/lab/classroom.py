"""The editions of the course: exercises for learners, a course to grade with nbgrader, notebooks to code live in.

    python -m server.lab.classroom exercises
    python -m server.lab.classroom course DIR
    python -m server.lab.classroom blank DIR

An edition is made from files of the course and goes into a folder that is empty; only `exercises` writes into the
course itself, since its notebooks are kept there. nbgrader is imported where it is used: a learner needs none of it.
"""

from __future__ import annotations

import argparse
import contextlib
import copy
import json
import os
import re
import shutil
import sys
import sysconfig
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"
SOLUTIONS = NOTEBOOKS / "solutions"
EXERCISES = NOTEBOOKS / "exercises"
COURSE = "[0-9][0-9]_*.ipynb"
STUB = "# your turn"
SECONDS = 30  # for a cell that is graded
# What nbgrader is told, here and, in nbgrader_config.py, wherever the course is graded later.
SETTINGS: dict[str, dict[str, Any]] = {
    "CourseDirectory": {"course_id": "streaming-data"},
    "ClearSolutions": {"code_stub": {"python": STUB}},
    "Execute": {"timeout": SECONDS},
}
# A link or a picture whose target is a file; or code, in which nothing is a link.
LINK = re.compile(
    r"^```.*?^```|^~~~.*?^~~~|`[^`\n]*`"
    r"|!?\[(?P<words>[^\]]*)\]\((?![a-z]+:|#)(?P<target>[^)#\s]+)[^)]*\)",
    re.MULTILINE | re.DOTALL,
)
Notebook = dict[str, Any]  # as its file has it


class EditionError(Exception):
    """An edition that cannot be made: the cause and the remedy."""

    def __init__(self, cause: str, remedy: str) -> None:
        super().__init__(f"{cause}.\nWhat helps: {remedy}.")


# The learner's edition


def exercises(notebook: Notebook) -> Notebook:
    """Return the learner's edition of a notebook with solutions: each solution a stub, no hidden test, no output.

    nbgrader's marks, tags and what is folded stay; everything else that varies from one tool to another goes.
    """
    import nbformat
    from nbgrader.preprocessors import ClearHiddenTests, ClearOutput, ClearSolutions

    cleared, resources = nbformat.reads(json.dumps(notebook), as_version=4), {"nbgrader": {"notebook": ""}}
    for preprocessor in (ClearSolutions, ClearHiddenTests, ClearOutput):
        cleared, resources = preprocessor(config=_config()).preprocess(cleared, resources)
    return _canonical(json.loads(nbformat.writes(cleared)))


def _config(**more: dict[str, Any]) -> Any:
    from traitlets.config import Config

    config = Config(copy.deepcopy(SETTINGS))
    config.merge(Config(more))
    return config


def _canonical(notebook: Notebook) -> Notebook:
    kernel = notebook["metadata"]["kernelspec"]
    cells = [_cell(cell) for cell in notebook["cells"]]
    return {"cells": cells, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}


def _cell(cell: dict[str, Any]) -> dict[str, Any]:
    kept = {name: cell["metadata"][name] for name in ("jupyter", "nbgrader", "tags") if name in cell["metadata"]}
    source = "".join(cell["source"]).splitlines(keepends=True)
    plain = {"cell_type": cell["cell_type"], "id": cell["id"], "metadata": kept, "source": source}
    return plain | ({"execution_count": None, "outputs": []} if cell["cell_type"] == "code" else {})


def _read(path: Path) -> Notebook:
    notebook: Notebook = json.loads(path.read_text(encoding="utf-8"))
    return notebook


def dumps(notebook: Notebook) -> str:
    """Return the text of a notebook's file."""
    return json.dumps(notebook, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def _write(path: Path, notebook: Notebook) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(dumps(notebook), encoding="utf-8", newline="\n")


def write_exercises(solutions: Path = SOLUTIONS, folder: Path = EXERCISES) -> None:
    """Write the learner's edition of every notebook with solutions, and remove those that have lost theirs."""
    for path in sorted(solutions.glob("*.ipynb")):
        _write(folder / path.name, exercises(_read(path)))
    for path in folder.glob("*.ipynb"):
        if not (solutions / path.name).exists():
            path.unlink()


# The course to grade


def course(folder: Path, solutions: Path = SOLUTIONS) -> None:
    """Make a course of nbgrader in an empty folder: its settings, source/, release/ and gradebook.db.

    Each notebook with solutions becomes an assignment of its name. nbgrader validates it first: EditionError where a
    solution does not earn its points, and then the folder stays empty.
    """
    _empty(folder)
    with tempfile.TemporaryDirectory() as made, _scripts_on_path():
        root = Path(made).resolve() / "course"
        root.mkdir()
        lines = [f"c.{name}.{key} = {value!r}\n" for name in SETTINGS for key, value in SETTINGS[name].items()]
        (root / "nbgrader_config.py").write_text("c = get_config()\n" + "".join(lines), encoding="utf-8")
        for path in sorted(solutions.glob("*.ipynb")):
            print(path.stem, flush=True)
            source = root / "source" / path.stem / path.name
            _write(source, _linked(_read(path), _words))
            _validate(source)
            _generate(root, path.stem)
        shutil.copytree(root, folder, dirs_exist_ok=True)


def _validate(source: Path) -> None:
    """Raise EditionError unless the solutions of a notebook earn their points."""
    from nbgrader.validator import Validator

    with tempfile.TemporaryDirectory() as sockets:
        # By files its kernel is reached by nobody else, and has no reason to warn of it.
        files = {"KernelManager": {"transport": "ipc", "ip": f"{sockets}/kernel"}} if os.name == "posix" else {}
        failed = Validator(config=_config(**files)).validate(str(source)).get("failed", [])
    if failed:
        raise EditionError(f"{source.name} fails its own check: {failed[0]['raw_error']}", "mend its solution")


def _generate(root: Path, name: str) -> None:
    """Have nbgrader make release/ and the gradebook's entries of an assignment."""
    from nbgrader.apps import NbGraderAPI

    # With the settings of this course, not with those of a folder where the user happens to stand.
    api = NbGraderAPI(config=_config(CourseDirectory={"root": str(root)}))
    done = api.generate_assignment(name)
    if not done["success"]:
        raise EditionError(f"nbgrader makes no assignment of {name}: {done.get('log')}", "mend what it names")


def _words(link: re.Match[str]) -> str:
    """Leave only the words of a link: an assignment is handed out by itself, so the link would lead nowhere."""
    return link["words"]


def _linked(notebook: Notebook, rewrite: Callable[[re.Match[str]], str]) -> Notebook:
    """Return a notebook in which each link to a file is rewritten."""

    def written(source: str) -> list[str]:
        text = LINK.sub(lambda found: rewrite(found) if found["target"] else found[0], source)
        return text.splitlines(keepends=True)

    cells = [
        {**cell, "source": written("".join(cell["source"]))} if cell["cell_type"] == "markdown" else cell
        for cell in notebook["cells"]
    ]
    return {**notebook, "cells": cells}


@contextlib.contextmanager
def _scripts_on_path() -> Iterator[None]:
    """Let nbgrader find `alembic`, which it starts by name, also where the environment is not activated."""
    before = os.environ.get("PATH", os.defpath)
    os.environ["PATH"] = os.pathsep.join([sysconfig.get_path("scripts"), before])
    try:
        yield
    finally:
        os.environ["PATH"] = before


# The notebooks to code live in


def blank(folder: Path, notebooks: Path = NOTEBOOKS) -> None:
    """Write the notebooks of the course into an empty folder, with all their prose and with every code cell empty.

    They lead to each other there. What else they lead to among the notebooks, such as exercises, is copied with them;
    of a link that leads out of the notebooks the words stay.
    """
    _empty(folder)
    for path in sorted(notebooks.glob(COURSE)):
        _write(folder / path.name, _canonical(_emptied(_carried(path, notebooks, folder))))


def _emptied(notebook: Notebook) -> Notebook:
    cells = [
        {**cell, "metadata": {}, "source": [] if cell["cell_type"] == "code" else cell["source"]}
        for cell in notebook["cells"]
    ]
    return {**notebook, "cells": cells}


def _carried(path: Path, notebooks: Path, folder: Path) -> Notebook:
    """Return a notebook whose links hold in `folder`, after copying there what they lead to."""

    def rewrite(link: re.Match[str]) -> str:
        target = Path(os.path.normpath(path.parent / unquote(link["target"])))
        if not target.is_relative_to(notebooks):
            return _words(link)
        made = folder / target.relative_to(notebooks)
        of_the_course = target.parent == notebooks and target.match(COURSE)
        if target.is_file() and not made.exists() and not of_the_course:
            made.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(target, made)  # first, for two that lead to each other
            if target.suffix == ".ipynb":
                _write(made, _carried(target, notebooks, folder))
        return link[0]

    return _linked(_read(path), rewrite)


# The command line


def _empty(folder: Path) -> None:
    """Have an empty folder there. Raises EditionError where there is anything else."""
    if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
        what = "is not empty" if folder.is_dir() else "is no folder"
        raise EditionError(f"{folder} {what}", "name a folder that is new or empty; nothing in it is overwritten")
    folder.mkdir(parents=True, exist_ok=True)


def main() -> None:
    """Make the edition that is asked for."""
    parser = argparse.ArgumentParser(prog="python -m server.lab.classroom", description="Make an edition.")
    editions = parser.add_subparsers(dest="edition", required=True)
    editions.add_parser("exercises", help="write notebooks/exercises anew from notebooks/solutions")
    for name, what in (("course", "a course of nbgrader"), ("blank", "the notebooks with empty code cells")):
        made = editions.add_parser(name, help=f"make {what}")
        made.add_argument("folder", type=Path, metavar="DIR", help="a new folder, or an empty one")
    options = parser.parse_args()
    try:
        if options.edition == "exercises":
            write_exercises()
        else:
            {"course": course, "blank": blank}[options.edition](options.folder.resolve())
    except EditionError as error:
        sys.exit(f"classroom stops: {error}")


if __name__ == "__main__":
    main()
