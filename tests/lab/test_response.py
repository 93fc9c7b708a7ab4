"""Recorded responses: what was received, in which chunks, and how the response ended."""

from __future__ import annotations

import pytest

from server.lab import Recording
from server.lab.response import RecordedResponse

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: Text/Event-Stream; charset=utf-8\r\nTransfer-Encoding: chunked\r\n\r\n"
CHUNKS = b"9\r\ndata: 1\n\n\r\n8\r\ndata: 2\n\r\n"


def response(data: bytes, closed: bool = False) -> RecordedResponse:
    """Return the response of a recording of one request, whose response arrives byte by byte."""
    recording = Recording()
    recording.add(1, "->", b"GET / HTTP/1.1\r\n\r\n")
    for byte in data:
        recording.add(1, "<-", bytes([byte]))
    if closed:
        recording.add(1, "<-", b"", "closed")
    return RecordedResponse(recording)


def test_a_response_has_its_status_type_headers_and_chunks() -> None:
    seen = response(HEAD + CHUNKS)
    assert (seen.status, seen.type, seen.header("transfer-encoding")) == (200, "text/event-stream", "chunked")
    assert seen.chunks == [b"data: 1\n\n", b"data: 2\n"]
    assert len(seen.times) == 2
    assert [event.data for event in seen.events] == ["1"]


@pytest.mark.parametrize(
    ("data", "closed", "end"),
    [
        (HEAD + CHUNKS, False, "open"),
        (HEAD + CHUNKS, True, "interrupted"),
        (HEAD + CHUNKS + b"0\r\n\r\n", False, "complete"),
        (b"HTTP/1.1 200 OK\r\n\r\nx", True, "complete"),
    ],
)
def test_the_end_of_a_response(data: bytes, closed: bool, end: str) -> None:
    assert response(data, closed).end == end


def test_a_recording_without_a_response_has_status_0() -> None:
    seen = response(b"")
    assert (seen.status, seen.type, seen.header("Allow"), seen.body) == (0, "", "", b"")


@pytest.mark.parametrize(("body", "value"), [(b'{"a": [1]}', {"a": [1]}), (b"{'a': 1}", None)])
def test_a_body_that_is_not_json_is_none(body: bytes, value: object) -> None:
    assert response(b"HTTP/1.1 200 OK\r\n\r\n" + body, closed=True).json == value


def test_documents_and_parts_are_parsed_from_the_body() -> None:
    assert response(b"HTTP/1.1 200 OK\r\n\r\n1\n[2]\n").documents == [1, [2]]
    head = b"HTTP/1.1 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=x\r\n\r\n"
    assert [part.body for part in response(head + b"--x\r\n\r\none\r\n--x--\r\n").parts] == [b"one"]
