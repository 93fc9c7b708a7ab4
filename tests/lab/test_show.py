"""Code of this project and a page of the server, shown in a notebook."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from server import ticks
from server.lab import page, source
from server.lab.show import live_address
from server.techniques import sse

ROOT = Path(__file__).resolve().parents[2]


def test_the_source_of_a_module_is_its_file() -> None:
    found = source(sse)
    assert (found.path, found.line) == ("server/techniques/sse.py", 1)
    assert found.text == (ROOT / found.path).read_text(encoding="utf-8")
    assert found.title == "server/techniques/sse.py"


@pytest.mark.parametrize("thing", [sse.frames, ticks.Tick])
def test_the_source_of_a_function_or_class_is_its_lines(thing: object) -> None:
    found = source(thing)
    lines = (ROOT / found.path).read_text(encoding="utf-8").splitlines(keepends=True)
    assert found.line > 1
    assert "".join(lines[found.line - 1 :]).startswith(found.text)
    assert found.title == f"{found.path}, from line {found.line}"


def test_the_source_of_a_decorated_view_begins_at_its_route() -> None:
    assert source(sse.stream).text.startswith('@blueprint.get("/sse")\ndef stream()')


def test_the_source_of_a_file_is_named_by_its_path() -> None:
    found = source("server/templates/template.html")
    assert (found.path, found.line) == ("server/templates/template.html", 1)
    assert found.text.startswith("<!doctype html>")


def test_the_source_of_a_script_is_the_part_that_its_page_shows() -> None:
    found = source("static/sse.js")
    lines = (ROOT / found.path).read_text(encoding="utf-8").splitlines(keepends=True)
    assert lines[found.line - 2] == "// <shown>\n"
    assert found.text.startswith("function start() {\n")
    assert lines[found.line - 1 :][: found.text.count("\n") + 1][-1] == "// </shown>\n"
    assert "shown>" not in found.text


def test_a_path_that_does_not_exist_raises_file_not_found() -> None:
    with pytest.raises(FileNotFoundError):
        source("server/nothing.py")


@pytest.mark.parametrize(
    ("path", "language"),
    [("server/ticks.py", "python"), ("server/templates/template.html", "html"), ("static/base.js", "javascript")],
)
def test_a_source_shows_itself_with_its_file_in_its_language(path: str, language: str) -> None:
    found = source(path)
    assert str(found) == f"# {path}\n\n{found.text}"
    assert found._repr_markdown_() == f"`{path}`\n\n````{language}\n{found.text}````\n"


def test_a_page_is_a_frame_with_a_link_and_its_address_is_escaped() -> None:
    shown = page('http://127.0.0.1:1/?a=1&b="><script>', height=99)._repr_html_()
    assert 'src="http://127.0.0.1:1/?a=1&amp;b=&quot;&gt;&lt;script&gt;"' in shown
    assert 'height="99"' in shown
    assert "<script>" not in shown


def test_a_page_that_the_live_page_shows_is_folded_and_sends_no_request(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "live.js"
    monkeypatch.setenv("STREAMING_LIVE_PAGE", str(file))
    url = "http://127.0.0.1:5000/"
    folded = re.compile(r"<details><summary>.+</summary><iframe .*loading=\"lazy\".*></iframe></details>")
    for text in (None, "", live_address("http://127.0.0.1:5001/")):  # no file, no server, another server
        if text is not None:
            file.write_text(text, encoding="utf-8")
        assert page(url)._repr_html_().startswith("<iframe ")
    file.write_text(live_address(url), encoding="utf-8")
    shown = page(url)._repr_html_()
    assert folded.match(shown)
    assert f'<a href="{url}" target="_blank">' in shown
    assert page(f"{url}static/sse.html")._repr_html_().startswith("<iframe ")
    monkeypatch.delenv("STREAMING_LIVE_PAGE")
    assert page(url)._repr_html_().startswith("<iframe ")


def test_on_a_hub_a_page_is_reached_through_its_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUPYTERHUB_SERVICE_PREFIX", "/user/ada/")
    assert page("http://127.0.0.1:5000/static/sse.html?a=1").url == "/user/ada/proxy/5000/static/sse.html?a=1"
    monkeypatch.delenv("JUPYTERHUB_SERVICE_PREFIX")
    assert page("http://127.0.0.1:5000/static/sse.html").url == "http://127.0.0.1:5000/static/sse.html"
