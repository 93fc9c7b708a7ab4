"""The format of a body is found by its headers."""

from __future__ import annotations

import pytest

from server.lab import formats
from server.wire import sse
from server.wire.http import Head


def response(media_type: str) -> Head:
    return Head("HTTP/1.1 200 OK", (("Content-Type", media_type),))


@pytest.mark.parametrize(
    ("media_type", "name"),
    [
        ("text/event-stream", "sse"),
        ("Text/Event-Stream; charset=utf-8", "sse"),
        ("text/event-stream;x", "sse"),
        ("application/x-ndjson", "ndjson"),
        ("multipart/x-mixed-replace; boundary=cut", "multipart"),
        ("", ""),
        ("text/plain", ""),
        ("text/event-stream2", ""),
    ],
)
def test_the_media_type_names_the_format(media_type: str, name: str) -> None:
    assert formats.find(response(media_type)) == name


@pytest.mark.parametrize(
    ("start_line", "protocol", "name"),
    [
        ("HTTP/1.1 101 Switching Protocols", "websocket", "websocket"),
        ("GET / HTTP/1.1", "WebSocket", "websocket"),
        ("HTTP/1.1 426 Upgrade Required", "websocket", ""),
        ("HTTP/1.1 101 Switching Protocols", "h2c", ""),
    ],
)
def test_an_upgrade_names_the_protocol(start_line: str, protocol: str, name: str) -> None:
    assert formats.find(Head(start_line, (("Upgrade", protocol),))) == name


def test_each_format_has_an_explainer_and_describes_its_meanings() -> None:
    assert isinstance(formats.explainer("sse", response("text/event-stream")), sse.Explainer)
    for name, example in {
        "sse": (response("text/event-stream"), b"data: x\n\n"),
        "ndjson": (response("application/x-ndjson"), b"1\n"),
        "multipart": (response("multipart/x-mixed-replace; boundary=cut"), b"--cut\r\n"),
        "websocket": (Head("HTTP/1.1 101 X", (("Upgrade", "websocket"),)), b"\x81\x00"),
    }.items():
        head, stream = example
        raw, meaning = formats.explainer(name, head).feed(stream)[-1]
        assert formats.describe(name, meaning, raw)


@pytest.mark.parametrize("name", formats.formats())
@pytest.mark.parametrize("part", ["Parser", "matches", "Explainer", "describe"])
def test_every_format_has_the_names_that_drawings_use(name: str, part: str) -> None:
    assert hasattr(formats.formats()[name], part), f"add {part} to server/wire/{name}.py (see CONTRIBUTING.md)"


def test_a_body_of_an_unknown_format_is_split_into_lines_without_a_meaning() -> None:
    explainer = formats.explainer("", response("text/plain"))
    assert [raw for raw, _ in explainer.feed(b"a\rb\r")] == [b"a\r"]
    assert [raw for raw, _ in explainer.feed(b"\nc")] == [b"b\r\n"]
    ((raw, meaning),) = explainer.flush()
    assert (raw, formats.describe("", meaning, raw), explainer.close()) == (b"c", "", None)
