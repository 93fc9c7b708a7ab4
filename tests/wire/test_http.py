"""server.wire.http against RFC 9112, against h11 as an oracle, and against itself."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any, Literal

import h11
import pytest
from cpu_time import expect_linear
from hypothesis import example, given
from hypothesis import strategies as st
from splits import cut, every_cut

from server.wire.http import (
    LAST_CHUNK,
    MAX_HEADERS,
    MAX_SIZE_LINE,
    Data,
    DataEnd,
    End,
    Excess,
    Head,
    LastChunk,
    NotHTTP,
    Parser,
    Part,
    Size,
    Tunnel,
    chunk,
)

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
            *[b"\r\n", b"\n", b"\r", b"abc", b"0", b": ", b"\0\xff", b" folded\r\n", b"A : b\r\n", b"00;x\r\n"],
            *[b"HTTP/1.1 204 x\r\n\r\n", b"HTTP/1.1 101 x\r\n\r\n", b"\x16\x03\x01", b"PRI * HTTP/2.0\r\n"],
        ]
    ),
    max_size=14,
).map(b"".join)


def read(pieces: Iterable[bytes], role: Role = "response", methods: Iterable[str] = ()) -> list[Part]:
    """Feed the pieces, close, and join adjacent parts of the same kind."""
    parser = Parser(role, methods)
    found: list[Part] = []
    for part in [*(part for piece in pieces for part in parser.feed(piece)), *parser.close()]:
        last = found[-1] if found else None
        if last and type(part) is type(last) and isinstance(part, Data | Excess | NotHTTP):
            found[-1] = replace(part, raw=last.raw + part.raw)
        else:
            found.append(part)
    return found


def parse(stream: bytes, role: Role = "response", methods: tuple[str, ...] = ()) -> list[Part]:
    """Read a stream at once, and assert that every way to split it gives the same parts."""
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
def test_every_byte_is_in_one_part_and_every_split_gives_the_same_parts(
    data: bytes, role: Role, places: list[int]
) -> None:
    whole = read([data], role)
    assert read(cut(data, places), role) == whole
    assert b"".join(part.raw for part in whole) == data


@given(STREAM_BYTES, ROLES)
def test_a_stream_split_in_two_anywhere_or_byte_by_byte_gives_the_same_parts(data: bytes, role: Role) -> None:
    parse(data, role)


@given(STREAM_BYTES, ROLES, PLACES)
def test_pending_holds_the_bytes_that_are_in_no_part(data: bytes, role: Role, places: list[int]) -> None:
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
    """A body framed in one of three ways: headers, bytes on the wire, body, whether the connection closes."""
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
def responses(draw: st.DrawFn) -> tuple[bytes, list[tuple[str, list[bytes], bytes]]]:
    """Responses on one connection: their bytes, and for each the method, the header sections and the body."""
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


def h11_responses(wire: bytes, methods: list[str]) -> list[Any]:
    """Return what an h11 client of these methods reads: status and headers of each response, and each body."""
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


@given(responses(), PLACES)
def test_responses_are_parsed_as_by_h11(
    sent: tuple[bytes, list[tuple[str, list[bytes], bytes]]], places: list[int]
) -> None:
    wire, wanted = sent
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
    assert _joined(found) == h11_responses(wire, methods)
    assert [part.raw for part in parts if isinstance(part, Head)] == [
        head for _, heads, _ in wanted for head in heads
    ]


def _joined(found: list[Any]) -> list[Any]:
    """Join the parts of each body; a status of 200 and above is always followed by one."""
    joined: list[Any] = []
    for each in found:
        if isinstance(each, bytes) and isinstance(joined[-1], bytes):
            joined[-1] += each
        else:
            joined.append(each)
    return joined


@given(st.lists(st.tuples(METHOD, framed(may_close=False), FIELDS), min_size=1, max_size=3), PLACES)
def test_requests_are_parsed_as_by_h11(requests: list[Any], places: list[int]) -> None:
    wires = [
        Head(f"{method} /a?b=c HTTP/1.1", (("Host", "x"), *fields, *framing)).encode() + framed_body
        for method, (framing, framed_body, _, _), fields in requests
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
    assert sum(isinstance(part, End) for part in parts) == len(requests)


# Rule by rule.

OK = b"HTTP/1.1 200 OK\r\n"
GET = b"GET / HTTP/1.1\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"


def head(stream: bytes, role: Role = "response") -> Head:
    """Return the first header section of a stream."""
    first = parse(stream, role)[0]
    assert isinstance(first, Head), first
    return first


def refused(stream: bytes, role: Role = "response") -> str:
    """Return why a stream is not HTTP/1, "" if it is."""
    last = parse(stream, role)[-1]
    return last.why if isinstance(last, NotHTTP) else ""


def test_a_body_with_content_length_ends_with_its_last_byte() -> None:
    parts = parse(OK + b"Content-Length: 5\r\n\r\nhello" + OK + b"Content-Length: 0\r\n\r\n")
    assert parts[1:3] == [Data(b"hello"), End("length")]
    assert parts[4:] == [End("length")]


def test_a_chunked_body_ends_with_the_last_chunk() -> None:
    assert parse(CHUNKED + chunk(b"hello") + LAST_CHUNK)[1:] == [
        Size(5, "", b"5\r\n"),
        Data(b"hello"),
        DataEnd(b"\r\n"),
        LastChunk(LAST_CHUNK),
        End("last chunk"),
    ]


def test_a_chunk_may_have_an_extension_and_the_last_chunk_trailers() -> None:
    parts = parse(CHUNKED + b"A;name=value\r\n0123456789\r\n0\r\nDigest: x\r\nVia: a,\r\n b\r\n\r\n")
    assert parts[1] == Size(10, "name=value", b"A;name=value\r\n")
    last = LastChunk(b"0\r\nDigest: x\r\nVia: a,\r\n b\r\n\r\n", "", (("Digest", "x"), ("Via", "a, b")))
    assert parts[-2:] == [last, End("last chunk")]
    assert isinstance(parts[-2], LastChunk)
    assert parts[-2].problems == ("obs-fold",)


@pytest.mark.parametrize("line", ["0", "000", "0;x", '0 ; a="b c"', "00 "])
def test_a_chunk_of_size_zero_is_the_last_chunk_and_its_extension_is_no_trailer(line: str) -> None:
    raw = line.encode() + b"\r\n\r\n"
    assert parse(CHUNKED + raw)[1:] == [LastChunk(raw, line.partition(";")[2]), End("last chunk")]


def test_a_body_without_length_or_chunks_ends_with_the_connection() -> None:
    assert parse(OK + b"\r\nhello")[1:] == [Data(b"hello"), End("close")]


@pytest.mark.parametrize("status", ["204 No Content", "304 Not Modified"])
def test_no_body_follows_204_and_304_even_if_headers_announce_one(status: str) -> None:
    section = f"HTTP/1.1 {status}\r\nContent-Length: 5\r\n\r\n".encode()
    assert kinds(parse(section + section)) == ["Head", "End", "Head", "End"]


def test_no_body_follows_the_response_to_head_and_the_next_response_is_read() -> None:
    parts = parse(OK + b"Content-Length: 5\r\n\r\n" + OK + b"Content-Length: 5\r\n\r\nhello", methods=("HEAD", "GET"))
    assert kinds(parts) == ["Head", "End", "Head", "Data", "End"]


@pytest.mark.parametrize(
    ("response", "methods", "after"),
    [
        (b"HTTP/1.1 204 No Content\r\n\r\n", (), "no body"),
        (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", (), "no body"),
        (OK + b"Content-Length: 5\r\n\r\n", ("HEAD",), "no body"),
        (OK + b"Content-Length: 2\r\n\r\nhi", (), "length"),
        (CHUNKED + LAST_CHUNK, (), "last chunk"),
    ],
)
@pytest.mark.parametrize("excess", [b"hello", b"\r\nhello\r\n\r\n", b"HTML", b"\x16\x03\x01", b"5\r\nhello\r\n"])
def test_bytes_after_a_complete_response_are_excess_unless_they_begin_another(
    response: bytes, methods: tuple[str, ...], after: str, excess: bytes
) -> None:
    parts = parse(response + excess, methods=methods)
    assert parts[-2:] == [End(after), Excess(excess, after)]  # type: ignore[arg-type]


def test_an_interim_response_is_followed_by_the_final_response() -> None:
    parts = parse(b"HTTP/1.1 100 Continue\r\n\r\n" + OK + b"Content-Length: 1\r\n\r\n", methods=("HEAD",))
    assert kinds(parts) == ["Head", "End", "Head", "End"]
    assert [part.status for part in parts if isinstance(part, Head)] == [100, 200]


def test_the_bytes_after_101_belong_to_another_protocol() -> None:
    parts = parse(b"HTTP/1.1 101 Switching Protocols\r\n\r\n\x81\x02hi")
    assert parts[1:] == [Tunnel(b"\x81\x02hi"), End("tunnel")]


def test_after_2xx_to_connect_the_bytes_are_a_tunnel_and_no_body() -> None:
    wire = OK + b"Content-Length: 1\r\n\r\n\x16\x03\x01"
    assert parse(wire, methods=("CONNECT",))[1:] == [Tunnel(b"\x16\x03\x01"), End("tunnel")]
    refusal = b"HTTP/1.1 403 No\r\nContent-Length: 2\r\n\r\nno"
    assert parse(refusal, methods=("CONNECT",))[1:] == [Data(b"no"), End("length")]


@pytest.mark.parametrize("method", ["GET", "CONNECT"])
def test_a_request_parser_with_the_number_of_the_switching_request_finds_the_tunnel(method: str) -> None:
    switching = {"GET": b"HTTP/1.1 101 x\r\n\r\n", "CONNECT": OK + b"\r\n"}[method]
    responses = Parser("response", ["HEAD", method])
    responses.feed(OK + b"\r\nHTTP/1.1 103 Early Hints\r\n\r\n" + switching)
    assert responses.switched == 2
    requests = Parser("request", switched=responses.switched)
    wire = b"HEAD / HTTP/1.1\r\n\r\n" + f"{method} x HTTP/1.1\r\n\r\n".encode() + b"\x81\0"
    assert requests.feed(wire)[3:] == [Tunnel(b"\x81\0")]
    assert requests.close() == [End("tunnel")]
    assert Parser("response").switched is None


def test_a_request_without_length_or_chunks_has_no_body() -> None:
    assert kinds(parse(GET + b"\r\n" + GET + b"\r\n", "request")) == ["Head", "End", "Head", "End"]


@pytest.mark.parametrize(
    ("value", "chunked"),
    [
        ("chunked", True),
        ("Chunked", True),
        ("gzip, chunked", True),
        ("gzip\t,\tchunked", True),
        ("chunked,", True),
        (", ,chunked ,, ", True),
        ("chunked\r\nTransfer-Encoding: gzip", False),
        ("gzip\r\nTransfer-Encoding: chunked", True),
        ("chunked\r\n , gzip", False),
        ("\x0bchunked", False),
        ("\x0cchunked", False),
        ("chunked\xa0", False),
        ("chunked\x85", False),
        ("xchunked", False),
        ("chunkedchunked", False),
        ("chunked abc", False),
        ("chunked\r\n  abc", False),
        ("identity", False),
        ("", False),
        (",", False),
    ],
)
def test_the_last_transfer_coding_decides_whether_a_body_is_chunked(value: str, chunked: bool) -> None:
    headers = f"Content-Length: 5\r\nTransfer-Encoding: {value}\r\n\r\n".encode("latin-1")
    wire = chunk(b"hello") + LAST_CHUNK
    response = parse(OK + headers + wire)
    assert (body(response), response[-1]) == ((b"hello", End("last chunk")) if chunked else (wire, End("close")))
    assert refused(GET + headers + wire, "request")[:53] == (
        "" if chunked else "the last Transfer-Encoding of a request is not chunked"[:53]
    )


@pytest.mark.parametrize(
    ("headers", "problems"),
    [
        (b"A: b\r\n", ()),
        (b"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n", ("length-beside-transfer-encoding",)),
        (b"Content-Length: 0, 0\r\n", ("repeated-length",)),
        (b"Content-Length: 0\r\nContent-Length: 0\r\n", ("repeated-length",)),
        (b"A: b\n", ("bare-lf",)),
        (b"A: b\r\n c\r\n\td\n", ("bare-lf", "obs-fold")),
    ],
)
def test_faults_that_a_reader_may_tolerate_are_codes_of_the_header_section(
    headers: bytes, problems: tuple[str, ...]
) -> None:
    assert head(OK + headers + b"\r\n").problems == head(GET + headers + b"\r\n", "request").problems == problems


def test_transfer_encoding_in_http_1_0_is_a_problem_of_the_header_section() -> None:
    wire = b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + LAST_CHUNK
    assert head(wire).problems == ("transfer-encoding-in-http-1.0",)


def test_the_line_end_of_a_folded_header_is_read_as_a_space() -> None:
    headers = b"A: one\r\n two \r\n\t  three\r\nB:\r\n x\r\nC: y\r\n \r\n"
    for found in (head(OK + headers + b"\r\n"), head(GET + headers + b"\r\n", "request")):
        assert found.fields == (("A", "one two three"), ("B", "x"), ("C", "y"))
        assert found.problems == ("obs-fold",)


@pytest.mark.parametrize("space", [b" ", b"\t", b" \t "])
def test_a_space_before_the_colon_is_tolerated_in_a_response_and_refused_in_a_request(space: bytes) -> None:
    line = b"Server" + space + b": x\r\n\r\n"
    assert (head(OK + line).fields, head(OK + line).problems) == ((("Server", "x"),), ("space-before-colon",))
    assert "the name of a header is not a token" in refused(GET + line, "request")


def test_only_spaces_and_tabs_around_a_value_are_removed() -> None:
    assert head(OK + b"A:\t \x0b1\x0c\xa0 \t\r\n\r\n").fields == (("A", "\x0b1\x0c\xa0"),)
    assert refused(OK + b"Content-Length: \x0c5\r\n\r\nhello").startswith("Content-Length is not a number of bytes")


def test_a_message_is_incomplete_if_its_connection_ends_too_early() -> None:
    assert parse(OK + b"Content-Le")[-1] == End("cut", OK + b"Content-Le")
    assert parse(OK + b"Content-Length: 5\r\n\r\nhell")[-1] == End("cut")
    assert parse(CHUNKED + b"5\r\nhel")[-1] == End("cut")
    assert parse(CHUNKED + b"5\r\nhello\r")[-1] == End("cut", b"\r")
    assert parse(CHUNKED + chunk(b"hello"))[-1] == End("cut")
    assert parse(CHUNKED + chunk(b"hello") + b"0\r\nA: b")[-1] == End("cut", b"0\r\nA: b")


def test_a_connection_without_bytes_or_closed_between_two_messages_gives_no_end() -> None:
    assert parse(b"") == []
    assert parse(OK + b"Content-Length: 0\r\n\r\n")[-1] == End("length")


def test_lines_that_end_in_lf_alone_are_read() -> None:
    parts = parse(b"HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n3\nabc\n0\n\n")
    assert kinds(parts) == ["Head", "Size", "Data", "DataEnd", "LastChunk", "End"]


@pytest.mark.parametrize("line_end", [b"\r\n", b"\n"])
def test_an_empty_line_before_a_start_line_is_ignored(line_end: bytes) -> None:
    request, end = parse(line_end + GET + b"Host: x\r\n\r\n", "request")
    assert (request, end) == (Head("GET / HTTP/1.1", (("Host", "x"),)), End("no body"))
    two = OK + b"Content-Length: 0\r\n\r\n" + line_end + OK + b"Content-Length: 0\r\n\r\n"
    assert kinds(parse(two)) == ["Head", "End", "Head", "End"]


def test_a_large_body_that_arrives_with_its_header_section_is_a_body() -> None:
    stream = OK + b"Content-Length: 1000000\r\n\r\n" + b"x" * 1_000_000
    wanted = [read([stream[:44]])[0], Data(b"x" * 10**6), End("length")]
    assert read([stream]) == read([stream[:100], stream[100:]]) == wanted


@pytest.mark.parametrize(
    ("stream", "why"),
    [
        (b"SSH-2.0-OpenSSH_9\r\n", "not the start line of a response"),
        (b"HTTP/2.0 200 OK\r\n", "not the start line of a response"),
        (b"HTTP/1.1 2000 OK\r\n\r\n", "not the start line of a response"),
        (b"HTTP/1.1  200 OK\r\n\r\n", "not the start line of a response"),
        (b"HTTP/1.1\t200 OK\r\n\r\n", "not the start line of a response"),
        (b"HTTP/01.1 200 OK\r\n\r\n", "not the start line of a response"),
        (b"HTTP/1.1 200 OK\rContent-Length: 0\r\n\r\n", "not the start line of a response"),
        (b"HTTP/1.1 200 O\0K\r\n\r\n", "not the start line of a response"),
        (b"\r\n\r\n", "not the start line of a response"),
        (OK + b"no colon\r\n\r\n", "a header has no colon"),
        (OK + b" A: b\r\n\r\n", "the first header begins with a space"),
        (OK + b": b\r\n\r\n", "the name of a header is not a token"),
        (OK + b" : b\r\n\r\n", "the first header begins with a space"),
        (OK + b"X Y: b\r\n\r\n", "the name of a header is not a token"),
        (OK + b"Fo@: b\r\n\r\n", "the name of a header is not a token"),
        (OK + b"F\xe9: b\r\n\r\n", "the name of a header is not a token"),
        (OK + b"A\xa0: b\r\n\r\n", "the name of a header is not a token"),
        (OK + b"A: b\0c\r\n\r\n", "CR or NUL in the value of a header: 'A'"),
        (OK + b"A: b\r\n c\0\r\n\r\n", "CR or NUL in the value of a header: 'A'"),
        (OK + b"A: 1\rB: 2\r\n\r\n", "CR or NUL in the value of a header: 'A'"),
        (OK + b"Content\rLength: 3\r\n\r\n", "the name of a header is not a token"),
        (OK + b"Content-Length: -1\r\n\r\n", "Content-Length is not a number of bytes: '-1'"),
        (OK + b"Content-Length: 4 2\r\n\r\n", "Content-Length is not a number of bytes: '4 2'"),
        (OK + b"Content-Length:\r\n\r\n", "Content-Length is not a number of bytes: ''"),
        (OK + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n", "Content-Length is not a number of bytes"),
        (OK + b"Content-Length: " + b"9" * 30 + b"\r\n\r\n", "Content-Length is not a number of bytes"),
        (CHUNKED + b"\r\n", r"the size of a chunk is not a hexadecimal number: ''"),
        *[
            (CHUNKED + line + b"\r\nhello\r\n", "the size of a chunk is not a hexadecimal number")
            for line in (b"-1", b"0x5", b"f" * 40, b" 5", b"5 x", b"5,", b"\x0c5\x0b", b"5\x0b", b"5\xa0", b"5\r")
        ],
        (CHUNKED + b"5;a\0b\r\nhello\r\n", "the size of a chunk is not a hexadecimal number"),
        (CHUNKED + b"5;a\rb\r\nhello\r\n", "the size of a chunk is not a hexadecimal number"),
        (CHUNKED + b"3\r\nabcd\r\n", "a chunk is longer than its size"),
        (CHUNKED + b"3\r\nabc\r_1a\r\n", "a chunk is longer than its size"),
        (CHUNKED + b"0\r\nno colon\r\n\r\n", "a header has no colon"),
        (CHUNKED + b"0\r\nA B: c\r\n\r\n", "the name of a header is not a token"),
        (CHUNKED + b"0\r\nA: b\0\r\n\r\n", "CR or NUL in the value of a header: 'A'"),
    ],
)
def test_bytes_that_cannot_be_http_1_are_returned_with_a_short_reason(stream: bytes, why: str) -> None:
    last = parse(stream + b"tail")[-1]
    assert isinstance(last, NotHTTP)
    assert last.raw.endswith(b"tail")
    assert why in last.why
    assert len(last.why) < 140


@pytest.mark.parametrize("target", [b"/\0", b"/\x7f", b"/\x0b", b"/a b", b"", b"/\t", b"/ HTTP/1.1\rX:", b"/\x1b"])
def test_a_request_target_with_control_characters_or_spaces_is_refused(target: bytes) -> None:
    assert "not the start line of a request" in refused(b"GET " + target + b" HTTP/1.1\r\n\r\n", "request")


def test_a_target_may_have_bytes_of_utf_8_because_clients_send_them() -> None:
    assert head("GET /caf\u00e9 HTTP/1.1\r\n\r\n".encode(), "request").method == "GET"


@pytest.mark.parametrize("start", [b"\x80\0\n", b"GET /\r\n", b"GET  / HTTP/1.1\r\n", b"GET / HTTP/5.6\r\n"])
def test_a_first_line_that_is_no_request_line_is_refused_at_once(start: bytes) -> None:
    assert kinds(Parser("request").feed(start)) == ["NotHTTP"]


@pytest.mark.parametrize(
    ("start", "role", "protocol"),
    [
        (b"\x16\x03\x01\x02\x00\x01\x00\x01", "request", "TLS"),
        (b"\x16\x03\x03\x00z\x02\0\0v", "response", "TLS"),
        (b"\x15\x03\x03\x00\x02\x02\x28", "response", "TLS"),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "request", "HTTP/2"),
        (b"\0\0\x12\x04\0\0\0\0\0", "response", "HTTP/2"),
        (b"SSH-2.0-OpenSSH_9\r\n", "request", ""),
    ],
)
def test_tls_and_http_2_are_recognised_by_their_first_bytes(start: bytes, role: Role, protocol: str) -> None:
    (found,) = parse(start, role)
    assert isinstance(found, NotHTTP)
    assert found.protocol == protocol
    assert kinds(Parser(role).feed(start)) == ["NotHTTP"]


# Limits and cost.


@pytest.mark.parametrize(
    ("before", "endless", "limit", "why"),
    [
        (b"", b"HTTP/1.1 200 OK", MAX_HEADERS, "the header section does not end within 262144 bytes"),
        (OK, b"A: b\r\n", MAX_HEADERS, "the header section does not end within 262144 bytes"),
        (CHUNKED + b"0\r\n", b"A: b\r\n", MAX_HEADERS, "the last chunk does not end within 262144 bytes"),
        (
            CHUNKED + b"1;",
            b"extension",
            MAX_SIZE_LINE,
            "the line with a chunk's size does not end within 16384 bytes",
        ),
    ],
)
def test_a_part_longer_than_its_limit_is_refused_at_the_same_byte_in_every_split(
    before: bytes, endless: bytes, limit: int, why: str
) -> None:
    stream = before + endless * (limit // len(endless) + 1)
    places = [len(before) + limit - 9, len(before) + limit - 1]
    whole = read([stream])
    assert isinstance(whole[-1], NotHTTP)
    assert why in whole[-1].why
    assert read(cut(stream, places)) == read(cut(stream, range(0, len(stream), 1000))) == whole


def test_the_limit_of_a_header_section_can_be_set() -> None:
    section = OK + b"A: b\r\n\r\n"
    assert kinds(Parser("response", limit=len(section)).feed(section)) == ["Head"]
    assert kinds(Parser("response", limit=len(section) - 1).feed(section)) == ["NotHTTP"]


def feed_all(parser: Parser, pieces: list[bytes]) -> None:
    for piece in pieces:
        parser.feed(piece)


@pytest.mark.parametrize(
    ("before", "filler", "role"),
    [
        (b"", b"x", "request"),  # a start line without a line end
        (GET, b"x", "request"),  # a header without a line end
        (GET, b"A: b\r\n", "request"),
        (GET, b"A: b\r\n ", "request"),
        (GET + b"A:", b" ", "request"),
        (CHUNKED + b"0\r\n", b"A: b\r\n", "response"),
        (CHUNKED, b"1\r\nx\r\n", "response"),
        (CHUNKED, b"1\nx\n", "response"),
        (CHUNKED, b"9;" + b"x" * 2000, "response"),
        (OK + b"\r\n", b"x", "response"),
    ],
)
@pytest.mark.parametrize("size", [1, 1 << 20])
def test_the_time_grows_with_the_number_of_bytes_only(before: bytes, filler: bytes, role: Role, size: int) -> None:
    def pieces(count: int) -> list[bytes]:
        stream = before + filler * (count // len(filler)) + b"\r\n\r\n"
        return cut(stream, range(0, len(stream), size))

    expect_linear(pieces, lambda pieces: feed_all(Parser(role), pieces), 1 << (12 if size == 1 else 14))


# Encoding.


def test_a_chunk_is_its_size_in_hexadecimal_its_bytes_and_a_line_end() -> None:
    assert chunk(b"x" * 26) == b"1a\r\n" + b"x" * 26 + b"\r\n"


def test_an_empty_chunk_is_refused_because_it_would_end_the_body() -> None:
    with pytest.raises(ValueError, match="a chunk of 0 bytes would end the body"):
        chunk(b"")


@pytest.mark.parametrize("bad", ["\r", "\n", "\r\nSet-Cookie: forged", "\0"])
@pytest.mark.parametrize("place", ["start line", "name", "value"])
def test_a_line_end_or_nul_in_a_start_line_or_header_is_refused(place: str, bad: str) -> None:
    start, name, value = (f"x{bad}" if place == each else "x" for each in ("start line", "name", "value"))
    with pytest.raises(ValueError, match="a start line or header contains CR, LF or NUL"):
        Head(start, ((name, value),)).encode()


def test_a_start_line_that_latin_1_cannot_encode_is_refused() -> None:
    with pytest.raises(ValueError, match="latin-1"):
        Head("GET /\u20ac HTTP/1.1").encode()


@given(FIELDS)
def test_an_encoded_head_is_parsed_to_an_equal_head(fields: list[tuple[str, str]]) -> None:
    wanted = Head("HTTP/1.1 200 OK", tuple(fields))
    assert read([wanted.encode()])[0] == wanted


def test_header_names_are_case_insensitive_and_values_are_joined() -> None:
    found = Head("HTTP/1.1 200 OK", (("Vary", "Accept"), ("VARY", "Origin")))
    assert (found.get("vary"), found.get("Via"), found.get("Via", "-")) == ("Accept, Origin", "", "-")


def test_a_head_has_the_method_or_the_status_of_its_start_line() -> None:
    assert Head("HEAD /x HTTP/1.1").method == "HEAD"
    statuses = [Head(line).status for line in ("HTTP/1.1 404 Not Found", "HTTP/1.1 200", "GET / HTTP/1.1")]
    assert statuses == [404, 200, 0]
