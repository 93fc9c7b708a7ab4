"""Tests of server.wire.multipart: RFC 2046, the email package as an oracle, and every split of the bytes."""

from __future__ import annotations

import email
import email.policy
import random
import time
from collections.abc import Iterable

import pytest
from cpu_time import MORE, expect_linear
from hypothesis import example, given
from hypothesis import strategies as st
from splits import cut, every_cut, read_all

from server.wire import Fragment, multipart
from server.wire.http import Head
from server.wire.multipart import MAX_HEADERS, Explainer, Parser, Part, boundary_of, closing, describe, opening

# The parts that the parser returned, and the text of its error ("" if there is none).
Found = tuple[list[Part], str]

PLACES = st.lists(st.integers(0, 300), max_size=8)
BOUNDARY = st.from_regex(multipart.BOUNDARY, fullmatch=True)
TYPE = st.text(st.characters(codec="latin-1", exclude_characters="\r\n\0"), max_size=20).map(
    lambda text: text.strip(" \t")
)
BODY = st.binary(max_size=20) | st.lists(
    st.sampled_from([b"--", b"-", b"\r", b"\n", b"\r\n", b"cut", b"a", b"\r\n--", b"\r\n--cu"]), max_size=6
).map(b"".join)
PART = st.builds(Part, BODY, TYPE, st.booleans())
# Streams in which the special bytes of this format are frequent.
STREAM_BYTES = st.lists(
    st.sampled_from(
        [
            *[b"--cut", b"--cut\r\n", b"--cut--", b"--", b"\r\n--cut\r\n\r\n", b"\n--cut\n", b"--cut \t", b"cut"],
            *[b"\r\n", b"\n", b"\r", b" ", b"\r\n\r\n", b"Content-Length: 3\r\n", b"A: b\r\n", b"abc", b"\0\xff"],
        ]
    ),
    max_size=12,
).map(b"".join)


def read(pieces: Iterable[bytes], boundary: str = "cut") -> Found:
    """Feed the pieces and close the parser. Stop at the first error."""
    parser, found = Parser(boundary), []
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


def bodies(stream: bytes) -> list[bytes]:
    found, error = parse(stream)
    assert error == ""
    return [part.body for part in found]


# The format, rule by rule.

HELLO, LAST = b"--cut\r\n\r\nhello\r\n", b"--cut--\r\n"


def test_a_part_is_encoded_as_boundary_headers_and_body() -> None:
    stream = Part(b"hello").encode("cut") + Part(b"\x89PNG", "image/png", True).encode("cut") + closing("cut")
    assert stream == (
        b"--cut\r\nContent-Type: text/plain\r\n\r\nhello\r\n"
        b"--cut\r\nContent-Type: image/png\r\nContent-Length: 4\r\n\r\n\x89PNG\r\n"
        b"--cut--\r\n"
    )
    assert parse(stream) == ([Part(b"hello"), Part(b"\x89PNG", "image/png", True)], "")


def test_the_line_end_before_a_boundary_does_not_belong_to_the_body() -> None:
    assert bodies(b"--cut\r\n\r\n\r\na\r\n\r\n" + LAST) == [b"\r\na\r\n"]
    assert bodies(b"--cut\r\n\r\n\r\n\r\n" + LAST) == [b"\r\n"]
    assert bodies(b"--cut\r\n\r\na\r\r\n" + LAST) == [b"a\r"]


@pytest.mark.parametrize("length", [b"", b"Content-Length: 0\r\n"])
def test_a_body_may_be_empty_with_or_without_a_line_end_before_the_boundary(length: bytes) -> None:
    assert bodies(b"--cut\r\n" + length + b"\r\n\r\n--cut\r\n" + length + b"\r\n" + LAST) == [b"", b""]


def test_a_part_may_have_no_headers_and_names_are_case_insensitive() -> None:
    assert parse(HELLO + LAST) == ([Part(b"hello", "text/plain")], "")
    stream = b"--cut\r\ncontent-TYPE:image/png \r\nX: y\r\nCONTENT-length:\t2\r\n\r\nab\r\n" + LAST
    assert parse(stream) == ([Part(b"ab", "image/png", True)], "")


