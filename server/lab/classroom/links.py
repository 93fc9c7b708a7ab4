"""Read the links and headings of Markdown, and rewrite its links to files. mistune parses the Markdown."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import count
from typing import Any
from urllib.parse import unquote

import mistune

from .notebooks import Notebook

# Text that looks like a link to a file. It may be part of code: mistune decides whether it is a link.
LINK = re.compile(
    r"(?P<before>!?\[(?P<words>(?:[^\[\]]|\[[^\[\]]*\])*)\]\(\s*<?)(?![a-z]+:|#)(?P<target>[^)#\s<>]+)(?P<after>[^)]*\))"
)
Rewrite = Callable[[re.Match[str]], str]
Token = dict[str, Any]  # an element that mistune has found; "children" are the elements in it
PARSE = mistune.create_markdown(renderer=None, plugins=["table", "strikethrough"])


def targets(text: str) -> list[str]:
    """Return the targets of all links and images of a Markdown text, in order and decoded."""
    return [unquote(token["attrs"]["url"]) for token in _tokens(text) if token["type"] in ("link", "image")]


def headings(text: str) -> list[str]:
    """Return the headings of a Markdown text, in order, without markup."""
    return [_plain(token["children"]) for token in _tokens(text) if token["type"] == "heading"]


def rewrite_text(text: str, rewrite: Rewrite) -> str:
    """Return Markdown in which `rewrite` has replaced each link to a file; nothing else is changed.

    Args:
        text: the Markdown.
        rewrite: called with a match of LINK that has `words` and `target`; returns the new text of the link.
    """
    # A copy with numbered targets shows which matches are links.
    numbers = count()
    numbered = LINK.sub(lambda link: f"{link['before']}{next(numbers)}:{link['target']}{link['after']}", text)
    links = {target.partition(":")[0] for target in targets(numbered)}
    numbers = count()
    return LINK.sub(lambda link: rewrite(link) if str(next(numbers)) in links else link[0], text)


def rewrite_notebook(notebook: Notebook, rewrite: Rewrite) -> Notebook:
    """Return a notebook in which `rewrite` has replaced each link to a file."""
    cells = [
        {**cell, "source": rewrite_text("".join(cell["source"]), rewrite).splitlines(keepends=True)}
        if cell["cell_type"] == "markdown"
        else cell
        for cell in notebook["cells"]
    ]
    return {**notebook, "cells": cells}


def words_only(link: re.Match[str]) -> str:
    """Return the words of a link whose target is not in the edition."""
    return link["words"]


def _tokens(text: str) -> Iterator[Token]:
    """Yield each element of a Markdown text, and then the elements in it."""
    waiting: list[Token] = [*reversed(PARSE(text))]
    while waiting:
        token = waiting.pop()
        yield token
        waiting += reversed(token.get("children", []))


def _plain(tokens: list[Token]) -> str:
    return "".join(token.get("raw", "") + _plain(token.get("children", [])) for token in tokens)
