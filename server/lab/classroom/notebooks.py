"""Read, run and write the notebooks of the course in canonical form.

Canonical form: nbformat 4.5; stable ids; execution counts from 1 in order; of the metadata only the kernel, the data
of the course path, tags, the marks of nbgrader, hidden sources and alternative texts; JSON with an indent of one
space. The first output after a prediction is collapsed, and so are those of cells with the tag "collapsed".
tests/test_notebooks.py checks this form.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[3]
NOTEBOOKS = ROOT / "notebooks"
SOLUTIONS = NOTEBOOKS / "solutions"
EXERCISES = NOTEBOOKS / "exercises"
GLOSSARY = NOTEBOOKS / "glossary.ipynb"
APPENDIX = NOTEBOOKS / "appendix.ipynb"
COURSE = "[0-9][0-9]_*.ipynb"
PREDICT = "**Predict**"
COLLAPSED = "collapsed"  # the tag of a cell whose output would show the result of a later prediction
KERNEL = {"kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}}
CELL_SECONDS = 60  # the timeout of a cell
Notebook = dict[str, Any]  # the content of a notebook file
Cell = dict[str, Any]


def course() -> list[Path]:
    """Return the paths of the course's notebooks, in order."""
    return sorted(NOTEBOOKS.glob(COURSE))


def with_outputs() -> list[Path]:
    """Return the paths of the notebooks that are stored with outputs: the course in order, then the appendix."""
    return [*course(), APPENDIX]


def read(path: Path) -> Notebook:
    """Return the content of a notebook file."""
    notebook: Notebook = json.loads(path.read_text(encoding="utf-8"))
    return notebook


def dumps(notebook: Notebook) -> str:
    """Return the text of a notebook file."""
    return json.dumps(notebook, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def write(path: Path, notebook: Notebook) -> None:
    """Write a notebook file, and create its folder if it is missing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(dumps(notebook), encoding="utf-8", newline="\n")


def cells(path: Path, kind: str) -> list[Cell]:
    """Return the cells of a notebook file whose type is `kind`: "code" or "markdown"."""
    return [cell for cell in read(path)["cells"] if cell["cell_type"] == kind]


def prose(path: Path) -> str:
    """Return the Markdown of a notebook file."""
    return "\n\n".join("".join(cell["source"]) for cell in cells(path, "markdown"))


def canonical(notebook: Notebook, keep_outputs: bool = True) -> Notebook:
    """Return a notebook in canonical form.

    Args:
        notebook: the content of a notebook file; it is not changed.
        keep_outputs: False removes the outputs and the execution counts.
    """
    path_data = {key: value for key, value in notebook["metadata"].items() if key == "course"}
    return {
        "cells": list(_canonical_cells(notebook["cells"], keep_outputs)),
        "metadata": {**KERNEL, **path_data},
        "nbformat": 4,
        "nbformat_minor": 5,
    }


def _canonical_cells(cells: list[Cell], keep_outputs: bool) -> Iterator[Cell]:
    count, predicting = 0, False
    for cell in cells:
        predicting = predicting or (cell["cell_type"] == "markdown" and PREDICT in "".join(cell["source"]))
        has_output = keep_outputs and bool(cell.get("outputs"))
        collapsed = has_output and (predicting or COLLAPSED in cell["metadata"].get("tags", []))
        predicting = predicting and not has_output
        kept = {
            "cell_type": cell["cell_type"],
            "id": cell["id"],
            "metadata": _canonical_metadata(cell["metadata"], collapsed),
            "source": _lines(cell["source"]),
        }
        if cell["cell_type"] == "code" and keep_outputs:
            count += 1
            kept |= {"execution_count": count, "outputs": [_output(each, count) for each in joined(cell["outputs"])]}
        elif cell["cell_type"] == "code":
            kept |= {"execution_count": None, "outputs": []}
        yield kept


def _canonical_metadata(metadata: dict[str, Any], collapsed: bool) -> dict[str, Any]:
    kept = {key: metadata[key] for key in ("nbgrader", "tags") if metadata.get(key)}
    hidden = {"source_hidden": True} if metadata.get("jupyter", {}).get("source_hidden") else {}
    if collapsed:
        hidden["outputs_hidden"] = True  # JupyterLab shows the output again when the cell is run
    return kept | ({"jupyter": hidden} if hidden else {})


def joined(outputs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Join consecutive outputs of the same stream, because the kernel splits them at random places."""
    joined: list[dict[str, Any]] = []
    for output in outputs:
        if joined and output["output_type"] == "stream" and joined[-1].get("name") == output["name"]:
            joined[-1] = {**joined[-1], "text": "".join(joined[-1]["text"]) + "".join(output["text"])}
        else:
            joined.append(output)
    return joined


def _output(output: dict[str, Any], count: int) -> dict[str, Any]:
    kept = dict(output)
    kept.pop("transient", None)
    if "execution_count" in kept:
        kept["execution_count"] = count
    if "text" in kept:
        kept["text"] = _lines(kept["text"])
    if kept["output_type"] == "error":  # a traceback contains paths of this machine
        kept["traceback"] = [f"{kept['ename']}: {kept['evalue']}"]
    if "data" in kept:
        kept["data"] = {mime: _data(value) for mime, value in kept["data"].items()}
    if "metadata" in kept:
        kept["metadata"] = {mime: {"alt": of["alt"]} for mime, of in kept["metadata"].items() if "alt" in of}
    return kept


def _data(value: Any) -> Any:
    return _lines(value) if isinstance(value, str | list) else value


def _lines(text: str | list[str]) -> list[str]:
    return "".join(text).splitlines(keepends=True)


def run(path: Path) -> Notebook:
    """Run a notebook file in a new kernel, and return its content with the outputs; the file is not changed."""
    import nbformat
    from nbclient import NotebookClient

    notebook = nbformat.read(path, as_version=4)
    NotebookClient(notebook, timeout=CELL_SECONDS, resources={"metadata": {"path": str(path.parent)}}).execute()
    content: Notebook = json.loads(nbformat.writes(notebook))
    return content
