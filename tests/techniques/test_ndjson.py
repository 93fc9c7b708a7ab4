"""Tests of server.techniques.ndjson: one document per line, for GET and for POST."""

from __future__ import annotations

import json
import socket
import threading
import time
from typing import Any

import pytest
import requests
from raw_client import SECONDS, dial, read_all, read_until, wait_for

from server import create_app
from server.lab import BackgroundServer
from server.techniques import ndjson
from server.techniques.ndjson import MAX_BODY, MAX_WORDS
from server.ticks import Tick, ticks
from server.wire.ndjson import Parser

client: Any = create_app().test_client()

SOON = 1  # seconds, the limit for the end of a stream


def documents(response: Any) -> list[Any]:
    parser = Parser()
    found = parser.feed(response.data)
    parser.close()
    return found


def test_each_tick_is_one_line_in_one_chunk() -> None:
    assert list(ndjson.lines([Tick("\\", 0), Tick("|", 1)])) == [b'{"char":"\\\\","n":0}\n', b'{"char":"|","n":1}\n']


def test_the_headers_tell_caches_and_proxies_not_to_store_or_buffer() -> None:
    headers = client.get("/ndjson?count=0").headers
    assert headers["Content-Type"] == "application/x-ndjson"
    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Accel-Buffering"] == "no"


def test_the_documents_have_the_ticks_in_order() -> None:
    found = documents(client.get("/ndjson?count=9&interval=0"))
    assert found == [tick._asdict() for tick in ticks(count=9, interval=0)]


def test_a_count_of_0_has_an_empty_body() -> None:
    for response in (client.get("/ndjson?count=0"), client.post("/ndjson?count=0", json={"words": ["a"]})):
        assert (response.status_code, response.data) == (200, b"")


def test_on_the_wire_each_document_is_a_chunk(server: BackgroundServer) -> None:
    with requests.get(f"{server.url}/ndjson?count=3&interval=0", stream=True, timeout=SECONDS) as response:
        assert response.headers["Transfer-Encoding"] == "chunked"
        assert [json.loads(line)["n"] for line in response.iter_lines()] == [0, 1, 2]


# The body of a POST request.


def test_posted_words_replace_the_spinner() -> None:
    words = ["cat", "", "\u20ac\u2028\n", "cat"]
    found = documents(client.post("/ndjson?interval=0", json={"words": words, "more": [1]}))
    assert found == [{"char": word, "n": n} for n, word in enumerate(words)]


@pytest.mark.parametrize(("count", "shown"), [(1, "a"), (2, "ab"), (5, "ababa")])
def test_count_repeats_or_limits_the_posted_words(count: int, shown: str) -> None:
    found = documents(client.post(f"/ndjson?interval=0&count={count}", json={"words": ["a", "b"]}))
    assert "".join(document["char"] for document in found) == shown


def test_the_largest_number_of_words_is_accepted() -> None:
    assert len(documents(client.post("/ndjson?interval=0", json={"words": ["x"] * MAX_WORDS}))) == MAX_WORDS


EXAMPLE = 'the body must be a JSON document such as {"words": ["one", "two"]}, sent as application/json\n'


@pytest.mark.parametrize(
    "body",
    [
        *[
            b"",
            b"{",
            b"null",
            b"[]",
            b"1",
            b'"words"',
            b"{}",
            b'{"words":null}',
            b'{"words":"one"}',
            b'{"words":[1]}',
        ],
        *[b'{"words":{"0":"a"}}', b'{"words":["a",null]}', b'{"words":[["a"]]}', b'{"Words":["a"]}', b"\xff"],
        *[b'{"words":["\\ud800"]}', b"[" * 60_000, b'{"words":' + b"9" * 5000 + b"}", b'{"words":["a"]} x'],
    ],
)
def test_an_invalid_body_is_refused_with_an_example(body: bytes) -> None:
    response = client.post("/ndjson", data=body, content_type="application/json")
    assert (response.status_code, response.mimetype, response.text) == (400, "text/plain", EXAMPLE)


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", None])
def test_a_body_with_another_content_type_is_refused(content_type: str | None) -> None:
    response = client.post("/ndjson", data=b'{"words":["a"]}', content_type=content_type)
    assert (response.status_code, response.text) == (400, EXAMPLE)


@pytest.mark.parametrize("number", [0, MAX_WORDS + 1])
def test_too_few_or_too_many_words_are_refused(number: int) -> None:
    response = client.post("/ndjson", json={"words": ["x"] * number})
    assert (response.status_code, response.text) == (400, f"words must have 1 to {MAX_WORDS} items, not {number}\n")


def test_a_body_that_is_too_long_is_refused_with_the_limit() -> None:
    template = b'{"words":["%s"]}'
    fits, too_long = (template % (b"x" * (MAX_BODY - len(template) + 2 + more)) for more in (0, 1))
    assert len(fits) == MAX_BODY
    for body, status in ((fits, 200), (too_long, 413)):
        response = client.post("/ndjson?interval=0", data=body, content_type="application/json")
        assert response.status_code == status
    assert (response.mimetype, response.text) == ("text/plain", f"the body must have at most {MAX_BODY} bytes\n")


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize(
    ("query", "allowed"),
    [
        ("count=-1", "count must be a whole number from 0 to 1000000, not '-1'"),
        ("count=x", "count must be a whole number"),
        ("interval=x", "interval must be a number of seconds from 0 to 3600, such as 0.5, not 'x'"),
        ("interval=1e9", "interval must be a number of seconds from 0 to 3600"),
    ],
)
def test_an_invalid_query_parameter_is_refused_with_the_allowed_values(method: str, query: str, allowed: str) -> None:
    response = client.open(f"/ndjson?{query}", method=method.upper(), json={"words": ["a"]})
    assert (response.status_code, response.mimetype) == (400, "text/plain")
    assert response.text.startswith(allowed)


# A client that disconnects between two ticks.


def posted(server: BackgroundServer) -> socket.socket:
    """Post two words and read the first document. The second is sent a minute later."""
    body = b'{"words":["one","two"]}'
    sock = dial(server.url)
    head = f"Host: x\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    sock.sendall(b"POST /ndjson?interval=60 HTTP/1.1\r\n" + head.encode() + body)
    read_until(sock, b'{"char":"one","n":0}\n')
    return sock


def streams(server: BackgroundServer) -> list[threading.Thread]:
    end = f"stream of server {server.url.rpartition(':')[2]}"
    return [thread for thread in threading.enumerate() if thread.name == end]


def test_a_disconnect_after_a_post_ends_the_thread(server: BackgroundServer) -> None:
    sock = posted(server)
    assert len(streams(server)) == 1
    began = time.monotonic()
    sock.close()
    wait_for(lambda: not streams(server), "the thread has ended")
    assert time.monotonic() - began < SOON
    assert not [line for line in server.log if "Traceback" in line]


def test_stopping_the_server_ends_the_streams_of_post_requests() -> None:
    with BackgroundServer(create_app()) as server:
        socks = [posted(server) for _ in range(3)]
        threads, began = streams(server), time.monotonic()
        assert len(threads) == 3
        server.stop()
        assert time.monotonic() - began < SOON
        assert not any(thread.is_alive() for thread in threads)
        for sock in socks:
            assert b"0\r\n\r\n" not in read_all(sock)
