"""The editions of the course, and the loop of grading: handed out, solved well and badly, graded, explained."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from markdown_links import fault, links

from server.lab.classroom import bundle, notebooks, tables
from server.lab.classroom.__main__ import write_all
from server.lab.classroom.blank import make_blank
from server.lab.classroom.exercises import learners_edition, write_exercises
from server.lab.classroom.folders import EditionError
from server.lab.classroom.grading import make_course
from server.lab.classroom.links import headings, rewrite_text, words_only

FOLDERS = (notebooks.SOLUTIONS, notebooks.EXERCISES)
NAMES = sorted({path.name for folder in FOLDERS for path in folder.glob("*.ipynb")})
SOLUTIONS = sorted(notebooks.SOLUTIONS.glob("*.ipynb"))

pytestmark = [  # what nbgrader's own code is warned of, by some versions of Python and of SQLAlchemy
    pytest.mark.filterwarnings("ignore:User-placed attribute Grade:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:datetime.datetime.utcnow:DeprecationWarning"),
]

STORED = "08_multipart.ipynb"  # exercises that an nbgrader course is made from, besides the small notebook below
SECONDS = 15  # for a cell, including the start of the first check

Cell = dict[str, Any]


def markdown(*source: str) -> Cell:
    return {"cell_type": "markdown", "metadata": {}, "source": "\n".join(source)}


def code(*source: str, **metadata: Any) -> Cell:
    lines = "\n".join(source)
    return {"cell_type": "code", "metadata": metadata, "source": lines, "outputs": [], "execution_count": None}


def answer(name: str, *source: str) -> Cell:
    return code(*source, nbgrader=marks(f"{name}-answer", solution=True, locked=False))


def graded(name: str, points: int, *source: str) -> Cell:
    return code(*source, nbgrader=marks(name, grade=True, locked=True, points=points))


def marks(name: str, **more: Any) -> dict[str, Any]:
    return {"schema_version": 3, "grade": False, "solution": False, "task": False, "grade_id": name, **more}


def notebook(*cells: Cell) -> dict[str, Any]:
    numbered = [{"id": f"cell-{number}", **cell} for number, cell in enumerate(cells)]
    return {"cells": numbered, "metadata": notebooks.KERNEL, "nbformat": 4, "nbformat_minor": 5}


def write(path: Path, content: dict[str, Any]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def sources(path: Path, kind: str = "code") -> list[str]:
    return ["".join(cell["source"]) for cell in notebooks.cells(path, kind)]


def learners(path: Path) -> list[str]:
    """Return the code of the learner's edition of a notebook with solutions."""
    cells = learners_edition(json.loads(path.read_text(encoding="utf-8")))["cells"]
    return ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]


ENDLESS = """def news():
    while True:
        pass
"""
RIGHT = """def news():
    yield "data: hello\\n\\n"
"""
SMALL = notebook(
    markdown("# Exercises: small", "", "They go with [02_sse](../02_sse.ipynb)."),
    code("from server.lab.exercises import hints"),
    code('hint = hints("1", "Count the blank lines.")', jupyter={"source_hidden": True}, collapsed=True),
    answer("one", 'answer = None  # "a" or "b"', "### BEGIN SOLUTION", 'answer = "b"', "### END SOLUTION"),
    graded(
        "one",
        1,
        "from server.lab.exercises import run_check",
        "def check_one(answer):",
        "    from server.lab.exercises import predict",
        '    predict(answer, {"a": (1, "Lines are no events."), "b": (2, "Blank lines send.")}, 2)',
        "run_check(check_one)",
    ),
    answer("two", "### BEGIN SOLUTION", RIGHT + "### END SOLUTION"),
    graded(
        "two",
        2,
        "from server.lab.exercises import run_check",
        "def check_two(news):",
        "    from server.lab.exercises import check, expect_events, fetch, streamed",
        '    expect_events(fetch(streamed(news, "text/event-stream")), "hello")',
        "    ### BEGIN HIDDEN TESTS",
        '    check(len(list(news())) == 1, "one event")',
        "    ### END HIDDEN TESTS",
        '    print("Yes.")',
        "run_check(check_two)",
    ),
)


