"""The path through the course: its lines, its words, and that no link of it leads nowhere."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import NamedTuple

import markdown_links
import pytest
from markdown_links import headings

from server.lab.classroom import course_path, notebooks
from server.lab.classroom.folders import EditionError

ROOT = notebooks.NOTEBOOKS.parent
COURSE = notebooks.course()
STOPS = course_path.stops()
GLOSSARY = notebooks.GLOSSARY
NOTEBOOKS = sorted(file for file in notebooks.NOTEBOOKS.rglob("*.ipynb") if ".ipynb_checkpoints" not in file.parts)
READ = [*NOTEBOOKS, *(file for file in (ROOT / "README.md", ROOT / "TEACHING.md") if file.exists())]
ENTRY = re.compile(r"- \*\*(.+?)\*\*: (.+) First seen in \[(\w+), ([^\]]+)\]\((\S+)\)\.")


# The lines that are made


@pytest.mark.parametrize("number", range(len(COURSE)), ids=lambda number: COURSE[number].stem)
def test_the_lines_of_the_path_are_those_that_the_metadata_makes(number: int) -> None:
    notebook = course_path.updated(notebooks.read(COURSE[number]), number, STOPS)
    assert COURSE[number].read_text(encoding="utf-8") == notebooks.dumps(notebook)


def test_what_a_notebook_needs_comes_before_it() -> None:
    for number, stop in enumerate(STOPS):
        assert set(stop.needs) <= {each.stem for each in STOPS[:number]}
        assert stop.needs == sorted(set(stop.needs))
        assert bool(stop.needs) == bool(number), "but for the first, each stands on another"


def test_one_comes_through_the_whole_course_and_back_by_the_last_lines() -> None:
    for way, order in (("Next", COURSE), ("Before", COURSE[::-1])):
        passed = [order[0]]
        while found := re.search(rf"\*\*{way}\*\*: \[[^\]]+\]\((\S+?)\)", notebooks.prose(passed[-1])):
            passed.append(passed[-1].parent / found[1])
        assert passed == order


def test_a_notebook_without_a_generated_line_is_refused() -> None:
    notebook = notebooks.read(COURSE[1])
    notebook["cells"].pop()
    with pytest.raises(EditionError, match=r"^0 cells of 01_wire.ipynb have a line like '.*Exercises that check"):
        course_path.updated(notebook, 1, STOPS)


def test_a_notebook_without_the_data_of_the_course_is_refused_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notebooks, "NOTEBOOKS", tmp_path)
    notebooks.write(tmp_path / "00_new.ipynb", {"cells": [], "metadata": {}})
    with pytest.raises(EditionError, match=r'^00_new.ipynb has no complete section "course"'):
        course_path.stops()


# The words


class Section(NamedTuple):
    """What stands under a heading: prose, and code with what it has shown."""

    notebook: str
    heading: str
    prose: str
    shown: str


def sections(file: Path) -> list[Section]:
    found: list[Section] = []
    for cell in json.loads(file.read_text(encoding="utf-8"))["cells"]:
        source = "".join(cell["source"])
        if cell["cell_type"] == "code":
            found[-1] = found[-1]._replace(shown="\n".join([found[-1].shown, source, *map(output, cell["outputs"])]))
            continue
        above, *parts = re.split(r"^#+ (.+)\n", source, flags=re.MULTILINE)
        if found:
            found[-1] = found[-1]._replace(prose=f"{found[-1].prose}\n{above}")
        found += [Section(file.stem, *pair, "") for pair in zip(parts[::2], parts[1::2], strict=True)]
    return found


def output(shown: dict[str, object]) -> str:
    data = shown.get("data")
    text = data.get("text/plain", "") if isinstance(data, dict) else shown.get("text", "")
    return "".join(text if isinstance(text, str | list) else "")


class Word(NamedTuple):
    """An entry of the glossary: the word, what it says, and where it leads."""

    word: str
    says: str
    notebook: str
    heading: str
    link: str

    @property
    def form(self) -> str:
        """How it shows on the wire or in code: what the entry shows first as code."""
        found = re.search(r"`([^`]+)`", self.says)
        assert found, f"{self.word} has no form"
        return found[1]

    def stands_in(self, section: Section) -> bool:
        """Whether the word stands in a section, or in the title of its notebook, and its form in code or output."""
        word = re.compile(rf"(?<!\w){re.escape(self.word.strip('`'))}s?(?!\w)", re.IGNORECASE)
        return self.form in section.shown and any(map(word.search, (TITLES[section.notebook], *section[1:])))


SECTIONS = [section for file in COURSE for section in sections(file)]
TITLES = {section.notebook: section.heading for section in reversed(SECTIONS)}
LINES = [line for line in notebooks.prose(GLOSSARY).splitlines() if line.startswith("- ")]
WORDS = [Word(*found.groups()) for found in map(ENTRY.fullmatch, LINES) if found]


def letters(word: Word) -> tuple[str, str]:
    return word.word.strip("`").lower(), word.word


def test_the_glossary_is_prose_in_canonical_form() -> None:
    import nbformat  # here, since it takes a second, and every worker reads this file

    text = GLOSSARY.read_text(encoding="utf-8")
    assert text == notebooks.dumps(notebooks.canonical(json.loads(text)))
    nbformat.validate(nbformat.reads(text, as_version=4))
    assert notebooks.cells(GLOSSARY, "code") == []


def test_every_line_of_the_glossary_is_a_word() -> None:
    assert len(WORDS) == len(LINES)
    assert 40 <= len(WORDS) <= 60
    assert all(word.says.endswith(".") for word in WORDS)


def test_the_words_are_sorted_and_none_comes_twice() -> None:
    assert sorted(WORDS, key=letters) == WORDS
    assert len({word.word.lower() for word in WORDS}) == len(WORDS)


def test_the_words_stand_under_their_letters() -> None:
    for part in notebooks.prose(GLOSSARY).split("\n## ")[1:]:
        first, last = part.partition("\n")[0].lower().split(" to ")
        found = [letters(Word(*entry))[0] for entry in ENTRY.findall(part)]
        assert found
        assert all(first <= word[0] <= last for word in found)


@pytest.mark.parametrize("word", WORDS, ids=lambda word: word.word)
def test_a_word_leads_to_where_it_is_first_seen(word: Word) -> None:
    first = next((section for section in SECTIONS if word.stands_in(section)), None)
    assert first, f"{word.word} and {word.form} stand together nowhere"
    assert (word.notebook, word.heading) == first[:2]
    assert word.link == f"{word.notebook}.ipynb#{word.heading.replace(' ', '-')}"


# The links


@pytest.mark.parametrize("file", READ, ids=lambda file: str(file.relative_to(ROOT)))
def test_no_link_leads_nowhere(file: Path) -> None:
    assert [fault for link in markdown_links.links(file) if (fault := markdown_links.fault(file, link, ROOT))] == []


def test_each_notebook_of_the_course_leads_on() -> None:
    assert [file.stem for file in [*COURSE, notebooks.APPENDIX, GLOSSARY] if not markdown_links.links(file)] == []


def test_the_glossary_is_linked_from_the_map_and_from_every_last_line() -> None:
    assert all(GLOSSARY.name in notebooks.prose(file).splitlines()[-1] for file in COURSE)
    assert GLOSSARY.name in notebooks.prose(COURSE[0]).partition("## The map of the course")[2].partition("\n**")[0]


def test_the_picture_of_the_course_names_every_notebook() -> None:
    picture = next(section.prose for section in SECTIONS if section.heading == "The techniques of this course")
    assert [stop.stem for stop in STOPS if stop.stem not in picture] == []


def test_a_link_without_a_target_is_an_error(tmp_path: Path) -> None:
    cell = {"cell_type": "markdown", "id": "a", "metadata": {}}
    text = "# A *plain* `word`\n## Twice\n## Twice\n[`a`](here.ipynb) `[b](shown.ipynb)`\n```\n# no\n[c](d.md)\n```\n"
    here, read = tmp_path / "here.ipynb", tmp_path / "read.md"
    here.write_text(json.dumps({"cells": [{**cell, "source": text.splitlines(keepends=True)}]}), encoding="utf-8")
    read.write_text("# What's in it, and what not\n", encoding="utf-8")
    assert markdown_links.links(here) == ["here.ipynb"]
    assert headings(here) == ["A-plain-word", "Twice", "Twice"]
    assert headings(read) == ["whats-in-it-and-what-not"]
    good = ["#A-plain-word", "here.ipynb", "here.ipynb#A-plain-word", "read.md#whats-in-it-and-what-not"]
    assert [markdown_links.fault(here, link, tmp_path) for link in [*good, "http://localhost/x"]] == [""] * 5
    assert [
        markdown_links.fault(here, link, tmp_path) for link in ("gone.md", "#A-Plain-word", "#Twice", "#ä", "../x.md")
    ] == [
        "gone.md leads to no file",
        "#A-Plain-word leads to 0 headings",
        "#Twice leads to 2 headings",
        "#ä has a heading with characters that browsers encode",
        "../x.md leads out of the project",
    ]