def test_lines_that_end_with_lf_alone_are_read() -> None:
    assert bodies(b"--cut\nA: b\n\nhello\n--cut\n\nyou\n\n--cut--\n") == [b"hello", b"you\n"]


def test_bytes_before_the_first_and_after_the_last_boundary_are_ignored() -> None:
    stream = b"This is for old readers.\r\n\r\nA: b\r\n--cutter\r\n" + HELLO + LAST + HELLO + b"--cut--"
    assert bodies(stream) == [b"hello"]
    assert bodies(b"\r\n" + HELLO + b"--cut--epilogue") == [b"hello"]


def test_white_space_may_follow_a_boundary() -> None:
    assert bodies(b"--cut \t\r\n\r\nhello\r\n--cut\t\n\r\nyou\r\n--cut-- \r\n") == [b"hello", b"you"]


@pytest.mark.parametrize(
    "like", [b"--cutter", b"--cut-ter", b"--cut -", b"--cut x", b"-- cut", b"--Cut", b"--cu", b" --cut", b"x--cut"]
)
def test_a_line_that_only_looks_like_a_boundary_belongs_to_the_body(like: bytes) -> None:
    assert bodies(b"--cut\r\n\r\n" + like + b"\r\n" + LAST) == [like]
    assert bodies(b"--cut\r\n\r\n\r\n" + like + b"\r\na\r\n" + LAST) == [b"\r\n" + like + b"\r\na"]


def test_a_body_with_content_length_may_contain_the_boundary() -> None:
    body = b"\r\n--cut\r\n\r\nforged\r\n--cut--\r\n"
    stream = opening("cut", "text/plain", len(body)) + body + b"\r\n" + LAST
    assert parse(stream) == ([Part(body, with_length=True)], "")


def test_bytes_between_content_length_and_the_next_boundary_are_ignored() -> None:
    assert bodies(opening("cut", "a/b", 2) + b"hello\r\n" + HELLO + LAST) == [b"he", b"hello"]


def test_a_part_is_complete_after_content_length_or_at_the_next_boundary() -> None:
    parser = Parser("cut")
    assert parser.feed(opening("cut", "a/b", 5) + b"hell") == []
    assert parser.feed(b"o") == [Part(b"hello", "a/b", True)]
    assert parser.feed(b"\r\n--cut\r\n\r\nhello\r\n--cut") == []
    assert parser.feed(b"\r\n") == [Part(b"hello")]
    assert parser.feed(b"\r\nyou\r\n--cut-") == []
    assert (parser.feed(b"-"), parser.closed) == ([Part(b"you")], True)
    parser.close()


def test_a_stream_without_the_last_boundary_is_an_error() -> None:
    assert parse(HELLO + b"--cut\r\n\r\nyou\r\n") == (
        [Part(b"hello")],
        "the last boundary is missing: b'\\nyou\\r\\n'",
    )
    assert parse(b"") == ([], "the last boundary is missing: b'\\n'")


# Errors.


@pytest.mark.parametrize(
    ("head", "why"),
    [
        (b"no colon", "a header has no colon"),
        (b"Name : x", "the name of a header is not a token"),
        (b": x", "the name of a header is not a token"),
        (b" folded: x", "the first header begins with a space"),
        (b"Content-Length: -1", "Content-Length is not a number of bytes: '-1'"),
        (b"Content-Length: 1_0", "Content-Length is not a number of bytes: '1_0'"),
        (b"Content-Length: \xb2", "Content-Length is not a number of bytes: '\xb2'"),
        (b"Content-Length: " + b"9" * 5000, f"Content-Length is not a number of bytes: '{'9' * 40}'"),
        (b"--cut", "a header has no colon"),
    ],
)
def test_parts_before_invalid_headers_are_returned_and_every_later_call_raises(head: bytes, why: str) -> None:
    stream = HELLO + b"--cut\r\n" + head + b"\r\n\r\nbody\r\n" + LAST
    assert read([stream]) == read([stream, b""]) == read([stream[:9], stream[9:]]) == ([Part(b"hello")], why)
    parser = Parser("cut")
    assert parser.feed(stream) == [Part(b"hello")]
    for call in (lambda: parser.feed(b"x"), lambda: parser.feed(b""), parser.close):
        with pytest.raises(ValueError, match=r"header|Content-Length"):
            call()


