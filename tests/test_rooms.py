"""One stem, all rooms: every technique has all of its rooms, and no room is without its technique."""

from __future__ import annotations

from pathlib import Path

import pytest

from server import create_app
from server.techniques import TECHNIQUES

ROOT = Path(__file__).resolve().parent.parent
STEMS = [technique.__name__.rpartition(".")[2] for technique in TECHNIQUES]
BEFORE = ["start", "wire"]  # the notebooks that come before the techniques
TOPICS = ["reconnect", "choosing"]  # those that come after them
COURSE = [f"{number:02}_{stem}" for number, stem in enumerate([*BEFORE, *STEMS, *TOPICS])]
FORMATS = ["http"]  # of the wire, that no single technique owns
SHARED_PAGES = ["base", "index", "waiting"]
SHARED_TESTS = ["eventsource", "index", "lab", "pages", "restart"]  # of the browser: no single page is theirs

ROOMS = [
    "server/techniques/{}.py",
    "static/{}.html",
    "static/{}.js",
    "tests/techniques/test_{}.py",
    "tests/browser/test_{}.py",
]

CLASSROOM = [
    "notebooks/solutions/{}.ipynb",
    "notebooks/exercises/{}.ipynb",
    "notebooks/quizzes/{}.md",
    "notebooks/solutions/quizzes/{}.md",
]


def stems(pattern: str, prefix: str = "") -> set[str]:
    """Return the stems of the files of a kind, private ones left out."""
    found = {path.stem.removeprefix(prefix) for path in ROOT.glob(pattern)}
    return {stem for stem in found if not stem.startswith("_")}


def notebooks() -> list[str]:
    return sorted(path.name for path in (ROOT / "notebooks").glob("*.ipynb"))


@pytest.mark.parametrize("room", ROOMS)
@pytest.mark.parametrize("stem", STEMS)
def test_every_technique_has_this_room(stem: str, room: str) -> None:
    assert (ROOT / room.format(stem)).is_file()


@pytest.mark.parametrize("stem", STEMS)
def test_a_stem_is_one_word(stem: str) -> None:
    assert stem.isidentifier()
    assert stem == stem.lower()
    assert "_" not in stem


@pytest.mark.parametrize("technique", TECHNIQUES, ids=STEMS)
def test_the_blueprint_and_the_url_have_the_stem_of_the_module(technique: object) -> None:
    stem = STEMS[TECHNIQUES.index(technique)]
    assert getattr(technique, "blueprint").name == stem  # noqa: B009  # its type is that of any module
    assert f"/{stem}" in {rule.rule for rule in create_app().url_map.iter_rules()}


def test_the_notebooks_are_numbered_in_the_order_of_the_course() -> None:
    assert notebooks() == [*(f"{stem}.ipynb" for stem in COURSE), "glossary.ipynb"]


@pytest.mark.parametrize("room", CLASSROOM)
def test_the_classroom_has_a_room_of_each_kind_for_every_notebook_and_no_other(room: str) -> None:
    folder, name = (ROOT / room).parent, Path(room).name
    assert sorted(path.name for path in folder.glob(name.format("*"))) == sorted(map(name.format, COURSE))


def test_every_notebook_has_the_trials_of_its_exercises() -> None:
    assert stems("tests/exercises/test_*.py", "test_") == {stem.partition("_")[2] for stem in COURSE}


@pytest.mark.parametrize(
    ("pattern", "prefix", "shared"),
    [
        ("server/techniques/*.py", "", []),
        ("server/wire/*.py", "", FORMATS),
        ("server/templates/*", "", []),
        ("static/*.html", "", SHARED_PAGES),
        ("static/*.js", "", SHARED_PAGES),
        ("tests/techniques/test_*.py", "test_", []),
        ("tests/wire/test_*.py", "test_", FORMATS),
        ("tests/browser/test_*.py", "test_", SHARED_TESTS),
    ],
)
def test_no_room_is_without_its_technique(pattern: str, prefix: str, shared: list[str]) -> None:
    assert stems(pattern, prefix) <= {*STEMS, *shared}


@pytest.mark.parametrize("package", ["wire", "techniques", "lab"])
def test_every_module_has_its_tests_and_every_test_its_module(package: str) -> None:
    modules = stems(f"server/{package}/*.py") | stems(f"server/{package}/*/")
    assert stems(f"tests/{package}/test_*.py", "test_") == modules


def test_only_one_list_names_the_techniques() -> None:
    assert [technique.__name__ for technique in TECHNIQUES] == [f"server.techniques.{stem}" for stem in STEMS]
    assert set(STEMS) == stems("server/techniques/*.py")
