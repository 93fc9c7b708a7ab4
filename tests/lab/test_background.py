"""BackgroundServer: what it promises, and clients that behave badly."""

from __future__ import annotations

import gc
import logging
import re
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from flask import Flask, Response, request
from raw_client import SECONDS, ask, dial, open_files, read_all, read_until, reset, wait_for
from werkzeug.wsgi import ClosingIterator

from server import create_app, pause
from server.lab import BackgroundServer

STOP = 1.5  # seconds; the promise is one, on a machine that has nothing else to do


def threads_of(server: BackgroundServer) -> list[str]:
    end = server.url.rpartition(":")[2]
    return [thread.name for thread in threading.enumerate() if thread.name.endswith(f" {end}")]


def timed_stop(server: BackgroundServer) -> float:
    began = time.monotonic()
    server.stop()
    return time.monotonic() - began


# Start and stop.


def test_it_serves_http_1_1_in_chunks(server: BackgroundServer) -> None:
    answer = read_all(ask(server.url, "/sse?count=1"))
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert answer.endswith(b"b\r\ndata: \\ 0\n\n\r\n0\r\n\r\n")


def test_several_streams_run_side_by_side(server: BackgroundServer) -> None:
    streams = [ask(server.url, "/sse?interval=60") for _ in range(10)]
    for stream in streams:
        read_until(stream, b"data: \\ 0\n\n")
        stream.close()


def test_it_has_no_url_before_its_start_and_after_its_stop() -> None:
    server = BackgroundServer(create_app())
    with pytest.raises(RuntimeError, match=r"is not running: call start\(\) first"):
        _ = server.url
    assert repr(server) == "<BackgroundServer stopped>"
    with server:
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+", server.url)
        assert repr(server) == f"<BackgroundServer {server.url}>"
    with pytest.raises(RuntimeError, match="is not running"):
        _ = server.url


def test_starting_and_stopping_twice_is_the_same_as_once() -> None:
    server = BackgroundServer(create_app())
    server.stop()
    assert server.start() is server
    url = server.url
    assert server.start().url == url
    server.stop()
    server.stop()


def test_it_can_be_started_again() -> None:
    server = BackgroundServer(create_app())
    for _ in range(2):
        with server:
            assert requests.get(f"{server.url}/sse?count=1", timeout=SECONDS).ok


def test_a_short_poll_makes_stop_fast() -> None:
    durations = []
    for _ in range(20):
        server = BackgroundServer(create_app(), poll_seconds=0.001).start()
        began = time.monotonic()
        server.stop()
        durations.append(time.monotonic() - began)
    assert min(durations) < 0.03  # seconds; the default poll of 0.05 s takes longer


def test_after_its_stop_its_port_is_free_at_once() -> None:
    with BackgroundServer(create_app()) as first:
        port = int(first.url.rpartition(":")[2])
        stream = ask(first.url, "/sse")
        read_until(stream, b"data:")
    with BackgroundServer(create_app(), port) as second:
        assert second.url.endswith(f":{port}")
        assert read_all(ask(second.url, "/sse?count=0")).endswith(b"0\r\n\r\n")
    stream.close()


def test_a_port_in_use_raises_an_error_with_a_remedy() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(
            RuntimeError,
            match=rf"port {port} is already in use\. .* or pass port=0 for a free port",
        ):
            BackgroundServer(create_app(), port).start()


@pytest.mark.parametrize("port", [-1, 65536, 10**9])
def test_a_port_out_of_range_is_refused(port: int) -> None:
    with pytest.raises(ValueError, match=f"port must be a number from 0 .* not {port}"):
        BackgroundServer(create_app(), port)


@pytest.mark.parametrize("app", [None, "app", 23423])
def test_an_app_that_cannot_be_called_is_refused(app: Any) -> None:
    with pytest.raises(TypeError, match=f"app must be a WSGI application, .* not {app!r}"):
        BackgroundServer(app)


