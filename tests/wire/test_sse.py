"""Tests of server.wire.sse: WHATWG HTML 9.2.5 and 9.2.6, sseclient-py, and every split of the bytes."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Any

import pytest
from cpu_time import cpu_seconds, expect_linear
from hypothesis import example, given
from hypothesis import strategies as st
from splits import cut, every_cut, read_all
from sseclient import SSEClient

from server.wire import Meaning, sse
from server.wire.sse import Event, Explainer, Parser, comment, describe

State = tuple[list[Event], str, "int | None"]

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
ONE_LINE = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\n"), max_size=20)
AN_ID = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\n\0"), max_size=20)
PLACES = st.lists(st.integers(0, 200), max_size=8)
# Streams in which the special bytes of this format are frequent.
STREAM_BYTES = st.lists(
    st.sampled_from(
        [
            *[b"data", b"id", b"event", b"retry", b":", b" ", b"\n", b"\r", b"\r\n", b"\n\n", b"\0", b"1", b"x"],
            *[b"\xef\xbb\xbf", b"\xe2\x80", b"\xa8", b"\xc2\x85", b"\xff"],
        ]
    ),
    max_size=12,
).map(b"".join)


def read(pieces: Iterable[bytes]) -> State:
    parser = Parser()
    events = [event for piece in pieces for event in parser.feed(piece)]
    return events, parser.last_event_id, parser.retry


def parse(stream: bytes) -> State:
    """Return the result for a stream, and check that every split of its bytes gives the same result."""
    whole = read([stream])
    for pieces in every_cut(stream):
        assert read(pieces) == whole, pieces
    return whole


def events_of(stream: bytes) -> list[tuple[str, str, str]]:
    return [(event.event or "", event.data, event.id or "") for event in parse(stream)[0]]


def data_of(stream: bytes) -> list[str]:
    return [event.data for event in parse(stream)[0]]


# The standard, rule by rule.


@pytest.mark.parametrize("end", [b"\n", b"\r", b"\r\n"])
def test_a_line_ends_in_lf_or_cr_or_crlf(end: bytes) -> None:
    assert data_of(end.join([b"data: salt", b"data: pepper", b"", b"data: oil", b"", b""])) == ["salt\npepper", "oil"]


def test_line_ends_may_be_mixed_in_one_stream() -> None:
    assert data_of(b"data: salt\rdata: pepper\r\ndata: oil\n\r\ndata: bread\n\r") == ["salt\npepper\noil", "bread"]


def test_crlf_is_one_line_end_and_lf_cr_are_two() -> None:
    assert data_of(b"data: one\r\ndata: event\r\n\r\n") == ["one\nevent"]
    assert data_of(b"data: two\n\rdata: events\n\r") == ["two", "events"]


def test_a_cr_ends_its_line_immediately_and_a_following_lf_belongs_to_it() -> None:
    parser = Parser()
    assert [event.data for event in parser.feed(b"data: now\r\r")] == ["now"]
    assert parser.feed(b"\ndata: later\n") == []
    assert [event.data for event in parser.feed(b"\n")] == ["later"]


def test_an_empty_piece_between_cr_and_lf_changes_nothing() -> None:
    assert [event.data for event in read([b"data: a\r", b"", b"\ndata: b\r", b"", b"\n\r", b"", b"\n"])[0]] == [
        "a\nb"
    ]


def test_one_leading_byte_order_mark_is_dropped() -> None:
    assert data_of(b"\xef\xbb\xbfdata: marked\n\n") == ["marked"]
    assert data_of(b"\xef\xbb\xbf\n\xef\xbb\xbf: not a comment, an unknown field\ndata: x\n\n") == ["x"]


def test_a_second_byte_order_mark_is_part_of_the_field_name() -> None:
    assert data_of(b"\xef\xbb\xbf\xef\xbb\xbfdata: lost\n\ndata: found\n\n") == ["found"]


def test_a_byte_order_mark_on_a_later_line_or_in_a_value_is_not_dropped() -> None:
    assert data_of(b"data: a\n\xef\xbb\xbfdata: lost\ndata: \xef\xbb\xbfkept\n\n") == ["a\n\ufeffkept"]


def test_a_line_that_starts_with_a_colon_is_a_comment() -> None:
    assert data_of(b":\n:data: no\n: data: no\ndata: yes\n:data: nor this\n\n:\n\n") == ["yes"]


def test_one_space_after_the_colon_is_dropped_and_no_other_white_space() -> None:
    assert data_of(b"data:none\ndata: one\ndata:  two\ndata:\ttab\ndata: end \n\n") == [
        "none\none\n two\n\ttab\nend "
    ]


def test_the_first_colon_separates_name_and_value() -> None:
    assert data_of(b"data: 12:30:00\ndata::\n\n") == ["12:30:00\n:"]


def test_a_line_without_a_colon_is_a_field_with_an_empty_value() -> None:
    assert data_of(b"data\n\ndata\ndata\n\n") == ["", "\n"]


def test_data_lines_are_joined_with_lf_and_only_the_last_lf_is_dropped() -> None:
    assert data_of(b"data: a\ndata:\ndata: b\ndata:\n\n") == ["a\n\nb\n"]


def test_a_block_without_data_dispatches_nothing_and_its_type_is_discarded() -> None:
    assert events_of(b"event: lost\n\ndata: x\n\n") == [("message", "x", "")]


def test_an_event_without_a_type_or_with_an_empty_one_is_a_message() -> None:
    assert events_of(b"data: a\n\nevent: \ndata: b\n\nevent\ndata: c\n\n") == [
        ("message", "a", ""),
        ("message", "b", ""),
        ("message", "c", ""),
    ]


def test_the_last_event_type_of_a_block_is_used_for_that_block_only() -> None:
    assert events_of(b"event: x\nevent: y\ndata: 1\n\ndata: 2\n\n") == [("y", "1", ""), ("message", "2", "")]


def test_field_names_are_case_sensitive_and_include_spaces() -> None:
    assert events_of(b"Data: no\n data: no\ndata : no\nEVENT: no\nId: no\ndata: yes\n\n") == [("message", "yes", "")]


def test_unknown_fields_are_ignored() -> None:
    assert data_of(b"datum: no\nfoo\nbar: 1\ndata: yes\ncolor: red\n\n") == ["yes"]


def test_the_last_event_id_is_kept_until_another_id() -> None:
    stream = b"id: 1\ndata: a\n\ndata: b\n\nid: 2\ndata: c\n\n"
    assert events_of(stream) == [("message", "a", "1"), ("message", "b", "1"), ("message", "c", "2")]
    assert parse(stream)[1] == "2"


def test_an_id_is_kept_even_from_a_block_without_data() -> None:
    assert parse(b"id: 7\n\n") == ([], "7", None)
    assert events_of(b"id: 7\n\ndata: x\n\n") == [("message", "x", "7")]


def test_an_id_takes_effect_at_the_end_of_its_block() -> None:
    assert parse(b"id: 1\n\nid: 2\ndata: never sent\n")[1] == "1"


def test_an_empty_id_clears_the_last_event_id() -> None:
    assert events_of(b"id: 7\ndata: a\n\nid\ndata: b\n\n") == [("message", "a", "7"), ("message", "b", "")]
    assert parse(b"id: 7\n\nid:\n\n")[1] == ""


def test_an_id_with_nul_is_ignored_and_the_last_event_id_is_kept() -> None:
    assert parse(b"id: 7\n\nid: 8\0\ndata: x\n\n") == ([Event("x", "message", "7")], "7", None)


def test_nul_in_data_or_event_is_an_ordinary_character() -> None:
    assert events_of(b"event: a\0b\ndata: c\0d\n\n") == [("a\0b", "c\0d", "")]


@pytest.mark.parametrize(("digits", "retry"), [(b"0", 0), (b"1000", 1000), (b"00250", 250)])
def test_retry_takes_effect_before_the_blank_line(digits: bytes, retry: int) -> None:
    assert parse(b"retry: " + digits + b"\n") == ([], "", retry)


@pytest.mark.parametrize(
    "value", [b"", b"-1", b"+1", b"1.5", b"1e3", b"1 ", b" 1", b"1s", b"x", b"\xc2\xb2", b"\xd9\xa1", b"1_0"]
)
def test_retry_accepts_only_ascii_digits(value: bytes) -> None:
    assert parse(b"retry: 5\nretry: " + value + b"\n\n") == ([], "", 5)


def test_a_retry_with_many_digits_is_limited_to_maxsize() -> None:
    assert read([b"retry: " + b"9" * 100_000 + b"\n"])[2] == sys.maxsize
    assert read([b"retry: " + b"0" * 100_000 + b"7\n"])[2] == 7


def test_a_retry_alone_dispatches_no_event() -> None:
    assert parse(b"retry: 100\n\n") == ([], "", 100)


def test_an_incomplete_event_at_the_end_of_the_stream_is_not_dispatched() -> None:
    assert data_of(b"data: sent\n\ndata: lost\n") == ["sent"]
    assert data_of(b"data: sent\n\ndata: lost") == ["sent"]


def test_bytes_that_are_not_utf_8_become_replacement_characters() -> None:
    assert data_of(b"data: \xff\ndata: \xe2\x82\ndata: \xed\xa0\x80\ndata: caf\xc3\xa9\n\n") == [
        "\ufffd\n\ufffd\n\ufffd\ufffd\ufffd\ncaf\u00e9"
    ]


def test_a_character_split_over_two_reads_is_decoded() -> None:
    assert data_of("data: \u20ac \U0001f40d \u00e9\n\n".encode()) == ["\u20ac \U0001f40d \u00e9"]


@pytest.mark.parametrize("char", ["\x0b", "\x0c", "\x1c", "\x1d", "\x1e", "\x85", "\u2028", "\u2029"])
def test_other_line_ends_of_str_splitlines_are_data(char: str) -> None:
    assert data_of(f"data: a{char}b\n\n".encode()) == [f"a{char}b"]
    assert Parser().feed(Event(f"a{char}b").encode()) == [Event(f"a{char}b", "message", "")]


# Any bytes.


@given(st.binary() | STREAM_BYTES, PLACES)
@example(b"\r\n\r\n", [1, 1, 3])
def test_every_split_of_any_bytes_gives_the_same_events_and_no_error(data: bytes, places: list[int]) -> None:
    assert read(cut(data, places)) == read([data])


@given(STREAM_BYTES)
def test_a_stream_split_in_two_anywhere_or_byte_by_byte_gives_the_same_result(data: bytes) -> None:
    parse(data)


def test_the_time_for_one_long_line_in_small_pieces_grows_linearly() -> None:
    """Joining the bytes of a line again at each piece would be quadratic."""

    def work(pieces: list[bytes]) -> None:
        parser = Parser()
        for piece in pieces:
            parser.feed(piece)
        assert len(parser.feed(b"\n\n")) == 1

    expect_linear(lambda size: [b"data: ", *[b"x" * 128] * (size // 128)], work, 1 << 17)


# The encoder.


@given(TEXT, st.none() | ONE_LINE, st.none() | AN_ID, st.none() | st.integers(0, 10**12), PLACES)
@example("\ufeff", "", "", 0, [])
@example("a\r\nb\rc\n\n", "x: y", " id ", None, [6, 9])
def test_an_encoded_event_is_parsed_to_an_equal_event_with_lf_line_ends(
    data: str, event: str | None, event_id: str | None, retry: int | None, places: list[int]
) -> None:
    encoded = Event(data, event, event_id, retry).encode()
    lines = data.replace("\r\n", "\n").replace("\r", "\n")
    assert read(cut(encoded, places)) == ([Event(lines, event or "message", event_id or "")], event_id or "", retry)


@given(st.lists(TEXT, max_size=4), PLACES)
def test_consecutive_events_are_parsed_separately(texts: list[str], places: list[int]) -> None:
    stream = b"".join(Event(text, id=str(number)).encode() for number, text in enumerate(texts))
    assert [event.id for event in read(cut(stream, places))[0]] == [str(number) for number in range(len(texts))]


ANY = st.text(st.sampled_from("\r\n\0:a \ufeff\u2028\ud800") | st.characters(), max_size=12)


@given(ANY, ANY, ANY)
def test_no_text_can_add_an_event_or_a_field(data: str, event: str, event_id: str) -> None:
    try:
        encoded = Event(data, event, event_id).encode()
    except ValueError:
        forged = {"\r", "\n"} & set(event + event_id) or "\0" in event_id
        assert forged or any("\ud800" <= char <= "\udfff" for char in data + event + event_id)
        return
    lines = data.replace("\r\n", "\n").replace("\r", "\n")
    assert read([encoded])[0] == [Event(lines, event or "message", event_id)]
    assert [line.partition(b":")[0] for line in encoded.splitlines()] == [
        b"event",
        b"id",
        *[b"data"] * (lines.count("\n") + 1),
        b"",
    ]


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n"])
@pytest.mark.parametrize("field", ["event", "id"])
def test_a_line_end_in_event_or_id_is_refused(field: str, end: str) -> None:
    forged: dict[str, Any] = {field: f"x{end}data: forged"}
    with pytest.raises(ValueError, match=f"{field} must not contain a line end: 'x"):
        Event("x", **forged).encode()


def test_an_id_with_nul_is_refused() -> None:
    with pytest.raises(ValueError, match="id must not contain NUL"):
        Event("x", id="7\0").encode()


def test_a_negative_retry_is_refused() -> None:
    with pytest.raises(ValueError, match="retry must be a number of milliseconds from 0 up, not -1"):
        Event("x", retry=-1).encode()


@pytest.mark.parametrize(
    "fields",
    [
        *[{"data": None}, {"data": b"x"}, {"data": 1}],
        *[{"data": "x", name: value} for name in ("event", "id") for value in (7, b"x")],
        *[{"data": "x", "retry": value} for value in ("1", 1.5, True)],
    ],
)
def test_a_value_of_the_wrong_type_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(TypeError, match="must be"):
        Event(**fields).encode()


def test_text_that_utf_8_cannot_encode_is_refused() -> None:
    with pytest.raises(ValueError, match="surrogates not allowed"):
        Event("\ud800").encode()


@given(ANY.filter(str.isprintable) | st.sampled_from(["", "a\nb", "a\r\rdata: no", "\r\n"]))
def test_no_text_of_a_comment_dispatches_an_event(text: str) -> None:
    assert read([comment(text)]) == ([], "", None)
    assert all(line.startswith(b":") for line in sse.LINE_END_BYTES.split(comment(text)) if line)


# sseclient-py, and its differences from the standard.


def sseclient(pieces: list[bytes]) -> list[tuple[str, str]]:
    return [(event.event, event.data) for event in SSEClient(iter(pieces)).events()]


SAFE_FOR_SSECLIENT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)


@given(SAFE_FOR_SSECLIENT, st.none() | ONE_LINE, PLACES)
def test_sseclient_py_reads_encoded_events_like_the_parser(data: str, event: str | None, places: list[int]) -> None:
    pieces = cut(Event(data, event).encode(), places)
    assert sseclient(pieces) == [(got.event, got.data) for got in read(pieces)[0]]


@pytest.mark.parametrize(
    ("stream", "standard", "sseclient_py"),
    [
        pytest.param(b"data: a", [], [("message", "a")], id="sseclient-py dispatches an incomplete event at the end"),
        pytest.param(
            b"data\n\n", [("message", "")], [("message", "")], id="an empty data line: both dispatch an event"
        ),
        pytest.param(
            b"\xef\xbb\xbfdata: a\n\ndata: b\n\n",
            [("message", "a"), ("message", "b")],
            [("message", "b")],
            id="sseclient-py loses the first line after a byte order mark",
        ),
        pytest.param(
            b"data: a\n\r\ndata: b\n\n",
            [("message", "a"), ("message", "b")],
            [("message", "a\nb")],
            id="sseclient-py joins two events with mixed line ends",
        ),
        pytest.param(
            b"data: a\n \ndata: b\n\n",
            [("message", "a\nb")],
            [("message", "a\nb")],
            id="a line of spaces: both ignore it as an unknown field",
        ),
    ],
)
def test_differences_between_sseclient_py_and_the_standard(
    stream: bytes, standard: list[tuple[str, str]], sseclient_py: list[tuple[str, str]]
) -> None:
    assert [(event.event, event.data) for event in parse(stream)[0]] == standard
    assert sseclient([stream]) == sseclient_py


def test_sseclient_py_forgets_an_id_and_keeps_retry_as_text() -> None:
    stream = b"id: 7\nretry: 1x\ndata: a\n\ndata: b\n\n"
    assert [(event.id, event.retry) for event in SSEClient(iter([stream])).events()] == [("7", "1x"), (None, None)]
    assert [event.id for event in Parser().feed(stream)] == ["7", "7"]


def test_sseclient_py_accepts_an_id_with_nul() -> None:
    assert [event.id for event in SSEClient(iter([b"id: 7\0\ndata: a\n\n"])).events()] == ["7\0"]


def test_sseclient_py_raises_for_invalid_utf_8() -> None:
    with pytest.raises(UnicodeDecodeError):
        sseclient([b"data: \xff\n\n"])


# The explainer, which drawings use.


def explain(*chunks: bytes) -> list[tuple[str, str]]:
    """Return the position and the text of each line of these chunks."""
    return [(meaning.position, describe(meaning)) for meaning in meanings(*chunks)]


def meanings(*chunks: bytes) -> list[Meaning]:
    explainer = Explainer()
    found = [fragment for chunk in chunks for fragment in [*explainer.feed(chunk), *explainer.flush()]]
    assert b"".join(raw for raw, _ in found) == b"".join(chunks)
    return [meaning for _, meaning in found]


def test_the_lines_of_an_event_are_first_inside_and_last() -> None:
    assert explain(b"id: 1\ndata: a\n\ndata: b\r\n\r\n") == [
        ("first", ""),
        ("inside", ""),
        ("last", 'blank line: dispatches event "message": "a"'),
        ("first", ""),
        ("last", 'blank line: dispatches event "message": "b"'),
    ]


def test_a_meaning_has_the_facts_of_its_event() -> None:
    (_, _, meaning) = meanings(b'event: x\ndata: {"step": 3, "of": "x"}\n\n')
    assert meaning == Meaning("last", "dispatch", "event", 1, 22, '{"step": 3, "of": "x"}', "x", True, "")


@pytest.mark.parametrize(
    ("line", "text"),
    [
        (b"data: a\n", ""),
        (b": hi\n", "comment: ignored"),
        (b"retry: 50\r", "sets the reconnect delay to 50 ms"),
        (b"retry: 50 \n", "retry is not a number: ignored"),
        ("retry: \u00b2\n".encode(), "retry is not a number: ignored"),
        (b"id: a\0\n", "id contains NUL: ignored"),
        (b"color: red\n", "unknown field: ignored"),
        (b" data: x\n", "unknown field: ignored"),
        (b"\xef\xbb\xbfdata: x\n", ""),
        (b"\xef\xbb\xbf: hi\n", "comment: ignored"),
        (b"\xef\xbb\xbf\xef\xbb\xbfdata: x\n", "unknown field: ignored"),
    ],
)
def test_the_explanation_of_a_line_matches_the_parser(line: bytes, text: str) -> None:
    assert explain(line) == [("first", text)]


def test_a_byte_order_mark_on_a_later_line_is_part_of_its_name() -> None:
    assert explain(b"\n", b"\xef\xbb\xbfdata: x\n")[1] == ("first", "unknown field: ignored")
    assert explain(b"\xef\xbb\xbf\n") == [("last", "blank line: no data, so no event")]


def test_a_line_in_several_chunks_is_explained_at_its_end() -> None:
    assert explain(b"colo", b"ur: red", b"\n", b"\n") == [
        ("first", ""),
        ("inside", ""),
        ("inside", "unknown field: ignored"),
        ("last", "blank line: no data, so no event"),
    ]


def test_a_crlf_in_two_chunks_dispatches_at_its_cr() -> None:
    assert explain(b"data: a\r", b"\n", b"\r", b"\n", b"data: b\n") == [
        ("first", ""),
        ("inside", "second byte of a CRLF"),
        ("last", 'blank line: dispatches event "message": "a"'),
        ("last", "second byte of a CRLF"),
        ("first", ""),
    ]


def test_long_data_is_shortened() -> None:
    assert explain(b"data: a\ndata: b\n\n")[-1][1] == 'blank line: dispatches event "message": "a\nb"'
    assert explain(b"data: " + b"x" * 41 + b"\n\n")[-1][1].endswith(f'"message": "{"x" * 37}..."')


@pytest.mark.parametrize(
    ("stream", "unfinished"),
    [
        (b"", False),
        (b"data: a\n\n", False),
        (b"data: a\n", True),
        (b"data: a\n\ndata: b", True),
        (b"data: a\n\n: bye\n", False),
        (b"data: a\n\n: by", False),
        (b"id: 1\n", False),
    ],
)
def test_an_event_without_a_blank_line_at_the_end_is_never_dispatched(stream: bytes, unfinished: bool) -> None:
    explainer = Explainer()
    explainer.feed(stream)
    explainer.flush()
    meaning = explainer.close()
    assert (meaning is not None) == unfinished
    assert not meaning or describe(meaning) == "the last event is never dispatched: no blank line follows it"


@given(STREAM_BYTES, st.lists(st.integers(0, 100), max_size=6))
def test_the_explainer_finds_as_many_events_as_the_parser_and_never_raises(stream: bytes, places: list[int]) -> None:
    found = meanings(*(piece for piece in cut(stream, places) if piece))
    assert sum(meaning.complete for meaning in found) == len(read([stream])[0])


def test_the_time_for_one_line_in_small_chunks_grows_linearly() -> None:
    expect_linear(lambda size: [b"x" * 16] * (size // 16), lambda chunks: meanings(*chunks), 1 << 15)


# Limits and cost.


@pytest.mark.parametrize("size", [1, 3, 100])
@pytest.mark.parametrize("event", [b"data: 345678901", b"data: 3\ndata: 3", b"data: 3\n: 3456789012"])
def test_an_event_larger_than_the_limit_is_an_error_in_every_split(size: int, event: bytes) -> None:
    stream = b": 3456\n: 3456\n: 3456\n\ndata: 34\n\n" + event + b"\n\n"
    found, error = read_all(Parser(limit=12), [*cut(stream, range(0, len(stream), size)), b""])
    assert (found, error[:31]) == ([Event("34", "message", "")], "an event has more than 12 bytes")


@pytest.mark.parametrize("data", ["x", '{"tick": 1}', "\u2028"])
@pytest.mark.parametrize("options", [{}, {"id": "7"}, {"event": "e", "retry": 5}])
def test_data_of_one_line_is_encoded_like_data_of_many_lines(data: str, options: dict[str, Any]) -> None:
    lines = Event(f"{data}\n{data}", **options).encode()
    assert Event(data, **options).encode() == lines.replace(f"data: {data}\n".encode(), b"", 1)


def test_an_event_of_one_line_is_encoded_in_less_than_half_the_time_of_one_with_all_fields() -> None:
    def seconds(event: Event) -> float:
        return min(cpu_seconds(lambda: [event.encode() for _ in range(5000)]) for _ in range(5))

    assert seconds(Event("x" * 30)) < seconds(Event("x" * 30 + "\n", event="e", id="7", retry=5)) / 2
