"""The drawings: golden texts of what a recording says, and the same as HTML."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape
from html.parser import HTMLParser

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from recordings import CHUNKED, GET, TWO_TICKS, answered, recorded
from splits import cut, every_cut

from server.lab import Recording
from server.lab.draw import milliseconds, visible
from server.wire import multipart, websocket
from server.wire.http import LAST_CHUNK, Head, chunk

PLAIN = ("Content-Type", "text/plain")
A_CHUNK = chunk(b"data: a\n\n")
POST = Head("POST /x HTTP/1.1", (("Content-Length", "5"),)).encode()


def ok(*fields: tuple[str, str]) -> bytes:
    return Head("HTTP/1.1 200 OK", fields).encode()


def secrets() -> Recording:
    asked = Head("GET /?token=abc&n=1 HTTP/1.1", (("Cookie", "a=b"), ("Authorization", "Bearer x"))).encode()
    answer = ok(("Set-Cookie", "a=b; Path=/"), ("Location", "/?n=1&access_token=q"), ("Content-Length", "0"))
    return answered(asked, [answer])


ONE_BYTE = ok(("Content-Length", "1")) + b"x"

UPGRADE = Head("GET /ws HTTP/1.1", (("Upgrade", "websocket"), ("Connection", "Upgrade"))).encode()
UPGRADED = Head("HTTP/1.1 101 Switching Protocols", (("Upgrade", "websocket"),)).encode()
MASKED = websocket.Frame(websocket.TEXT, b"hello", mask=b"abcd").encode()
BYE = websocket.Frame(websocket.CLOSE, websocket.close_payload(1000, "bye"))
PARTS = multipart.Part(b"\x89PNG\r\n\n\r\x00").encode("cut") + multipart.Part(b"12", with_length=True).encode("cut")

CASES: dict[str, Callable[[], Recording]] = {
    "two ticks in chunks": lambda: answered(GET, [TWO_TICKS], ("->", "closed"), ("<-", "closed")),
    "a body by its length": lambda: answered(GET, [ok(PLAIN, ("Content-Length", "12")) + b"hello\nworld\n"]),
    "a body that ends with the connection": lambda: answered(GET, [ok(PLAIN) + b"hello\nwor"], ("<-", "closed")),
    "a body whose last chunk is missing": lambda: answered(
        GET, [CHUNKED + A_CHUNK], ("<-", "closed"), ("->", "closed")
    ),
    "a body shorter than its length": lambda: answered(
        GET, [ok(("Content-Length", "12")) + b"hello"], ("<-", "closed")
    ),
    "a server that resets": lambda: answered(GET, [CHUNKED + b"9\r\ndata:"], ("<-", "reset")),
    "a client that leaves": lambda: answered(GET, [CHUNKED + A_CHUNK], ("->", "closed"), ("<-", "closed")),
    "a client that resets": lambda: answered(GET, [CHUNKED + A_CHUNK], ("->", "reset")),
    "a stream that is still open": lambda: answered(GET, [CHUNKED + A_CHUNK + b"9\r\nda"]),
    "a server that refuses": lambda: recorded(("<-", "refused")),
    "a server that closes without a word": lambda: recorded(("->", GET), ("<-", "closed")),
    "a request with a body": lambda: answered(POST + b"a=b&c", [ok(("Content-Length", "0"))]),
    "a request that is not finished so far": lambda: recorded(("->", GET[:-8])),
    "a request that is never finished": lambda: recorded(("->", GET[:-8]), ("->", "closed"), ("<-", "closed")),
    "an event that chunks have cut": lambda: answered(
        GET, [CHUNKED + chunk(b"id: 1\nda") + chunk(b"ta: x\n") + chunk(b"\n") + LAST_CHUNK]
    ),
    "documents of JSON, one cut by chunks": lambda: answered(
        GET,
        [
            ok(("Content-Type", "application/x-ndjson"), ("Transfer-Encoding", "chunked")),
            chunk(b'{"n":0}\n{"n"') + chunk(b":1}\nNaN\n\n") + LAST_CHUNK,
        ],
    ),
    "parts that replace each other": lambda: answered(
        GET, [ok(("Content-Type", "multipart/x-mixed-replace; boundary=cut")) + PARTS + multipart.closing("cut")]
    ),
    "parts in chunks": lambda: answered(
        GET,
        [
            ok(("Content-Type", "multipart/x-mixed-replace; boundary=cut"), ("Transfer-Encoding", "chunked")),
            chunk(PARTS[:9]) + chunk(PARTS[9:40]) + chunk(PARTS[40:51]) + chunk(PARTS[51:]),
        ],
    ),
    "frames in both directions": lambda: recorded(
        ("->", UPGRADE),
        ("<-", UPGRADED + websocket.Frame(websocket.TEXT, b"hi").encode()),
        ("->", MASKED),
        ("<-", websocket.Frame(websocket.PING).encode() + BYE.encode()[:-1]),
        ("<-", BYE.encode()[-1:]),
        ("->", "closed"),
        ("<-", "closed"),
    ),
    "a message in pieces, a long one, and one begun": lambda: recorded(
        ("->", UPGRADE),
        ("<-", UPGRADED + websocket.Frame(websocket.TEXT, b"he", fin=False).encode()),
        ("<-", websocket.Frame(websocket.CONTINUATION, b"llo").encode()),
        ("<-", websocket.Frame(websocket.BINARY, b"x" * 126).encode() + b"\x81\x7e\x00"),
    ),
    "frames that are none": lambda: recorded(
        ("->", UPGRADE), ("<-", UPGRADED), ("->", b"\x83\x00 hello"), ("<-", "reset")
    ),
    "an upgrade that is refused": lambda: answered(
        UPGRADE,
        [
            Head("HTTP/1.1 426 Upgrade Required", (("Upgrade", "websocket"), ("Content-Length", "3"))).encode(),
            b"no\n",
        ],
    ),
    "two connections": lambda: recorded(
        ("->", GET), ("<-", "refused"), connection=2, into=answered(GET, [ok(("Content-Length", "0"))])
    ),
    "two messages on one connection": lambda: answered(GET, [ONE_BYTE], ("->", GET), ("<-", ONE_BYTE)),
    "another protocol": lambda: recorded(
        ("->", b"hello\n"),
        ("<-", b"hello\n"),
        ("->", b"bye\0\xff"),
        ("<-", b"bye\0\xff"),
        ("->", "closed"),
        ("<-", "closed"),
    ),
    "chunks that cannot be": lambda: answered(GET, [CHUNKED + A_CHUNK + b"zz\r\nno\n"], ("<-", "closed")),
    "a trailer": lambda: answered(GET, [CHUNKED + A_CHUNK + b"0\r\nSet-Cookie: a\r\nDigest: b\r\n\r\n"]),
    "secrets": lambda: secrets(),
    "bytes that were not kept": lambda: recorded(
        ("->", GET), ("<-", TWO_TICKS), ("->", "closed"), ("<-", "closed"), keep=len(GET + TWO_TICKS) - 12
    ),
    "bytes that cannot be seen": lambda: answered(
        GET, [CHUNKED + chunk(b"data: \x1b[31m\t\xff \\n caf\xc3\xa9\r\n\r\n")]
    ),
    "nothing": lambda: recorded(),
}

TEXTS = {
    "two ticks in chunks": r"""