def test_invalid_headers_of_the_first_part_raise_immediately() -> None:
    with pytest.raises(ValueError, match="no colon"):
        Parser("cut").feed(b"--cut\r\nbad\r\n\r\n")


def test_headers_longer_than_the_limit_are_refused_in_every_split() -> None:
    line = b"A: " + b"b" * 61 + b"\r\n"
    fits = b"--cut\r\n" + line * (MAX_HEADERS // len(line)) + b"\r\n"
    left = MAX_HEADERS - (len(fits) - 7)  # bytes
    good, bad = (fits[:-2] + b"C: " + b"d" * (left - 5 + more) + b"\r\n\r\nhello\r\n" + LAST for more in (0, 1))
    for stream, wanted in (
        (good, ([Part(b"hello")], "")),
        (bad, ([], f"the headers of a part do not end within {MAX_HEADERS} bytes")),
    ):
        for pieces in ([stream], cut(stream, range(0, len(stream), 1000)), cut(stream, [7 + MAX_HEADERS - 1])):
            found, error = read(pieces)
            assert (found, error[: len(wanted[1])]) == wanted
            assert bool(error) == bool(wanted[1])


# Streams of cameras that browsers accept.


def test_the_boundary_parameter_of_a_camera_may_begin_with_the_hyphens_of_its_lines() -> None:
    for lines in (b"--frame", b"----frame"):
        stream = lines + b"\r\n\r\none\r\n" + lines + b"\r\n\r\ntwo\r\n" + lines + b"--\r\n"
        for pieces in every_cut(stream):
            assert read(pieces, "--frame") == ([Part(b"one"), Part(b"two")], "")


def test_a_boundary_may_follow_the_last_byte_of_a_content_length() -> None:
    part = b"--cut\r\nContent-Type: image/jpeg\r\nContent-Length: 3\r\n\r\n"
    stream = part + b"one" + part + b"t\nw" + b"\r\n" + part + b"3\r\n" + LAST
    assert [found.body for found in parse(stream)[0]] == [b"one", b"t\nw", b"3\r\n"]


def test_a_folded_header_of_a_part_is_read() -> None:
    assert parse(b"--cut\r\nContent-Type:\r\n image/png\r\n\r\na\r\n" + LAST) == ([Part(b"a", "image/png")], "")


@pytest.mark.parametrize("size", [1, 7, 1000])
@pytest.mark.parametrize("length", [b"", b"Content-Length: 11\r\n"])
def test_a_body_larger_than_the_limit_is_refused_in_every_split(size: int, length: bytes) -> None:
    stream = b"x" * 3000 + b"\r\n" + HELLO + b"--cut\r\n" + length + b"\r\n" + b"x" * 11 + b"\r\n" + LAST
    found, error = read_all(Parser("cut", limit=10), [*cut(stream, range(0, len(stream), size)), b""])
    assert (found, error[:31]) == ([Part(b"hello")], "a part has more than 10 bytes: "[:31])


@pytest.mark.parametrize(
    "stream", [b"--cut\r\n" + b"A" * 60_000, b"--cut\r\n" + b"A: b\r\n" * 9000, b"--c" + b" " * 60_000]
)
def test_the_time_for_incomplete_headers_byte_by_byte_grows_linearly(stream: bytes) -> None:
    def pieces(size: int) -> list[bytes]:
        return [stream[at : at + 1] for at in range(size)]

    expect_linear(pieces, count_parts, len(stream) // MORE)


# Boundaries.


@pytest.mark.parametrize("boundary", ["a", "a" * 70, "0aZ'()+_,-./:=?", "a b", " a", "--", "-"])
def test_a_boundary_has_1_to_70_characters_of_rfc_2046(boundary: str) -> None:
    stream = Part(b"hello").encode(boundary) + closing(boundary)
    for pieces in every_cut(stream):
        assert read(pieces, boundary) == ([Part(b"hello")], "")


@pytest.mark.parametrize(
    "boundary", ["", "a" * 71, "a ", " ", "a\n", "a\r\n--b", 'a"b', "a;b", "a@b", "\u00e9", "\0"]
)
def test_any_other_boundary_is_refused(boundary: str) -> None:
    for use in (Parser, closing, Part(b"").encode, lambda text: opening(text, "a/b")):
        with pytest.raises(
            ValueError, match=r"a boundary must be 1 to 70 characters that RFC 2046, 5\.1\.1 allows, not"
        ):
            use(boundary)


@pytest.mark.parametrize(
    ("content_type", "boundary"),
    [
        ("multipart/x-mixed-replace; boundary=cut", "cut"),
        ("multipart/x-mixed-replace;boundary=cut", "cut"),
        ('multipart/x-mixed-replace; boundary="a b;c"', "a b;c"),
        ('multipart/x-mixed-replace; charset="x"; BOUNDARY="gc0p4Jq0M2Yt08j34c0p"; a=b', "gc0p4Jq0M2Yt08j34c0p"),
        ("multipart/x-mixed-replace; boundary=--cut", "--cut"),
    ],
)
def test_the_boundary_parameter_may_have_quotes(content_type: str, boundary: str) -> None:
    assert boundary_of(content_type) == boundary


@pytest.mark.parametrize("content_type", ["", "multipart/x-mixed-replace", "multipart/x; boundary=", "x; boundary"])
def test_a_content_type_without_a_boundary_is_refused(content_type: str) -> None:
    with pytest.raises(ValueError, match="there is no boundary in"):
        boundary_of(content_type)


# Any bytes.


@given(st.binary() | STREAM_BYTES, PLACES)
def test_every_split_of_any_bytes_gives_the_same_result(data: bytes, places: list[int]) -> None:
    assert read(cut(data, places)) == read([data])


@given(STREAM_BYTES)
def test_a_stream_split_in_two_anywhere_or_byte_by_byte_gives_the_same_result(data: bytes) -> None:
    parse(data)


@given(st.lists(PART, max_size=3), BOUNDARY, st.booleans(), PLACES)
@example([Part(b"\r\n--cu"), Part(b"", "", True), Part(b"\r", "a")], "cut", True, [7, 9, 30])
def test_encoded_parts_are_parsed_to_equal_parts(
    parts: list[Part], boundary: str, ended: bool, places: list[int]
) -> None:
    try:
        stream = b"".join(part.encode(boundary) for part in parts)
    except ValueError:
        assert any(f"--{boundary}".encode() in part.body for part in parts)
        return
    found, error_text = read(cut(stream + closing(boundary) * ended, places), boundary)
    whole = ended or not parts or parts[-1].with_length
    assert found == (parts if whole else parts[:-1])
    assert bool(error_text) != ended


@given(BODY, BODY, st.sampled_from([b"", b"--", b"\r\n", b"x"]))
def test_a_body_that_contains_the_boundary_is_refused(before: bytes, after: bytes, end: bytes) -> None:
    for body in (before + b"\n--cut" + end + after, b"--cut" + after):
        for with_length in (True, False):
            with pytest.raises(ValueError, match="the body contains the boundary 'cut'"):
                Part(body, with_length=with_length).encode("cut")


@pytest.mark.parametrize("bad", ["\r", "\n", "\0", "\r\nContent-Length: 0", "\u20ac"])
def test_a_content_type_with_a_line_end_or_not_in_latin_1_is_refused(bad: str) -> None:
    with pytest.raises(ValueError, match=r"content_type must not contain a line end or NUL|latin-1"):
        Part(b"", f"a/b{bad}").encode("cut")


def count_parts(pieces: list[bytes]) -> int:
    """Return the number of parts."""
    parser = Parser("cut")
    return sum(len(parser.feed(piece)) for piece in pieces)


@pytest.mark.parametrize("filler", [b"x", b"\n", b"\n--cu", b"\n--cut-", b"\n--cutter"])
@pytest.mark.parametrize("length", [False, True])
def test_the_time_for_one_long_body_in_small_pieces_grows_linearly(filler: bytes, length: bool) -> None:
    def pieces(size: int) -> list[bytes]:
        body = (filler * (size // len(filler))).rstrip(b"-") + b"x"
        stream = opening("cut", "a/b", len(body) if length else None) + body + b"\r\n" + LAST
        return cut(stream, range(0, len(stream), 512))

    assert count_parts(pieces(1 << 10)) == 1
    expect_linear(pieces, count_parts, 1 << 16)


def test_the_time_for_many_small_parts_in_one_piece_grows_linearly() -> None:
    expect_linear(lambda parts: [HELLO * parts], count_parts, 1000)


# The email package as an oracle.

LINES = st.lists(st.text(st.sampled_from("ab -:cut"), max_size=8), max_size=4)
FREE_BODY = LINES.map(lambda lines: "\r\n".join(lines).encode())


@given(st.lists(FREE_BODY, min_size=1, max_size=3), FREE_BODY, FREE_BODY, BOUNDARY, PLACES)
def test_parts_are_parsed_like_by_the_email_package(
    texts: list[bytes], preamble: bytes, epilogue: bytes, boundary: str, places: list[int]
) -> None:
    if any(f"--{boundary}".encode() in text for text in (*texts, preamble, epilogue)):
        return
    stream = b"".join(Part(text, "image/x-part").encode(boundary) for text in texts) + closing(boundary)
    stream = (preamble + b"\r\n" if preamble else b"") + stream + epilogue
    head = f'MIME-Version: 1.0\r\nContent-Type: multipart/x-mixed-replace; boundary="{boundary}"\r\n\r\n'
    message = email.message_from_bytes(head.encode() + stream, policy=email.policy.HTTP)
    wanted = [Part(bytes(part.get_content()), part.get_content_type()) for part in message.iter_parts()]
    assert read(cut(stream, places), boundary) == (wanted, "")


# The explainer, which drawings use.

CUT = 'multipart/x-mixed-replace; boundary="cut"'


def explain(*chunks: bytes, content_type: str = CUT) -> list[tuple[bytes, str]]:
    """Return the bytes and the text of each line and body in these chunks."""
    return [(raw, describe(meaning)) for raw, meaning in fragments(chunks, content_type)]


def fragments(chunks: Iterable[bytes], content_type: str = CUT) -> list[Fragment]:
    explainer = Explainer(Head("", (("Content-Type", content_type),)))
    found = [fragment for chunk in chunks for fragment in [*explainer.feed(chunk), *explainer.flush()]]
    assert b"".join(raw for raw, _ in found) == b"".join(chunks)
    return found


def test_a_part_is_a_boundary_its_headers_and_its_body() -> None:
    assert explain(b"--cut\r\nA: b\r\n\r\none\r\ntwo\r\n--cut\r\n\r\n\r\n" + LAST) == [
        (b"--cut\r\n", "boundary: part 1 begins"),
        (b"A: b\r\n", ""),
        (b"\r\n", "blank line: end of the part's headers"),
        (b"one\r\ntwo\r\n", "body of part 1"),
        (b"--cut\r\n", "boundary: part 1 is complete, 8 bytes; part 2 begins"),
        (b"\r\n", "blank line: end of the part's headers"),
        (b"\r\n", "body of part 2"),
        (LAST, "last boundary: part 2 is complete, 0 bytes"),
    ]


def test_bytes_outside_of_parts_are_ignored() -> None:
    length = b"Content-Length: 1\r\n"
    found = explain(b"hi\r\n--cut\r\n" + length + b"\r\n1\r\n", b"23\r\n" + LAST, b"bye\r\n--cut\r\n")
    assert [text for _, text in found] == [
        "before the first boundary: ignored",
        "boundary: part 1 begins",
        "",
        "blank line: end of the part's headers",
        "body of part 1, complete by Content-Length",
        "more bytes than Content-Length: ignored",
        "last boundary: no part follows",
        "after the last boundary: ignored",
    ]


def test_a_boundary_inside_a_body_with_a_length_belongs_to_the_body() -> None:
    found = explain(b"--cut\r\nContent-Length: 7\r\n\r\n--cut\r\n\r\n--cut\r\n")
    assert [text for _, text in found[3:]] == [
        "body of part 1, complete by Content-Length",
        "body of part 1",
        "boundary: part 2 begins",
    ]


def test_a_boundary_in_several_chunks_is_explained_at_its_end() -> None:
    assert explain(b"--c", b"ut\r\n", b"\r\na\r\n", b"--cut", b"-", b"-", b"\r\n") == [
        (b"--c", "before the first boundary: ignored"),
        (b"ut\r\n", "boundary: part 1 begins"),
        (b"\r\n", "blank line: end of the part's headers"),
        (b"a\r\n", "body of part 1"),
        (b"--cut", "body of part 1"),
        (b"-", "body of part 1"),
        (b"-", "last boundary: part 1 is complete, 1 byte"),
        (b"\r\n", "after the last boundary: ignored"),
    ]


def test_a_part_without_a_boundary_at_the_end_is_incomplete() -> None:
    explainer = Explainer(Head("", (("Content-Type", CUT),)))
    assert explainer.close() is None
    explainer.feed(b"--cut\r\n\r\nhello\r\n")
    explainer.flush()
    meaning = explainer.close()
    assert meaning
    assert describe(meaning) == "part 1 is incomplete: no boundary follows it"


def test_bytes_that_are_not_multipart_are_reported() -> None:
    assert explain(b"--cut\r\nbad\r\n\r\nx")[-1][1].startswith("not multipart: a header has no colon")
    assert explain(b"--cut\r\n\r\n", content_type="multipart/x-mixed-replace") == [
        (b"--cut\r\n\r\n", "not multipart: there is no boundary in 'multipart/x-mixed-replace'")
    ]


@given(st.text(max_size=20) | st.text(max_size=20).map("multipart/x-mixed-replace; boundary{}".format))
@example("multipart/x-mixed-replace; boundary*=x''%ff")
@example("multipart/x-mixed-replace; boundary*0*=''%E9")
@example("x; boundary=\ud800")
@example("x; boundary=--")
def test_any_content_type_is_accepted(content_type: str) -> None:
    assert explain(b"--cut\r\n\r\na\r\n", content_type=content_type)


@given(st.binary() | STREAM_BYTES, PLACES)
def test_the_explainer_finds_the_parts_of_the_parser_and_never_raises(data: bytes, places: list[int]) -> None:
    found = [meaning for _, meaning in fragments(cut(data, places))]
    parts, _ = read([data])
    sizes = [len(part.body) for part in parts]
    assert [meaning.size for meaning in found if meaning.complete] == sizes[: sum(m.complete for m in found)]


def test_a_picture_of_8_mb_is_one_body_and_takes_less_than_a_second() -> None:
    picture = random.Random(1).randbytes(8 << 20)
    stream = b"--cut\r\n\r\n" + picture + b"\r\n--cut--\r\n"
    began = time.thread_time()
    explainer = Explainer(Head("", (("Content-Type", CUT),)))
    found = [each for at in range(0, len(stream), 1 << 16) for each in explainer.feed(stream[at : at + (1 << 16)])]
    assert time.thread_time() - began < 1
    assert [meaning.size for _, meaning in found if meaning.complete] == [len(picture)]
    assert len(found) == 4
