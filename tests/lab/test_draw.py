"""The drawings: golden texts of what a recording says, and the same as HTML."""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable
from html import unescape
from html.parser import HTMLParser

import pytest
from cpu_time import cpu_seconds, expect_linear
from hypothesis import example, given
from hypothesis import strategies as st
from recordings import CHUNKED, GET, TWO_TICKS, Step, answered, recorded
from splits import cut, every_cut

from server.lab import Recording
from server.lab.draw import milliseconds, visible
from server.wire import multipart, websocket
from server.wire.http import LAST_CHUNK, Head, Parser, chunk

PLAIN = ("Content-Type", "text/plain")
MULTIPART = ("Content-Type", "multipart/x-mixed-replace; boundary=cut")
SSE = ("Content-Type", "text/event-stream")
GZIP = ("Content-Encoding", "gzip")
EVENT = b"data: a\n\n"
A_CHUNK = chunk(EVENT)
POST = Head("POST /x HTTP/1.1", (("Content-Length", "5"),)).encode()


def ok(*fields: tuple[str, str]) -> bytes:
    return Head("HTTP/1.1 200 OK", fields).encode()


# Two events in gzip, each flushed at once, and one event by itself.
GZIP_EVENTS = (
    b"\x1f\x8b\x08\0\0\0\0\0\0\x03JI,I\xb4RH\xe4\xe2\x02\0\0\0\xff\xff",
    b"J\x013\x92\xb8\xb8\0\0\0\0\xff\xff\x03\0\xbaY\xc7\xdf\x12\0\0\0",
)
GZIP_EVENT = b"\x1f\x8b\x08\0\0\0\0\0\x02\x03KI,I\xb4RH\xe4\xe2\x02\0~\xe3\xc48\t\0\0\0"


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
    "a gzip body in chunks": lambda: answered(
        GET, [ok(SSE, GZIP, ("Transfer-Encoding", "chunked")), *map(chunk, GZIP_EVENTS), LAST_CHUNK]
    ),
    "a gzip body by its length": lambda: answered(GET, [ok(SSE, GZIP, ("Content-Length", "47")), *GZIP_EVENTS]),
    "a gzip transfer coding": lambda: answered(
        GET, [ok(SSE, ("Transfer-Encoding", "gzip, chunked")) + chunk(GZIP_EVENT) + LAST_CHUNK]
    ),
    "an incomplete gzip body": lambda: answered(GET, [ok(SSE, GZIP, ("Content-Length", "20")) + GZIP_EVENT[:20]]),
    "a brotli body": lambda: answered(
        GET, [ok(SSE, ("Content-Encoding", "br"), ("Content-Length", "4")) + b"\x8b\x01\x80a"]
    ),
    "a body that is not gzip": lambda: answered(GET, [ok(SSE, GZIP, ("Content-Length", "9")) + EVENT]),
    "an event without a blank line at the end": lambda: answered(
        GET, [CHUNKED + A_CHUNK + chunk(b"data: b\n") + LAST_CHUNK]
    ),
    "a document without a line end at the end": lambda: answered(
        GET, [ok(("Content-Type", "application/x-ndjson"), ("Content-Length", "3")) + b"1\n2"]
    ),
    "a part without a boundary at the end": lambda: answered(
        GET,
        [
            ok(("Content-Type", "multipart/x-mixed-replace; boundary=cut"), ("Content-Length", "12"))
            + b"--cut\r\n\r\nabc"
        ],
    ),
    "a body after 204": lambda: answered(
        GET, [Head("HTTP/1.1 204 No Content").encode() + b"hello"], ("<-", "closed"), ("->", "closed")
    ),
    "a body after HEAD": lambda: answered(
        Head("HEAD / HTTP/1.1").encode(), [ok(("Content-Length", "5")) + b"hello"], ("<-", "closed")
    ),
    "a tunnel": lambda: recorded(
        ("->", Head("CONNECT x:443 HTTP/1.1").encode()),
        ("<-", ok()),
        ("->", b"\x16\x03\x01\x00\x05hello"),
        ("<-", b"\x16\x03\x03\x00\x02hi"),
        ("->", "closed"),
        ("<-", "closed"),
    ),
    "TLS": lambda: recorded(("->", b"\x16\x03\x01\x02\x00\x01"), ("<-", b"\x15\x03\x01\x00\x02\x02\x46")),
    "HTTP/2": lambda: recorded(("->", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), ("<-", b"\0\0\0\x04\0\0\0\0\0")),
    "no response": lambda: recorded(("->", GET)),
    "a disconnect that the server does not notice": lambda: answered(GET, [CHUNKED + A_CHUNK], ("->", "closed")),
    "tolerated faults": lambda: answered(
        GET,
        [b"HTTP/1.1 200 OK\r\nA : b\r\nContent-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n" + LAST_CHUNK],
    ),
    "invalid frames": lambda: recorded(
        ("->", UPGRADE),
        ("<-", UPGRADED + b"\x81\x03\xed\xa0\x80" + b"\xc1\x02hi" + b"\x88\x02\x03\xe7"),
    ),
    "nothing": lambda: recorded(),
}

