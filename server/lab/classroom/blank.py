"""Copy the notebooks with empty code cells, for live coding."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path
from urllib.parse import unquote

from .folders import create_empty
from .links import rewrite_notebook, words_only
from .notebooks import COURSE, NOTEBOOKS, Notebook, canonical, read, write


def make_blank(folder: Path, notebooks: Path = NOTEBOOKS) -> None:
    """Copy the notebooks of the course into an empty folder: their prose is complete, their code cells are empty.

    Other files in `notebooks` that they link to, such as exercises, are copied too. A link that leads out of
    `notebooks` is replaced by its words.

    Raises:
        EditionError: the folder is not empty.
    """
    create_empty(folder)
    for path in sorted(notebooks.glob(COURSE)):
        notebook = canonical(_with_targets(path, notebooks, folder), keep_outputs=False)
        for cell in notebook["cells"]:
            cell["metadata"] = {}
            if cell["cell_type"] == "code":
                cell["source"] = []
        notebook["metadata"].pop("course", None)
        write(folder / path.name, notebook)


def _with_targets(path: Path, notebooks: Path, folder: Path) -> Notebook:
    """Copy the targets of a notebook's links into `folder`, and return the notebook without its other links."""

    def rewrite(link: re.Match[str]) -> str:
        target = Path(os.path.normpath(path.parent / unquote(link["target"])))
        if not target.is_relative_to(notebooks):
            return words_only(link)
        copied = folder / target.relative_to(notebooks)
        is_lesson = target.parent == notebooks and target.match(COURSE)
        if target.is_file() and not copied.exists() and not is_lesson:
            copied.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(target, copied)  # before the recursion, because two files may link to each other
            if target.suffix == ".ipynb":
                write(copied, _with_targets(target, notebooks, folder))
        return link[0]

    return rewrite_notebook(read(path), rewrite)
