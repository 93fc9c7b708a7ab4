"""Read the scripts of an HTML page as a browser does."""

from __future__ import annotations

import re


def scripts(page: str) -> list[str]:
    """Return the text of each script that a browser would run: of the script elements that have an end tag.

    A script ends as in a browser. `<!--` changes where a script ends (WHATWG HTML, section 13.2.5.4 and following).
    """
    found, at = [], 0
    while begun := re.compile(r"<!--.*?(?:-->|\Z)|<[!/?a-z][^>]*>", re.I | re.S).search(page, at):
        at = begun.end()
        if not re.match(r"<script[\s/>]", begun[0], re.I):
            continue
        comment = nested = False
        for mark in re.compile(r"<!(?=--)|-->|</?script(?=[\s/>])", re.I).finditer(page, at):
            word = mark[0].lower()
            if word == "<!":
                comment = True
            elif word == "-->":
                comment = nested = False
            elif word == "<script":
                nested = comment
            elif nested:
                nested = False
            else:
                end = page.find(">", mark.end())
                found += [page[at : mark.start()]] if end >= 0 else []
                at = end + 1 or len(page)
                break
        else:
            break  # no end tag has come: the rest of the page is in this script
    return found
