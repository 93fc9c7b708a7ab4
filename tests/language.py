"""Find words that this project does not use, because they stopped readers. `python -m tests.language` lists them.

The prose of every file is checked: Markdown, the text of pages, and in code the comments, docstrings, other strings
and names of tests. Code in backticks is not prose. CONTRIBUTING.md explains the rules of the language.
"""

from __future__ import annotations

import ast
import io
import json
import re
import sys
import tokenize
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
CHECKED = {".md", ".ipynb", ".html", ".js", ".css", ".py", ".yml", ".toml"}
# The exercises are not checked yet: their tasks, hints and messages are being rewritten.
SKIPPED = re.compile(
    r"CODE_OF_CONDUCT|tests/(test_)?language|tests/test_course_path|tests/(lab/test_)?exercises"
    r"|notebooks/(solutions|exercises)/\d"
)
EXERCISES = re.compile(r"exercise|solutions|quizzes|classroom|TEACHING|CHANGELOG|test_run|test_teaching|CONTRIBUTING")

# Each word that is not used, and the word that is. The second table does not hold for exercises, which have answers.
WORDS = {
    r"mend(s|ed|ing)?": "fix",
    r"whoever|whatever|such a one": "a noun",
    r"hang(s|ing)? up|ha(s|ve|d) left|go(es)? away|went away|gone away": "disconnect",
    r"h(olds|eld|old|olding) back": "buffer",
    r"hears?|heard": "receive",
    r"speaks?|spoke|spoken": "send",
    r"told": "sent, returned or reported",
    r"the head": "the headers",
    r"head field": "header",
    r"come(s)? back|came back": "reconnect or return",
    r"(is|are|was|be) gone": "disconnected, closed or missing",
    r"nowadays|of old|at bottom": "nothing",
}
OUTSIDE_EXERCISES = {
    r"answer(s|ed|ing)?": "response, respond",
    r"ask(s|ed|ing)?": "request, send a request, poll",
}


def main() -> int:
    """Print each word that is not used, with its file and line; return 1 if there is one."""
    found = [hit for name in files() for hit in check(name)]
    print("\n".join(found), end="\n" if found else "")
    return bool(found)


def files() -> list[str]:
    """Return the paths of the files to check, relative to the project, without those in hidden folders."""
    paths = [path.relative_to(ROOT) for path in ROOT.rglob("*") if path.suffix in CHECKED]
    names = [path.as_posix() for path in paths if not any(part.startswith(".") for part in path.parts)]
    return sorted(name for name in names if not SKIPPED.search(name))


def check(name: str) -> Iterator[str]:
    """Yield a line for each word of a file that is not used."""
    words = WORDS if EXERCISES.search(name) else WORDS | OUTSIDE_EXERCISES
    for place, text in prose(name, (ROOT / name).read_text(encoding="utf-8")):
        for word, instead in words.items():
            for found in re.finditer(rf"\b({word})\b", text, re.IGNORECASE):
                yield f"{name}:{place}: write {instead} instead of {found[0]!r}: {text.strip()[:100]}"


def prose(name: str, text: str) -> Iterator[tuple[str, str]]:
    """Yield the lines of prose of a file, each with its place in the file."""
    if name.endswith(".ipynb"):
        for number, cell in enumerate(json.loads(text)["cells"]):
            kind = ".md" if cell["cell_type"] == "markdown" else ".py"
            for place, line in prose(kind, "".join(cell["source"])):
                yield f"cell {number}, line {place}", line
        return
    reader = {".py": _python, ".js": _script, ".html": _page}.get(Path(name).suffix or name, _plain)
    for number, line in reader(text):
        # The glossary lists other words for its terms, because readers may search for them.
        yield str(number), re.sub(r"`[^`]*`|^- \*\*.*?\*\* \(also .*?\)", "", line)


def _plain(text: str) -> Iterator[tuple[int, str]]:
    text = re.sub(r"^```.*?^```", lambda code: "\n" * code[0].count("\n"), text, flags=re.MULTILINE | re.DOTALL)
    yield from enumerate(text.split("\n"), 1)


def _python(text: str) -> Iterator[tuple[int, str]]:
    source = re.sub(r"^[%!].*$", "", text, flags=re.MULTILINE)  # magics of a notebook
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type in (tokenize.COMMENT, tokenize.STRING):
            for number, line in enumerate(token.string.split("\n")):
                yield token.start[0] + number, line
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            yield node.lineno, node.name.replace("_", " ")


def _script(text: str) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(text.split("\n"), 1):
        yield number, " ".join(re.findall(r"//.*|^ ?/?\*.*|\"[^\"]*\"|`[^`]*`", line)).replace("`", " ")


def _page(text: str) -> Iterator[tuple[int, str]]:
    for markup in (r"<(style|script|code|kbd)\b.*?</\1>", r"<[^>]*>"):
        text = re.sub(markup, lambda found: "\n" * found[0].count("\n"), text, flags=re.DOTALL)
    yield from enumerate(text.split("\n"), 1)


if __name__ == "__main__":
    sys.exit(main())