# The drawing of GET, which begins most of the texts below.
REQUEST = r"""
-> GET /sse?count=2 HTTP/1.1\r\n
   Host: x\r\n
   \r\n             blank line: end of headers

"""

TEXTS = {
    "two ticks in chunks": REQUEST
    + r"""<- HTTP/1.1 200 OK\r\n
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
    "a body by its length": REQUEST
    + r"""<- HTTP/1.1 200 OK\r\n
   Content-Type: text/plain\r\n
   Content-Length: 12\r\n
   \r\n             blank line: end of headers
   │ hello\n
   │ world\n
   (Content-Length reached: the body is complete)
""",
    "a body that ends with the connection": REQUEST
    + r"""<- HTTP/1.1 200 OK\r\n
   Content-Type: text/plain\r\n
   \r\n             blank line: end of headers
   │ hello\n
   │ wor
   (the server closes the connection: this ends the body, complete or not)
""",
    "a body whose last chunk is missing": REQUEST
    + r"""<- HTTP/1.1 200 OK\r\n
   Content-Type: text/event-stream\r\n
   Transfer-Encoding: chunked\r\n
   \r\n             blank line: end of headers
   9\r\n            chunk of 9 bytes
   ┌ data: a\n
   └ \n             blank line: dispatches event "message": "a"
   \r\n
   (the server closes the connection: the body is incomplete)
""",
    "a body shorter than its length": REQUEST
    + r"""<- HTTP/1.1 200 OK\r\n
   Content-Length: 12\r\n
   \r\n             blank line: end of headers
   │ hello
   (the server closes the connection: the body is incomplete)
""",
    "a server that resets": REQUEST
    + r"""<- HTTP/1.1 200 OK\r\n
   Content-Type: text/event-stream\r\n
   Transfer-Encoding: chunked\r\n
   \r\n             blank line: end of headers
   9\r\n            chunk of 9 bytes
   ┌ data:
   (the server resets the connection: the body is incomplete)
""",
    "a client that leaves": REQUEST
    + r"""<- HTTP/1.1 200 OK\r\n
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
    "a client that resets": REQUEST
    + r"""<- HTTP/1.1 200 OK\r\n
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
    "a stream that is still open": REQUEST
    + r"""<- HTTP/1.1 200 OK\r\n
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
    "a server that closes without a word": REQUEST
    + r"""<- (the server closes the connection without a response)
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
    "an event that chunks have cut": REQUEST
    + r"""<- HTTP/1.1 200 OK\r\n
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
    "documents of JSON, one cut by chunks": REQUEST
    + r"""<- HTTP/1.1 200 OK\r\n
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
    "parts that replace each other": REQUEST
    + r"""<- HTTP/1.1 200 OK\r\n
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
    "parts in chunks": REQUEST
    + r"""<- HTTP/1.1 200 OK\r\n
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

-> │ \x83\0 hello   not a frame: opcode 3 is not defined

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
    "two messages on one connection": REQUEST
    + r"""<- HTTP/1.1 200 OK\r\n
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
    "chunks that cannot be": REQUEST
    + r"""<- HTTP/1.1 200 OK\r\n
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
    "a trailer": REQUEST
    + r"""<- HTTP/1.1 200 OK\r\n
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
    "bytes that were not kept": REQUEST
    + r"""<- HTTP/1.1 200 OK\r\n
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
    "bytes that cannot be seen": REQUEST
    + r"""<- HTTP/1.1 200 OK\r\n
   Content-Type: text/event-stream\r\n
   Transfer-Encoding: chunked\r\n
   \r\n             blank line: end of headers
   1a\r\n           chunk of 26 bytes
   ┌ data: \x1b[31m\t\xff \\n café\r\n
   └ \r\n           blank line: dispatches event "message": "\x1b[31m\t� \n café"
   \r\n
   (still open)
""",
    "a gzip body in chunks": REQUEST
    + r"""<- HTTP/1.1 200 OK\r\n
   Content-Type: text/event-stream\r\n
   Content-Encoding: gzip\r\n
   Transfer-Encoding: chunked\r\n
   \r\n             blank line: end of headers
   19\r\n           chunk of 25 bytes
   │ \x1f\x8b\x08\0\0\0\0\0... gzip, 25 bytes, decoded below
   ╔ data: a\n
   ╚ \n             blank line: dispatches event "message": "a"
   \r\n
   16\r\n           chunk of 22 bytes
   │ J\x013\x92\xb8\xb8\0\0... gzip, 22 bytes, decoded below
   ╔ data: b\n
   ╚ \n             blank line: dispatches event "message": "b"
   \r\n
   0\r\n\r\n        last chunk: the body is complete
""",
    "a gzip body by its length": REQUEST
    + r"""<- HTTP/1.1 200 OK\r\n
   Content-Type: text/event-stream\r\n
   Content-Encoding: gzip\r\n
   Content-Length: 47\r\n
   \r\n             blank line: end of headers
   │ \x1f\x8b\x08\0\0\0\0\0... gzip, 47 bytes, decoded below
   ╔ data: a\n
   ╚ \n             blank line: dispatches event "message": "a"
   ╔ data: b\n
   ╚ \n             blank line: dispatches event "message": "b"
   (Content-Length reached: the body is complete)
""",
    "a gzip transfer coding": REQUEST
    + r"""<- HTTP/1.1 200 OK\r\n
   Content-Type: text/event-stream\r\n
   Transfer-Encoding: gzip, chunked\r\n
   \r\n             blank line: end of headers
   1d\r\n           chunk of 29 bytes
   │ \x1f\x8b\x08\0\0\0\0\0... gzip, 29 bytes, decoded below
   ╔ data: a\n
   ╚ \n             blank line: dispatches event "message": "a"
   \r\n
   0\r\n\r\n        last chunk: the body is complete
""",
    "an incomplete gzip body": REQUEST
    + r"""<- HTTP/1.1 200 OK\r\n
   Content-Type: text/event-stream\r\n
   Content-Encoding: gzip\r\n
   Content-Length: 20\r\n
   \r\n             blank line: end of headers
   │ \x1f\x8b\x08\0\0\0\0\0... gzip, 20 bytes, decoded below
   ╔ data: a\n
   ╚ \n             blank line: dispatches event "message": "a"
   (Content-Length reached: the body is complete)
   (the gzip data are incomplete)
""",
    "a brotli body": REQUEST
    + r"""<- HTTP/1.1 200 OK\r\n
   Content-Type: text/event-stream\r\n
   Content-Encoding: br\r\n
   Content-Length: 4\r\n
   \r\n             blank line: end of headers
   │ \x8b\x01\x80a  compressed (br), 4 bytes: not readable as events
   (Content-Length reached: the body is complete)
""",
    "a body that is not gzip": REQUEST
    + r"""<- HTTP/1.1 200 OK\r\n
   Content-Type: text/event-stream\r\n
   Content-Encoding: gzip\r\n
   Content-Length: 9\r\n
   \r\n             blank line: end of headers
   │ data: a\n...   gzip, 9 bytes: the data are not valid, not decoded
   (Content-Length reached: the body is complete)
""",
    "an event without a blank line at the end": REQUEST
    + r"""<- HTTP/1.1 200 OK\r\n
   Content-Type: text/event-stream\r\n
   Transfer-Encoding: chunked\r\n
   \r\n             blank line: end of headers
   9\r\n            chunk of 9 bytes
   ┌ data: a\n
   └ \n             blank line: dispatches event "message": "a"
   \r\n
   8\r\n            chunk of 8 bytes
   ┌ data: b\n
   \r\n
   0\r\n\r\n        last chunk: the body is complete
   (the last event is never dispatched: no blank line follows it)
""",
    "a document without a line end at the end": REQUEST
    + r"""<- HTTP/1.1 200 OK\r\n
   Content-Type: application/x-ndjson\r\n
   Content-Length: 3\r\n
   \r\n             blank line: end of headers
   └ 1\n            line end: document 1 is complete
   ┌ 2
   (Content-Length reached: the body is complete)
   (document 2 is incomplete: no line end follows it)
""",
    "a part without a boundary at the end": REQUEST
    + r"""<- HTTP/1.1 200 OK\r\n
   Content-Type: multipart/x-mixed-replace; boundary=cut\r\n
   Content-Length: 12\r\n
   \r\n             blank line: end of headers
   ┌ --cut\r\n      boundary: part 1 begins
   │ \r\n           blank line: end of the part's headers
   │ abc            body of part 1
   (Content-Length reached: the body is complete)
   (part 1 is incomplete: no boundary follows it)
""",
    "a body after 204": REQUEST
    + r"""<- HTTP/1.1 204 No Content\r\n
   \r\n             blank line: end of headers
   (bytes after a response without a body)
   │ hello
""",
    "a body after HEAD": r"""
-> HEAD / HTTP/1.1\r\n
   \r\n             blank line: end of headers

<- HTTP/1.1 200 OK\r\n
   Content-Length: 5\r\n
   \r\n             blank line: end of headers
   (bytes after a response without a body)
   │ hello
""",
    "a tunnel": r"""
-> CONNECT x:443 HTTP/1.1\r\n
   \r\n             blank line: end of headers

<- HTTP/1.1 200 OK\r\n
   \r\n             blank line: end of headers

-> │ \x16\x03\x01\0\x05hello

<- │ \x16\x03\x03\0\x02hi

-> (the client closes the connection)
""",
    "TLS": r"""
-> (TLS, not HTTP: one side uses https, the other http)
   │ \x16\x03\x01\x02\0\x01

<- (TLS, not HTTP: one side uses https, the other http)
   │ \x15\x03\x01\0\x02\x02F
""",
    "HTTP/2": r"""
-> (HTTP/2: this drawing reads HTTP/1 only)
   │ PRI * HTTP/2.0\r\n
   │ \r\n
   │ SM\r\n
   │ \r\n

<- (HTTP/2: this drawing reads HTTP/1 only)
   │ \0\0\0\x04\0\0\0\0\0
""",
    "no response": REQUEST
    + r"""<- (no response so far)
""",
    "a disconnect that the server does not notice": REQUEST
    + r"""<- HTTP/1.1 200 OK\r\n
   Content-Type: text/event-stream\r\n
   Transfer-Encoding: chunked\r\n
   \r\n             blank line: end of headers
   9\r\n            chunk of 9 bytes
   ┌ data: a\n
   └ \n             blank line: dispatches event "message": "a"
   \r\n

-> (the client disconnects)

<- (not noticed by the server so far)
""",
    "tolerated faults": REQUEST
    + r"""<- HTTP/1.1 200 OK\r\n
   A : b\r\n
   Content-Length: 9\r\n
   Transfer-Encoding: chunked\r\n
   \r\n             blank line: end of headers (note: Content-Length is ignored because of Transfer-Encoding, a space before a colon)
   0\r\n\r\n        last chunk: the body is complete
""",  # noqa: E501
    "invalid frames": r"""
-> GET /ws HTTP/1.1\r\n
   Upgrade: websocket\r\n
   Connection: Upgrade\r\n
   \r\n             blank line: end of headers

<- HTTP/1.1 101 Switching Protocols\r\n
   Upgrade: websocket\r\n
   \r\n             blank line: end of headers
   ┌ \x81\x03       1 000 0001: FIN, text; 0 0000011: no mask, 3 bytes
   └ \xed\xa0\x80   text message: 3 bytes (not valid UTF-8)
   ┌ \xc1\x02       1 100 0001: FIN, text; 0 0000010: no mask, 2 bytes; reserved bits without an extension
   └ hi             text message: "hi"
   ┌ \x88\x02       1 000 1000: FIN, close; 0 0000010: no mask, 2 bytes
   └ \x03\xe7       close 999 (this code must not be sent)
   (still open)
""",
    "nothing": r"""
nothing is recorded yet
""",
}


@pytest.mark.parametrize("name", CASES)
def test_a_recording_draws_as_text(name: str) -> None:
    assert CASES[name]().text(times=False) == TEXTS[name].strip("\n")


def test_every_case_has_an_expected_text() -> None:
    assert CASES.keys() == TEXTS.keys()


def test_times_are_drawn_in_the_first_column() -> None:
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


def test_secrets_are_shown_on_request() -> None:
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


def test_a_secret_is_hidden_however_it_is_split_over_reads() -> None:
    asked = Head("GET /?token=sesame HTTP/1.1", (("Cookie", "sesame"), ("Host", "x"))).encode()
    for pieces in every_cut(asked):
        recording = recorded(*(("->", piece) for piece in pieces if piece))
        joined = "".join(line.partition(" bytes  ")[2] for line in recording.received().splitlines())
        assert joined == visible(asked).replace("sesame", "******")


@pytest.mark.parametrize("end", [b"", b"\r\n", b"\r\nbroken head\r\n\r\n"])
def test_a_secret_in_an_incomplete_or_malformed_header_section_is_hidden(end: bytes) -> None:
    asked = b"GET / HTTP/1.1\r\nCookie: sesame" + end
    for recording in (recorded(("->", asked)), recorded(("->", asked), ("->", "closed"))):
        assert "Cookie: (not shown)" in recording.text()
        assert "sesame" not in recording.text() + recording.html() + recording.received()
        assert "sesame" in recording.text(secrets=True)


def test_a_long_body_shows_its_first_lines_and_counts_the_others() -> None:
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


def test_chunks_without_a_drawn_line_are_left_out() -> None:
    lines = answered(GET, [TWO_TICKS]).text(times=False, most=2).splitlines()
    assert [line.strip().split("  ")[0] for line in lines[-6:]] == [
        r"b\r\n",
        r"┌ data: \ 0\n",
        r"└ \n",
        r"\r\n",
        "(11 more bytes of the body, not drawn)",
        r"0\r\n\r\n",
    ]


def test_a_long_line_is_shortened_and_its_length_is_shown() -> None:
    recording = answered(GET, [ok(("Content-Length", "500")) + b"x" * 500])
    assert f"   │ {'x' * 100}... (500 bytes)" in recording.text(times=False).splitlines()


def test_the_number_of_messages_and_connections_is_limited_and_the_rest_is_counted() -> None:
    recording = Recording()
    for number in range(1, 41):
        recorded(("->", GET), ("<-", ONE_BYTE), connection=number, into=recording)
    assert recording.text().endswith("\n\n   (10 more connections, not drawn)")
    assert "<p>(10 more connections, not drawn)</p>" in recording.html()
    steps: list[Step] = [("->", GET), ("<-", ONE_BYTE)]
    one = recorded(*steps * 40)
    assert one.text(most=2).endswith("\n\n   (20 more messages, not drawn)")
    assert one.text(most=2).count("-> GET") == 30
    assert "not drawn" not in one.text(most=80)


def test_a_silence_shows_its_length_if_times_are_drawn() -> None:
    recording = recorded(("->", GET))
    assert re.search(r"\(no response so far, \d+\.\d s\)$", recording.text())
    recording.stop()
    assert re.search(r"\(no response until the recording stopped, \d+\.\d s\)$", recording.text())
    assert recording.text(times=False).endswith("(no response until the recording stopped)")


def test_a_drawing_of_a_long_stream_costs_little_more_than_its_framing() -> None:
    """Lines that are not shown cost little."""
    pieces = [chunk(b"data: %d\n\n" % number) for number in range(10_000)]
    recording = answered(GET, [CHUNKED, *pieces])

    def frame(recording: Recording) -> None:
        parser = Parser("response")
        for piece in recording.pieces[1:]:
            parser.feed(piece.data)

    framing = min(cpu_seconds(frame, recording) for _ in range(3))
    assert min(cpu_seconds(Recording.text, recording) for _ in range(2)) < 4 * framing
    assert min(cpu_seconds(Recording.html, recording) for _ in range(2)) < 4 * framing


@pytest.mark.parametrize("draw", [Recording.text, Recording.html, lambda recording: str(recording.timeline())])
def test_the_cost_of_many_connections_grows_linearly(draw: Callable[[Recording], object]) -> None:
    def polls(count: int) -> Recording:
        recording = Recording()
        for number in range(count):
            recorded(("->", GET), ("<-", ONE_BYTE), ("->", "closed"), connection=number, into=recording)
        return recording

    expect_linear(polls, draw, 150)
    assert len(polls(1000).text()) < 20_000


@pytest.mark.parametrize("size", [16, 1024])
def test_the_cost_of_one_line_in_small_reads_grows_linearly(size: int) -> None:
    expect_linear(lambda count: answered(GET, [ok(SSE), *[b"x" * size] * count]), Recording.text, 500)


def test_a_document_of_8_mb_costs_less_than_a_second() -> None:
    text = b'["' + b"x" * (8 << 20) + b'"]\n'
    pieces = [text[at : at + (1 << 16)] for at in range(0, len(text), 1 << 16)]
    recording = answered(GET, [ok(("Content-Type", "application/x-ndjson")), *pieces])
    assert cpu_seconds(Recording.text, recording) < 1
    assert "(8388613 bytes) line end: document 1 is complete" in recording.text()


def test_a_gzip_body_of_100_mb_is_decoded_up_to_a_limit() -> None:
    squeeze = zlib.compressobj(wbits=31)
    body = b"".join(squeeze.compress(b"\0" * (1 << 20)) for _ in range(100)) + squeeze.flush()
    recording = answered(GET, [ok(SSE, GZIP) + body], ("<-", "closed"))
    assert cpu_seconds(Recording.text, recording) < 1
    assert f"gzip, {len(body)} bytes: more is not decoded" in recording.text()


@given(st.lists(st.integers(0, 300), max_size=12))
def test_the_drawing_of_http_does_not_depend_on_the_reads(places: list[int]) -> None:
    whole = answered(GET, [TWO_TICKS]).text(times=False)
    assert answered(GET, cut(TWO_TICKS, places)).text(times=False) == whole


def test_the_drawing_of_websocket_frames_does_not_depend_on_the_reads() -> None:
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
        "a gzip body in chunks",
        "a gzip body by its length",
    ],
)
def test_the_drawing_of_each_framing_does_not_depend_on_the_reads(name: str) -> None:
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
def test_the_html_has_the_same_text_as_the_drawing(name: str, times: bool) -> None:
    recording = CASES[name]()
    assert words(as_text(recording.html(times=times))) == words(recording.text(times=times))


@pytest.mark.parametrize("name", CASES)
def test_the_html_uses_only_seven_elements(name: str) -> None:
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


@pytest.mark.parametrize(
    ("request_bytes", "response", "opened"),
    [
        (GET, [], [False]),
        (GET, [CHUNKED], [False, True]),
        (POST + b"hello", [CHUNKED], [True, True]),  # a request with a body
        (UPGRADE, [UPGRADED, MASKED], [False, True]),
    ],
)
def test_only_a_request_without_a_body_starts_folded(
    request_bytes: bytes, response: list[bytes], opened: list[bool]
) -> None:
    found = re.findall(r"<details( open)?>", answered(request_bytes, response).html())
    assert [attribute == " open" for attribute in found] == opened


def test_a_drawing_displays_itself_as_text_and_as_html() -> None:
    recording = answered(GET, [TWO_TICKS])
    assert str(recording) == recording.text()
    assert recording._repr_html_() == recording.html()


# Bytes made visible.


@given(st.binary() | st.text().map(str.encode))
@example(b"\x80")
@example("\x80\xa0\xad\u2028\U000e0001".encode())
@example(b"\\n\\\n\\")
def test_every_byte_is_visible_and_different_bytes_look_different(data: bytes) -> None:
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
