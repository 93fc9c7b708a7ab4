"""Tests of server.techniques.websocket: messages in both directions, and the closing handshake."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from raw_client import SECONDS, ask, dial, read_all, read_until, reset, wait_for

from server import create_app
from server.lab import BackgroundServer
from server.serving import Handler
from server.techniques import websocket
from server.techniques.websocket import MAX_BYTES, MAX_WORD, CloseIsLast
from server.ticks import SPINNER
from server.wire.websocket import BINARY, CLOSE, PING, PONG, TEXT, Frame, Parser, close_payload

SOON = 1  # seconds, the limit for the end of a connection
HANDSHAKE = "Host: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
KEY = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
LAST_FRAME = Frame(CLOSE, close_payload(1000, "that was all"))

client: Any = create_app().test_client()


class Peer:
    """A client that reads frames one by one. (simple_websocket may lose frames that arrive with the 101 response.)"""

    def __init__(self, server: BackgroundServer, query: str = "") -> None:
        self.sock, self.parser, rest = upgraded(server, query)
        self.frames = self.parser.feed(rest)

    def __enter__(self) -> Peer:
        return self

    def __exit__(self, *exception: object) -> None:
        self.sock.close()

    def receive(self) -> Frame:
        """Wait for the next frame."""
        while not self.frames:
            piece = self.sock.recv(65536)
            assert piece, "the connection has ended"
            self.frames += self.parser.feed(piece)
        return self.frames.pop(0)

    def text(self) -> str:
        """Wait for the next frame, a text."""
        frame = self.receive()
        assert (frame.opcode, frame.fin) == (TEXT, True)
        return frame.payload.decode()

    def send(self, message: str | bytes) -> None:
        text = isinstance(message, str)
        send_frame(self.sock, TEXT if text else BINARY, message.encode() if isinstance(message, str) else message)

    def read_to_close(self) -> tuple[list[str], int, str]:
        """Return the texts before the close frame, its code and its reason. Respond to the close frame."""
        texts: list[str] = []
        while (frame := self.receive()).opcode != CLOSE:
            texts.append(frame.payload.decode())
        with suppress(OSError):
            send_frame(self.sock, CLOSE, frame.payload[:2])
        return texts, int.from_bytes(frame.payload[:2], "big"), frame.payload[2:].decode()


def upgraded(server: BackgroundServer, query: str = "") -> tuple[socket.socket, Parser, bytes]:
    """Return a socket after the upgrade, a parser for its frames, and the bytes received after the headers."""
    sock = dial(server.url)
    sock.sendall(f"GET /websocket{query} HTTP/1.1\r\n{HANDSHAKE}{KEY}\r\n".encode())
    head, _, rest = read_until(sock, b"\r\n\r\n").partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 101 ")
    assert b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" in head  # RFC 6455, 1.3
    return sock, Parser(masks=False), rest


def send_frame(sock: socket.socket, opcode: int, payload: bytes = b"") -> None:
    sock.sendall(Frame(opcode, payload, mask=b"mask").encode())


def frames_until(
    sock: socket.socket, parser: Parser, rest: bytes, done: Callable[[list[Frame]], bool]
) -> list[Frame]:
    """Read frames until `done(frames)` is true."""
    found, due = parser.feed(rest), time.monotonic() + SECONDS
    while not done(found):
        assert time.monotonic() < due
        piece = sock.recv(65536)
        assert piece, found
        found += parser.feed(piece)
    return found


def closed(found: list[Frame]) -> bool:
    return bool(found) and found[-1].opcode == CLOSE


def threads_of(server: BackgroundServer) -> list[threading.Thread]:
    """Return the threads of the server's connections. simple_websocket starts one more for each connection."""
    end = f"stream of server {server.url.rpartition(':')[2]}"
    return [thread for thread in threading.enumerate() if thread.name == end or "simple_websocket" in thread.name]


def logged_errors(server: BackgroundServer) -> list[str]:
    return [line for line in server.log if "Traceback" in line or "Error" in line or '" 500' in line]


# Messages from the server.


def test_each_tick_is_a_text_message_and_a_close_frame_follows_the_last(server: BackgroundServer) -> None:
    with Peer(server, "?count=5&interval=0") as ws:
        assert ws.read_to_close() == (["\\ 0", "| 1", "/ 2", "- 3", "\\ 4"], 1000, "that was all")
    assert logged_errors(server) == []


