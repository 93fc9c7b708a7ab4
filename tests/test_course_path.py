"""The path through the course: its generated lines, the glossary, and the links."""

from __future__ import annotations

import json
import re
from pathlib import Path

import markdown_links
import pytest
from markdown_links import headings

from server.lab.classroom import course_path, glossary, notebooks
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


# The glossary

SECTIONS = glossary.sections()
ENTRIES = glossary.entries()
# Words that a reader may search for, and the entry that they lead to.
SEARCHED = {
    "answer": "response",
    "ask": "request",
    "broken pipe": "disconnect",
    "chunked encoding": "chunked",
    "EOF": "connection closes",
    "field": "header",
    "go away": "disconnect",
    "hang up": "disconnect",
    "head": "header section",
    "held back": "buffer",
    "JSON Lines": "newline-delimited JSON",
    "patience": "timeout",
    "piece": "read",
    "push": "server-sent events",
}


def letters(entry: re.Match[str]) -> tuple[str, str]:
    return entry["term"].strip("`").lower(), entry["term"]


def test_the_glossary_is_prose_in_canonical_form() -> None:
    import nbformat  # here, since it takes a second, and every worker reads this file

    text = GLOSSARY.read_text(encoding="utf-8")
    assert text == notebooks.dumps(notebooks.canonical(json.loads(text)))
    nbformat.validate(nbformat.reads(text, as_version=4))
    assert notebooks.cells(GLOSSARY, "code") == []


def test_every_line_of_the_glossary_defines_a_term() -> None:
    lines = [line for line in notebooks.prose(GLOSSARY).splitlines() if line.startswith("- ")]
    assert [entry[0] for entry in ENTRIES] == lines
    assert 50 <= len(ENTRIES) <= 80
    assert all(entry["definition"].endswith(".") for entry in ENTRIES)


def test_the_terms_are_sorted_and_unique() -> None:
    assert sorted(ENTRIES, key=letters) == ENTRIES
    assert len({entry["term"].lower() for entry in ENTRIES}) == len(ENTRIES)


def test_the_terms_stand_under_their_letters() -> None:
    for part in notebooks.prose(GLOSSARY).split("\n## ")[1:]:
        first, last = part.partition("\n")[0].lower().split(" to ")
        found = [letters(entry)[0] for entry in glossary.ENTRY.finditer(part)]
        assert found
        assert all(first <= term[0] <= last for term in found)


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry["term"])
def test_a_term_leads_to_the_section_where_it_is_first_seen(entry: re.Match[str]) -> None:
    first = glossary.first_section(entry, SECTIONS)
    assert first, f"no section contains {entry['term']} and its form: change the form, then run `run.py write`"
    assert (entry["title"], entry["link"]) == (f"{first.stem}, {first.heading}", first.link)


@pytest.mark.parametrize(("word", "term"), SEARCHED.items())
def test_other_words_for_a_term_lead_to_it(word: str, term: str) -> None:
    (entry,) = (entry for entry in ENTRIES if entry["term"] == term)
    assert word in entry["others"].split(", ")


@pytest.mark.parametrize("term", ["body", "buffer", "disconnect", "header", "request", "response", "timeout"])
def test_a_term_that_readers_search_for_has_an_entry(term: str) -> None:
    assert [entry["term"] for entry in ENTRIES if entry["term"] == term] == [term]


def test_writing_the_glossary_corrects_a_wrong_link(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    copy, before = tmp_path / "glossary.ipynb", GLOSSARY.read_text(encoding="utf-8")
    changed = before.replace("[00_start, Look at the wire](00_start.ipynb#Look-at-the-wire)", "[x, y](z)")
    copy.write_text(changed.replace(" First seen in [01_wire, ", " First seen in [other, "), encoding="utf-8")
    monkeypatch.setattr(notebooks, "GLOSSARY", copy)
    assert changed != before
    glossary.write()
    assert copy.read_text(encoding="utf-8") == before


def test_an_entry_whose_form_no_section_contains_keeps_its_link(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy, before = tmp_path / "glossary.ipynb", GLOSSARY.read_text(encoding="utf-8")
    changed = before.replace("`HTTP/1.1 200 OK`", "`HTTP/1.1 299 Unknown`")
    copy.write_text(changed, encoding="utf-8")
    monkeypatch.setattr(notebooks, "GLOSSARY", copy)
    assert changed != before
    glossary.write()
    assert copy.read_text(encoding="utf-8") == changed


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
    missing = [stop.stem for stop in STOPS if stop.stem not in picture]
    assert missing == [], "add them to the picture in notebooks/00_start.ipynb"


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
