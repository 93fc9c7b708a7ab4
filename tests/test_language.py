"""tests/language.py: which words it finds, and where."""

from __future__ import annotations

import json
from pathlib import Path

import language
import pytest

NOTEBOOK = {
    "cells": [{"cell_type": "markdown", "source": ["It goes away.\n"]}, {"cell_type": "code", "source": "# told"}]
}


@pytest.mark.parametrize(
    ("name", "text", "found"),
    [
        ("a.md", "Mend it.\n```\nmend\n```\n`mend`, amended", ["1: write fix instead of 'Mend'"]),
        ("a.py", 'def test_it_answers():\n    asked = "it hears"  # told\n', ["'hears'", "'told'", "'answers'"]),
        ("a.html", "<p class=ask>It asks <code>asks</code>\n<script>ask()</script>", ["1: ", "'asks'"]),
        ("a.js", 'ask() // it asks\nsay("an answer")', ["1: ", "2: "]),
        ("a.ipynb", json.dumps(NOTEBOOK), ["cell 0, line 1: write disconnect", "cell 1, line 1: "]),
        ("tests/exercises/a.py", "# an answer", []),
        ("notebooks/quizzes/a.md", "the head of an answer", ["'the head'"]),
    ],
)
def test_each_word_is_found_in_prose_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, text: str, found: list[str]
) -> None:
    (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / name).write_text(text, encoding="utf-8")
    monkeypatch.setattr(language, "ROOT", tmp_path)
    hits = "\n".join(language.check(name))
    assert [part for part in found if part not in hits] == []
    assert bool(hits) == bool(found)


def test_files_of_hidden_folders_and_other_types_are_not_checked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("README.md", ".venv/a.py", "a.png", "CODE_OF_CONDUCT.md"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    monkeypatch.setattr(language, "ROOT", tmp_path)
    assert language.files() == ["README.md"]