# The learner's edition


def test_the_learners_edition_has_stubs_and_no_hidden_test() -> None:
    made = learners_edition(SMALL)
    stored = ["".join(cell["source"]) for cell in made["cells"]]
    assert stored[3] == 'answer = None  # "a" or "b"\n# your turn'
    assert stored[5] == "# your turn"
    assert stored[6].endswith('"hello")\n    print("Yes.")\nrun_check(check_two)')
    assert stored[:3] == [cell["source"] for cell in SMALL["cells"][:3]]


def test_the_learners_edition_keeps_marks_and_folds_and_nothing_else() -> None:
    before = json.dumps(SMALL)
    made = learners_edition(SMALL)
    assert json.dumps(SMALL) == before
    assert made["cells"][2]["metadata"] == {"jupyter": {"source_hidden": True}}
    assert [cell["metadata"] for cell in made["cells"][3:]] == [cell["metadata"] for cell in SMALL["cells"][3:]]


def test_the_learners_edition_has_no_output_and_the_form_of_the_course() -> None:
    ran = json.loads(json.dumps(SMALL))
    ran["cells"][1] |= {"execution_count": 7, "outputs": [{"output_type": "stream", "name": "stdout", "text": "so"}]}
    made = learners_edition(ran)
    assert made == learners_edition(SMALL)
    assert notebooks.dumps(made) == notebooks.dumps(made)
    for cell in made["cells"]:
        if cell["cell_type"] == "code":
            assert (cell.pop("outputs"), cell.pop("execution_count")) == ([], None)
            cell |= {"outputs": [], "execution_count": None}
        cell["metadata"] = {}
    counted = notebooks.canonical(made)
    for cell in counted["cells"]:
        if cell["cell_type"] == "code":
            cell["execution_count"] = None
    assert counted == made


def test_exercises_and_solutions_have_the_same_names() -> None:
    solved, unsolved = ([path.name for path in sorted(folder.glob("*.ipynb"))] for folder in FOLDERS)
    assert unsolved == solved


@pytest.mark.parametrize("name", NAMES)
def test_the_stored_exercises_are_made_from_the_solutions(name: str) -> None:
    solved, unsolved = (folder / name for folder in FOLDERS)
    made = learners_edition(json.loads(solved.read_text(encoding="utf-8")))
    remedy = f"notebooks/exercises/{name} differs from notebooks/solutions/{name}: run `python3 run.py write`"
    assert unsolved.is_file(), remedy
    current = unsolved.read_text(encoding="utf-8") == notebooks.dumps(made)  # a bool, as the difference is long
    assert current, remedy


def test_exercises_without_a_solution_are_removed(tmp_path: Path) -> None:
    write(tmp_path / "solutions" / "02_small.ipynb", SMALL)
    orphan = write(tmp_path / "exercises" / "01_gone.ipynb", SMALL)
    write_exercises(tmp_path / "solutions", tmp_path / "exercises")
    assert [path.name for path in orphan.parent.iterdir()] == ["02_small.ipynb"]
    made = (orphan.parent / "02_small.ipynb").read_text(encoding="utf-8")
    assert made == notebooks.dumps(learners_edition(SMALL))