-> GET /sse?count=2 HTTP/1.1\r\n
   Host: x\r\n
   \r\n             blank line: end of headers

<- HTTP/1.1 200 OK\r\n
   Content-Type: text/event-stream\r\n
   Transfer-Encoding: chunked\r\n
   \r\n             blank line: end of headers
   b\r\n            chunk of 11 bytes
   ┌ data: \ 0\n
   └ \n             blank line: dispatches event "message": "\ 0"
   \r\n
   b\r\n            chunk of 11 bytes
   ┌ data: | 1\n
   └ \n             blank line: dispatches event "message": "| 1"
   \r\n
   0\r\n\r\n        last chunk: the body is complete
""",
    "a body by its length": r"""
-> GET /sse?count=2 HTTP/1.1\r\n
   Host: x\r\n
   \r\n             blank line: end of headers

<- HTTP/1.1 200 OK\r\n
   Content-Type: text/plain\r\n
   Content-Length: 12\r\n
   \r\n             blank line: end of headers
   │ hello\n
   │ world\n
   (Content-Length reached: the body is complete)
""",
    "a body that ends with the connection": r"""
-> GET /sse?count=2 HTTP/1.1\r\n
   Host: x\r\n
   \r\n             blank line: end of headers

<- HTTP/1.1 200 OK\r\n
   Content-Type: text/plain\r\n
   \r\n             blank line: end of headers
   │ hello\n
   │ wor
   (the server closes the connection: this ends the body, complete or not)
