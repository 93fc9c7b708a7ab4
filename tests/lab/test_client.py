"""The recording HTTP client: its request, where it stops reading, and failures of the server."""

from __future__ import annotations

import itertools
import os
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest
from flask import Flask, Response, redirect, request

from server.lab import BackgroundServer
from server.lab.client import READ_BYTES, exchange
from server.lab.response import RecordedResponse
from server.wire import http

BOUND = 5  # seconds, for a test that takes one or two
App = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


def app_of(headers: list[tuple[str, str]], body: Iterable[bytes]) -> App:
    """Return an app that responds with these headers and this body."""

    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        start_response("200 OK", headers)
        return iter(body)

    return app


def response_of(app: Any, path: str = "/", protocol: str = "HTTP/1.1", **options: Any) -> RecordedResponse:
    """Serve an app and return its response to one request."""
    with BackgroundServer(app, protocol=protocol) as server:
        return exchange(server.url, path, **options)


def raw_response(serve: Callable[[socket.socket], None], **options: Any) -> RecordedResponse:
    """Send a request to a server that calls `serve` with the connection. Return the response."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def accept() -> None:
            with listener.accept()[0] as connection:
                connection.recv(1 << 16)
                serve(connection)

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        response = exchange(f"http://127.0.0.1:{listener.getsockname()[1]}", **options)
        thread.join(BOUND)
        assert not thread.is_alive()
    return response


@pytest.fixture(autouse=True)
def in_time() -> Iterator[None]:
    """Each test takes less than BOUND seconds."""
    began = time.monotonic()
    yield
    assert time.monotonic() - began < BOUND


def test_method_headers_body_and_path_are_sent() -> None:
    app = Flask("app")

    @app.post("/echo")
    def echo() -> str:
        return f"{request.args['q']} {request.headers['X-Word']} {request.get_data(as_text=True)}"

    response = response_of(app, "/echo?q=1", method="POST", headers={"X-Word": "two"}, body=b"three")
    assert response.text == "1 two three"
    assert response.header("X-None") == ""
    assert response.recording.bytes("->").startswith(b"POST /echo?q=1 HTTP/1.1\r\nHost: 127.0.0.1:")


def test_the_port_of_the_client_is_known() -> None:
    app = Flask("app")
    app.add_url_rule("/", "port", lambda: str(request.environ["REMOTE_PORT"]))
    response = response_of(app)
    assert response.text == str(response.client_port)


def test_a_response_to_head_is_complete_without_a_body() -> None:
    response = response_of(app_of([("Content-Length", "5")], [b"hello"]), method="HEAD")
    assert (response.status, response.end, response.body) == (200, "complete", b"")


def test_a_redirect_is_not_followed() -> None:
    app = Flask("app")
    app.add_url_rule("/", "redirect", lambda: redirect("/elsewhere"))
    response = response_of(app)
    assert (response.status, response.header("Location"), response.end) == (302, "/elsewhere", "complete")


def test_a_body_that_the_disconnect_ends_is_complete() -> None:
    response = response_of(app_of([("Content-Type", "text/plain")], [b"old"]), protocol="HTTP/1.0")
    assert (response.end, response.body) == ("complete", b"old")


def test_a_body_shorter_than_its_length_is_interrupted() -> None:
    response = response_of(app_of([("Content-Length", "10")], [b"half"]))
    assert (response.end, response.body) == ("interrupted", b"half")


@pytest.mark.parametrize("keep", [1 << 20, 1000])
def test_of_a_large_body_only_the_beginning_is_read(keep: int) -> None:
    response = response_of(app_of([], [bytes(5 << 20)]), keep=keep)
    assert response.end == "open"
    assert 0 < len(response.body) <= keep
    assert response.recording.dropped <= READ_BYTES, "the client stops reading at the limit"


def test_each_byte_is_parsed_once_however_many_reads_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    """The time to read is therefore linear, also with a condition."""
    feed, parsed = http.Parser.feed, list[int]()

    def counted(parser: http.Parser, data: bytes) -> Any:
        if parser.role == "response":
            parsed.append(len(data))
        return feed(parser, data)

    was_read = threading.Semaphore()

    def chunks() -> Iterator[bytes]:
        for _ in range(100):
            assert was_read.acquire(timeout=5)  # the client has read the chunk before
            yield b"chunk\n"

    monkeypatch.setattr(http.Parser, "feed", counted)
    response = response_of(app_of([], chunks()), until=lambda response: was_read.release())
    assert response.end == "complete"
    assert len(parsed) > 50, "each chunk is a read of its own"
    assert sum(parsed) == len(response.recording.bytes("<-"))


def test_it_reads_until_a_condition_holds() -> None:
    app = Flask("app")
    app.add_url_rule("/", "ticks", lambda: Response(itertools.repeat("tick\n")))
    response = response_of(app, until=lambda response: len(response.chunks) >= 3, seconds=60)
    assert len(response.chunks) >= 3
    assert response.end == "open"
    assert not response.recording.dropped


def test_a_flood_of_small_chunks_is_read_no_longer_than_the_timeout() -> None:
    app = Flask("app")
    app.add_url_rule("/", "flood", lambda: Response(itertools.repeat("1\n")))
    response = response_of(app, seconds=0.5)
    assert response.end == "open"
    assert set(response.chunks) == {b"1\n"}


def test_a_refused_connection_is_recorded() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    response = exchange(url)  # the port is closed now
    assert (response.status, response.head) == (0, None)
    assert [piece.how for piece in response.recording.pieces] == ["refused"]
    assert "connection refused" in str(response)


def test_a_server_that_sends_nothing_times_out() -> None:
    closed = threading.Event()
    response = raw_response(lambda connection: closed.set() if connection.recv(1) == b"" else None, seconds=0.1)
    assert (response.status, response.end) == (0, "open")
    assert closed.is_set(), "the client disconnects after the timeout"


def test_a_disconnect_in_the_body_is_recorded() -> None:
    response = raw_response(
        lambda connection: connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf")
    )
    assert (response.status, response.body, response.end) == (200, b"half", "interrupted")
    assert response.recording.pieces[-1].how == "closed"


def test_a_reset_is_recorded() -> None:
    def reset(connection: socket.socket) -> None:
        connection.setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("hh" if os.name == "nt" else "ii", 1, 0)
        )

    response = raw_response(reset)
    assert response.status == 0
    assert response.recording.pieces[-1].how == "reset"


@pytest.mark.parametrize("url", ["https://127.0.0.1:1", "127.0.0.1:1", "http://", ""])
def test_another_url_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"the URL must be such as http://127\.0\.0\.1:23423"):
        exchange(url)