# The loop of grading


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A course with the small notebook as its one assignment."""
    solutions = write(tmp_path_factory.mktemp("solutions") / "02_small.ipynb", SMALL).parent
    return made(tmp_path_factory.mktemp("course"), solutions)


def made(folder: Path, solutions: Path) -> Path:
    import kernels  # noqa: F401 - the kernels that start next are reached by files

    make_course(folder, solutions)
    return folder


@pytest.fixture(scope="module")
def api(course: Path) -> Any:
    """nbgrader with the settings of the course, except for a shorter timeout of a cell."""
    from nbgrader.apps import NbGraderAPI
    from traitlets.config import Config
    from traitlets.config.loader import PyFileConfigLoader

    config: Any = PyFileConfigLoader("nbgrader_config.py", str(course)).load_config()
    assert config.CourseDirectory.course_id == "streaming-data"
    assert config.Execute.timeout == 30
    config.merge(Config({"CourseDirectory": {"root": str(course)}, "Execute": {"timeout": SECONDS}}))
    return NbGraderAPI(config=config)


def submit(course: Path, student: str, first: str, second: str) -> None:
    """Put the answers of a student into the notebook that was handed out, and hand it in."""
    content = json.loads((course / "release" / "02_small" / "02_small.ipynb").read_text(encoding="utf-8"))
    stubs = [cell for cell in content["cells"] if cell["metadata"].get("nbgrader", {}).get("solution")]
    for cell, text in zip(stubs, (first, second), strict=True):
        cell["source"] = text or cell["source"]
    write(course / "submitted" / student / "02_small" / "02_small.ipynb", content)


def grade(api: Any, course: Path, student: str) -> tuple[float, str]:
    """Have a submission graded; the score, and the text of the feedback."""
    for step in (api.autograde, api.generate_feedback):
        done = step("02_small", student)
        assert done["success"], done
    page = (course / "feedback" / student / "02_small" / "02_small.html").read_text(encoding="utf-8")
    score: float = api.get_submission("02_small", student)["score"]
    return score, re.sub(r"<[^>]*>", "", page)


def test_a_course_is_complete(course: Path, api: Any) -> None:
    assert {path.name for path in course.iterdir()} >= {"nbgrader_config.py", "source", "release", "gradebook.db"}
    (assignment,) = api.get_assignments()
    assert (assignment["name"], assignment["max_score"], assignment["status"]) == ("02_small", 3, "draft")


def test_what_is_handed_out_is_the_learners_edition_without_links(course: Path) -> None:
    handed_out = course / "release" / "02_small" / "02_small.ipynb"
    assert sources(handed_out) == learners(course / "source" / "02_small" / "02_small.ipynb")
    assert sources(handed_out, "markdown") == ["# Exercises: small\n\nThey go with 02_sse."]


CHEATS = """answer = news = lambda *a, **b: None
check = expect_events = fetch = print = predict = run_check = streamed = news
class NotYet(Exception):
    pass
get_ipython().set_custom_exc((BaseException,), lambda *a, **b: None)
"""
# Of each student: both answers, "" where the stub is left; the score; and words of the feedback.
STUDENTS: dict[str, tuple[str, str, float, list[str]]] = {
    "solved": ('answer = "b"', RIGHT, 3, ["Yes: 2. Blank lines send."]),
    "untouched": ("", "", 0, ["Not yet: answer is one of", "Not yet: the name news is not defined"]),
    "mistaken": ('answer = "b"', RIGHT.replace("\\n\\n", "\\n"), 1, ["Not yet: ", "There is no blank line"]),
    "cheating": (CHEATS, CHEATS, 0, ["Not yet: "]),
    "endless": ("while True:\n    pass", ENDLESS, 0, ["KeyboardInterrupt", "Not yet: ", "of your cell: "]),
}


@pytest.mark.filterwarnings("ignore:Object of type <Submitted")  # of nbgrader's own session
@pytest.mark.parametrize("student", STUDENTS)
def test_an_answer_gets_its_points_and_its_words(course: Path, api: Any, student: str) -> None:
    first, second, score, said = STUDENTS[student]
    submit(course, student, first, second)
    points, feedback = grade(api, course, student)
    assert points == score
    assert [words for words in said if words not in feedback] == []


def test_a_solution_that_fails_its_check_stops_the_making(tmp_path: Path) -> None:
    wrong = json.loads(json.dumps(SMALL).replace('answer = \\"b\\"', 'answer = \\"a\\"'))
    write(tmp_path / "solutions" / "02_small.ipynb", wrong)
    with pytest.raises(EditionError, match=r"02_small\.ipynb fails its own check: Not yet: you predict 1"):
        made(tmp_path / "course", tmp_path / "solutions")
    assert list((tmp_path / "course").iterdir()) == []


@pytest.fixture(scope="module")
def assignment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A course with the exercises of one notebook. `.ci/run` makes the course with all of them."""
    solutions = tmp_path_factory.mktemp("solutions")
    shutil.copy(notebooks.SOLUTIONS / STORED, solutions)
    return made(tmp_path_factory.mktemp("course"), solutions)


