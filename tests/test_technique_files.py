"""Every technique has one name, and its files have that name. A test fails with the name of the missing file."""

from __future__ import annotations

import re
from pathlib import Path
from types import ModuleType

import pytest

from server import create_app
from server.techniques import TECHNIQUES

ROOT = Path(__file__).resolve().parent.parent
STEMS = [technique.__name__.rpartition(".")[2] for technique in TECHNIQUES]
COURSE = sorted(path.stem for path in (ROOT / "notebooks").glob("[0-9][0-9]_*.ipynb"))
SHARED_PAGES = ["base", "index", "lanes", "waiting"]
# Tests in tests/browser for more than one page.
SHARED_TESTS = ["eventsource", "fetch_events", "index", "lab", "lanes", "pages", "restart"]

TECHNIQUE_FILES = [
    "server/techniques/{}.py",
    "static/{}.html",
    "static/{}.js",
    "tests/techniques/test_{}.py",
    "tests/browser/test_{}.py",
    "notebooks/[0-9][0-9]_{}.ipynb",
]

NOTEBOOK_FILES = [
    "notebooks/solutions/{}.ipynb",
    "notebooks/exercises/{}.ipynb",
    "notebooks/quizzes/{}.md",
    "notebooks/solutions/quizzes/{}.md",
]


def stems(pattern: str, prefix: str = "") -> set[str]:
    """Return the stems of the files that match a pattern, without private files."""
    found = {path.stem.removeprefix(prefix) for path in ROOT.glob(pattern)}
    return {stem for stem in found if not stem.startswith("_")}


def test_techniques_is_the_complete_list_of_the_modules() -> None:
    assert set(STEMS) == stems("server/techniques/*.py"), "add the new module to server/techniques/__init__.py"


@pytest.mark.parametrize("file", TECHNIQUE_FILES)
@pytest.mark.parametrize("stem", STEMS)
def test_every_technique_has_this_file(stem: str, file: str) -> None:
    assert list(ROOT.glob(file.format(stem))), f"the technique {stem!r} has no {file.format(stem)}: add this file"


@pytest.mark.parametrize("stem", STEMS)
def test_a_stem_is_one_lowercase_word(stem: str) -> None:
    assert stem.isidentifier()
    assert stem == stem.lower()
    assert "_" not in stem


@pytest.mark.parametrize("technique", TECHNIQUES, ids=STEMS)
def test_the_blueprint_and_the_url_have_the_name_of_the_module(technique: ModuleType) -> None:
    stem = technique.__name__.rpartition(".")[2]
    assert technique.blueprint.name == stem
    assert f"/{stem}" in {rule.rule for rule in create_app().url_map.iter_rules()}


@pytest.mark.parametrize("technique", TECHNIQUES, ids=STEMS)
def test_every_technique_has_a_tick_end_or_a_client(technique: ModuleType) -> None:
    module = technique.__name__.replace(".", "/") + ".py"
    remedy = (
        f"{module} has no TICK_END: add the bytes that end a tick, or None if the ticks are not parts of one body"
    )
    assert hasattr(technique, "TICK_END"), remedy
    assert technique.TICK_END is None or isinstance(technique.TICK_END, bytes), f"TICK_END in {module} must be bytes"
    if technique.TICK_END is None:
        assert hasattr(technique, "receive_ticks"), f"{module} has TICK_END = None: add receive_ticks(url, query)"


@pytest.mark.parametrize("stem", STEMS)
def test_the_table_of_11_choosing_has_a_row_for_every_technique(stem: str) -> None:
    notebook = "notebooks/11_choosing.ipynb"
    row = rf"\| \[{stem}\]\(\d\d_{stem}\.ipynb\) \|"
    text = (ROOT / notebook).read_text(encoding="utf-8")
    assert re.search(row, text), f"{notebook}: add a row for {stem!r} to the table 'What a page needs'"


def test_the_notebooks_are_numbered_without_a_gap() -> None:
    assert [name[:2] for name in COURSE] == [f"{number:02}" for number in range(len(COURSE))]


def test_the_notebooks_of_the_techniques_are_in_the_order_of_techniques() -> None:
    names = [name.partition("_")[2] for name in COURSE]
    assert [name for name in names if name in STEMS] == [stem for stem in STEMS if stem in names]


@pytest.mark.parametrize("file", NOTEBOOK_FILES)
@pytest.mark.parametrize("name", COURSE)
def test_every_notebook_has_this_file(name: str, file: str) -> None:
    path = file.format(name)
    assert (ROOT / path).is_file(), f"the notebook {name!r} has no {path}: add this file, or run `run.py write`"


@pytest.mark.parametrize("file", NOTEBOOK_FILES)
def test_no_file_of_the_classroom_is_without_its_notebook(file: str) -> None:
    assert stems(file.format("*")) <= set(COURSE)


@pytest.mark.parametrize("name", COURSE)
def test_every_notebook_has_tests_of_its_exercises(name: str) -> None:
    path = f"tests/exercises/test_{name.partition('_')[2]}.py"
    assert (ROOT / path).is_file(), f"the exercises of {name!r} have no {path}: add this file"


def test_no_test_of_exercises_is_without_its_notebook() -> None:
    assert stems("tests/exercises/test_*.py", "test_") <= {name.partition("_")[2] for name in COURSE}


@pytest.mark.parametrize(
    ("pattern", "prefix", "shared"),
    [
        ("server/techniques/*.py", "", []),
        ("server/templates/*", "", []),
        ("static/*.html", "", SHARED_PAGES),
        ("static/*.js", "", SHARED_PAGES),
        ("tests/techniques/test_*.py", "test_", []),
        ("tests/browser/test_*.py", "test_", SHARED_TESTS),
    ],
)
def test_no_file_is_without_its_technique(pattern: str, prefix: str, shared: list[str]) -> None:
    unknown = stems(pattern, prefix) - {*STEMS, *shared}
    remedy = (
        "add the technique to server/techniques/__init__.py, or a shared file to the list SHARED_... in this test"
    )
    assert not unknown, f"no technique has the name of {pattern} for {sorted(unknown)}: {remedy}"


@pytest.mark.parametrize("package", ["wire", "techniques", "lab"])
def test_every_module_has_its_tests_and_every_test_its_module(package: str) -> None:
    modules = stems(f"server/{package}/*.py") | stems(f"server/{package}/*/")
    tests = stems(f"tests/{package}/test_*.py", "test_")
    missing = [f"tests/{package}/test_{stem}.py" for stem in sorted(modules - tests)]
    missing += [f"server/{package}/{stem}.py" for stem in sorted(tests - modules)]
    assert not missing, f"add {', '.join(missing)}"
