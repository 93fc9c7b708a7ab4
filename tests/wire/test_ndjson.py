"""Tests of server.wire.ndjson: the rules of RFC 8259, the json module as an oracle, and every split of the bytes."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from typing import Any

import pytest
from cpu_time import expect_linear
from hypothesis import example, given
from hypothesis import strategies as st
from splits import cut, every_cut, read_all

from server.wire import Meaning, ndjson
from server.wire.http import Head
from server.wire.ndjson import Explainer, Parser, describe, encode

# The values that the parser returned, and the text of its error ("" if there is none).
Found = tuple[list[Any], str]

PLACES = st.lists(st.integers(0, 200), max_size=8)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=10)
VALUE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)
# Streams in which the special bytes of this format are frequent.
STREAM_BYTES = st.lists(
    st.sampled_from(
        [
            *[b"{}", b'"a"', b"1", b"[", b"]", b"NaN", b"-Infinity", b"\n", b"\r\n", b"\r", b" ", b"\t", b"\0"],
            *[b'{"n":0}\n', b"\xef\xbb\xbf", b"\xe2\x80", b"\xa8", b"\xc2\x85", b"\xff", b'"\\ud800"'],
        ]
    ),
    max_size=12,
).map(b"".join)


def read(pieces: Iterable[bytes]) -> Found:
    """Feed the pieces and close the parser. Stop at the first error."""
    parser, found = Parser(), []
    try:
        for piece in pieces:
            found += parser.feed(piece)
        parser.close()
    except ValueError as error:
        return found, str(error)
    return found, ""


def parse(stream: bytes) -> Found:
    """Return the result for a stream, and check that every split of its bytes gives the same result."""
    whole = read([stream])
    for pieces in every_cut(stream):
        assert read(pieces) == whole, pieces
    return whole


# The format, rule by rule.


def test_each_line_is_one_document() -> None:
    assert parse(b'{"n":0}\n[1, 2]\n"text"\n-1.5e3\nnull\n') == ([{"n": 0}, [1, 2], "text", -1500.0, None], "")


def test_a_line_ends_with_lf_and_a_cr_before_it_is_whitespace() -> None:
    assert parse(b'{"n":0}\r\n{"n":\r1}\n') == ([{"n": 0}, {"n": 1}], "")


@pytest.mark.parametrize("blank", [b"\n", b"\r\n", b" \t \n", b"\n\n\r\n"])
def test_blank_lines_are_skipped_and_counted(blank: bytes) -> None:
    assert parse(blank + b"1\n" + blank) == ([1], "")
    assert read([blank + b"x\n"])[1].startswith(f"line {blank.count(10) + 1} is not JSON")


@pytest.mark.parametrize("char", ["\u2028", "\u2029", "\x85", "\x7f"])
def test_other_line_ends_of_str_splitlines_may_occur_in_a_string(char: str) -> None:
    assert encode(f"a{char}b") == f'"a{char}b"\n'.encode()
    assert parse(encode(f"a{char}b") * 2) == ([f"a{char}b"] * 2, "")


def test_a_control_character_in_a_string_is_not_json() -> None:
    assert parse(b'"a\rb"\n') == ([], "line 1 is not JSON (Invalid control character at character 3): b'\"a\\rb\"'")
    assert encode("a\r\n\0\x0b\x1cb") == b'"a\\r\\n\\u0000\\u000b\\u001cb"\n'


def test_the_last_value_of_a_repeated_name_is_used() -> None:
    assert parse(b'{"n":0,"n":1}\n') == ([{"n": 1}], "")


@pytest.mark.parametrize("word", ["NaN", "Infinity", "-Infinity"])
def test_nan_and_infinity_are_refused_by_parser_and_encoder(word: str) -> None:
    assert parse(f"[{word}]\n".encode()) == ([], f"line 1 is not JSON ({word} is not a JSON value): b'[{word}]'")
    with pytest.raises(ValueError, match="not JSON compliant"):
        encode([float(word)])


@pytest.mark.parametrize("number", ["1e999", "-1e999", '[1, {"a": 1e400}]'])
def test_a_number_too_large_for_a_float_is_refused(number: str) -> None:
    found, error = parse(number.encode() + b"\n")
    assert (found, "is too large for a float" in error) == ([], True)


@pytest.mark.parametrize("text", [r'"\ud800"', r'"\udc00\ud800"', r'{"\udfff": 1}', r'["a", "\uD83D"]'])
def test_half_of_a_surrogate_pair_is_refused_because_it_cannot_be_encoded(text: str) -> None:
    found, error = parse(text.encode() + b"\n")
    assert (found, "half of a surrogate pair" in error) == ([], True)


def test_a_surrogate_pair_is_one_character() -> None:
    assert parse(rb'"\ud83d\ude00"' + b"\n") == (["\U0001f600"], "")


@pytest.mark.parametrize("size", [1, 3, 100])
def test_a_line_longer_than_the_limit_is_refused_in_every_split(size: int) -> None:
    stream = b"1\n123456\n1234567\n"
    found, error = read_all(Parser(limit=6), [*cut(stream, range(0, len(stream), size)), b""])
    assert (found, error[:28]) == ([1, 123456], "line 3 has more than 6 bytes")


@pytest.mark.parametrize(
    ("content_type", "found"),
    [
        ("application/x-ndjson", True),
        ("application/ndjson; charset=utf-8", True),
        ("application/jsonl", True),
        ("Application/X-JSONLines", True),
        ("application/json;stream=watch", True),
        ("application/json; charset=utf-8; stream=watch", True),
        ("application/json", False),
        ("application/json; stream=watcher", False),
    ],
)
def test_media_types_of_ndjson_are_recognised(content_type: str, found: bool) -> None:
    assert ndjson.matches(Head("HTTP/1.1 200 OK", (("Content-Type", content_type),))) is found


def test_an_integer_keeps_all_digits_up_to_the_limit_of_python() -> None:
    assert parse(b"9" * 300 + b"\n") == ([10**300 - 1], "")
    limit = "(4300 digits)" if sys.version_info >= (3, 11) else "(4300)"
    assert (
        f"line 1 is not JSON (Exceeds the limit {limit} for integer string conversion"
        in read([b"9" * 4301 + b"\n"])[1]
    )
    assert read([b"1\n" + b"9" * 4301 + b"\n"])[0] == [1]


@pytest.mark.parametrize("opening", [b"[", b'{"a":'])
def test_a_value_nested_too_deeply_is_refused_by_parser_and_encoder(opening: bytes) -> None:
    assert read([b"1\n" + opening * 100_000 + b"\n"]) == (
        [1],
        f"line 2 is not JSON (nested too deeply): {(opening * 40)[:40]!r}",
    )
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(ValueError, match="nested too deeply"):
        encode(deep)
    while deep:  # free the lists from the outside in; freeing them all at once would need a deep stack
        deep = deep.pop()


@pytest.mark.parametrize(
    "bad", [b"\xff", b'"\xe2\x80"', b'"\xed\xa0\x80"', b'{"a":"\xc3"}', '"a"'.encode("utf-16"), b"1\0"]
)
def test_invalid_utf_8_is_not_json(bad: bytes) -> None:
    found, error = parse(b"1\n" + bad + b"\n2\n")
    assert found == [1]
    assert error.startswith("line 2 is not JSON (")


def test_a_byte_order_mark_is_refused() -> None:
    found, error = parse(b"\xef\xbb\xbf1\n")
    assert (found, error[:39]) == ([], "line 1 is not JSON (Unexpected UTF-8 BO")
    assert parse(b'"\xef\xbb\xbf"\n') == (["\ufeff"], "")


def test_the_error_has_the_number_and_the_beginning_of_the_invalid_line() -> None:
    found, error = parse(b'{"n":0}\n\n{"n":}, ' + b"x" * 60 + b"\n")
    assert found == [{"n": 0}]
    begins = b'{"n":}, ' + b"x" * 32
    assert error == f"line 3 is not JSON (Expecting value at character 6): {begins!r}"


def test_two_documents_on_one_line_are_an_error() -> None:
    assert read([b"1 2\n"])[1] == "line 1 is not JSON (Extra data at character 3): b'1 2'"


# The end of a stream.


def test_a_last_line_without_a_line_end_is_an_error() -> None:
    parser = Parser()
    assert parser.feed(b"1\n12") == [1]
    with pytest.raises(ValueError, match=r"line 2 has no line end: b'12'"):
        parser.close()
    assert parser.feed(b"3\n") == [123]
    parser.close()


@pytest.mark.parametrize("stream", [b"", b"\n", b"1\n", b"1\n \t", b"1\n\r"])
def test_a_stream_may_end_after_a_line_end_and_whitespace(stream: bytes) -> None:
    assert parse(stream)[1] == ""


# Errors.


def test_values_before_an_invalid_line_are_returned_and_every_later_call_raises() -> None:
    parser = Parser()
    assert parser.feed(b"1\n2\nx\n3\n") == [1, 2]
    for _ in range(2):
        with pytest.raises(ValueError, match="line 3 is not JSON"):
            parser.feed(b"4\n")
    with pytest.raises(ValueError, match="line 3 is not JSON"):
        parser.close()
    assert parser.lines == 3


def test_an_invalid_first_line_raises_immediately() -> None:
    with pytest.raises(ValueError, match="line 1 is not JSON"):
        Parser().feed(b"x\n1\n")


# Any bytes.


@given(st.binary() | STREAM_BYTES, PLACES)
def test_every_split_of_any_bytes_gives_the_same_result(data: bytes, places: list[int]) -> None:
    assert repr(read(cut(data, places))) == repr(read([data]))


@given(STREAM_BYTES)
def test_a_stream_split_in_two_anywhere_or_byte_by_byte_gives_the_same_result(data: bytes) -> None:
    parse(data)


@given(st.lists(VALUE, max_size=4), PLACES)
@example(["\n\r\u2028\x85", {"": [-0.0, 10**40]}], [1, 2, 9])
def test_encoded_values_have_one_line_each_and_are_parsed_to_equal_values(
    values: list[Any], places: list[int]
) -> None:
    stream = b"".join(map(encode, values))
    assert stream.count(b"\n") == len(values)
    assert read(cut(stream, places)) == (values, "")
    assert [json.loads(line) for line in stream.split(b"\n")[:-1]] == values


@given(st.text())
def test_a_text_is_encoded_on_one_line_or_refused(text: str) -> None:
    try:
        line = encode(text)
    except ValueError:
        assert any("\ud800" <= char <= "\udfff" for char in text)
    else:
        assert read([line]) == ([text], "")


@pytest.mark.parametrize("value", [b"x", {1, 2}, object()])
def test_a_value_that_json_cannot_represent_is_a_type_error(value: object) -> None:
    with pytest.raises(TypeError, match="not JSON serializable"):
        encode(value)


@pytest.mark.parametrize("reader", [Parser, Explainer])
def test_the_time_for_one_long_line_in_small_pieces_grows_linearly(
    reader: type[Parser] | type[Explainer],
) -> None:
    """Joining the bytes of a line again at each piece would be quadratic."""

    def work(pieces: list[bytes]) -> None:
        subject = reader()
        for piece in pieces:
            subject.feed(piece)
        assert subject.feed(b'"\n')

    expect_linear(lambda size: [b'"', *[b"x" * 128] * (size // 128)], work, 1 << 17)


# The explainer, which drawings use.


def meanings(*chunks: bytes) -> list[Meaning]:
    explainer = Explainer()
    found = [fragment for chunk in chunks for fragment in [*explainer.feed(chunk), *explainer.flush()]]
    assert b"".join(raw for raw, _ in found) == b"".join(chunks)
    return [meaning for _, meaning in found]


def test_a_document_is_complete_at_its_line_end() -> None:
    assert meanings(b'{"n":0}\n1\r\n') == [
        Meaning("last", "document", "document", 1, 7, complete=True),
        Meaning("last", "document", "document", 2, 2, complete=True),
    ]


def test_a_line_in_several_chunks_is_explained_at_its_end() -> None:
    found = meanings(b'{"n"', b":", b"0}\n", b"1", b"\n")
    assert [(meaning.position, describe(meaning)) for meaning in found] == [
        ("first", ""),
        ("inside", ""),
        ("last", "line end: document 1 is complete"),
        ("first", ""),
        ("last", "line end: document 2 is complete"),
    ]


def test_blank_lines_and_invalid_lines_are_not_documents() -> None:
    assert [describe(meaning) for meaning in meanings(b"1\n \r\nNaN\nx\n", b"[" * 100_000 + b"\n2\n")] == [
        "line end: document 1 is complete",
        "blank line: skipped",
        "line 3 is not JSON: NaN is not a JSON value",
        "line 4 is not JSON: Expecting value at character 1",
        "line 5 is not JSON: nested too deeply",
        "line end: document 2 is complete",
    ]


@pytest.mark.parametrize("line", [b"{\n", b"{\r\n", b'{"a":\n', b"1 2\n", b'"a\n'])
def test_the_explainer_and_the_parser_report_the_same_error(line: bytes) -> None:
    (meaning,) = meanings(line)
    assert " at character " in meaning.detail
    assert f"({meaning.detail}): " in read([line])[1]


@pytest.mark.parametrize(("stream", "unfinished"), [(b"1\n", False), (b"1\n2", True), (b"1\n \t", False)])
def test_a_document_without_a_line_end_at_the_end_is_incomplete(stream: bytes, unfinished: bool) -> None:
    explainer = Explainer()
    explainer.feed(stream)
    explainer.flush()
    meaning = explainer.close()
    assert (meaning is not None) == unfinished
    assert not meaning or describe(meaning) == "document 2 is incomplete: no line end follows it"


@given(st.binary() | STREAM_BYTES, PLACES)
def test_the_explainer_finds_the_documents_of_the_parser_and_never_raises(data: bytes, places: list[int]) -> None:
    found = meanings(*(piece for piece in cut(data, places) if piece))
    documents, error = read([data])
    good = next((number for number, meaning in enumerate(found) if meaning.problem), len(found))
    assert sum(meaning.complete for meaning in found[:good]) == len(documents)
    assert (good < len(found)) == ("JSON" in error)