def test_stored_exercises_are_released_without_solutions_and_links(assignment: Path) -> None:
    stem = Path(STORED).stem
    released = assignment / "release" / stem / STORED
    assert sources(released) == learners(assignment / "source" / stem / STORED)
    assert [link for link in links(released) if ":" not in link] == []


def test_the_gradebook_has_the_points_of_an_assignment(assignment: Path) -> None:
    from nbgrader.api import Gradebook

    with Gradebook(f"sqlite:///{assignment / 'gradebook.db'}") as book:
        known = {each.name: each.max_score for each in book.assignments}
    assert known == {Path(STORED).stem: points(notebooks.SOLUTIONS / STORED)}


@pytest.mark.parametrize("path", SOLUTIONS, ids=lambda path: path.stem)
def test_cells_that_would_show_a_solution_are_folded(path: Path) -> None:
    for cell in notebooks.cells(path, "code"):
        source = "".join(cell["source"])
        if cell["metadata"].get("nbgrader", {}).get("grade") or source.startswith(("lines = ", "hint = ")):
            assert cell["metadata"]["jupyter"] == {"source_hidden": True}, source


@pytest.mark.parametrize("path", SOLUTIONS, ids=lambda path: path.stem)
def test_no_two_graded_cells_have_the_same_name(path: Path) -> None:
    marked = [
        cell["metadata"]["nbgrader"] for cell in notebooks.cells(path, "code") if "nbgrader" in cell["metadata"]
    ]
    names = [each["grade_id"] for each in marked]
    assert len(names) == len(set(names)) > 0


def points(path: Path) -> int:
    return sum(cell["metadata"].get("nbgrader", {}).get("points", 0) for cell in notebooks.cells(path, "code"))


# The notebooks to code live in


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("live")
    make_blank(folder)
    return folder


@pytest.mark.parametrize("path", notebooks.course(), ids=lambda path: path.stem)
def test_a_blank_notebook_has_the_prose_and_empty_cells(live: Path, path: Path) -> None:
    import nbformat

    copy = live / path.name
    assert [cell["source"] for cell in notebooks.cells(copy, "markdown")] == [
        cell["source"] for cell in notebooks.cells(path, "markdown")
    ]
    assert len(sources(copy)) == len(sources(path)) > 0
    assert set(sources(copy)) == {""}
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in notebooks.cells(copy, "code"))
    nbformat.validate(nbformat.read(copy, as_version=4))


def test_in_the_blank_notebooks_every_link_holds_that_held_before(live: Path) -> None:
    followed = 0
    for copy in live.rglob("*.ipynb"):
        original = notebooks.NOTEBOOKS / copy.relative_to(live)
        held = [link for link in links(original) if not fault(original, link, notebooks.NOTEBOOKS)]
        assert [found for link in held if (found := fault(copy, link, live))] == []
        followed += len(held)
    assert followed > 50


def test_links_that_leave_the_notebooks_become_words_and_code_is_no_link(tmp_path: Path) -> None:
    shown = "```\nf[0](x.ipynb)\n```\nand `a[1](../y.py)`"
    prose = markdown("[the `server`](../server/sse.py#L3) ![p](p.png) [site](https://flask.example/a)", shown)
    deep = notebook(markdown('[back](../00_a.ipynb#Here) [more](more%20text.md "title") [gone](gone.ipynb)'))
    write(tmp_path / "from" / "00_a.ipynb", notebook(prose, markdown("[e](exercises/00_a.ipynb)"), code("1")))
    write(tmp_path / "from" / "exercises" / "00_a.ipynb", deep)
    for name in ("p.png", "exercises/more text.md", "unasked.txt"):
        (tmp_path / "from" / name).write_text(name)
    make_blank(tmp_path / "to", tmp_path / "from")
    made = {path.relative_to(tmp_path / "to").as_posix() for path in (tmp_path / "to").rglob("*.*")}
    assert made == {"00_a.ipynb", "p.png", "exercises/00_a.ipynb", "exercises/more text.md"}
    first, second = sources(tmp_path / "to" / "00_a.ipynb", "markdown")
    assert first == f"the `server` ![p](p.png) [site](https://flask.example/a)\n{shown}"
    assert second == "[e](exercises/00_a.ipynb)"
    copied = sources(tmp_path / "to" / "exercises" / "00_a.ipynb", "markdown")
    assert copied == [cell["source"] for cell in deep["cells"]]