""",
    "a body whose last chunk is missing": r"""
-> GET /sse?count=2 HTTP/1.1\r\n
   Host: x\r\n
   \r\n             blank line: end of headers

<- HTTP/1.1 200 OK\r\n
   Content-Type: text/event-stream\r\n
   Transfer-Encoding: chunked\r\n
   \r\n             blank line: end of headers
   9\r\n            chunk of 9 bytes
   ┌ data: a\n
   └ \n             blank line: dispatches event "message": "a"
   \r\n
   (the server closes the connection: the body is incomplete)
""",
    "a body shorter than its length": r"""
-> GET /sse?count=2 HTTP/1.1\r\n
   Host: x\r\n
   \r\n             blank line: end of headers

<- HTTP/1.1 200 OK\r\n
   Content-Length: 12\r\n
   \r\n             blank line: end of headers
   │ hello
   (the server closes the connection: the body is incomplete)
""",
    "a server that resets": r"""
-> GET /sse?count=2 HTTP/1.1\r\n
   Host: x\r\n
   \r\n             blank line: end of headers

<- HTTP/1.1 200 OK\r\n
   Content-Type: text/event-stream\r\n
   Transfer-Encoding: chunked\r\n
   \r\n             blank line: end of headers
   9\r\n            chunk of 9 bytes
   ┌ data:
   (the server resets the connection: the body is incomplete)
""",
    "a client that leaves": r"""
-> GET /sse?count=2 HTTP/1.1\r\n
   Host: x\r\n
   \r\n             blank line: end of headers

<- HTTP/1.1 200 OK\r\n
   Content-Type: text/event-stream\r\n
   Transfer-Encoding: chunked\r\n
   \r\n             blank line: end of headers
   9\r\n            chunk of 9 bytes
   ┌ data: a\n
   └ \n             blank line: dispatches event "message": "a"
   \r\n

-> (the client disconnects)

<- (the server closes the connection; the recording cannot show whether the app still runs)
""",
    "a client that resets": r"""
-> GET /sse?count=2 HTTP/1.1\r\n
   Host: x\r\n
   \r\n             blank line: end of headers

<- HTTP/1.1 200 OK\r\n
   Content-Type: text/event-stream\r\n
   Transfer-Encoding: chunked\r\n
   \r\n             blank line: end of headers
   9\r\n            chunk of 9 bytes
   ┌ data: a\n
   └ \n             blank line: dispatches event "message": "a"
   \r\n

-> (the client resets the connection)

<- (not noticed by the server so far)
""",
    "a stream that is still open": r"""
-> GET /sse?count=2 HTTP/1.1\r\n
   Host: x\r\n
   \r\n             blank line: end of headers

<- HTTP/1.1 200 OK\r\n
   Content-Type: text/event-stream\r\n
   Transfer-Encoding: chunked\r\n
   \r\n             blank line: end of headers
   9\r\n            chunk of 9 bytes
   ┌ data: a\n
   └ \n             blank line: dispatches event "message": "a"
   \r\n
   9\r\n            chunk of 9 bytes
   ┌ da
   (still open)
""",
    "a server that refuses": r"""
<- (connection refused: no server listens at this address)
""",
    "a server that closes without a word": r"""
-> GET /sse?count=2 HTTP/1.1\r\n
   Host: x\r\n
   \r\n             blank line: end of headers

<- (the server closes the connection without a response)
""",
    "a request with a body": r"""
-> POST /x HTTP/1.1\r\n
   Content-Length: 5\r\n
   \r\n             blank line: end of headers
   │ a=b&c
   (Content-Length reached: the body is complete)