@pytest.mark.parametrize("interval", [0.01, 60])
def test_a_stop_leaves_no_thread_and_no_socket_even_with_open_endless_streams(interval: float) -> None:
    before = open_files()
    app = create_app()
    for _ in range(5):
        server = BackgroundServer(app).start()
        url = server.url
        streams = [ask(url, f"/sse?interval={interval}") for _ in range(3)]
        for stream in streams:
            read_until(stream, b"data: \\ 0\n\n")
        assert len(threads_of(server)) == 4
        assert timed_stop(server) < STOP
        for stream in streams:
            read_all(stream)  # its connection has ended
        with pytest.raises(ConnectionError):
            dial(url)
    gc.collect()
    assert open_files() <= before


def test_a_stop_runs_the_clean_up_of_a_quiet_stream() -> None:
    app, ended = endless()
    server = BackgroundServer(app).start()
    with ask(server.url) as stream:
        read_until(stream, b"first")
        assert not ended.is_set()
        assert timed_stop(server) < STOP
        assert ended.is_set()


def test_a_server_that_nobody_holds_any_more_ends() -> None:
    server = BackgroundServer(create_app()).start()
    url = server.url
    with ask(url, "/sse") as stream:
        read_until(stream, b"data:")
        del server
        gc.collect()
        read_all(stream)
    with pytest.raises(ConnectionError):
        dial(url)


def endless() -> tuple[Flask, threading.Event]:
    """An app with one stream that says one word and then waits; and what its clean-up sets."""
    app, ended = Flask(__name__), threading.Event()

    @app.get("/")
    def stream() -> Response:
        wait = pause(request.environ)

        def body() -> Iterator[bytes]:
            try:
                yield b"first"
                wait(60)
                yield b"second"
            finally:
                ended.set()

        return Response(body())

    return app, ended


def test_a_generator_that_cannot_be_woken_is_named_and_the_stop_still_returns() -> None:
    held = threading.Event()

    def stuck(environ: Any, start_response: Any) -> Iterator[bytes]:
        start_response("200 OK", [])
        yield b"first"
        held.wait(SECONDS)  # the line that waits

    server = BackgroundServer(stuck).start()
    with ask(server.url) as stream:
        read_until(stream, b"first")
        with pytest.warns(ResourceWarning, match=r"still busy in line \d+ of .*pause\(request\.environ\)"):
            assert timed_stop(server) < STOP
        held.set()


# Errors stay in the log.


def test_a_view_that_raises_is_a_500_with_its_traceback_in_the_log_and_nothing_on_stderr(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging.getLogger(), "handlers", [])  # pytest's own: Flask would use them
    app = Flask(__name__)

    @app.get("/")
    def fails() -> str:
        raise LookupError("of all things")

    with BackgroundServer(app) as server:
        assert requests.get(server.url, timeout=SECONDS).status_code == 500
        wait_for(lambda: any('"GET / HTTP/1.1" 500' in line for line in server.log))
    log = "\n".join(server.log)
    assert "Traceback" in log
    assert "LookupError: of all things" in log
    assert capfd.readouterr() == ("", "")


def test_a_generator_that_raises_after_its_first_bytes_leaves_a_cut_body(capfd: pytest.CaptureFixture[str]) -> None:
    def breaks(environ: Any, start_response: Any) -> Iterator[bytes]:
        start_response("200 OK", [("Content-Type", "text/plain")])
        yield b"first"
        raise LookupError("too late for a 500")

    with BackgroundServer(breaks) as server:
        answer = read_all(ask(server.url))
        wait_for(lambda: "LookupError: too late for a 500" in "\n".join(server.log))
        with pytest.raises(requests.exceptions.ChunkedEncodingError):
            requests.get(server.url, timeout=SECONDS)
    assert answer.startswith(b"HTTP/1.1 200 OK")
    assert b"5\r\nfirst\r\n" in answer
    assert not answer.endswith(b"0\r\n\r\n")
    assert capfd.readouterr() == ("", "")