LINKS = """[`a[0]`](x.md) and ![p](<p.png> "title"), `[code](x.md)`, ``[b` (x)](x.md)``

    [indented](x.md)

~~~
[tildes](x.md)
~~~

- an item with a [link
  over two lines](y.md#part), \\[escaped](x.md), [host](https://flask.example/x.md), [here](#part), [host](<https://x>)
- ````
  [in a fence](x.md)
  ```
  [still in it](x.md)
  ````

| A [table](z.md) | `[code](x.md)` |
|---|---|
| [cell](z.md) | <b title="[html](x.md)"> |

<div>
[html](x.md)
</div>
"""


def test_links_in_code_and_html_are_not_rewritten_and_the_rest_is_unchanged() -> None:
    found: list[tuple[str, str]] = []

    def keep(link: re.Match[str]) -> str:
        found.append((link["words"], link["target"]))
        return link[0]

    assert rewrite_text(LINKS, keep) == LINKS
    assert found == [
        ("`a[0]`", "x.md"),
        ("p", "p.png"),
        ("link\n  over two lines", "y.md"),
        ("table", "z.md"),
        ("cell", "z.md"),
    ]
    links = {
        "[`a[0]`](x.md)": "`a[0]`",
        '![p](<p.png> "title")': "p",
        "[table](z.md)": "table",
        "[cell](z.md)": "cell",
    }
    links["[link\n  over two lines](y.md#part)"] = "link\n  over two lines"
    expected = LINKS
    for link, words in links.items():
        expected = expected.replace(link, words, 1)
    assert rewrite_text(LINKS, words_only) == expected


def test_headings_are_not_found_in_code() -> None:
    text = "# A *plain* `word`, [linked](x.md)\n\nAlso\n----\n\n````\n# no\n```\n# no\n````\n\n    # no\n\n## Last ##"
    assert headings(text) == ["A plain word, linked", "Also", "Last"]


# The copy for machines without a network; tests/test_run.py installs and runs one


def test_a_bundle_for_learners_has_no_solutions_and_no_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bundle, "_collect", lambda folder: (folder / "a.whl").touch())
    bundle.make_bundle(tmp_path / "all")
    bundle.make_bundle(tmp_path / "learners", learners=True)
    missing = files(tmp_path / "all") - files(tmp_path / "learners")
    assert {"notebooks/solutions/02_sse.ipynb", "notebooks/solutions/quizzes/02_sse.md"} < missing
    assert {name for name in missing if not name.startswith("notebooks/solutions/")} == {"TEACHING.md"}
    assert "notebooks/quizzes/02_sse.md" in files(tmp_path / "learners")
    texts = [path.read_text(encoding="utf-8") for path in (tmp_path / "learners").rglob("*.ipynb")]
    assert not [text for text in texts if "BEGIN SOLUTION" in text]
    readme = tmp_path / "learners" / "README.md"
    assert [problem for link in links(readme) if (problem := fault(readme, link, readme.parent))] == []


