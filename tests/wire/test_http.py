"""server.wire.http against RFC 9112, against h11 as an oracle, and against itself."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

import h11
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from splits import cut, every_cut

from server.wire import http
from server.wire.http import LAST_CHUNK, Data, DataEnd, End, Head, LastChunk, NotHTTP, Parser, Part, Size, chunk

Role = Literal["request", "response"]

PLACES = st.lists(st.integers(0, 400), max_size=8)
ROLES = st.sampled_from(["request", "response"])
# Bytes in which everything that framing cares about is likely.
STREAM_BYTES = st.lists(
    st.sampled_from(
        [
            *[b"HTTP/1.1 200 OK\r\n", b"HTTP/1.0 304 x\n", b"HTTP/1.1 100 Continue\r\n\r\n", b"GET / HTTP/1.1\r\n"],
            *[b"Content-Length: 3\r\n", b"Transfer-Encoding: chunked\r\n", b"Content-Length: 4, 4\r\n"],
            *[
                b"Transfer-Encoding: gzip\r\n",
                b"3;x=1\r\nabc\r\n",
                b"3\r\nabcd\r\n",
                b"0\r\n\r\n",
                b"0\r\nA: b\r\n\r\n",
            ],
            *[b"\r\n", b"\n", b"\r", b"abc", b"0", b": ", b"\0\xff"],
        ]
    ),
    max_size=14,
).map(b"".join)


def read(pieces: Iterable[bytes], role: Role = "response", methods: Iterable[str] = ()) -> list[Part]:
    """Feed the pieces, close, and join what lies side by side and is of one kind."""
    parser = Parser(role, methods)
    found: list[Part] = []
    for part in [*(part for piece in pieces for part in parser.feed(piece)), *parser.close()]:
        last = found[-1] if found else None
        if isinstance(part, Data) and isinstance(last, Data):
            found[-1] = Data(last.raw + part.raw)
        elif isinstance(part, NotHTTP) and isinstance(last, NotHTTP):
            found[-1] = NotHTTP(last.raw + part.raw, last.why)
        else:
            found.append(part)
    return found


def parse(stream: bytes, role: Role = "response", methods: tuple[str, ...] = ()) -> list[Part]:
    """Read a stream whole, and see that it reads the same however it is cut."""
    whole = read([stream], role, methods)
    for pieces in every_cut(stream):
        assert read(pieces, role, methods) == whole, pieces
    return whole


def kinds(parts: list[Part]) -> list[str]:
    return [type(part).__name__ for part in parts]


def body(parts: list[Part]) -> bytes:
    return b"".join(part.raw for part in parts if isinstance(part, Data))


# Any bytes.


@given(st.binary() | STREAM_BYTES, ROLES, PLACES)
@example(b"\r\n\r", "request", [2])
@example(b"HTTP/1.1 200 OK\r\r\n\r\n", "response", [18])
def test_any_bytes_come_back_whole_and_the_same_however_they_are_cut(
    data: bytes, role: Role, places: list[int]
) -> None:
    whole = read([data], role)
    assert read(cut(data, places), role) == whole
    assert b"".join(part.raw for part in whole) == data


@given(STREAM_BYTES, ROLES)
def test_any_stream_reads_the_same_cut_in_two_everywhere_and_byte_by_byte(data: bytes, role: Role) -> None:
    parse(data, role)


@given(STREAM_BYTES, ROLES, PLACES)
def test_what_is_pending_is_what_no_part_holds_yet(data: bytes, role: Role, places: list[int]) -> None:
    parser, seen = Parser(role), b""
    for piece in cut(data, places):
        seen += b"".join(part.raw for part in parser.feed(piece))
    assert seen + parser.pending == data


# h11 as an oracle.

TOKEN = st.text(st.sampled_from("abcXYZ019-_!#~"), min_size=1, max_size=8)
VALUE = st.text(st.sampled_from('abc 12,;="\t\u00e9'), max_size=12).map(lambda text: text.strip(" \t"))
FIELDS = st.lists(st.tuples(TOKEN.map("x-{}".format), VALUE), max_size=3)
CHUNKS = st.lists(st.binary(min_size=1, max_size=20), max_size=4)
EXTENSION = st.sampled_from(["", ";a", ";a=b", '; a="b c"'])
STATUS = st.sampled_from([200, 204, 206, 301, 304, 404, 500])
METHOD = st.sampled_from(["GET", "HEAD", "POST", "M-SEARCH"])


@st.composite
def framed(draw: st.DrawFn, may_close: bool) -> tuple[list[tuple[str, str]], bytes, bytes, bool]:
    """A body framed in one of three ways: its fields, its bytes on the wire, itself, and whether it closes."""
    pieces = draw(CHUNKS)
    whole = b"".join(pieces)
    framing = draw(st.sampled_from(["chunked", "length", *["close"] * may_close]))
    if framing == "length":
        return [("Content-Length", str(len(whole)))], whole, whole, False
    if framing == "close":
        return [], whole, whole, True
    wire = b"".join(chunk(piece).replace(b"\r\n", draw(EXTENSION).encode() + b"\r\n", 1) for piece in pieces)
    trailer = Head("0", tuple(draw(FIELDS))).encode()
    return [("Transfer-Encoding", draw(st.sampled_from(["chunked", "Chunked"])))], wire + trailer, whole, False


@st.composite
def answers(draw: st.DrawFn) -> tuple[bytes, list[tuple[str, list[bytes], bytes]]]:
    """Answers on one connection: their bytes, and of each its method, its heads and its body."""
    wire, closes = b"", False
    wanted: list[tuple[str, list[bytes], bytes]] = []
    while not closes and len(wanted) < 3 and (not wanted or draw(st.booleans())):
        method, status = draw(METHOD), draw(STATUS)
        fields, framed_body, whole, closes = draw(framed(may_close=True))
        if method == "HEAD" or status in (204, 304):
            framed_body, whole, closes = b"", b"", False
            fields = [] if status == 204 else fields
        heads = [Head("HTTP/1.1 103 Early Hints", (("Link", "<a>"),)).encode()] * draw(st.integers(0, 2))
        heads.append(Head(f"HTTP/1.1 {status} {draw(VALUE)}", (*draw(FIELDS), *fields)).encode())
        wire += b"".join(heads) + framed_body
        wanted.append((method, heads, whole))
    return wire, wanted


def as_h11(part: Head) -> tuple[int, list[tuple[bytes, bytes]]]:
    fields = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in part.fields]
    return part.status, [(name, value.lower() if name == b"transfer-encoding" else value) for name, value in fields]


def h11_answers(wire: bytes, methods: list[str]) -> list[Any]:
    """What h11 reads as the client of these methods: each head as status and fields, and each body."""
    found: list[Any] = []
    client = h11.Connection(h11.CLIENT)
    client.receive_data(wire)
    for number, method in enumerate(methods):
        client.send(h11.Request(method=method, target="/", headers=[("Host", "x")]))
        client.send(h11.EndOfMessage())
        if number == len(methods) - 1:
            client.receive_data(b"")
        found += _h11_message(client)
        if client.our_state is h11.DONE and client.their_state is h11.DONE:
            client.start_next_cycle()
    return found


def _h11_message(connection: h11.Connection) -> list[Any]:
    found: list[Any] = []
    read_so_far = b""
    while not isinstance(event := connection.next_event(), h11.EndOfMessage):
        if isinstance(event, h11.Data):
            read_so_far += bytes(event.data)
        elif isinstance(event, h11.Request):
            found.append((event.method, event.target, list(event.headers)))
        elif isinstance(event, h11.Response | h11.InformationalResponse):
            found.append((event.status_code, list(event.headers)))
        else:
            raise AssertionError(event)
    return [*found, read_so_far]


@given(answers(), PLACES)
def test_answers_are_read_as_h11_reads_them(
    given_answers: tuple[bytes, list[tuple[str, list[bytes], bytes]]], places: list[int]
) -> None:
    wire, wanted = given_answers
    methods = [method for method, _, _ in wanted]
    parts = read(cut(wire, places), "response", methods)
    found: list[Any] = []
    for part in parts:
        if isinstance(part, Head):
            found.append(as_h11(part))
        elif isinstance(part, End) and not (isinstance(found[-1], tuple) and found[-1][0] < 200):
            found.append(b"")
        elif isinstance(part, Data):
            found.append(part.raw)
    assert _joined(found) == h11_answers(wire, methods)
    assert [part.raw for part in parts if isinstance(part, Head)] == [
        head for _, heads, _ in wanted for head in heads
    ]


def _joined(found: list[Any]) -> list[Any]:
    """Join the pieces of each body; a head of 200 and above is always followed by one."""
    joined: list[Any] = []
    for each in found:
        if isinstance(each, bytes) and isinstance(joined[-1], bytes):
            joined[-1] += each
        else:
            joined.append(each)
    return joined


@given(st.lists(st.tuples(METHOD, framed(may_close=False), FIELDS), min_size=1, max_size=3), PLACES)
def test_requests_are_read_as_h11_reads_them(asked: list[Any], places: list[int]) -> None:
    wires = [
        Head(f"{method} /a?b=c HTTP/1.1", (("Host", "x"), *fields, *framing)).encode() + framed_body
        for method, (framing, framed_body, _, _), fields in asked
    ]
    parts = read(cut(b"".join(wires), places), "request")
    heads = [(part.method, as_h11(part)[1]) for part in parts if isinstance(part, Head)]
    oracle = []
    for wire in wires:
        server = h11.Connection(h11.SERVER)
        server.receive_data(wire)
        oracle.append(_h11_message(server))
    assert heads == [(head[0].decode(), head[2]) for head, _ in oracle]
    assert body(parts) == b"".join(read_body for _, read_body in oracle)
    assert sum(isinstance(part, End) for part in parts) == len(asked)


# Rule by rule.

OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"


def test_a_body_by_length_ends_with_its_last_byte() -> None:
    parts = parse(OK + b"Content-Length: 5\r\n\r\nhello" + OK + b"Content-Length: 0\r\n\r\n")
    assert parts[1:3] == [Data(b"hello"), End("length")]
    assert parts[4:] == [End("length")]


def test_a_body_in_chunks_ends_with_the_last_chunk() -> None:
    parts = parse(CHUNKED + chunk(b"hello") + LAST_CHUNK)
    assert parts[1:] == [
        Size(5, "", b"5\r\n"),
        Data(b"hello"),
        DataEnd(b"\r\n"),
        LastChunk(LAST_CHUNK),
        End("last chunk"),
    ]


def test_a_chunk_may_have_an_extension_and_the_last_one_a_trailer() -> None:
    parts = parse(CHUNKED + b"A;name=value\r\n0123456789\r\n0\r\nDigest: x\r\n\r\n")
    assert parts[1] == Size(10, "name=value", b"A;name=value\r\n")
    assert parts[-2:] == [LastChunk(b"0\r\nDigest: x\r\n\r\n"), End("last chunk")]


def test_a_body_without_length_or_chunks_ends_with_the_connection() -> None:
    assert parse(OK + b"\r\nhello")[1:] == [Data(b"hello"), End("close")]


@pytest.mark.parametrize("status", ["204 No Content", "304 Not Modified"])
def test_no_body_follows_204_and_304_whatever_the_head_says(status: str) -> None:
    head = f"HTTP/1.1 {status}\r\nContent-Length: 5\r\n\r\n".encode()
    assert kinds(parse(head + head)) == ["Head", "End", "Head", "End"]


def test_no_body_follows_the_answer_to_head_and_the_next_answer_is_read() -> None:
    parts = parse(OK + b"Content-Length: 5\r\n\r\n" + OK + b"Content-Length: 5\r\n\r\nhello", methods=("HEAD", "GET"))
    assert kinds(parts) == ["Head", "End", "Head", "Data", "End"]


def test_an_interim_answer_is_not_the_answer() -> None:
    parts = parse(b"HTTP/1.1 100 Continue\r\n\r\n" + OK + b"Content-Length: 1\r\n\r\n", methods=("HEAD",))
    assert kinds(parts) == ["Head", "End", "Head", "End"]
    assert [part.status for part in parts if isinstance(part, Head)] == [100, 200]


def test_after_101_another_protocol_speaks() -> None:
    assert parse(b"HTTP/1.1 101 Switching Protocols\r\n\r\n\x81\x02hi")[1:] == [Data(b"\x81\x02hi"), End("close")]


def test_a_request_without_length_or_chunks_has_no_body() -> None:
    assert kinds(parse(b"GET / HTTP/1.1\r\n\r\nGET /2 HTTP/1.1\r\n\r\n", "request")) == ["Head", "End", "Head", "End"]


def test_chunks_count_and_a_length_beside_them_does_not() -> None:
    parts = parse(OK + b"Content-Length: 1\r\nTransfer-Encoding: gzip, chunked\r\n\r\n" + chunk(b"abc") + LAST_CHUNK)
    assert (body(parts), parts[-1]) == (b"abc", End("last chunk"))


def test_a_coding_that_does_not_end_in_chunked_ends_with_the_connection() -> None:
    assert parse(OK + b"Content-Length: 1\r\nTransfer-Encoding: xchunked\r\n\r\nabc")[1:] == [
        Data(b"abc"),
        End("close"),
    ]


def test_a_message_whose_connection_ends_too_early_is_cut() -> None:
    assert parse(OK + b"Content-Le")[-1] == End("cut", OK + b"Content-Le")
    assert parse(OK + b"Content-Length: 5\r\n\r\nhell")[-1] == End("cut")
    assert parse(CHUNKED + b"5\r\nhel")[-1] == End("cut")
    assert parse(CHUNKED + b"5\r\nhello\r")[-1] == End("cut", b"\r")
    assert parse(CHUNKED + chunk(b"hello"))[-1] == End("cut")
    assert parse(CHUNKED + chunk(b"hello") + b"0\r\nA: b")[-1] == End("cut", b"0\r\nA: b")


def test_nothing_at_all_and_a_connection_between_two_messages_end_without_a_word() -> None:
    assert parse(b"") == []
    assert parse(OK + b"Content-Length: 0\r\n\r\n")[-1] == End("length")


def test_lines_that_end_in_lf_alone_are_read_too() -> None:
    parts = parse(b"HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n3\nabc\n0\n\n")
    assert kinds(parts) == ["Head", "Size", "Data", "DataEnd", "LastChunk", "End"]


def test_an_empty_line_before_a_request_is_ignored() -> None:
    head, end = parse(b"\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n", "request")
    assert head == Head("GET / HTTP/1.1", (("Host", "x"),))
    assert end == End("no body")


def test_a_large_body_that_comes_together_with_its_head_is_a_body() -> None:
    stream = OK + b"Content-Length: 1000000\r\n\r\n" + b"x" * 1_000_000
    assert (
        read([stream])
        == read([stream[:100], stream[100:]])
        == [read([stream[:44]])[0], Data(b"x" * 10**6), End("length")]
    )


@pytest.mark.parametrize(
    ("stream", "why"),
    [
        (b"SSH-2.0-OpenSSH_9\r\n", "not the start of a response: 'SSH-2.0-OpenSSH_9'"),
        (b"HTTP/2.0 200 OK\r\n", "not the start of a response"),
        (b"HTTP/1.1 2000 OK\r\n\r\n", "not the start of a response"),
        (b"\r\n\r\n", "not the start of a response: ''"),
        (OK + b"no colon\r\n\r\n", "not a field of a head: 'no colon'"),
        (OK + b"Name : x\r\n\r\n", "not a field of a head: 'Name : x'"),
        (OK + b"A: b\r\n folded: x\r\n\r\n", "not a field of a head: ' folded: x'"),
        (OK + b"Content-Length: -1\r\n\r\n", "Content-Length is not a number of bytes: '-1'"),
        (OK + b"Content-Length:\r\n\r\n", "Content-Length is not a number of bytes: ''"),
        (OK + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n", "Content-Length is not a number of bytes"),
        (OK + b"Content-Length: " + b"9" * 30 + b"\r\n\r\n", "Content-Length is not a number of bytes"),
        (CHUNKED + b"\r\n", r"a chunk's size is not a hexadecimal number: b'\\r\\n'"),
        (CHUNKED + b"-1\r\n", "a chunk's size is not a hexadecimal number"),
        (CHUNKED + b"0x5\r\nhello", "a chunk's size is not a hexadecimal number"),
        (CHUNKED + b"f" * 40 + b"\r\n", "a chunk's size is not a hexadecimal number"),
        (CHUNKED + b"3\r\nabcd\r\n", "a chunk is longer than its size"),
    ],
)
def test_what_cannot_be_http_1_is_told_with_a_short_why(stream: bytes, why: str) -> None:
    last = parse(stream + b"tail")[-1]
    assert isinstance(last, NotHTTP)
    assert last.raw.endswith(b"tail")
    assert why.replace("\\\\", "\\") in last.why
    assert len(last.why) < 140


@pytest.mark.parametrize(
    "start", [b"PRI * HTTP/2.0\r\n", b"\x16\x03\x01\x00\n", b"GET /\r\n", b"GET  / HTTP/1.1\r\n"]
)
def test_a_first_line_that_is_no_request_tells_at_once(start: bytes) -> None:
    assert kinds(Parser("request").feed(start)) == ["NotHTTP"]


def test_a_request_that_would_end_by_a_close_is_not_http() -> None:
    last = parse(b"POST / HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n", "request")[-1]
    assert isinstance(last, NotHTTP)
    assert "not chunked: 'gzip'" in last.why


@pytest.mark.parametrize(
    ("before", "endless", "most", "why"),
    [
        (OK, b"A: b\r\n", http.MOST_HEAD, "no head ends within 262144 bytes"),
        (CHUNKED + b"0\r\n", b"A: b\r\n", http.MOST_HEAD, "no last chunk ends within 262144 bytes"),
        (CHUNKED + b"1;", b"extension", http.MOST_LINE, "no chunk size within 16384 bytes"),
    ],
)
def test_what_never_ends_is_given_up_at_the_same_place_however_it_is_cut(
    before: bytes, endless: bytes, most: int, why: str
) -> None:
    stream = before + endless * (most // len(endless) + 1)
    places = [len(before) + most - 9, len(before) + most - 1]
    whole = read([stream])
    assert isinstance(whole[-1], NotHTTP)
    assert why in whole[-1].why
    assert read(cut(stream, places)) == read(cut(stream, range(0, len(stream), 1000))) == whole


# What is written.


def test_a_chunk_is_its_size_in_hexadecimal_its_bytes_and_a_line_end() -> None:
    assert chunk(b"x" * 26) == b"1a\r\n" + b"x" * 26 + b"\r\n"


def test_a_chunk_of_no_bytes_is_refused_since_it_would_end_the_body() -> None:
    with pytest.raises(ValueError, match="a chunk of 0 bytes would end the body"):
        chunk(b"")


@pytest.mark.parametrize("bad", ["\r", "\n", "\r\nSet-Cookie: forged", "\0"])
@pytest.mark.parametrize("place", ["start line", "name", "value"])
def test_a_line_end_or_a_null_in_a_head_is_refused(place: str, bad: str) -> None:
    start, name, value = (f"x{bad}" if place == each else "x" for each in ("start line", "name", "value"))
    with pytest.raises(ValueError, match="a head's line has a line end or a NULL"):
        Head(start, ((name, value),)).encode()


def test_a_head_that_latin_1_cannot_encode_is_refused() -> None:
    with pytest.raises(ValueError, match="latin-1"):
        Head("GET /\u20ac HTTP/1.1").encode()


@given(FIELDS)
def test_a_head_comes_back_as_it_was(fields: list[tuple[str, str]]) -> None:
    head = Head("HTTP/1.1 200 OK", tuple(fields))
    assert read([head.encode()])[0] == head


def test_a_field_is_found_whatever_its_case_and_its_values_are_joined() -> None:
    head = Head("HTTP/1.1 200 OK", (("Vary", "Accept"), ("VARY", "Origin")))
    assert (head.get("vary"), head.get("Via"), head.get("Via", "-")) == ("Accept, Origin", "", "-")


def test_a_head_knows_its_method_or_its_status() -> None:
    assert Head("HEAD /x HTTP/1.1").method == "HEAD"
    assert (Head("HTTP/1.1 404 Not Found").status, Head("HTTP/1.1 200").status, Head("GET / HTTP/1.1").status) == (
        404,
        200,
        0,
    )
