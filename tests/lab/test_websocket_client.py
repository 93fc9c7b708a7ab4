"""The recording WebSocket client: messages, control frames, and the ways in which a connection ends."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from flask_sock import Sock

from server.lab import BackgroundServer
from server.lab.websocket_client import WebSocketClient
from server.wire.websocket import CONTINUATION, PING, TEXT, Frame

BOUND = 5  # seconds, for a test that takes one or two
MASK = b"\x01\x02\x03\x04"


@contextlib.contextmanager
def connected(view: Callable[[Any], object], **settings: Any) -> Iterator[WebSocketClient]:
    """Serve a WebSocket view and connect a client to it."""
    app = Flask("app")
    app.config["SOCK_SERVER_OPTIONS"] = settings
    Sock(app).route("/")(view)
    with BackgroundServer(app) as server, WebSocketClient(server.url) as client:
        assert client.status == 101
        yield client


def echo(ws: Any) -> None:
    while True:
        ws.send(ws.receive())


def test_a_text_is_sent_and_received() -> None:
    with connected(echo) as client:
        client.send_text("zwö")
        assert client.receive() == "zwö"
        assert client.receive(seconds=0.05) is None
        assert client.end == "open"
    assert client.end == "interrupted"


def test_two_frames_are_one_message_and_bytes_stay_bytes() -> None:
    with connected(lambda ws: ws.send(ws.receive().encode())) as client:
        client.send(Frame(TEXT, b"in two ", fin=False, mask=MASK).encode())
        client.send(Frame(CONTINUATION, b"frames", mask=MASK).encode())
        assert client.receive() == b"in two frames"


def test_a_ping_gets_its_pong_in_both_directions() -> None:
    with connected(echo, ping_interval=0.05) as client:
        client.send(Frame(PING, b"there?", mask=MASK).encode())
        while client.receive(seconds=0.01) is None and client.recording.bytes("<-").count(b"\x89\x00") < 2:
            assert client.end == "open"  # without our pongs the server sends one ping and then closes
        assert b"\x8a\x06there?" in client.recording.bytes("<-")


def test_a_close_frame_has_its_code_and_its_reason() -> None:
    with connected(lambda ws: ws.close(4000, "enough")) as client:
        assert client.receive() is None
        assert (client.end, client.code, client.reason) == ("closed", 4000, "enough")


def test_messages_before_the_close_are_received_after_it() -> None:
    def view(ws: Any) -> None:
        ws.send("one")
        ws.send("two")
        sent.set()
        ws.receive()

    sent = threading.Event()
    with connected(view) as client:
        assert sent.wait(BOUND)
        client.close()
        assert (client.receive(), client.receive(), client.receive()) == ("one", "two", None)


def test_a_server_that_waits_for_a_message_notices_a_disconnect() -> None:
    with connected(echo) as client:
        assert client.disconnect()


def test_after_the_end_nothing_is_sent_and_nothing_fails() -> None:
    with connected(lambda ws: ws.close()) as client:
        assert client.receive() is None
        client.send_text("late")
        client.close_socket()
        client.send(b"late")
        assert client.receive(seconds=0.05) is None


def test_no_more_than_keep_bytes_are_read() -> None:
    def view(ws: Any) -> None:
        while True:
            ws.send(bytes(1 << 16))

    app = Flask("app")
    Sock(app).route("/")(view)
    with BackgroundServer(app) as server, WebSocketClient(server.url, keep=1000) as client:
        assert client.receive() is None
        assert client.recording.dropped
        assert len(client.recording.bytes("->") + client.recording.bytes("<-")) == 1000


def test_a_path_without_websocket_has_the_status_of_its_response() -> None:
    with BackgroundServer(Flask("app")) as server, WebSocketClient(server.url, "/none") as client:
        assert client.status == 404


def test_a_refused_connection_is_interrupted() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    with WebSocketClient(url) as client:  # the port is closed now
        client.send_text("late")
        assert (client.status, client.end, client.receive()) == (0, "interrupted", None)
        assert "connection refused" in str(client)


def test_a_server_that_sends_nothing_times_out() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        WebSocketClient(f"http://127.0.0.1:{listener.getsockname()[1]}", seconds=0.1) as client,
    ):
        assert (client.status, client.end) == (0, "open")


@pytest.mark.parametrize(
    "data",
    [b"\x81\x03\xed\xa0\x80", b"\xf1\x00", b"\x83\x00", b"\x89\x7e\x00\x80" + bytes(128), b"\x80\x00"],
    ids=["invalid UTF-8", "reserved bit", "reserved opcode", "long ping", "continuation of nothing"],
)
def test_a_malformed_frame_interrupts_the_connection(data: bytes) -> None:
    with connected(lambda ws: ws.sock.sendall(data) or ws.receive()) as client:
        assert client.receive() is None
        assert (client.end, client.code) == ("interrupted", 0)


def test_a_malformed_handshake_interrupts_the_connection() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def accept() -> None:
            with listener.accept()[0] as connection:
                connection.recv(1 << 16)
                connection.sendall(b"HTTP/1.1 101 Switching Protocols\r\n\r\n")
                connection.recv(1)  # until the client disconnects

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        with WebSocketClient(f"http://127.0.0.1:{listener.getsockname()[1]}") as client:
            assert (client.status, client.end) == (0, "interrupted")
        thread.join(BOUND)
        assert not thread.is_alive()
