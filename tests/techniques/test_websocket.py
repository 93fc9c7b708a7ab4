"""The technique of WebSocket: both sides speak whenever they like, and each says goodbye."""

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

SOON = 1  # seconds: a connection ends within that
HANDSHAKE = "Host: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
KEY = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
ALL_OF_IT = Frame(CLOSE, close_payload(1000, "that was all"))

client: Any = create_app().test_client()


class Peer:
    """A client that reads frames one by one. (simple_websocket's may keep back what comes together with the 101.)"""

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
        say(self.sock, TEXT if text else BINARY, message.encode() if isinstance(message, str) else message)

    def to_the_close(self) -> tuple[list[str], int, str]:
        """All texts up to the close, its code and its reason; answer the close."""
        texts: list[str] = []
        while (frame := self.receive()).opcode != CLOSE:
            texts.append(frame.payload.decode())
        with suppress(OSError):
            say(self.sock, CLOSE, frame.payload[:2])
        return texts, int.from_bytes(frame.payload[:2], "big"), frame.payload[2:].decode()


def upgraded(server: BackgroundServer, query: str = "") -> tuple[socket.socket, Parser, bytes]:
    """A bare socket after its upgrade, a parser of what it reads, and what has come already."""
    sock = dial(server.url)
    sock.sendall(f"GET /websocket{query} HTTP/1.1\r\n{HANDSHAKE}{KEY}\r\n".encode())
    head, _, rest = read_until(sock, b"\r\n\r\n").partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 101 ")
    assert b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" in head  # RFC 6455, 1.3
    return sock, Parser(masks=False), rest


def say(sock: socket.socket, opcode: int, payload: bytes = b"") -> None:
    sock.sendall(Frame(opcode, payload, mask=b"mask").encode())


def frames_until(
    sock: socket.socket, parser: Parser, rest: bytes, done: Callable[[list[Frame]], bool]
) -> list[Frame]:
    """Read frames until a condition holds."""
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
    """The threads of the server's connections; simple_websocket starts one more for each."""
    end = f"stream of server {server.url.rpartition(':')[2]}"
    return [thread for thread in threading.enumerate() if thread.name == end or "simple_websocket" in thread.name]


def complaints(server: BackgroundServer) -> list[str]:
    return [line for line in server.log if "Traceback" in line or "Error" in line or '" 500' in line]


# What the server says.


def test_each_tick_is_a_text_and_the_last_is_followed_by_a_close_that_says_so(server: BackgroundServer) -> None:
    with Peer(server, "?count=5&interval=0") as ws:
        assert ws.to_the_close() == (["\\ 0", "| 1", "/ 2", "- 3", "\\ 4"], 1000, "that was all")
    assert complaints(server) == []


