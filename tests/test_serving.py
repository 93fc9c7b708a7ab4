"""The web server: one write per chunk, clients that misbehave, and too many open files."""

from __future__ import annotations

import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from raw_client import SECONDS, ask, dial, read_all, read_until, wait_for

from server import serving
from server.lab import BackgroundServer
from server.serving import Handler


def numbers(environ: dict[str, Any], start_response: Any) -> Iterator[bytes]:
    start_response("200 OK", [("Content-Type", "text/plain")])
    for n in range(3):
        yield b"%d\n" % n


def test_each_chunk_is_one_write(monkeypatch: pytest.MonkeyPatch) -> None:
    writes: list[bytes] = []

    def setup(handler: Handler) -> None:
        original(handler)
        send = handler.wfile.write

        def write(data: bytes) -> int:
            writes.append(bytes(data))
            return send(data)

        monkeypatch.setattr(handler.wfile, "write", write)

    original = Handler.setup
    monkeypatch.setattr(Handler, "setup", setup)
    with BackgroundServer(numbers) as server:
        read_all(ask(server.url))
    assert writes[0].startswith(b"HTTP/1.1 200 OK\r\n")
    assert writes[1:] == [b"2\r\n0\n\r\n", b"2\r\n1\n\r\n", b"2\r\n2\n\r\n", b"0\r\n\r\n"]


def test_expect_100_continue_gets_one_interim_response() -> None:
    with BackgroundServer(numbers) as server, dial(server.url) as client:
        client.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nExpect: 100-continue\r\n\r\n")
        received = read_until(client, b"\r\n\r\n")
        client.sendall(b"x")
        received += read_all(client)
    assert received.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n")
    assert received.count(b"100 Continue") == 1


def refused(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    start_response("405 METHOD NOT ALLOWED", [("Content-Length", "3")])
    return [b"no\n"]


def test_endless_request_body_is_read_only_up_to_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "DISCARD_BYTES", 1_000_000)
    sent = 0
    with BackgroundServer(refused) as server, dial(server.url) as client, suppress(ConnectionError):
        client.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
        while sent < 200_000_000:
            sent += client.send(b"10000\r\n" + b"x" * 65536 + b"\r\n")
    assert sent < 50_000_000  # the limit, and what the buffers of both sockets hold


def test_slow_request_body_is_read_only_for_a_limited_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "DISCARD_SECONDS", 0.1)
    with BackgroundServer(refused) as server, dial(server.url) as client:
        client.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nx")
        assert read_all(client.dup()).endswith(b"no\n")
        wait_for(lambda: not server._server or not server._server.connections, "the connection is closed")


def test_client_that_sends_its_body_first_receives_the_response() -> None:
    body = b"x" * 5_000_000
    with BackgroundServer(refused) as server, dial(server.url) as client:
        client.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        assert read_all(client).startswith(b"HTTP/1.1 405 METHOD NOT ALLOWED\r\n")


def test_client_with_a_pipelined_request_receives_the_first_response() -> None:
    with BackgroundServer(numbers) as server, dial(server.url) as client:
        # The second request is longer than the buffer of the server's reader, so that bytes stay in the socket.
        client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\nGET /" + b"x" * 20_000 + b" HTTP/1.1\r\n\r\n")
        received = b"".join(iter(lambda: client.recv(65536), b""))
        wait_for(lambda: not server._server or not server._server.connections, "the connection is closed")
        assert client.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0, "the server has reset the connection"
    assert received.startswith(b"HTTP/1.1 200 OK\r\n")
    assert received.endswith(b"2\r\n2\n\r\n0\r\n\r\n")


def test_idle_client_is_disconnected(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Handler.timeout == 120  # seconds
    monkeypatch.setattr(Handler, "timeout", 0.1)
    with BackgroundServer(numbers) as server, dial(server.url) as client:
        assert read_all(client) == b""


def test_client_that_does_not_read_is_disconnected_and_its_stream_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "IDLE_SECONDS", 0.1)
    ended = threading.Event()

    def flood(environ: dict[str, Any], start_response: Any) -> Iterator[bytes]:
        start_response("200 OK", [])
        try:
            while True:
                yield b"x" * 65536
        finally:
            ended.set()

    with BackgroundServer(flood) as server, ask(server.url):
        assert ended.wait(SECONDS)
        assert "Traceback" not in "\n".join(server.log)


def test_app_that_calls_start_response_twice_is_an_error() -> None:
    def twice(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        start_response("200 OK", [])
        start_response("200 OK", [])
        return []

    with BackgroundServer(twice) as server:
        assert read_all(ask(server.url)).startswith(b"HTTP/1.1 500 INTERNAL SERVER ERROR\r\n")
        assert "start_response() has already been called" in "\n".join(server.log)


def test_app_may_replace_its_headers_after_an_error_until_they_are_sent() -> None:
    def replaces(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        start_response("200 OK", [])
        try:
            raise LookupError("nothing there")
        except LookupError:
            start_response("404 NOT FOUND", [("Content-Length", "0")], sys.exc_info())
        return []

    with BackgroundServer(replaces) as server:
        assert read_all(ask(server.url)).startswith(b"HTTP/1.1 404 NOT FOUND\r\n")


def test_app_that_never_calls_start_response_is_an_error() -> None:
    with BackgroundServer(lambda environ, start_response: []) as server:
        assert read_all(ask(server.url)).startswith(b"HTTP/1.1 500 INTERNAL SERVER ERROR\r\n")
        assert "the app has not called start_response()" in "\n".join(server.log)
