"""TEACHING.md and the quizzes: their figures are those of the notebooks, and every question has its answer."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from server.lab.classroom import course_path, notebooks, tables

TEXT = (notebooks.ROOT / "TEACHING.md").read_text(encoding="utf-8")
QUIZZES = notebooks.NOTEBOOKS / "quizzes"
ANSWERS = notebooks.NOTEBOOKS / "solutions" / "quizzes"
STEMS = [stop.stem for stop in course_path.stops()]
PLAN = re.compile(r"^### (\d+) minutes: .*\n\n((?:\|.*\n)+)", re.MULTILINE)
QUESTION = re.compile(r"^(\d+)\. ", re.MULTILINE)


def test_the_table_is_that_of_the_notebooks() -> None:
    assert tables.with_table(TEXT, tables.teaching_table(tables.run_times(TEXT))) == TEXT
    assert tables.run_times(TEXT).keys() == set(STEMS)


def test_only_new_notebooks_get_a_run_time_unless_all_are_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    teaching = tmp_path / "TEACHING.md"
    teaching.write_text(re.sub(r"\| 12 s \|", "|  |", TEXT, count=1), encoding="utf-8")
    (tmp_path / "README.md").write_text("", encoding="utf-8")
    monkeypatch.setattr(notebooks, "ROOT", tmp_path)
    tables.write({"00_start": 3.0, "01_wire": 3.0})
    times = tables.run_times(teaching.read_text(encoding="utf-8"))
    assert times == {**tables.run_times(TEXT), "00_start": "3 s"}
    tables.write({"01_wire": 3.0}, replace=True)
    assert tables.run_times(teaching.read_text(encoding="utf-8"))["01_wire"] == "3 s"


def test_each_plan_lasts_as_long_as_it_says() -> None:
    plans = {int(minutes): rows for minutes, rows in PLAN.findall(TEXT)}
    assert plans.keys() == {45, 90, 180}
    for minutes, rows in plans.items():
        assert sum(map(int, re.findall(r"^\| (\d+) \|", rows, re.MULTILINE))) == minutes


def test_no_step_of_a_plan_is_longer_than_its_notebook() -> None:
    minutes = {stop.stem: stop.minutes for stop in course_path.stops()}
    steps = re.findall(r"^\| (\d+) \| .*\(notebooks/(\d\d_\w+)\.ipynb\) \|$", TEXT, re.MULTILINE)
    assert len(steps) >= 9
    assert [step for step in steps if int(step[0]) > minutes[step[1]]] == []


def test_the_exercises_of_a_step_fit_into_it() -> None:
    steps = re.findall(r"^\| (\d+) \| Exercises (\d+)\.(\d) (and|to) \d+\.(\d)[ ,;]", TEXT, re.MULTILINE)
    assert len(steps) == 2
    for minutes, notebook, first, word, last in steps:
        (stem,) = (stem for stem in STEMS if int(stem[:2]) == int(notebook))
        chosen = range(int(first), int(last) + 1) if word == "to" else (int(first), int(last))
        assert sum(tables.exercise_minutes(stem)[number - 1] for number in chosen) <= int(minutes), (stem, chosen)


def test_the_long_notebooks_are_named() -> None:
    (sentence,) = re.findall(r"are long: ([^.]*(?:\.ipynb[^.]*)+) take seventy minutes and more", TEXT)
    long = {stop.stem for stop in course_path.stops() if stop.minutes + sum(tables.exercise_minutes(stop.stem)) >= 70}
    assert set(re.findall(r"\[(\w+)\]", sentence)) == long


def test_the_course_has_forty_exercises_or_more() -> None:
    assert sum(len(tables.exercise_minutes(stem)) for stem in STEMS) >= 40


def test_every_notebook_has_a_quiz_and_its_answers_apart() -> None:
    for folder in (QUIZZES, ANSWERS):
        assert sorted(file.stem for file in folder.glob("*.md")) == STEMS


@pytest.mark.parametrize("stem", STEMS)
def test_each_question_has_its_answer_and_four_choices(stem: str) -> None:
    questions, answers = (blocks(folder / f"{stem}.md") for folder in (QUIZZES, ANSWERS))
    assert list(questions) == list(answers) == ["1", "2", "3", "4"]
    for number, question in questions.items():
        assert re.findall(r"^   - \*\*([a-d])\*\* ", question, re.MULTILINE) == list("abcd"), question
        assert re.match(r"\*\*[a-d]\*\*\. \S", answers[number]), answers[number]


def test_the_answers_use_every_letter() -> None:
    letters = [block[2] for stem in STEMS for block in blocks(ANSWERS / f"{stem}.md").values()]
    assert all(letters.count(letter) >= len(letters) / 8 for letter in "abcd")


def blocks(file: Path) -> dict[str, str]:
    """Return the numbered blocks of a page, by number."""
    _, *parts = QUESTION.split(file.read_text(encoding="utf-8"))
    return dict(zip(parts[::2], parts[1::2], strict=True))
