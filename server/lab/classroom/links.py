"""Rewrite the links of Markdown that lead to files."""

from __future__ import annotations

import re
from collections.abc import Callable

from .notebooks import Notebook

# A link or an image whose target is a file; or code, in which nothing is a link.
LINK = re.compile(
    r"^```.*?^```|^~~~.*?^~~~|`[^`\n]*`"
    r"|!?\[(?P<words>[^\]]*)\]\((?![a-z]+:|#)(?P<target>[^)#\s]+)[^)]*\)",
    re.MULTILINE | re.DOTALL,
)
Rewrite = Callable[[re.Match[str]], str]


def rewrite_text(text: str, rewrite: Rewrite) -> str:
    """Return Markdown in which `rewrite` has replaced each link to a file; its match has `words` and `target`."""
    return LINK.sub(lambda found: rewrite(found) if found["target"] else found[0], text)


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
