"""What every exercise must stand: its solution, its stub, wrong answers that fail for their reason, other right ones.

Each class of tests/exercises inherits Trials and names its answers. Each check runs in a process of
its own, as in a notebook.
"""

from __future__ import annotations

import ast
import json
import re
import time
from functools import cache
from pathlib import Path
from typing import ClassVar, NamedTuple

import pytest

from server.lab.exercises import NotYet
from server.lab.exercises.runner import run_check_cell

SOLUTIONS = Path(__file__).resolve().parents[1] / "notebooks" / "solutions"
REGION = re.compile(r"^ *### BEGIN SOLUTION\n.*?^ *### END SOLUTION\n?", re.MULTILINE | re.DOTALL)
RIGHT_SECONDS, WRONG_SECONDS = 3, 10


class Wrong(NamedTuple):
    """An answer that shows a misconception: what it is called, its cell, and words that the check must say."""

    name: str
    answer: str
    says: str


class Right(NamedTuple):
    """A right answer that is written quite differently from the solution."""

    name: str
    answer: str


class Exercise(NamedTuple):
    """An exercise of a solutions notebook: the cells that come before it, its solution and its check."""

    number: int
    title: str
    minutes: int
    setup: tuple[str, ...]
    solution: str
    check: str

    def run(self, answer: str) -> None:
        """Run the check in its process, as a notebook with the cells before it and this answer does."""
        run_check_cell([*self.setup, answer], self.check)

    @property
    def stub(self) -> str:
        """What the learner finds in place of the solution."""
        return REGION.sub("# your turn\n", self.solution)


@cache
def exercises(stem: str) -> dict[int, Exercise]:
    """Return the exercises of the notebook of this stem, by their number in it."""
    (path,) = SOLUTIONS.glob(f"[0-9][0-9]_{stem}.ipynb")
    found: dict[int, Exercise] = {}
    setup: list[str] = []
    title, minutes, solution = "", 0, ""
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        source, marks = "".join(cell["source"]), cell["metadata"].get("nbgrader", {})
        if heading := re.match(r"## \d+\.\d+ (.+)\n\n\*(\d+) minutes, \d+ points?\*\n", source):
            title, minutes = heading[1], int(heading[2])
        if marks.get("solution"):
            solution = source
        elif marks.get("grade"):
            number = len(found) + 1
            found[number] = Exercise(number, title, minutes, tuple(setup), solution, source)
        elif cell["cell_type"] == "code":
            setup.append(source)
    return found


@cache
def start_fork_server() -> None:
    """Start the server that forks the processes of checks."""
    run_check_cell([], "def check_nothing():\n    pass\n\n\nrun_check(check_nothing)")


class Trials:
    """The tests of one notebook's exercises: a class that inherits them has its `stem`, and `trials` by number."""

    stem: ClassVar[str]
    trials: ClassVar[dict[int, list[Wrong | Right]]]

    @pytest.fixture(autouse=True)
    def fork_server(self) -> None:
        """No test measures the start of the fork server."""
        start_fork_server()

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Give each test its exercises, and each trial by name."""
        known = exercises(self.stem)
        if "trial" in metafunc.fixturenames:
            kind = Wrong if "wrong" in metafunc.function.__name__ else Right
            pairs = [(known[number], each) for number in known for each in self.of(number, kind)]
            ids = [f"{exercise.number} {trial.name}" for exercise, trial in pairs]
            metafunc.parametrize(("exercise", "trial"), pairs, ids=ids)
        elif "exercise" in metafunc.fixturenames:
            ids = [f"{each.number} {each.title}" for each in known.values()]
            metafunc.parametrize("exercise", known.values(), ids=ids)

    def of(self, number: int, kind: type) -> list[Wrong | Right]:
        """Return the wrong or the other right answers to an exercise."""
        return [trial for trial in self.trials[number] if isinstance(trial, kind)]

    def test_the_solution_earns_its_points_and_says_nothing_on_stderr(
        self, exercise: Exercise, capfd: pytest.CaptureFixture[str]
    ) -> None:
        seconds = timed(exercise, exercise.solution)
        out, err = capfd.readouterr()
        assert out, "a check that passes says what was right"
        assert err == "", "nbgrader takes a word on stderr for a failure"
        assert seconds < RIGHT_SECONDS

    def test_another_right_answer_passes(self, exercise: Exercise, trial: Right) -> None:
        assert timed(exercise, trial.answer) < RIGHT_SECONDS

    def test_the_stub_fails(self, exercise: Exercise) -> None:
        assert exercise.stub != exercise.solution
        with pytest.raises(NotYet):
            exercise.run(exercise.stub)

    def test_a_wrong_answer_fails_for_its_reason(self, exercise: Exercise, trial: Wrong) -> None:
        began = time.monotonic()
        with pytest.raises(NotYet) as failure:
            exercise.run(trial.answer)
        assert trial.says in str(failure.value), str(failure.value)
        assert time.monotonic() - began < WRONG_SECONDS

    def test_each_exercise_has_three_wrong_answers_and_if_it_is_code_another_right_one(self) -> None:
        known = exercises(self.stem)
        assert self.trials.keys() == known.keys()
        for number, exercise in known.items():
            assert len({trial.answer for trial in self.of(number, Wrong)}) >= 3, exercise.title
            assert self.of(number, Right) or exercise.title.startswith("Predict"), exercise.title

    def test_a_check_binds_no_name_but_its_own_and_run_check(self) -> None:
        """So no name of the learner is overwritten, and no name of the check can be replaced by an answer."""
        for number, exercise in exercises(self.stem).items():
            imported, function, last = ast.parse(exercise.check).body
            assert ast.unparse(imported) == "from server.lab.exercises import run_check"
            assert isinstance(function, ast.FunctionDef), number
            assert function.name.startswith("check_"), number
            assert ast.unparse(last) == f"run_check({function.name})", number

    def test_the_ladder_has_every_kind_and_each_exercise_says_its_minutes(self) -> None:
        known = exercises(self.stem)
        kinds = {exercise.title.partition(":")[0] for exercise in known.values()}
        assert kinds == {"Predict", "Arrange", "Fix", "Make"}
        assert all(2 <= exercise.minutes <= 20 for exercise in known.values())


def timed(exercise: Exercise, answer: str) -> float:
    """Run an answer, and return how many seconds that took."""
    began = time.monotonic()
    exercise.run(answer)
    return time.monotonic() - began