<- HTTP/1.1 200 OK\r\n
   Content-Length: 0\r\n
   \r\n             blank line: end of headers
   (Content-Length reached: the body is complete)
""",
    "a request that is not finished so far": r"""
-> GET /sse?count=2 HTTP/1.1\r\n
   Hos              incomplete so far
""",
    "a request that is never finished": r"""
-> GET /sse?count=2 HTTP/1.1\r\n
   Hos              incomplete: the connection was closed

-> (the client disconnects)

<- (the server closes the connection)
""",
    "an event that chunks have cut": r"""
-> GET /sse?count=2 HTTP/1.1\r\n
   Host: x\r\n
   \r\n             blank line: end of headers

<- HTTP/1.1 200 OK\r\n
   Content-Type: text/event-stream\r\n
   Transfer-Encoding: chunked\r\n
   \r\n             blank line: end of headers
   8\r\n            chunk of 8 bytes
   ┌ id: 1\n
   │ da
   \r\n
   6\r\n            chunk of 6 bytes
   │ ta: x\n
   \r\n
   1\r\n            chunk of 1 byte
   └ \n             blank line: dispatches event "message": "x"
   \r\n
   0\r\n\r\n        last chunk: the body is complete
""",
    "documents of JSON, one cut by chunks": r"""
-> GET /sse?count=2 HTTP/1.1\r\n
   Host: x\r\n
   \r\n             blank line: end of headers

<- HTTP/1.1 200 OK\r\n
   Content-Type: application/x-ndjson\r\n
   Transfer-Encoding: chunked\r\n
   \r\n             blank line: end of headers
   c\r\n            chunk of 12 bytes
   └ {"n":0}\n      line end: document 1 is complete
   ┌ {"n"
   \r\n
   9\r\n            chunk of 9 bytes
   └ :1}\n          line end: document 2 is complete
   └ NaN\n          line 3 is not JSON: NaN is not a JSON value
   └ \n             blank line: skipped
   \r\n
   0\r\n\r\n        last chunk: the body is complete
""",
    "parts that replace each other": r"""
-> GET /sse?count=2 HTTP/1.1\r\n
   Host: x\r\n
   \r\n             blank line: end of headers

<- HTTP/1.1 200 OK\r\n
   Content-Type: multipart/x-mixed-replace; boundary=cut\r\n
   \r\n             blank line: end of headers
   ┌ --cut\r\n      boundary: part 1 begins
   │ Content-Type: text/plain\r\n
   │ \r\n           blank line: end of the part's headers
   │ \x89PNG\r\n\n\r\0\r\n body of part 1
   ┌ --cut\r\n      boundary: part 1 is complete, 9 bytes; part 2 begins
   │ Content-Type: text/plain\r\n
   │ Content-Length: 2\r\n
   │ \r\n           blank line: end of the part's headers
   │ 12\r\n         body of part 2, complete by Content-Length
   └ --cut--\r\n    last boundary: no part follows
   (still open)
""",
    "parts in chunks": r"""
-> GET /sse?count=2 HTTP/1.1\r\n
   Host: x\r\n
   \r\n             blank line: end of headers

<- HTTP/1.1 200 OK\r\n
   Content-Type: multipart/x-mixed-replace; boundary=cut\r\n
   Transfer-Encoding: chunked\r\n
   \r\n             blank line: end of headers
   9\r\n            chunk of 9 bytes
   ┌ --cut\r\n      boundary: part 1 begins
   │ Co
   \r\n
   1f\r\n           chunk of 31 bytes
   │ ntent-Type: text/plain\r\n
   │ \r\n           blank line: end of the part's headers
   │ \x89PNG\r      body of part 1
   \r\n
   b\r\n            chunk of 11 bytes
   │ \n\n\r\0\r\n   body of part 1
   │ --cut          body of part 1
   \r\n
   35\r\n           chunk of 53 bytes
   ┌ \r\n           boundary: part 1 is complete, 9 bytes; part 2 begins
   │ Content-Type: text/plain\r\n
   │ Content-Length: 2\r\n
   │ \r\n           blank line: end of the part's headers
   │ 12\r\n         body of part 2, complete by Content-Length
   \r\n
   (still open)