def files(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*.*") if "__pycache__" not in path.parts}


def test_a_bundle_inside_the_course_is_refused() -> None:
    folder = notebooks.ROOT / "static" / "bundle"
    with pytest.raises(EditionError, match="is inside the course"):
        bundle.make_bundle(folder)
    assert not folder.exists()


# The command that updates the generated files


@pytest.fixture
def copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the files that `write` updates; the command works there."""
    shutil.copytree(notebooks.NOTEBOOKS, tmp_path / "notebooks")
    for name in ("README.md", "TEACHING.md"):
        shutil.copy(notebooks.ROOT / name, tmp_path)
    for name in ("server/techniques", "static"):
        shutil.copytree(notebooks.ROOT / name, tmp_path / name)
    root = notebooks.ROOT
    for name in ("ROOT", "NOTEBOOKS", "SOLUTIONS", "EXERCISES", "GLOSSARY", "APPENDIX"):
        monkeypatch.setattr(notebooks, name, tmp_path / getattr(notebooks, name).relative_to(root))
    return tmp_path


def test_write_restores_every_generated_part(copied: Path) -> None:
    before = contents(copied)
    for name in ("README.md", "TEACHING.md", "notebooks/00_start.ipynb", "notebooks/exercises/02_sse.ipynb"):
        text = (copied / name).read_text(encoding="utf-8")
        changed = re.sub(r"^( *\"?\| \[\S+\]\S+ \| ).*( \|)", r"\1other\2", text, flags=re.MULTILINE)
        (copied / name).write_text(changed.replace("# your turn", "# your stop"), encoding="utf-8")
        assert (copied / name).read_bytes() != before[name]
    (copied / "notebooks" / "exercises" / "03_snippets.ipynb").unlink()
    times = tables.run_times((notebooks.ROOT / "TEACHING.md").read_text(encoding="utf-8"))
    write_all([], measure=False)
    after = contents(copied)
    assert after.keys() == before.keys()
    assert {name for name in before if before[name] != after[name]} <= {"TEACHING.md"}, times


def contents(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_write_runs_the_named_notebooks_and_stores_measured_times(
    copied: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[str] = []

    def run(path: Path) -> notebooks.Notebook:
        ran.append(path.stem)
        return notebooks.read(path)

    seconds = iter([0.0, 77.0])
    monkeypatch.setattr(notebooks, "run", run)
    monkeypatch.setattr("server.lab.classroom.__main__.clock", lambda: next(seconds))
    write_all([copied / "notebooks" / "02_sse.ipynb"], measure=True)
    assert ran == ["02_sse"]
    assert "[02_sse](notebooks/02_sse.ipynb) | 35 | 77 s |" in (copied / "TEACHING.md").read_text(encoding="utf-8")


def test_write_names_the_missing_solution_of_a_notebook_and_the_remedy(copied: Path) -> None:
    (copied / "notebooks" / "solutions" / "02_sse.ipynb").unlink()
    with pytest.raises(EditionError) as caught:
        write_all([], measure=False)
    assert str(caught.value) == (
        "02_sse.ipynb has no exercises, because notebooks/solutions/02_sse.ipynb does not exist.\n"
        "To fix it: create that notebook with at least one exercise and its solution (see CONTRIBUTING.md)."
    )


# Where editions are written


@pytest.mark.parametrize("make", [make_course, make_blank])
@pytest.mark.parametrize(("name", "cause"), [("full", "is not empty"), ("full/file", "is not a folder")])
def test_an_edition_overwrites_nothing(tmp_path: Path, make: Callable[[Path], None], name: str, cause: str) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").write_text("mine")
    with pytest.raises(EditionError, match=f"{cause}.\nTo fix it: name a new or an empty folder"):
        make(tmp_path / name)
    assert [path.read_text() for path in (tmp_path / "full").iterdir()] == ["mine"]


def test_the_command_resolves_paths_from_the_current_folder_and_refuses_a_full_one(tmp_path: Path) -> None:
    (tmp_path / "live").mkdir()
    command = [sys.executable, "-m", "server.lab.classroom", "blank", "live"]
    own = {**os.environ, "PYTHONPATH": str(notebooks.NOTEBOOKS.parent)}
    for status, words in ((0, ""), (2, "usage: ")):
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, env=own)
        assert done.returncode == status
        assert done.stderr.startswith(words)
        assert "Traceback" not in done.stderr
    assert len(list((tmp_path / "live").glob("[0-9][0-9]_*.ipynb"))) == len(notebooks.course())
