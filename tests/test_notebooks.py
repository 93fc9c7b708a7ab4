"""The notebooks: their canonical form and their parts. nbval runs them all and compares their outputs."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from server.lab.classroom import notebooks

cells, prose = notebooks.cells, notebooks.prose

ROOT = notebooks.NOTEBOOKS.parent
COURSE = notebooks.course()
SANITIZE = Path(__file__).with_name("nbval_sanitize.cfg")
PARTS = ("**What you will see**", "**What you will learn**", "**What you need**", "**Time**", "**Predict**",
         "## What breaks it", "## In practice", "Exercises")  # fmt: skip
LIVE = "nbval-ignore-output"
ERROR = "raises-exception"

RUN = notebooks.with_outputs()

lesson = pytest.mark.parametrize("path", COURSE, ids=lambda path: path.stem)
each = pytest.mark.parametrize("path", RUN, ids=lambda path: path.stem)


def test_there_are_notebooks() -> None:
    assert [path.stem for path in COURSE[:2]] == ["00_start", "01_wire"]


@each
def test_is_stored_in_canonical_form(path: Path) -> None:
    import nbformat  # here, since it takes a second, and every worker reads this file

    text = path.read_text(encoding="utf-8")
    assert text == notebooks.dumps(notebooks.canonical(json.loads(text)))
    nbformat.validate(nbformat.reads(text, as_version=4))


@each
def test_stores_outputs_without_paths_of_a_machine(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert any(cell["outputs"] for cell in cells(path, "code"))
    assert str(ROOT) not in text
    assert not re.search(r"(?<!Connection: )/(home|Users|root|tmp)/", text)


@lesson
def test_has_the_parts_of_a_lesson(path: Path) -> None:
    text = prose(path)
    assert [part for part in PARTS if part not in text] == []


@lesson
def test_each_prediction_is_written_by_the_learner_and_compared_in_a_folded_output(path: Path) -> None:
    all_cells = notebooks.read(path)["cells"]
    for number, cell in enumerate(all_cells):
        if cell["cell_type"] == "code" or notebooks.PREDICT not in "".join(cell["source"]):
            continue
        written, *following = all_cells[number + 1 : number + 5]
        assert re.match(r"prediction = None  # .", written["source"][-1]), "".join(cell["source"])
        compared = next(each for each in following if "compare(prediction, " in "".join(each["source"]))
        assert compared["metadata"]["jupyter"] == {"outputs_hidden": True}, "".join(compared["source"])
        assert compared["outputs"][0]["text"][0] == "You have not made a prediction yet.\n"


@each
def test_cells_are_short(path: Path) -> None:
    lengths = sorted(len(cell["source"]) for cell in cells(path, "code"))
    assert lengths[len(lengths) // 2] <= 8
    assert lengths[-1] <= 32


@each
def test_each_live_cell_is_followed_by_a_compared_cell(path: Path) -> None:
    code = cells(path, "code")
    for cell, following in zip(code, [*code[1:], None], strict=True):
        if LIVE in cell["metadata"].get("tags", []) and "display_id" in "".join(cell["source"]):
            assert following is not None
            assert following["outputs"], "the cell after a live cell must have an output that is compared"


@each
def test_pictures_have_an_alternative_text(path: Path) -> None:
    pictures = [out for cell in cells(path, "code") for out in cell["outputs"] if "image/png" in out.get("data", {})]
    assert all(picture["metadata"]["image/png"]["alt"] for picture in pictures)


@each
def test_exactly_the_cells_tagged_raises_exception_show_an_error(path: Path) -> None:
    for cell in cells(path, "code"):
        shown = any(output["output_type"] == "error" for output in cell["outputs"])
        assert shown == (ERROR in cell["metadata"].get("tags", [])), cell["source"]


class InNbval:
    """nbval runs every cell and compares each output, after ports, dates, times and versions are masked."""

    paths: list[Path]

    def test_every_cell_has_its_stored_output(self) -> None:
        options = ["--nbval-current-env", "--nbval-cell-timeout", "60", "--nbval-sanitize-with", str(SANITIZE)]
        plugins = ["-p", "no:xdist", "-p", "kernels"]
        command = [sys.executable, "-m", "pytest", *map(str, self.paths), "--nbval", *options, "-q", *plugins]
        own = {**os.environ, "PYTHONPATH": str(SANITIZE.parent), "STREAMING_PORT": "0"}
        ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=240, env=own)
        assert ran.returncode == 0, ran.stdout[-6000:]
        assert f"{sum(len(cells(path, 'code')) for path in self.paths)} passed" in ran.stdout


# A class is what one worker runs, so two workers run half of the course each.


class TestEvenInNbval(InNbval):
    paths = RUN[::2]


class TestOddInNbval(InNbval):
    paths = RUN[1::2]