@pytest.mark.parametrize("answers", [True, False])
def test_after_the_close_frame_nothing_stands_on_the_wire(
    server: BackgroundServer, answers: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(websocket, "CLOSE_SECONDS", 0.05)
    sock, parser, rest = upgraded(server, "?count=2&interval=0.02")
    found = frames_until(sock, parser, rest, closed)
    assert found == [Frame(TEXT, b"\\ 0"), Frame(TEXT, b"| 1"), ALL_OF_IT]
    if answers:
        say(sock, CLOSE, close_payload(1000))
    assert (read_all(sock), parser.pending) == (b"", b"")
    wait_for(lambda: not threads_of(server), "its threads have ended")
    assert complaints(server) == []


def test_a_count_of_0_closes_at_once(server: BackgroundServer) -> None:
    with Peer(server, "?count=0") as ws:
        assert ws.to_the_close() == ([], 1000, "that was all")


# What the client says.


def test_a_message_is_the_word_from_then_on_and_an_empty_one_brings_the_spinner_back(
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


def test_both_speak_at_once_and_no_tick_is_lost(server: BackgroundServer) -> None:
    with Peer(server, "?count=60&interval=0.002") as ws:

        def speak() -> None:
            for n in range(30):
                ws.send(f"word{n}")

        speaker = threading.Thread(target=speak)
        speaker.start()
        found, code, _ = ws.to_the_close()
        speaker.join()
    assert code == 1000
    assert [int(message.rpartition(" ")[2]) for message in found] == list(range(60))
    assert found[-1].startswith("word29 ")
    assert complaints(server) == []


def test_stop_ends_the_stream_at_once_even_a_quiet_one(server: BackgroundServer) -> None:
    with Peer(server, "?interval=60") as ws:
        assert ws.text() == "\\ 0"
        began = time.monotonic()
        ws.send("stop")
        assert ws.to_the_close() == ([], 1000, "that was all")
        assert time.monotonic() - began < SOON


@pytest.mark.parametrize("message", ["x" * (MAX_WORD + 1), b"bytes", b""])
def test_what_is_no_word_is_answered_with_close_1008(server: BackgroundServer, message: str | bytes) -> None:
    with Peer(server, "?interval=60") as ws:
        assert ws.text() == "\\ 0"
        ws.send(message)
        assert ws.to_the_close() == ([], 1008, f"a message must be a text of at most {MAX_WORD} characters")
    wait_for(lambda: not threads_of(server), "its threads have ended")
    assert complaints(server) == []


def test_a_message_of_too_many_bytes_is_answered_with_close_1009(server: BackgroundServer) -> None:
    sock, parser, rest = upgraded(server, "?interval=60")
    say(sock, TEXT, b"x" * (MAX_BYTES + 1))
    assert frames_until(sock, parser, rest, closed)[-1].payload[:2] == (1009).to_bytes(2, "big")
    assert read_all(sock) == b""
    wait_for(lambda: not threads_of(server), "its threads have ended")
    assert complaints(server) == []


def test_bytes_that_are_no_frame_are_answered_with_close_1002(server: BackgroundServer) -> None:
    sock, parser, rest = upgraded(server, "?interval=60")
    sock.sendall(Frame(TEXT, b"no mask").encode())
    assert frames_until(sock, parser, rest, closed)[-1].payload[:2] == (1002).to_bytes(2, "big")
    sock.close()
    wait_for(lambda: not threads_of(server), "its threads have ended")
    assert complaints(server) == []


def test_a_ping_is_answered_with_its_payload_and_a_message_may_come_in_pieces(server: BackgroundServer) -> None:
    sock, parser, rest = upgraded(server, "?interval=60")
    sock.sendall(Frame(TEXT, b"st", fin=False, mask=b"mask").encode())
    say(sock, PING, b"?")
    found = frames_until(sock, parser, rest, lambda found: len(found) == 2)
    sock.sendall(Frame(0, b"op", mask=b"mask").encode())
    found += frames_until(sock, parser, b"", closed)
    assert found == [Frame(TEXT, b"\\ 0"), Frame(PONG, b"?"), ALL_OF_IT]
    sock.close()


def test_a_client_that_closes_is_answered_with_a_close(server: BackgroundServer) -> None:
    sock, parser, rest = upgraded(server, "?interval=60")
    say(sock, CLOSE, close_payload(1001, "going away"))
    assert frames_until(sock, parser, rest, closed)[-1].payload[:2] == (1001).to_bytes(2, "big")
    assert read_all(sock) == b""
    wait_for(lambda: not threads_of(server), "its threads have ended")
    assert complaints(server) == []


# Before the upgrade.


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_without_an_upgrade_the_answer_is_426_and_says_how_to_speak(server: BackgroundServer, method: str) -> None:
    answer = read_all(ask(server.url, "/websocket", method))
    assert answer.startswith(b"HTTP/1.1 426 ")
    assert b"\r\nUpgrade: websocket\r\n" in answer
    assert (b"use a WebSocket client: new WebSocket(url)" in answer) == (method == "GET")


def test_a_browser_that_asks_what_is_allowed_is_told(server: BackgroundServer) -> None:
    answer = read_all(ask(server.url, "/websocket", "OPTIONS"))
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert b"\r\nAllow: " in answer


@pytest.mark.parametrize(
    ("query", "allowed"),
    [
        ("count=-1", b"count must be a whole number from 0 to 1000000, not '-1'"),
        ("count=x", b"count must be a whole number"),
        ("interval=x", b"interval must be a number of seconds from 0 to 3600, such as 0.5, not 'x'"),
        ("interval=1e9", b"interval must be a number of seconds from 0 to 3600"),
    ],
)
def test_a_bad_pace_is_refused_before_the_upgrade(server: BackgroundServer, query: str, allowed: bytes) -> None:
    assert client.get(f"/websocket?{query}").status_code == 400
    sock = dial(server.url)
    sock.sendall(f"GET /websocket?{query} HTTP/1.1\r\n{HANDSHAKE}{KEY}\r\n".encode())
    answer = read_all(sock)
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert allowed in answer


@pytest.mark.parametrize(
    "fields", ["", KEY.splitlines(keepends=True)[0], KEY.splitlines(keepends=True)[1], KEY.replace("13", "8")]
)
def test_half_a_handshake_is_refused_with_what_is_missing(server: BackgroundServer, fields: str) -> None:
    sock = dial(server.url)
    sock.sendall(f"GET /websocket HTTP/1.1\r\n{HANDSHAKE}{fields}\r\n".encode())
    answer = read_all(sock)
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"a WebSocket handshake needs Sec-WebSocket-Key and Sec-WebSocket-Version: 13" in answer
    assert complaints(server) == []


# The end of a connection.


def test_a_client_that_says_goodbye_in_the_middle_of_a_flood_is_answered_without_a_complaint(
    server: BackgroundServer,
) -> None:
    for _ in range(8):
        sock, parser, rest = upgraded(server, "?interval=0")
        frames_until(sock, parser, rest, bool)
        say(sock, CLOSE, close_payload(1000))
        assert frames_until(sock, parser, b"", closed)[-1] == Frame(CLOSE, close_payload(1000))
        sock.close()
    wait_for(lambda: not threads_of(server), "its threads have ended")
    assert complaints(server) == []


def test_the_view_and_the_answer_to_a_close_go_through_the_same_door(
    server: BackgroundServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[bytes] = []

    class Noted(CloseIsLast):
        def send(self, frame: bytes) -> int:
            sent.append(frame)
            return super().send(frame)

    monkeypatch.setattr(websocket, "CloseIsLast", Noted)
    sock, parser, rest = upgraded(server, "?interval=0.01")
    frames_until(sock, parser, rest, bool)  # now the view speaks
    say(sock, CLOSE, close_payload(1000))
    assert parser.feed(read_all(sock))[-1] == Frame(CLOSE, close_payload(1000))
    assert Frame(CLOSE, close_payload(1000)).encode() in sent


def test_a_close_is_the_last_word_whoever_speaks() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        sock = CloseIsLast(ours)
        for frame in (Frame(TEXT, b"a"), Frame(CLOSE, close_payload(1000)), Frame(TEXT, b"b"), Frame(CLOSE)):
            assert sock.send(frame.encode()) == len(frame.encode())
        sock.shutdown(socket.SHUT_WR)
        assert Parser(masks=False).feed(read_all(theirs)) == [Frame(TEXT, b"a"), Frame(CLOSE, close_payload(1000))]


@pytest.mark.parametrize("leave", [socket.socket.close, reset])
@pytest.mark.parametrize("interval", ["60", "0.001", "0"])
def test_a_client_that_leaves_without_a_word_frees_both_threads(
    server: BackgroundServer, interval: str, leave: Callable[[socket.socket], None]
) -> None:
    sock, parser, rest = upgraded(server, f"?interval={interval}")
    frames_until(sock, parser, rest, bool)
    assert len(threads_of(server)) == 2
    began = time.monotonic()
    leave(sock)
    wait_for(lambda: not threads_of(server), "its threads have ended")
    assert time.monotonic() - began < SOON
    assert complaints(server) == []


def test_a_stop_ends_all_connections_and_leaves_no_thread() -> None:
    before = set(threading.enumerate())
    with BackgroundServer(create_app()) as server:
        opened = [upgraded(server, f"?interval={interval}") for interval in ("60", "60", "0.01", "0")]
        for sock, parser, rest in opened:
            frames_until(sock, parser, rest, bool)
        threads, began = threads_of(server), time.monotonic()
        assert len(threads) == 8
        server.stop()
        assert time.monotonic() - began < SOON
        wait_for(lambda: set(threading.enumerate()) <= before, "no thread is left")
        assert complaints(server) == []
        for sock, _, _ in opened:
            read_all(sock)


def test_a_client_that_never_reads_holds_up_neither_the_others_nor_a_stop() -> None:
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

        wait_for(stuck, "no more bytes fit between the two")
        with Peer(server, "?count=3&interval=0") as ws:
            assert len(ws.to_the_close()[0]) == 3
        began = time.monotonic()
        server.stop()
        assert time.monotonic() - began < SOON
        wait_for(lambda: set(threading.enumerate()) <= before, "no thread is left")
        assert complaints(server) == []
        sock.close()


@pytest.mark.parametrize("options", [{}, None])
def test_a_connection_that_is_silent_for_longer_than_a_request_may_be_is_not_dropped(
    monkeypatch: pytest.MonkeyPatch, options: dict[str, Any] | None
) -> None:
    monkeypatch.setattr(Handler, "timeout", 0.05)
    app = create_app()
    if options is not None:  # as an app with flask-sock has them that says nothing
        app.config["SOCK_SERVER_OPTIONS"] = options
    with BackgroundServer(app) as server, Peer(server, "?interval=60") as ws:
        assert ws.text() == "\\ 0"
        ws.sock.settimeout(0.2)
        with pytest.raises(TimeoutError):
            ws.receive()
        ws.sock.settimeout(SECONDS)
        ws.send("stop")
        assert ws.to_the_close() == ([], 1000, "that was all")


def test_the_connections_ping_and_know_how_long_a_message_may_be() -> None:
    app = create_app()
    assert app.config["SOCK_SERVER_OPTIONS"] == {"ping_interval": 25, "max_message_size": 65_536}
    assert (websocket.PING_SECONDS, MAX_BYTES) == (25, 65_536)


def test_a_quiet_connection_is_pinged() -> None:
    app = create_app()
    app.config["SOCK_SERVER_OPTIONS"] = {"ping_interval": 0.05}
    with BackgroundServer(app) as server:
        sock, parser, rest = upgraded(server, "?interval=60")
        found = frames_until(sock, parser, rest, lambda found: PING in [frame.opcode for frame in found])
        assert found[:2] == [Frame(TEXT, b"\\ 0"), Frame(PING)]
        sock.close()
