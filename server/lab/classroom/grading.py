"""Make a course for nbgrader from the notebooks with solutions."""

from __future__ import annotations

import contextlib
import os
import shutil
import sysconfig
import tempfile
from collections.abc import Iterator
from pathlib import Path

from .exercises import SETTINGS, nbgrader_config
from .folders import EditionError, create_empty
from .links import rewrite_notebook, words_only
from .notebooks import SOLUTIONS, read, write


def make_course(folder: Path, solutions: Path = SOLUTIONS) -> None:
    """Make an nbgrader course in an empty folder: nbgrader_config.py, source/, release/ and gradebook.db.

    Each notebook with solutions becomes an assignment with the same name. Links to other files are replaced by their
    words, because an assignment is released by itself.

    Raises:
        EditionError: the folder is not empty, or a solution does not earn its points. The folder then stays empty.
    """
    create_empty(folder)
    with tempfile.TemporaryDirectory() as temporary, _scripts_on_path():
        root = Path(temporary).resolve() / "course"
        root.mkdir()
        lines = [f"c.{name}.{key} = {value!r}\n" for name in SETTINGS for key, value in SETTINGS[name].items()]
        (root / "nbgrader_config.py").write_text("c = get_config()\n" + "".join(lines), encoding="utf-8")
        for path in sorted(solutions.glob("*.ipynb")):
            print(path.stem, flush=True)
            source = root / "source" / path.stem / path.name
            write(source, rewrite_notebook(read(path), words_only))
            _validate(source)
            _generate(root, path.stem)
        shutil.copytree(root, folder, dirs_exist_ok=True)


def _validate(source: Path) -> None:
    """Raise EditionError unless the solutions of a notebook earn their points."""
    from nbgrader.validator import Validator

    with tempfile.TemporaryDirectory() as sockets:
        # Over files instead of ports, no other process can reach the kernel, and it has no reason to warn.
        files = {"KernelManager": {"transport": "ipc", "ip": f"{sockets}/kernel"}} if os.name == "posix" else {}
        failed = Validator(config=nbgrader_config(**files)).validate(str(source)).get("failed", [])
    if failed:
        raise EditionError(f"{source.name} fails its own check: {failed[0]['raw_error']}", "correct its solution")


def _generate(root: Path, name: str) -> None:
    """Let nbgrader make release/ and the gradebook's entries of an assignment."""
    from nbgrader.apps import NbGraderAPI

    # With the settings of this course only, not with those of the current folder.
    api = NbGraderAPI(config=nbgrader_config(CourseDirectory={"root": str(root)}))
    result = api.generate_assignment(name)
    if not result["success"]:
        raise EditionError(
            f"nbgrader could not make the assignment {name}: {result.get('log')}", "correct its notebook"
        )


@contextlib.contextmanager
def _scripts_on_path() -> Iterator[None]:
    """Put the environment's scripts on PATH: nbgrader starts `alembic` by name."""
    before = os.environ.get("PATH", os.defpath)
    os.environ["PATH"] = os.pathsep.join([sysconfig.get_path("scripts"), before])
    try:
        yield
    finally:
        os.environ["PATH"] = before
