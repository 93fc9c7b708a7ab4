"""Tests of server.techniques.snippets: one script per tick, and no text can leave its script."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from server import create_app
from server.techniques.snippets import FRAME, MAX_WORD, TOP, page, script
from server.ticks import ticks

client = create_app().test_client()

# Texts in which the ends of scripts, strings and lines are frequent.
UNSAFE = st.lists(
    st.sampled_from(
        [
            *[
                "</script>",
                "<script>",
                "<!--",
                "-->",
                "</",
                "]]>",
                '"',
                "'",
                "\\",
                "\n",
                "\r",
                "\u2028",
                "\u2029",
                "\0",
            ],
            *["\0", "&lt;", "&", "{{", "}}", "{%", "\\u003c", ")", ";", "alert(1)//", "</SCRIPT >", "\U0001f40d"],
        ]
    ),
    max_size=8,
).map("".join)
WORD = (UNSAFE | st.text(st.characters(exclude_categories=["Cs"]), max_size=30)).filter(bool)


class Scripts(HTMLParser):
    """Collects the text of every script of a page, like a browser."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.tags: list[str] = []
        self.inside = False
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag == "script":
            self.inside = True
            self.found.append("")

    def handle_endtag(self, tag: str) -> None:
        self.inside = self.inside and tag != "script"

    def handle_data(self, data: str) -> None:
        if self.inside:
            self.found[-1] += data


def shown(script_text: str) -> str:
    """Return the text that a snippet shows. Its argument is a JSON string, which is also a JavaScript string."""
    assert script_text.startswith("show(")
    assert script_text.endswith(")")
    return str(json.loads(script_text[5:-1]))


@given(WORD)
@example("</script><script>alert(1)//")
@example("<!--<script>")
def test_no_text_can_end_its_script(text: str) -> None:
    scripts = Scripts(script(text) + script("after"))
    assert scripts.tags == ["script", "script"]
    assert [shown(each) for each in scripts.found] == [text, "after"]
    assert not set("<>&'\u2028\u2029\n") & set(script(text)[len("<script>") : -len("</script>\n")])


@pytest.mark.parametrize("path", ["/snippets", "/template"])
@given(word=WORD)
@example(word="</script><script>alert(1)//")
@example(word="x" * MAX_WORD)
def test_no_word_of_a_request_adds_an_element_to_the_page(path: str, word: str) -> None:
    plain = Scripts(client.get(path, query_string={"count": 2, "interval": 0}).text)
    attacked = Scripts(client.get(path, query_string={"count": 2, "interval": 0, "word": word}).text)
    assert attacked.tags == plain.tags
    assert [shown(each) for each in attacked.found[1:]] == [f"{word} 0", f"{word} 1"]


def test_the_page_shows_hello_letter_by_letter() -> None:
    response = client.get("/snippets?interval=0")
    assert response.content_type == "text/html; charset=utf-8"
    assert response.text.startswith("<!doctype html>")
    assert [shown(each) for each in Scripts(response.text).found[1:]] == ["h 0", "e 1", "l 2", "l 3", "o 4"]


def test_the_top_is_sent_first_and_then_one_script_per_tick() -> None:
    assert list(page(TOP, ticks("ab", count=2, interval=0))) == [
        TOP,
        '<script>show("a 0")</script>\n',
        '<script>show("b 1")</script>\n',
    ]


def test_with_frame_the_scripts_call_the_parent_page() -> None:
    assert client.get("/snippets?interval=0&frame=1").text.startswith(FRAME)
    assert "parent.show(text)" in FRAME
    assert "parent" not in TOP
    assert client.get("/snippets?interval=0&frame=0").text.startswith(TOP)


@pytest.mark.parametrize("path", ["/snippets", "/template"])
@pytest.mark.parametrize("length", [0, MAX_WORD + 1, 5000])
def test_a_word_that_is_empty_or_too_long_is_refused(path: str, length: int) -> None:
    response = client.get(path, query_string={"word": "x" * length})
    assert (response.status_code, response.text) == (400, f"word must have 1 to 200 characters, not {length}\n")


@pytest.mark.parametrize("path", ["/snippets", "/snippets?frame=1", "/template"])
def test_a_page_starts_with_600_bytes_that_webkit_needs_to_show_the_rest(path: str) -> None:
    with client.get(path) as response:
        first = next(response.iter_encoded())
    padding = re.match(rb"<!doctype html>\n<!--[^>]*-->\n", first)
    assert padding
    assert len(padding.group()) >= 600


def test_a_count_of_0_has_a_page_without_ticks() -> None:
    assert client.get("/snippets?count=0").text == TOP