@pytest.mark.parametrize("responds", [True, False])
def test_the_server_sends_nothing_after_the_close_frame(
    server: BackgroundServer, responds: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(websocket, "CLOSE_SECONDS", 0.05)
    sock, parser, rest = upgraded(server, "?count=2&interval=0.02")
    found = frames_until(sock, parser, rest, closed)
    assert found == [Frame(TEXT, b"\\ 0"), Frame(TEXT, b"| 1"), LAST_FRAME]
    if responds:
        send_frame(sock, CLOSE, close_payload(1000))
    assert (read_all(sock), parser.pending) == (b"", b"")
    wait_for(lambda: not threads_of(server), "its threads have ended")
    assert logged_errors(server) == []


def test_a_count_of_0_closes_immediately(server: BackgroundServer) -> None:
    with Peer(server, "?count=0") as ws:
        assert ws.read_to_close() == ([], 1000, "that was all")


# Messages from the client.


def test_a_message_replaces_the_spinner_and_an_empty_message_restores_it(
    server: BackgroundServer,
) -> None:
    with Peer(server, "?interval=0.01") as ws:
        assert ws.text() == "\\ 0"

        def wait_until_shown(*words: str) -> None:
            wait_for(lambda: ws.text().rpartition(" ")[0] in words, f"one of {words} is shown")

        for word in ("cat", "x" * MAX_WORD, "\u20ac \U0001f40d", "stop it"):
            ws.send(word)
            wait_until_shown(word)
        ws.send("")
        wait_until_shown(*SPINNER)


def test_no_tick_is_lost_while_the_client_sends_messages(server: BackgroundServer) -> None:
    with Peer(server, "?count=60&interval=0.002") as ws:

        def send_words() -> None:
            for n in range(30):
                ws.send(f"word{n}")

        sender = threading.Thread(target=send_words)
        sender.start()
        found, code, _ = ws.read_to_close()
        sender.join()
    assert code == 1000
    assert [int(message.rpartition(" ")[2]) for message in found] == list(range(60))
    assert found[-1].startswith("word29 ")
    assert logged_errors(server) == []


def test_stop_ends_the_stream_immediately_even_between_two_ticks(server: BackgroundServer) -> None:
    with Peer(server, "?interval=60") as ws:
        assert ws.text() == "\\ 0"
        began = time.monotonic()
        ws.send("stop")
        assert ws.read_to_close() == ([], 1000, "that was all")
        assert time.monotonic() - began < SOON


@pytest.mark.parametrize("message", ["x" * (MAX_WORD + 1), b"bytes", b""])
def test_an_invalid_message_closes_with_code_1008(server: BackgroundServer, message: str | bytes) -> None:
    with Peer(server, "?interval=60") as ws:
        assert ws.text() == "\\ 0"
        ws.send(message)
        assert ws.read_to_close() == ([], 1008, f"a message must be a text of at most {MAX_WORD} characters")
    wait_for(lambda: not threads_of(server), "its threads have ended")
    assert logged_errors(server) == []


def test_a_message_that_is_too_long_closes_with_code_1009(server: BackgroundServer) -> None:
    sock, parser, rest = upgraded(server, "?interval=60")
    send_frame(sock, TEXT, b"x" * (MAX_BYTES + 1))
    assert frames_until(sock, parser, rest, closed)[-1].payload[:2] == (1009).to_bytes(2, "big")
    assert read_all(sock) == b""
    wait_for(lambda: not threads_of(server), "its threads have ended")
    assert logged_errors(server) == []


def test_an_unmasked_frame_closes_with_code_1002(server: BackgroundServer) -> None:
    sock, parser, rest = upgraded(server, "?interval=60")
    sock.sendall(Frame(TEXT, b"no mask").encode())
    assert frames_until(sock, parser, rest, closed)[-1].payload[:2] == (1002).to_bytes(2, "big")
    sock.close()
    wait_for(lambda: not threads_of(server), "its threads have ended")
    assert logged_errors(server) == []


def test_a_pong_has_the_payload_of_the_ping_and_fragments_are_joined(server: BackgroundServer) -> None:
    sock, parser, rest = upgraded(server, "?interval=60")
    sock.sendall(Frame(TEXT, b"st", fin=False, mask=b"mask").encode())
    send_frame(sock, PING, b"?")
    found = frames_until(sock, parser, rest, lambda found: len(found) == 2)
    sock.sendall(Frame(0, b"op", mask=b"mask").encode())
    found += frames_until(sock, parser, b"", closed)
    assert found == [Frame(TEXT, b"\\ 0"), Frame(PONG, b"?"), LAST_FRAME]
    sock.close()


def test_the_server_responds_to_a_close_frame_with_a_close_frame(server: BackgroundServer) -> None:
    sock, parser, rest = upgraded(server, "?interval=60")
    send_frame(sock, CLOSE, close_payload(1001, "going away"))
    assert frames_until(sock, parser, rest, closed)[-1].payload[:2] == (1001).to_bytes(2, "big")
    assert read_all(sock) == b""
    wait_for(lambda: not threads_of(server), "its threads have ended")
    assert logged_errors(server) == []


# Before the upgrade.


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_request_without_an_upgrade_receives_426(server: BackgroundServer, method: str) -> None:
    response = read_all(ask(server.url, "/websocket", method))
    assert response.startswith(b"HTTP/1.1 426 ")
    assert b"\r\nUpgrade: websocket\r\n" in response
    assert (b"use a WebSocket client: new WebSocket(url)" in response) == (method == "GET")


def test_an_options_request_receives_allow(server: BackgroundServer) -> None:
    response = read_all(ask(server.url, "/websocket", "OPTIONS"))
    assert response.startswith(b"HTTP/1.1 200 ")
    assert b"\r\nAllow: " in response


@pytest.mark.parametrize(
    ("query", "allowed"),
    [
        ("count=-1", b"count must be a whole number from 0 to 1000000, not '-1'"),
        ("count=x", b"count must be a whole number"),
        ("interval=x", b"interval must be a number of seconds from 0 to 3600, such as 0.5, not 'x'"),
        ("interval=1e9", b"interval must be a number of seconds from 0 to 3600"),
    ],
)
def test_an_invalid_query_parameter_is_refused_before_the_upgrade(
    server: BackgroundServer, query: str, allowed: bytes
) -> None:
    assert client.get(f"/websocket?{query}").status_code == 400
    sock = dial(server.url)
    sock.sendall(f"GET /websocket?{query} HTTP/1.1\r\n{HANDSHAKE}{KEY}\r\n".encode())
    response = read_all(sock)
    assert response.startswith(b"HTTP/1.1 400 ")
    assert allowed in response


@pytest.mark.parametrize(
    "fields", ["", KEY.splitlines(keepends=True)[0], KEY.splitlines(keepends=True)[1], KEY.replace("13", "8")]
)
def test_an_incomplete_handshake_is_refused(server: BackgroundServer, fields: str) -> None:
    sock = dial(server.url)
    sock.sendall(f"GET /websocket HTTP/1.1\r\n{HANDSHAKE}{fields}\r\n".encode())
    response = read_all(sock)
    assert response.startswith(b"HTTP/1.1 400 ")
    assert b"a WebSocket handshake needs Sec-WebSocket-Key and Sec-WebSocket-Version: 13" in response
    assert logged_errors(server) == []


# The end of a connection.


def test_a_close_frame_during_a_fast_stream_causes_no_error(
    server: BackgroundServer,
) -> None:
    for _ in range(8):
        sock, parser, rest = upgraded(server, "?interval=0")
        frames_until(sock, parser, rest, bool)
        send_frame(sock, CLOSE, close_payload(1000))
        assert frames_until(sock, parser, b"", closed)[-1] == Frame(CLOSE, close_payload(1000))
        sock.close()
    wait_for(lambda: not threads_of(server), "its threads have ended")
    assert logged_errors(server) == []


def test_the_view_and_the_receiving_thread_send_on_the_same_socket(
    server: BackgroundServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[bytes] = []

    class Recorded(CloseIsLast):
        def send(self, frame: bytes) -> int:
            sent.append(frame)
            return super().send(frame)

    monkeypatch.setattr(websocket, "CloseIsLast", Recorded)
    sock, parser, rest = upgraded(server, "?interval=0.01")
    frames_until(sock, parser, rest, bool)  # the view has begun to send
    send_frame(sock, CLOSE, close_payload(1000))
    assert parser.feed(read_all(sock))[-1] == Frame(CLOSE, close_payload(1000))
    assert Frame(CLOSE, close_payload(1000)).encode() in sent


def test_nothing_is_sent_after_a_close_frame() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        sock = CloseIsLast(ours)
        for frame in (Frame(TEXT, b"a"), Frame(CLOSE, close_payload(1000)), Frame(TEXT, b"b"), Frame(CLOSE)):
            assert sock.send(frame.encode()) == len(frame.encode())
        sock.shutdown(socket.SHUT_WR)
        assert Parser(masks=False).feed(read_all(theirs)) == [Frame(TEXT, b"a"), Frame(CLOSE, close_payload(1000))]


@pytest.mark.parametrize("disconnect", [socket.socket.close, reset])
@pytest.mark.parametrize("interval", ["60", "0.001", "0"])
def test_a_disconnect_without_a_close_frame_ends_both_threads(
    server: BackgroundServer, interval: str, disconnect: Callable[[socket.socket], None]
) -> None:
    sock, parser, rest = upgraded(server, f"?interval={interval}")
    frames_until(sock, parser, rest, bool)
    assert len(threads_of(server)) == 2
    began = time.monotonic()
    disconnect(sock)
    wait_for(lambda: not threads_of(server), "its threads have ended")
    assert time.monotonic() - began < SOON
    assert logged_errors(server) == []


def test_stopping_the_server_ends_all_connections_and_threads() -> None:
    before = set(threading.enumerate())
    with BackgroundServer(create_app()) as server:
        opened = [upgraded(server, f"?interval={interval}") for interval in ("60", "60", "0.01", "0")]
        for sock, parser, rest in opened:
            frames_until(sock, parser, rest, bool)
        threads, began = threads_of(server), time.monotonic()
        assert len(threads) == 8
        server.stop()
        assert time.monotonic() - began < SOON
        wait_for(lambda: set(threading.enumerate()) <= before, "all threads have ended")
        assert logged_errors(server) == []
        for sock, _, _ in opened:
            read_all(sock)


def test_a_client_that_never_reads_delays_no_other_client_and_no_stop() -> None:
    before = set(threading.enumerate())
    with BackgroundServer(create_app()) as server:
        sock = dial(server.url)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        sock.sendall(f"GET /websocket?interval=0 HTTP/1.1\r\n{HANDSHAKE}{KEY}\r\n".encode())
        long = Frame(TEXT, b"x" * MAX_WORD, mask=b"mask").encode()
        sock.sendall(long)
        waiting: list[int] = []

        def stuck() -> bool:
            waiting.append(len(sock.recv(1 << 22, socket.MSG_PEEK)))
            return len(waiting) > 25 and len(set(waiting[-25:])) == 1

        wait_for(stuck, "the buffers between server and client are full")
        with Peer(server, "?count=3&interval=0") as ws:
            assert len(ws.read_to_close()[0]) == 3
        began = time.monotonic()
        server.stop()
        assert time.monotonic() - began < SOON
        wait_for(lambda: set(threading.enumerate()) <= before, "all threads have ended")
        assert logged_errors(server) == []
        sock.close()


@pytest.mark.parametrize("options", [{}, None])
def test_an_idle_connection_is_not_closed_by_the_request_timeout(
    monkeypatch: pytest.MonkeyPatch, options: dict[str, Any] | None
) -> None:
    monkeypatch.setattr(Handler, "timeout", 0.05)
    app = create_app()
    if options is not None:  # the options of an app that does not set any
        app.config["SOCK_SERVER_OPTIONS"] = options
    with BackgroundServer(app) as server, Peer(server, "?interval=60") as ws:
        assert ws.text() == "\\ 0"
        ws.sock.settimeout(0.2)
        with pytest.raises(TimeoutError):
            ws.receive()
        ws.sock.settimeout(SECONDS)
        ws.send("stop")
        assert ws.read_to_close() == ([], 1000, "that was all")


def test_pings_and_the_message_limit_are_configured() -> None:
    app = create_app()
    assert app.config["SOCK_SERVER_OPTIONS"] == {"ping_interval": 25, "max_message_size": 65_536}
    assert (websocket.PING_SECONDS, MAX_BYTES) == (25, 65_536)


def test_an_idle_connection_receives_pings() -> None:
    app = create_app()
    app.config["SOCK_SERVER_OPTIONS"] = {"ping_interval": 0.05}
    with BackgroundServer(app) as server:
        sock, parser, rest = upgraded(server, "?interval=60")
        found = frames_until(sock, parser, rest, lambda found: PING in [frame.opcode for frame in found])
        assert found[:2] == [Frame(TEXT, b"\\ 0"), Frame(PING)]
        sock.close()