def test_a_connection_that_fails_outside_of_the_app_leaves_its_traceback_in_the_log(
    server: BackgroundServer, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def fail(handler: object) -> None:
        raise LookupError("before the app")

    monkeypatch.setattr("server.lab.background._Handler.handle", fail)
    assert read_all(ask(server.url)) == b""
    wait_for(lambda: "LookupError: before the app" in "\n".join(server.log))
    assert capfd.readouterr() == ("", "")


def test_the_log_keeps_its_latest_1000_lines(server: BackgroundServer) -> None:
    assert server.log.maxlen == 1000
    requests.get(f"{server.url}/sse?count=0", timeout=SECONDS)
    wait_for(lambda: list(server.log) == ['"GET /sse?count=0 HTTP/1.1" 200'])


# Clients that leave, and clients that behave badly.


def test_a_client_that_leaves_a_quiet_stream_is_noticed_and_the_clean_up_runs() -> None:
    app, ended = endless()
    with BackgroundServer(app) as server:
        for leave in (socket.socket.close, reset):
            ended.clear()
            stream = ask(server.url)
            read_until(stream, b"first")
            leave(stream)
            assert ended.wait(2)  # seconds; a few milliseconds on an idle machine
        wait_for(lambda: len(threads_of(server)) == 1, "only the listening thread is left")


def test_a_response_is_closed_even_if_the_reset_arrives_after_its_last_byte() -> None:
    app = create_app()
    asked: list[str] = []
    closed: list[str] = []

    def counted(environ: dict[str, Any], start_response: Any) -> ClosingIterator:
        asked.append(environ["PATH_INFO"])
        return ClosingIterator(app(environ, start_response), lambda: closed.append(environ["PATH_INFO"]))

    with BackgroundServer(counted) as server:
        for _ in range(30):
            sock = ask(server.url, "/polling")
            read_until(sock, b"}")
            reset(sock)  # while the server waits, some ten milliseconds, for its client to close first
        wait_for(lambda: len(asked) == len(closed) == 30, "30 responses, each closed")


def half_a_request(url: str) -> None:
    with dial(url) as sock:
        sock.sendall(b"GET /sse HTTP/1.1\r\nHost:")


def a_reset_in_the_middle(url: str) -> None:
    sock = ask(url, "/sse?interval=0")
    read_until(sock, b"data:")
    reset(sock)


def garbage(url: str) -> None:
    with dial(url) as sock:
        sock.sendall(b"\x16\x03\x01\x02\0\x01\0\xff\r\n\r\n\0\0")
        sock.shutdown(socket.SHUT_WR)
        read_all(sock)


def nothing(url: str) -> None:
    dial(url).close()


def a_head_without_end(url: str) -> None:
    with dial(url) as sock:
        sock.sendall(b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 150)
        sock.shutdown(socket.SHUT_WR)
        read_all(sock)


@pytest.mark.parametrize("behave", [half_a_request, a_reset_in_the_middle, garbage, nothing, a_head_without_end])
def test_a_client_that_behaves_badly_harms_nobody_else(
    server: BackgroundServer, behave: Any, capfd: pytest.CaptureFixture[str]
) -> None:
    with ask(server.url, "/sse?interval=0.01") as other:
        read_until(other, b"data: \\ 0\n\n")
        behave(server.url)
        assert requests.get(f"{server.url}/sse?count=1", timeout=SECONDS).content == b"data: \\ 0\n\n"
        read_until(other, b"data:")
        read_until(other, b"data:")
        wait_for(lambda: len(threads_of(server)) == 2, "only the listener and the other client's stream are left")
    server.stop()
    assert capfd.readouterr() == ("", "")


def test_a_client_that_never_reads_holds_up_nobody_and_ends_with_the_server(server: BackgroundServer) -> None:
    made = 0

    def flood(environ: Any, start_response: Any) -> Iterator[bytes]:
        nonlocal made
        start_response("200 OK", [])
        while True:
            made += 1
            yield b"x" * 65536

    with BackgroundServer(flood) as flooding, ask(flooding.url) as lazy:
        before = -1
        while before != made:  # until a tenth of a second passes without a piece made: it waits for its client
            before = made
            threading.Event().wait(0.1)
        with ask(flooding.url) as other:
            read_until(other, b"x" * 65536)
        assert made < 10_000  # pieces: it did not run away
        assert timed_stop(flooding) < STOP
        assert lazy.fileno() > 0


def test_a_client_that_says_nothing_is_dropped_some_day() -> None:
    from server.serving import IDLE_SECONDS, Handler

    assert Handler.timeout == IDLE_SECONDS <= 300
