"""Write the links of the glossary: the section of the course in which each term is first seen.

An entry of the glossary is one line: `- **term** (also other words): definition`. The definition shows a form in
backticks, such as a line of a drawing. The link leads to the first section that contains the term and this form.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from . import notebooks
from .notebooks import Cell, Notebook

ENTRY = re.compile(
    r"^- \*\*(?P<term>.+?)\*\*(?: \(also (?P<others>.+?)\))?: (?P<definition>.+?)"
    r"(?: First seen in \[(?P<title>\w+, [^\]]+)\]\((?P<link>\S+)\)\.)?$",
    re.MULTILINE,
)


class Section(NamedTuple):
    """A section of a notebook: the stem of the file, its title, the heading, the prose, and the code with outputs."""

    stem: str
    title: str
    heading: str
    prose: str
    code: str

    @property
    def link(self) -> str:
        """The target of a link to this section, as JupyterLab names it."""
        return f"{self.stem}.ipynb#{self.heading.replace(' ', '-')}"


def write() -> None:
    """Update the links of the glossary. An entry without a section keeps its link; a test reports it."""
    notebook, course = notebooks.read(notebooks.GLOSSARY), sections()
    for cell in notebook["cells"]:
        cell["source"] = ENTRY.sub(lambda entry: _with_link(entry, course), "".join(cell["source"]))
    notebooks.write(notebooks.GLOSSARY, notebooks.canonical(notebook))


def entries() -> list[re.Match[str]]:
    """Return the entries of the glossary, as matches of ENTRY."""
    return list(ENTRY.finditer(notebooks.prose(notebooks.GLOSSARY)))


def sections() -> list[Section]:
    """Return the sections of all notebooks of the course, in order."""
    return [section for path in notebooks.course() for section in _sections(path.stem, notebooks.read(path))]


def first_section(entry: re.Match[str], course: list[Section]) -> Section | None:
    """Return the first section that contains the term and the form of an entry, None if there is none.

    Args:
        entry: a match of ENTRY. The title of the notebook may contain the term, too. Its plural counts.
        course: the sections to search.
    """
    form = re.search(r"`([^`]+)`", entry["definition"])
    term = re.compile(rf"(?<!\w){re.escape(entry['term'].strip('`'))}s?(?!\w)", re.IGNORECASE)
    for section in course:
        if form and form[1] in section.code and any(map(term.search, section[1:])):
            return section
    return None


def _with_link(entry: re.Match[str], course: list[Section]) -> str:
    section = first_section(entry, course)
    if section is None:
        return entry[0]
    line = entry[0].partition(" First seen in [")[0]
    return f"{line} First seen in [{section.stem}, {section.heading}]({section.link})."


def _sections(stem: str, notebook: Notebook) -> list[Section]:
    found: list[Section] = []
    for cell in notebook["cells"]:
        source = "".join(cell["source"])
        if cell["cell_type"] == "code":
            code = "\n".join([found[-1].code, source, *map(_output, cell["outputs"])])
            found[-1] = found[-1]._replace(code=code)
            continue
        above, *parts = re.split(r"^#+ (.+)\n", source, flags=re.MULTILINE)
        if found:
            found[-1] = found[-1]._replace(prose=f"{found[-1].prose}\n{above}")
        for heading, prose in zip(parts[::2], parts[1::2], strict=True):
            found.append(Section(stem, found[0].title if found else heading, heading, prose, ""))
    return found


def _output(output: Cell) -> str:
    text = output.get("data", {}).get("text/plain", "") if "data" in output else output.get("text", "")
    return "".join(text)
