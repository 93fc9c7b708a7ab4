"""Compare the body of a response with what the check expects, and explain the difference."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from server.wire import multipart, ndjson

from ..response import RecordedResponse
from .response import check, fail


def expect_events(response: RecordedResponse, *expected: str, event: str = "message") -> None:
    """Raise NotYet unless the response is an event stream with exactly these data of events of one type."""
    if response.type != "text/event-stream":
        came = response.type or "missing"
        fail(f"Content-Type is {came}: an EventSource accepts only text/event-stream", response)
    events = [each.data for each in response.events if each.event == event]
    if events != list(expected):
        goes_on = " The stream has not ended." if response.end == "open" else ""
        why = f"{goes_on} {_why_no_event(response, event)}".rstrip()
        why = _difference(events, expected) + why
        fail(f"the events are {format_list(events)}, expected {format_list(expected)}.{why}", response)


def _why_no_event(response: RecordedResponse, event: str) -> str:
    text, types = response.text, sorted({each.event or "message" for each in response.events} - {"message"})
    if types and event == "message":
        return f"The type of other events is {format_list(types)}. The handler onmessage receives only 'message'."
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    fields = ("data", "event", "id", "retry", ":")
    nameless = next((line for line in lines if line and not line.startswith(fields)), None)
    if nameless is not None:
        return f"The line {nameless!r} does not begin with the name of a field, so it is ignored."
    if "data" in text and "" not in lines[:-1]:
        return "There is no blank line. An event is dispatched only after a blank line."
    if lines[-1] or (len(lines) > 1 and lines[-2]):
        return "The last event has no blank line after it, so it is never dispatched."
    return ""


def expect_documents(response: RecordedResponse, *expected: Any) -> None:
    """Raise NotYet unless the response is complete newline-delimited JSON with exactly these documents."""
    parser, why = ndjson.Parser(), ""
    try:
        parser.feed(response.body)
        parser.close()
    except ValueError as error:
        why = str(error)
    _expect(response, "documents", ndjson.MEDIA_TYPE, response.documents, expected, why)


def expect_parts(response: RecordedResponse, *expected: bytes) -> None:
    """Raise NotYet unless the response is complete multipart/x-mixed-replace with parts of exactly these bytes."""
    try:
        boundary = multipart.boundary_of(response.header("Content-Type"))
        parser = multipart.Parser(boundary)
        parser.feed(response.body)
        parser.feed(b"")  # an error is raised by the call after it
        why = UNENDED.get(parser.place, "")
        if parser.place == "body" and f"--{boundary}--".encode() in response.body:
            why = f"--{boundary}-- is not at the beginning of a line, so it counts as data"
    except ValueError as error:
        why = str(error)
    _expect(response, "parts", multipart.MEDIA_TYPE, [part.body for part in response.parts], expected, why)


UNENDED = {  # the error of a body that ends in this state of the parser
    "before": "no line of the body is the boundary of the Content-Type",
    "head": "the body ends in the headers of a part: their blank line and the last boundary are missing",
    "body": "the last boundary is missing",
    "between": "the last boundary is missing",
}


def _difference(came: Sequence[Any], expected: Sequence[Any]) -> str:
    """Return a sentence with the first difference of two lists of the same length, "" for other lists."""
    pairs = enumerate(zip(came, expected, strict=False), start=1)
    first = next(((number, *pair) for number, pair in pairs if pair[0] != pair[1]), None)
    if len(came) != len(expected) or first is None:
        return ""
    return " Number {} is {}, expected {}.".format(first[0], *(format_list([each])[1:-1] for each in first[1:]))


def _expect(response: RecordedResponse, what: str, media_type: str, came: list[Any], expected: Any, why: str) -> None:
    if response.type != media_type:
        fail(f"Content-Type is {response.type or 'missing'}, expected {media_type}", response)
    if came != list(expected):
        why = f"{why and f'; {why}'}.{_difference(came, expected)}"
        fail(f"the {what} are {format_list(came)}, expected {format_list(expected)}{why}", response)
    check(not why, f"all {what} have arrived, but {why}", response)
    check(response.end == "complete", f"all {what} have arrived, but the response does not end", response)


def format_list(values: Iterable[Any], most: int = 6) -> str:
    """Return the list as text, with at most its first `most` values and 60 characters per value."""
    listed = list(values)
    shown = [text if len(text := repr(each)) <= 60 else f"{text[:60]}..." for each in listed[:most]]
    return f"[{', '.join([*shown, f'... {len(listed)} in all'] if len(listed) > most else shown)}]"
