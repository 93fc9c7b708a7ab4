"""Copy the course with all packages that it needs, for classrooms without a network."""

from __future__ import annotations

import platform
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from .folders import EditionError, create_empty
from .links import rewrite_text, words_only
from .notebooks import ROOT

WHEELS = "wheels"  # the folder with the packages; run.py installs from it
MACHINE = "machine.txt"  # in that folder: the system that the packages are for
FILES = ("run.py", "pyproject.toml", "constraints.txt", "environment.yml", "README.md", "CHANGELOG.md")
LICENSES = ("LICENSE", "LICENSE-CC-BY-4.0")
FOLDERS = ("server", "static", "notebooks")
FOR_TEACHERS = "TEACHING.md"


def make_bundle(folder: Path, learners: bool = False) -> None:
    """Copy the course into an empty folder, and the packages for this system and Python into its folder "wheels".

    Args:
        folder: a new or an empty folder outside the course.
        learners: leave out TEACHING.md, the solutions and the answers of the quizzes.

    Raises:
        EditionError: the folder is not empty or is part of the course, or pip cannot collect the packages.
    """
    if ROOT in [folder, *folder.parents]:
        raise EditionError(
            f"{folder} is inside the course, and the bundle is a copy of the course", "name another folder"
        )
    create_empty(folder)
    with tempfile.TemporaryDirectory() as temporary:
        print("Collecting the packages ...", flush=True)
        _collect(Path(temporary))
        _copy(Path(temporary), folder, learners)
    print(f"{folder} is a course for {machine()}. On such a machine, without a network: python3 run.py lab")


def machine() -> str:
    """Return the kind of machine that packages fit: Python version, system, processor."""
    return f"Python {sys.version_info[0]}.{sys.version_info[1]} on {platform.system()} {platform.machine()}"


def _collect(folder: Path) -> None:
    """Put the packages of the course into a folder, with the installers and the build tool."""
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    build_tool = re.findall(r'^requires = \["(.+)"\]$', project, re.MULTILINE)
    source = ["--no-index", "--find-links", str(ROOT / WHEELS)] if (ROOT / WHEELS).is_dir() else []
    command = [sys.executable, "-m", "pip", "wheel", "--retries", "2", *source, "-c", "constraints.txt"]
    command += ["-w", str(folder), ".[quick]", *build_tool]
    done = subprocess.run(
        command, cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace"
    )
    if done.returncode != 0:
        raise EditionError(
            f"pip could not collect the packages:\n{done.stderr[-500:].strip()}",
            "connect this machine to the network (behind a proxy, set HTTPS_PROXY) and run the command again",
        )
    for own in folder.glob("streaming_data_with_flask-*.whl"):  # the copy is installed from its own files
        own.unlink()
    (folder / MACHINE).write_text(machine(), encoding="utf-8")


def _copy(packages: Path, folder: Path, learners: bool) -> None:
    hidden = ("__pycache__", ".ipynb_checkpoints", *(("solutions",) if learners else ()))
    for name in (*FILES, *LICENSES, *(() if learners else (FOR_TEACHERS,))):
        if (ROOT / name).exists():
            shutil.copy(ROOT / name, folder)
    for name in FOLDERS:
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns(*hidden))
    shutil.copytree(packages, folder / WHEELS)
    _remove_links_to_missing_files(folder / "README.md")


def _remove_links_to_missing_files(path: Path) -> None:
    def rewrite(link: re.Match[str]) -> str:
        return link[0] if (path.parent / link["target"]).exists() else words_only(link)

    path.write_text(rewrite_text(path.read_text(encoding="utf-8"), rewrite), encoding="utf-8", newline="\n")
