"""Make the learner's edition of the exercises from the notebooks with solutions."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .notebooks import Notebook, canonical, read, write

if TYPE_CHECKING:
    from traitlets.config import Config

STUB = "# your turn"
CELL_SECONDS = 30  # the timeout of a graded cell
# nbgrader's settings, here and in the nbgrader_config.py of a course.
SETTINGS: dict[str, dict[str, Any]] = {
    "CourseDirectory": {"course_id": "streaming-data"},
    "ClearSolutions": {"code_stub": {"python": STUB}},
    "Execute": {"timeout": CELL_SECONDS},
}


def write_exercises(solutions: Path, folder: Path) -> None:
    """Write the learner's edition of each notebook with solutions, and remove editions without a solution."""
    for path in sorted(solutions.glob("*.ipynb")):
        write(folder / path.name, learners_edition(read(path)))
    for path in folder.glob("*.ipynb"):
        if not (solutions / path.name).exists():
            path.unlink()


def learners_edition(notebook: Notebook) -> Notebook:
    """Return a notebook in which solutions are replaced by stubs, and hidden tests and outputs are removed."""
    import nbformat
    from nbgrader.preprocessors import ClearHiddenTests, ClearSolutions

    cleared, resources = nbformat.reads(json.dumps(notebook), as_version=4), {"nbgrader": {"notebook": ""}}
    for preprocessor in (ClearSolutions, ClearHiddenTests):
        cleared, resources = preprocessor(config=nbgrader_config()).preprocess(cleared, resources)
    return canonical(json.loads(nbformat.writes(cleared)), keep_outputs=False)


def nbgrader_config(**more: dict[str, Any]) -> Config:
    """Return nbgrader's settings as its classes take them, with `more` settings by class."""
    from traitlets.config import Config

    config = Config(copy.deepcopy(SETTINGS))
    config.merge(Config(more))
    return config