""",
    "frames in both directions": r"""
-> GET /ws HTTP/1.1\r\n
   Upgrade: websocket\r\n
   Connection: Upgrade\r\n
   \r\n             blank line: end of headers

<- HTTP/1.1 101 Switching Protocols\r\n
   Upgrade: websocket\r\n
   \r\n             blank line: end of headers
   ┌ \x81\x02       1 000 0001: FIN, text; 0 0000010: no mask, 2 bytes
   └ hi             text message: "hi"

-> ┌ \x81\x85       1 000 0001: FIN, text; 1 0000101: masked, 5 bytes
   │ abcd           masking key
   └ \t\x07\x0f\x08\x0e text message: "hello"

<- ┌ \x89\0         1 000 1001: FIN, ping; 0 0000000: no mask, 0 bytes
   └                ping
   ┌ \x88\x05       1 000 1000: FIN, close; 0 0000101: no mask, 5 bytes
   └ \x03\xe8bye    close 1000: "bye"

-> (the client closes the connection)
""",
    "a message in pieces, a long one, and one begun": r"""
-> GET /ws HTTP/1.1\r\n
   Upgrade: websocket\r\n
   Connection: Upgrade\r\n
   \r\n             blank line: end of headers

<- HTTP/1.1 101 Switching Protocols\r\n
   Upgrade: websocket\r\n
   \r\n             blank line: end of headers
   ┌ \x01\x02       0 000 0001: text; 0 0000010: no mask, 2 bytes
   └ he             fragment of a message: more fragments follow
   ┌ \x80\x03       1 000 0000: FIN, continuation; 0 0000011: no mask, 3 bytes
   └ llo            text message: "hello"
   ┌ \x82~          1 000 0010: FIN, binary; 0 1111110: no mask, length in the next 16 bits
   │ \0~            length: 126 bytes
   └ xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx... (126 bytes) binary message: 126 bytes
   │ \x81~\0        incomplete frame
   (still open)
""",  # noqa: E501
    "frames that are none": r"""
-> GET /ws HTTP/1.1\r\n
   Upgrade: websocket\r\n
   Connection: Upgrade\r\n
   \r\n             blank line: end of headers

<- HTTP/1.1 101 Switching Protocols\r\n
   Upgrade: websocket\r\n
   \r\n             blank line: end of headers

-> │ \x83\0 hello   not a frame: opcode 3 has no meaning

<- (the server resets the connection)
""",
    "an upgrade that is refused": r"""
-> GET /ws HTTP/1.1\r\n
   Upgrade: websocket\r\n
   Connection: Upgrade\r\n
   \r\n             blank line: end of headers

<- HTTP/1.1 426 Upgrade Required\r\n
   Upgrade: websocket\r\n
   Content-Length: 3\r\n
   \r\n             blank line: end of headers
   │ no\n
   (Content-Length reached: the body is complete)
""",
    "two connections": r"""
connection 1

-> GET /sse?count=2 HTTP/1.1\r\n
   Host: x\r\n
   \r\n             blank line: end of headers

<- HTTP/1.1 200 OK\r\n
   Content-Length: 0\r\n
   \r\n             blank line: end of headers
   (Content-Length reached: the body is complete)

connection 2

-> GET /sse?count=2 HTTP/1.1\r\n
   Host: x\r\n
   \r\n             blank line: end of headers

<- (connection refused: no server listens at this address)
""",
    "two messages on one connection": r"""
-> GET /sse?count=2 HTTP/1.1\r\n
   Host: x\r\n
   \r\n             blank line: end of headers

<- HTTP/1.1 200 OK\r\n
   Content-Length: 1\r\n
   \r\n             blank line: end of headers
   │ x
   (Content-Length reached: the body is complete)

-> GET /sse?count=2 HTTP/1.1\r\n
   Host: x\r\n
   \r\n             blank line: end of headers

<- HTTP/1.1 200 OK\r\n
   Content-Length: 1\r\n
   \r\n             blank line: end of headers
   │ x
   (Content-Length reached: the body is complete)
