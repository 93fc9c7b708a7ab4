"""The one form in which notebooks are stored: run this to run them all and write them so.

    python tests/canonical.py [--keep-outputs] [notebook ...]

Canonical means: nbformat 4.5; ids that do not change; execution counts from 1 in order; metadata of the kernel, the
notebook's place in the course (course_path.py), tags, alternative texts, and the fold over an output that is to be
predicted; JSON with one blank of indent and a line end at the end. test_notebooks.py checks it.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

NOTEBOOKS = Path(__file__).resolve().parent.parent / "notebooks"
PREDICT = "**Predict**"
FOLDED = {"jupyter": {"outputs_hidden": True}}  # JupyterLab unfolds it when the cell is run
KERNEL = {"kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}}


def course() -> list[Path]:
    """Return the notebooks of the course, in order."""
    return sorted(NOTEBOOKS.glob("[0-9][0-9]_*.ipynb"))


def cells(path: Path, kind: str) -> list[dict[str, Any]]:
    """Return the cells of a stored notebook that are "code" or "markdown"."""
    found: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return [cell for cell in found if cell["cell_type"] == kind]


def prose(path: Path) -> str:
    """Return the text of a stored notebook."""
    return "\n\n".join("".join(cell["source"]) for cell in cells(path, "markdown"))


def canonical(notebook: dict[str, Any]) -> dict[str, Any]:
    """Return a notebook in canonical form."""
    place = {key: value for key, value in notebook["metadata"].items() if key == "course"}
    return {
        "cells": list(_cells(notebook["cells"])),
        "metadata": {**KERNEL, **place},
        "nbformat": 4,
        "nbformat_minor": 5,
    }


def dumps(notebook: dict[str, Any]) -> str:
    """Return the text of a notebook file."""
    return json.dumps(notebook, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def _cells(cells: list[dict[str, Any]]) -> Any:
    count, predicting = 0, False
    for cell in cells:
        tags = cell["metadata"].get("tags", [])
        predicting = predicting or (cell["cell_type"] == "markdown" and PREDICT in "".join(cell["source"]))
        folded = predicting and bool(cell.get("outputs"))
        predicting = predicting and not folded
        kept = {
            "cell_type": cell["cell_type"],
            "id": cell["id"],
            "metadata": ({"tags": tags} if tags else {}) | (FOLDED if folded else {}),
            "source": _lines(cell["source"]),
        }
        if cell["cell_type"] == "code":
            count += 1
            kept |= {"execution_count": count, "outputs": [_output(each, count) for each in joined(cell["outputs"])]}
        yield kept


def joined(outputs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Join neighbouring pieces of one stream: where they were cut differs from run to run."""
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
    if kept["output_type"] == "error":  # a traceback names paths of this machine
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


def run(path: Path) -> dict[str, Any]:
    """Run a notebook from top to bottom in a fresh kernel, and return it with its outputs."""
    import nbformat
    from nbclient import NotebookClient

    notebook = nbformat.read(path, as_version=4)
    NotebookClient(notebook, timeout=60, resources={"metadata": {"path": str(path.parent)}}).execute()
    ran: dict[str, Any] = json.loads(nbformat.writes(notebook))
    return ran


def main() -> None:
    """Run notebooks, or only tidy them, and write them in canonical form."""
    parser = argparse.ArgumentParser(description="Write notebooks in canonical form.")
    parser.add_argument("--keep-outputs", action="store_true", help="do not run them")
    parser.add_argument("notebooks", nargs="*", type=Path, default=course())
    arguments = parser.parse_args()
    for path in arguments.notebooks:
        notebook = json.loads(path.read_text(encoding="utf-8")) if arguments.keep_outputs else run(path)
        path.write_text(dumps(canonical(notebook)), encoding="utf-8")
        print(path.name, file=sys.stderr)


if __name__ == "__main__":
    main()
