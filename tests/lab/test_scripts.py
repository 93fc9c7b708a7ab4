"""The scripts of a page are those that a browser runs."""

from __future__ import annotations

import pytest

from server.lab.scripts import scripts


@pytest.mark.parametrize(
    ("page", "found"),
    [
        ("<script>one()</script><SCRIPT type=module>two()</script >", ["one()", "two()"]),
        ("<script>one()</script><script>two()", ["one()"]),
        ("<script>one()</script", []),
        ("<script>one()</script ", []),
        ("<!-- > <script>one()</script> --><p><scripty>two()</scripty>", []),
        ("<script>a('</script>')</script>", ["a('"]),
        ("<script>a('<!--')</script>", ["a('<!--')"]),
        ("<script>a('<!-- <script>')</script>b()</script>", ["a('<!-- <script>')</script>b()"]),
        ("<script>a('<!-- <script>')", []),
        ("<script>a('<!-- <script> -->')</script>b()", ["a('<!-- <script> -->')"]),
    ],
)
def test_a_script_ends_as_in_a_browser(page: str, found: list[str]) -> None:
    assert scripts(page) == found