""",
    "another protocol": r"""
-> (not HTTP/1: not the start line of a request)
   │ hello\n

<- (not HTTP/1: not the start line of a response)
   │ hello\n

-> │ bye\0\xff

<- │ bye\0\xff

-> (the client disconnects)

<- (the server closes the connection)
""",
    "chunks that cannot be": r"""
-> GET /sse?count=2 HTTP/1.1\r\n
   Host: x\r\n
   \r\n             blank line: end of headers

<- HTTP/1.1 200 OK\r\n
   Content-Type: text/event-stream\r\n
   Transfer-Encoding: chunked\r\n
   \r\n             blank line: end of headers
   9\r\n            chunk of 9 bytes
   ┌ data: a\n
   └ \n             blank line: dispatches event "message": "a"
   \r\n
   (not HTTP/1: the size of a chunk is not a hexadecimal number: 'zz')
   │ zz\r\n
   │ no\n
   (the server closes the connection)
""",
    "a trailer": r"""
-> GET /sse?count=2 HTTP/1.1\r\n
   Host: x\r\n
   \r\n             blank line: end of headers

<- HTTP/1.1 200 OK\r\n
   Content-Type: text/event-stream\r\n
   Transfer-Encoding: chunked\r\n
   \r\n             blank line: end of headers
   9\r\n            chunk of 9 bytes
   ┌ data: a\n
   └ \n             blank line: dispatches event "message": "a"
   \r\n
   0\r\n            last chunk
   Set-Cookie: (not shown)\r\n
   Digest: b\r\n
   \r\n             blank line: end of trailers, the body is complete
""",
    "secrets": r"""
-> GET /?token=(not shown)&n=1 HTTP/1.1\r\n
   Cookie: (not shown)\r\n
   Authorization: (not shown)\r\n
   \r\n             blank line: end of headers

<- HTTP/1.1 200 OK\r\n
   Set-Cookie: (not shown)\r\n
   Location: /?n=1&access_token=(not shown)\r\n
   Content-Length: 0\r\n
   \r\n             blank line: end of headers
   (Content-Length reached: the body is complete)
""",
    "bytes that were not kept": r"""
-> GET /sse?count=2 HTTP/1.1\r\n
   Host: x\r\n
   \r\n             blank line: end of headers

<- HTTP/1.1 200 OK\r\n
   Content-Type: text/event-stream\r\n
   Transfer-Encoding: chunked\r\n
   \r\n             blank line: end of headers
   b\r\n            chunk of 11 bytes
   ┌ data: \ 0\n
   └ \n             blank line: dispatches event "message": "\ 0"
   \r\n
   b\r\n            chunk of 11 bytes
   ┌ data:

   (12 more bytes and 2 connection ends not kept: the limit is keep=143)
""",
    "bytes that cannot be seen": r"""
-> GET /sse?count=2 HTTP/1.1\r\n
   Host: x\r\n
   \r\n             blank line: end of headers

<- HTTP/1.1 200 OK\r\n
   Content-Type: text/event-stream\r\n
   Transfer-Encoding: chunked\r\n
   \r\n             blank line: end of headers
   1a\r\n           chunk of 26 bytes
   ┌ data: \x1b[31m\t\xff \\n café\r\n
   └ \r\n           blank line: dispatches event "message": "\x1b[31m\t� \n café"
   \r\n
   (still open)
""",
    "nothing": r"""
nothing is recorded yet
""",
}


@pytest.mark.parametrize("name", CASES)
def test_a_recording_draws_as_text(name: str) -> None:
    assert CASES[name]().text(times=False) == TEXTS[name].strip("\n")


def test_every_case_has_its_text() -> None:
    assert CASES.keys() == TEXTS.keys()


def test_times_stand_before_what_is_worth_a_look_in_a_column_of_their_own() -> None:
    recording = answered(GET, [CHUNKED + A_CHUNK, LAST_CHUNK])
    column = re.compile(r" *(?:[0-9]+\.[0-9] ms|) (?=   |-> |<- )")
    lines = str(recording).splitlines()
    found = [column.match(line.ljust(13)) for line in lines if line]
    assert len({match and match.end() for match in found}) == 1
    timed = [
        line.partition(" ms ")[2].split("  ")[0].strip() or line.split()[2] for line in lines if " ms " in line[:12]
    ]
    assert [line.removeprefix("-> ").removeprefix("<- ") for line in timed] == [
        r"GET /sse?count=2 HTTP/1.1\r\n",
        r"HTTP/1.1 200 OK\r\n",
        r"9\r\n",
        r"0\r\n\r\n",
    ]
    assert [line[10:] for line in lines] == recording.text(times=False).splitlines()


def test_secrets_are_shown_to_who_asks_for_them() -> None:
    shown = secrets().text(times=False, secrets=True)
    for secret in (
        "token=abc",
        "Cookie: a=b",
        "Authorization: Bearer x",
        "Set-Cookie: a=b; Path=/",
        "access_token=q",
    ):
        assert secret in shown
        assert secret not in secrets().text()
        assert secret not in secrets().html()
        assert secret not in secrets().received()
    assert "(not shown)" not in shown


def test_a_secret_is_hidden_wherever_a_piece_cuts_it() -> None:
    asked = Head("GET /?token=sesame HTTP/1.1", (("Cookie", "sesame"), ("Host", "x"))).encode()
    for pieces in every_cut(asked):
        recording = recorded(*(("->", piece) for piece in pieces if piece))
        joined = "".join(line.partition(" bytes  ")[2] for line in recording.received().splitlines())
        assert joined == visible(asked).replace("sesame", "******")


@pytest.mark.parametrize("end", [b"", b"\r\n", b"\r\nbroken head\r\n\r\n"])
def test_a_secret_in_a_head_that_is_cut_or_broken_is_hidden(end: bytes) -> None:
    asked = b"GET / HTTP/1.1\r\nCookie: sesame" + end
    for recording in (recorded(("->", asked)), recorded(("->", asked), ("->", "closed"))):
        assert "Cookie: (not shown)" in recording.text()
        assert "sesame" not in recording.text() + recording.html() + recording.received()
        assert "sesame" in recording.text(secrets=True)


def test_of_a_long_body_the_first_lines_are_drawn_and_the_others_counted() -> None:
    body = b"".join(b"line %d\n" % number for number in range(9))
    recording = answered(GET, [ok(("Content-Length", str(len(body)))) + body])
    lines = recording.text(times=False, most=2).splitlines()
    assert lines[-4:] == [
        r"   │ line 0\n",
        r"   │ line 1\n",
        "   (49 more bytes of the body, not drawn)",
        "   (Content-Length reached: the body is complete)",
    ]
    assert "7 more bytes of the body, not drawn" in recording.text(most=8)
    assert "more" not in recording.text(most=9)


def test_of_many_chunks_those_whose_lines_are_not_drawn_are_left_out() -> None:
    lines = answered(GET, [TWO_TICKS]).text(times=False, most=2).splitlines()
    assert [line.strip().split("  ")[0] for line in lines[-6:]] == [
        r"b\r\n",
        r"┌ data: \ 0\n",
        r"└ \n",
        r"\r\n",
        "(11 more bytes of the body, not drawn)",
        r"0\r\n\r\n",
    ]


def test_a_long_line_is_cut_and_its_length_told() -> None:
    recording = answered(GET, [ok(("Content-Length", "500")) + b"x" * 500])
    assert f"   │ {'x' * 100}... (500 bytes)" in recording.text(times=False).splitlines()


@given(st.lists(st.integers(0, 300), max_size=12))
def test_the_same_bytes_cut_differently_draw_the_same(places: list[int]) -> None:
    whole = answered(GET, [TWO_TICKS]).text(times=False)
    assert answered(GET, cut(TWO_TICKS, places)).text(times=False) == whole


def test_any_cut_of_frames_draws_the_same() -> None:
    name = "a message in pieces, a long one, and one begun"
    for pieces in every_cut(CASES[name]().bytes("<-")):
        assert answered(UPGRADE, pieces).text(times=False) == TEXTS[name].strip("\n")


@pytest.mark.parametrize(
    "name",
    [
        "a body by its length",
        "an event that chunks have cut",
        "a trailer",
        "documents of JSON, one cut by chunks",
        "parts that replace each other",
        "parts in chunks",
    ],
)
def test_any_cut_of_any_framing_draws_the_same(name: str) -> None:
    recording = CASES[name]()
    for pieces in every_cut(recording.bytes("<-")):
        assert answered(GET, pieces).text(times=False) == TEXTS[name].strip("\n")


# As HTML.


class Elements(HTMLParser):
    """The names of a text's elements, which must be closed in order, and its attributes."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.attributes: set[str] = set()
        self.open: list[str] = []
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def words(text: str) -> list[str]:
    """What a drawing says, without its lay-out: arrows as HTML writes them, no brackets round what happened."""
    bare = re.sub(r"(?m)^((?:\s*[0-9.]+ ms)?\s*(?:->|<-|→|←)?\s*)\((.*)\)$", r"\1\2", text)
    return [{"->": "→", "<-": "←"}.get(word, word) for word in bare.split()]


def as_text(html: str) -> str:
    return unescape(re.sub("<[^>]*>", "", html.replace("</p>", "\n").replace("</summary>", "\n")))


@pytest.mark.parametrize("times", [True, False])
@pytest.mark.parametrize("name", CASES)
def test_the_html_says_what_the_text_says(name: str, times: bool) -> None:
    recording = CASES[name]()
    assert words(as_text(recording.html(times=times))) == words(recording.text(times=times))


@pytest.mark.parametrize("name", CASES)
def test_the_html_is_of_seven_plain_elements(name: str) -> None:
    found = Elements(CASES[name]().html())
    assert found.names <= {"h4", "details", "summary", "pre", "b", "i", "p"}
    assert found.attributes <= {"open"}


@pytest.mark.parametrize(
    "text", ["<script>alert(1)</script>", "</pre><img src=x onerror=alert(1)>", "&lt;b&gt; & <i>"]
)
def test_data_never_becomes_an_element(text: str) -> None:
    data = text.encode()
    asked = b"GET /" + data.replace(b" ", b"") + b" HTTP/1.1\r\nX: " + data + b"\r\n\r\n"
    event = CHUNKED + chunk(b"data: " + data + b"\nevent: " + data + b"\n\n") + b"1" + data + b"\r\n"
    html = answered(asked, [event]).html()
    found = Elements(html)
    assert found.names <= {"h4", "details", "summary", "pre", "b", "i", "p"}
    assert found.attributes <= {"open"}
    assert as_text(html).count(text) >= 3


def test_a_drawing_shows_itself_as_text_and_as_html() -> None:
    recording = answered(GET, [TWO_TICKS])
    assert str(recording) == recording.text()
    assert recording._repr_html_() == recording.html()


# Bytes made visible.


@given(st.binary() | st.text().map(str.encode))
@example(b"\x80")
@example("\x80\xa0\xad\u2028\U000e0001".encode())
@example(b"\\n\\\n\\")
def test_every_byte_can_be_seen_and_no_two_streams_look_the_same(data: bytes) -> None:
    shown = visible(data)
    assert all(char.isprintable() for char in shown)
    assert backwards(shown) == data


ESCAPED = re.compile(r"\\x[89a-f].|\\x..|\\u....|\\U........|\\[rnt0]|\\\\(?=[rntx0uU\\])|.", re.DOTALL)


def backwards(shown: str) -> bytes:
    """Read what is visible back into bytes."""
    return b"".join(_byte_or_character(found) for found in ESCAPED.findall(shown))


def _byte_or_character(text: str) -> bytes:
    if re.fullmatch(r"\\x[89a-f].", text):  # a byte that is not UTF-8
        return bytes([int(text[2:], 16)])
    if re.fullmatch(r"\\.+", text):
        return text.encode().decode("unicode_escape").encode()
    return text.encode()


def test_a_time_is_in_milliseconds_with_one_decimal() -> None:
    assert [milliseconds(seconds) for seconds in (0, 0.00004, 1.5)] == ["0.0 ms", "0.0 ms", "1500.0 ms"]
