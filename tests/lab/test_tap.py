"""Tap: it passes on and records all bytes in both directions at once, and leaves nothing open after its end."""

from __future__ import annotations

import gc
import hashlib
import random
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
import requests
from flask import Flask, Response, request
from raw_client import SECONDS, ask, dial, open_files, read_all, read_until, reset, wait_for

from server import create_app, pause
from server.lab import BackgroundServer, Tap


@contextmanager
def serving(respond: Callable[[socket.socket], None], connections: int = 1) -> Iterator[str]:
    """Accept some connections, one after the other, and call `respond` with each socket. Yield the URL."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(SECONDS)

        def serve() -> None:
            for _ in range(connections):
                sock, _ = listener.accept()
                sock.settimeout(SECONDS)
                with sock:
                    respond(sock)

        thread = threading.Thread(target=serve, name="server of a test")
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        thread.join(SECONDS)
        assert not thread.is_alive()


def echo(sock: socket.socket) -> None:
    while data := sock.recv(65536):
        sock.sendall(data)


def ends(tap: Tap) -> list[tuple[str, str]]:
    return [(piece.direction, piece.how) for piece in tap.recording.pieces if piece.how]


# The bytes that are passed on.


def test_each_event_is_passed_on_before_the_next_one_is_made() -> None:
    """The server makes an event only after the client has read the event before."""
    read, count = threading.Semaphore(0), 5
    app = Flask(__name__)

    @app.get("/")
    def stream() -> Response:
        def body() -> Iterator[bytes]:
            for number in range(count):
                yield b"data: %d\n\n" % number
                assert read.acquire(timeout=SECONDS)

        return Response(body(), content_type="text/event-stream")

    with BackgroundServer(app) as server, Tap(server.url) as tap, ask(tap.url) as client:
        for number in range(count):
            read_until(client, b"data: %d\n\n" % number)
            read.release()
        read_until(client, b"0\r\n\r\n")


def test_both_directions_are_passed_on_at_once_for_any_protocol() -> None:
    with serving(echo) as url, Tap(url) as tap:
        with dial(tap.url) as client:
            for word in (b"a", b"bc\n", b"\0\xff", b"HTTP/1.1"):
                client.sendall(word)
                assert read_until(client, word) == word
        tap.recording.wait(lambda recording: len(ends(tap)) == 2)
    assert tap.recording.bytes("->") == tap.recording.bytes("<-") == b"abc\n\0\xffHTTP/1.1"
    assert {piece.connection for piece in tap.recording.pieces} == {1}


def test_the_times_of_pieces_begin_at_0_and_do_not_decrease(server: BackgroundServer) -> None:
    with Tap(server.url) as tap:
        read_all(ask(tap.url, "/sse?count=3&interval=0.01"))
    times = [piece.when for piece in tap.recording.pieces]
    assert times[0] == 0
    assert times == sorted(times)


def test_all_bytes_are_passed_on_unchanged() -> None:
    body = random.Random(7).randbytes(5_000_000)
    seen = hashlib.sha256()
    app = Flask(__name__)

    @app.post("/")
    def upload() -> bytes:
        seen.update(request.get_data())
        return body

    with BackgroundServer(app) as server, Tap(server.url) as tap:
        assert requests.post(tap.url, data=body, timeout=SECONDS).content == body
    assert seen.digest() == hashlib.sha256(body).digest()
    assert tap.recording.bytes("->").endswith(body)
    assert tap.recording.bytes("<-").endswith(body)


def test_each_connection_is_recorded_separately(server: BackgroundServer) -> None:
    with Tap(server.url) as tap:
        clients = [ask(tap.url, f"/sse?count={count}&interval=0") for count in (1, 2, 3)]
        responses = [read_all(client) for client in clients]
    for number, response in enumerate(responses, start=1):
        assert response.count(b"data:") == number
    recorded = {tap.recording.bytes("<-", number) for number in (1, 2, 3)}
    assert recorded == set(responses)
    assert tap.recording.bytes("->", 9) == b""


def test_the_path_of_the_server_is_kept_in_the_url(server: BackgroundServer) -> None:
    with Tap(f"{server.url}/sse?count=1") as tap:
        assert tap.url.endswith("/sse?count=1")
        assert requests.get(tap.url, timeout=SECONDS).content == b"data: \\ 0\n\n"


# The end of a connection.


def test_a_half_close_is_passed_on_and_the_response_still_arrives() -> None:
    def respond(sock: socket.socket) -> None:
        received = b""
        while data := sock.recv(100):
            received += data
        sock.sendall(b"received " + received)

    with serving(respond) as url, Tap(url) as tap:
        client = dial(tap.url)
        client.sendall(b"all")
        client.shutdown(socket.SHUT_WR)
        assert read_all(client) == b"received all"
        tap.recording.wait(lambda recording: len(ends(tap)) == 2)
    assert ends(tap) == [("->", "closed"), ("<-", "closed")]


def test_a_reset_by_the_server_is_passed_on_and_recorded() -> None:
    def respond(sock: socket.socket) -> None:
        read_until(sock, b"\n")
        sock.sendall(b"begun")
        read_until(sock, b"go on\n")
        reset(sock)

    with serving(respond) as url, Tap(url) as tap, dial(tap.url) as client:
        client.sendall(b"hello\n")
        read_until(client, b"begun")
        client.sendall(b"go on\n")
        with pytest.raises(ConnectionResetError):
            client.recv(1)
        tap.recording.wait(lambda recording: ends(tap))
        assert ends(tap) == [("<-", "reset")]


def test_a_reset_by_the_client_is_passed_on_and_recorded() -> None:
    found: list[type[Exception]] = []

    def respond(sock: socket.socket) -> None:
        sock.sendall(b"begun")
        try:
            sock.recv(1)
        except OSError as error:
            found.append(type(error))

    with serving(respond) as url, Tap(url) as tap:
        client = dial(tap.url)
        read_until(client, b"begun")
        reset(client)
        tap.recording.wait(lambda recording: ends(tap))
        assert ends(tap) == [("->", "reset")]
    assert found == [ConnectionResetError]


def test_the_tap_still_works_after_resets_by_clients(server: BackgroundServer) -> None:
    with Tap(server.url) as tap:
        for _ in range(5):
            client = ask(tap.url, "/sse?interval=0")
            read_until(client, b"data:")
            reset(client)
        assert read_all(ask(tap.url, "/sse?count=1")).endswith(b"0\r\n\r\n")


def test_a_refused_connection_is_recorded_and_resets_the_client() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    with Tap(url) as tap:
        for _ in range(2):
            with pytest.raises(ConnectionError), dial(tap.url) as client:
                client.recv(1)
        tap.recording.wait(lambda recording: len(ends(tap)) == 2)
        assert ends(tap) == [("<-", "refused")] * 2


@pytest.mark.parametrize("host", ["127.0.0.1", "255.255.255.255"])  # refused after a moment, and at once
def test_the_next_address_is_tried_if_one_address_of_the_server_fails(
    host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        failing = (host, closed.getsockname()[1])
    with serving(echo) as url:
        good = ("127.0.0.1", int(url.rpartition(":")[2]))
        found = [(socket.AF_INET, socket.SOCK_STREAM, 0, "", address) for address in (failing, good)]
        with monkeypatch.context() as patch:
            patch.setattr(socket, "getaddrinfo", lambda *arguments, **options: found)
            tap = Tap(url).start()
        with tap, dial(tap.url) as client:
            client.sendall(b"hello")
            assert read_until(client, b"hello") == b"hello"


@pytest.mark.parametrize("disconnect", [socket.socket.close, reset])
def test_the_server_notices_a_disconnect_from_an_idle_stream_through_the_tap(
    disconnect: Callable[[socket.socket], None],
) -> None:
    ended = threading.Event()
    app = Flask(__name__)

    @app.get("/")
    def stream() -> Response:
        wait = pause(request.environ)

        def body() -> Iterator[bytes]:
            try:
                yield b"first"
                wait(60)
            finally:
                ended.set()

        return Response(body())

    with BackgroundServer(app) as server, Tap(server.url) as tap:
        client = ask(tap.url)
        read_until(client, b"first")
        disconnect(client)
        assert ended.wait(2)  # seconds; a few milliseconds on an idle machine


def test_stop_closes_all_connections_and_leaves_no_open_file() -> None:
    with BackgroundServer(create_app()) as server:
        before = open_files()
        for _ in range(3):
            tap = Tap(server.url).start()
            url = tap.url
            clients = [ask(url, "/sse?interval=60") for _ in range(3)]
            for client in clients:
                read_until(client, b"data:")
            tap.stop()
            for client in clients:
                read_all(client)
            with pytest.raises(ConnectionError):
                dial(url)
        wait_for(lambda: open_files() <= before, "no file is left open")


def test_stop_waits_for_connections_that_are_about_to_end(
    server: BackgroundServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.lab.tap.GRACE_SECONDS", SECONDS)  # so that a busy machine is in time too
    with Tap(server.url) as tap:
        client = ask(tap.url, "/sse?interval=60")
        read_until(client, b"\n\n\r\n")  # a client that closes with unread bytes sends a reset
        timer = threading.Timer(0.05, client.close)
        timer.start()
    timer.join()
    assert {direction for direction, _ in ends(tap)} == {"->", "<-"}


def test_a_tap_without_references_stops(server: BackgroundServer) -> None:
    tap = Tap(server.url).start()
    url = tap.url
    with ask(url, "/sse") as client:
        read_until(client, b"data:")
        del tap
        gc.collect()
        read_all(client)
    with pytest.raises(ConnectionError):
        dial(url)


# The limit of the recording.


def test_a_client_that_never_reads_blocks_the_server_and_memory_stays_bounded() -> None:
    stalled: list[int] = []

    def flood(sock: socket.socket) -> None:
        sock.settimeout(0.3)  # if nobody takes a byte, the server is blocked
        sent = 0
        try:
            while sent < 200_000_000:
                sent += sock.send(b"x" * 65536)
        except TimeoutError:
            stalled.append(sent)

    with serving(flood) as url, Tap(url) as tap, dial(tap.url):
        wait_for(lambda: stalled, "the server is blocked")
        recorded = len(tap.recording.bytes("<-"))
    assert recorded <= stalled[0] < 200_000_000


def test_keep_limits_the_recorded_bytes_and_the_dropped_ones_are_counted(server: BackgroundServer) -> None:
    with Tap(server.url, keep=200) as tap:
        response = read_all(ask(tap.url, "/sse?count=50&interval=0"))
    request = b"GET /sse?count=50&interval=0 HTTP/1.1\r\nHost: x\r\n\r\n"
    assert tap.recording.bytes("->") == request
    assert tap.recording.bytes("<-") == response[: 200 - len(request)]
    assert tap.recording.dropped == len(response) - (200 - len(request))


# Use and errors.


@pytest.mark.parametrize(
    "url", ["", "127.0.0.1:5000", "https://127.0.0.1", "ftp://127.0.0.1", "http://", "http:///path", "http://x:port"]
)
def test_a_url_without_http_or_host_raises_valueerror(url: str) -> None:
    with pytest.raises(ValueError, match=r"a tap needs a URL such as|[Pp]ort"):
        Tap(url)


def test_the_error_for_a_host_without_an_address_says_how_to_fix_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*arguments: object, **options: object) -> list[object]:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(RuntimeError, match=r"'nowhere' has no address .* Check the host in the tap's URL"):
        Tap("http://nowhere").start()


def test_a_negative_keep_raises_valueerror() -> None:
    with pytest.raises(ValueError, match="not -1"):
        Tap("http://127.0.0.1", keep=-1)


def test_the_url_is_available_only_while_the_tap_runs(server: BackgroundServer) -> None:
    tap = Tap(server.url)
    for _ in range(2):
        with pytest.raises(RuntimeError, match=r"this tap is not running: call start\(\) first"):
            _ = tap.url
        assert repr(tap) == f"<Tap stopped of {server.url}>"
        with tap:
            assert repr(tap) == f"<Tap {tap.url} of {server.url}>"


def test_start_and_stop_may_be_called_twice_and_a_tap_can_restart(server: BackgroundServer) -> None:
    tap = Tap(server.url)
    tap.stop()
    for number in (1, 2):
        url = tap.start().url
        assert tap.start().url == url
        read_all(ask(url, "/sse?count=1"))
        tap.stop()
        tap.stop()
        assert tap.recording.bytes("<-").count(b"HTTP/1.1 200 OK") == number


def test_the_clock_of_the_recording_stops_with_the_tap_and_starts_again_with_it() -> None:
    with BackgroundServer(create_app()) as server:
        tap = Tap(server.url).start()
        requests.get(f"{tap.url}/sse?count=1&interval=0", timeout=SECONDS)
        tap.stop()
        assert not tap.recording.snapshot().running
        with tap:
            requests.get(f"{tap.url}/sse?count=1&interval=0", timeout=SECONDS)
            assert tap.recording.snapshot().running


def test_connection_numbers_continue_after_a_restart(server: BackgroundServer) -> None:
    tap = Tap(server.url)
    for path in ("/sse?count=1", "/sse?count=2"):
        with tap:
            read_all(ask(tap.url, path))
    assert [piece.connection for piece in tap.recording.pieces if piece.data and piece.direction == "->"] == [1, 2]
    assert tap.recording.text(times=False).count("GET /sse?count=") == 2


# Its address, and the Host header.


def test_the_port_can_be_chosen(server: BackgroundServer) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with Tap(server.url, port=port) as tap:
        assert tap.url == f"http://127.0.0.1:{port}"
        assert requests.get(f"{tap.url}/sse?count=1", timeout=SECONDS).ok
        with pytest.raises(RuntimeError, match=rf"port {port} is already in use\. Pass port=0 for a free port"):
            Tap(server.url, port=port).start()


def test_the_host_can_be_chosen(server: BackgroundServer) -> None:
    with Tap(server.url, host="0.0.0.0") as tap:
        assert tap.url.startswith("http://127.0.0.1:")
        assert tap._loop is not None
        assert tap._loop.listener.getsockname()[0] == "0.0.0.0"
        assert requests.get(f"{tap.url}/sse?count=1", timeout=SECONDS).ok


def test_upstream_host_lets_an_app_that_checks_the_host_respond() -> None:
    app = Flask(__name__)
    app.config["TRUSTED_HOSTS"] = ["app.example"]
    app.add_url_rule("/", view_func=lambda: request.host, methods=["GET", "POST"])
    with BackgroundServer(app) as server:
        url = server.url.replace("127.0.0.1", "app.example")
        with pytest.MonkeyPatch.context() as patch:
            found = socket.getaddrinfo("127.0.0.1", int(url.rpartition(":")[2]), type=socket.SOCK_STREAM)
            patch.setattr(socket, "getaddrinfo", lambda *arguments, **options: found)
            plain, rewriting = Tap(url).start(), Tap(url, upstream_host=True).start()
        with plain, rewriting:
            assert requests.get(plain.url, timeout=SECONDS).status_code == 400
            body = b"Host: not a header\r\n"
            assert requests.post(rewriting.url, data=body, timeout=SECONDS).text == url.removeprefix("http://")
        sent = rewriting.recording.bytes("->")
        assert b"Host: 127.0.0.1:" in sent  # the recording shows the request of the client
        assert sent.endswith(body)


def test_upstream_host_is_set_in_each_request_of_a_connection_and_leaves_all_other_bytes_alone() -> None:
    first = b"POST / HTTP/1.1\r\nhost:a\r\nContent-Length: 9\r\n\r\nHost: b\r\n"
    second = b"GET / HTTP/1.1\r\nAccept: */*\r\nHost: a\r\n\r\n"
    upgrade = b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: x\r\n\r\n"
    with serving(echo) as url, Tap(url, upstream_host=True) as tap, dial(tap.url) as client:
        host = url.removeprefix("http://").encode()
        for sent, passed_on in (
            (first, first.replace(b"host:a", b"host:" + host)),
            (second * 2, second.replace(b"Host: a", b"Host: " + host) * 2),
            (upgrade, upgrade.replace(b"Host: a", b"Host: " + host)),
            (b"\x81\x01aHost: a", b"\x81\x01aHost: a"),
        ):
            client.sendall(sent)
            assert read_until(client, passed_on) == passed_on


def test_upstream_host_passes_an_incomplete_request_on_at_the_end() -> None:
    with serving(echo) as url, Tap(url, upstream_host=True) as tap:
        client = dial(tap.url)
        client.sendall(b"GET / HTTP/1.1\r\nHo")
        client.shutdown(socket.SHUT_WR)
        assert read_all(client) == b"GET / HTTP/1.1\r\nHo"


def test_server_that_never_accepts_is_recorded_as_unreachable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server.lab.tap.CONNECT_SECONDS", 0.2)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        address = listener.getsockname()
        fill = []
        for _ in range(4):  # until the queue of the listener is full
            fill.append(socket.socket())
            fill[-1].setblocking(False)
            fill[-1].connect_ex(address)
        with Tap(f"http://127.0.0.1:{address[1]}") as tap, ask(tap.url, "/nobody") as client:
            tap.recording.wait(lambda recording: recording.bytes("->"), SECONDS)  # before the server accepts
            with pytest.raises(ConnectionError):
                client.recv(1)
            tap.recording.wait(lambda recording: ends(tap), SECONDS)
        for sock in fill:
            sock.close()
    assert ends(tap) == [("<-", "unreachable")]
    assert "the server did not accept the connection in time" in tap.recording.text()


if sys.platform != "win32":

    def test_without_file_descriptors_a_client_is_refused_and_the_tap_lives(server: BackgroundServer) -> None:
        done = subprocess.run(
            [sys.executable, "-c", FEW_FILES, server.url], capture_output=True, text=True, timeout=60
        )
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout == "refused and alive\n"


@pytest.mark.parametrize("size", [1, 1 << 20])
def test_a_delay_applies_to_each_direction_and_changes_no_byte(size: int) -> None:
    sent = random.Random(1).randbytes(size)
    with serving(echo) as url, Tap(url, delay=0.05) as tap, dial(tap.url) as sock:
        began = time.monotonic()
        sender = threading.Thread(target=sock.sendall, args=[sent])
        sender.start()
        received = read_exactly(sock, size)
        assert time.monotonic() - began >= 0.1
        sender.join(SECONDS)
        sock.shutdown(socket.SHUT_WR)
        assert read_all(sock) == b""
    assert received == sent
    assert tap.recording.bytes("->") == tap.recording.bytes("<-") == sent


def read_exactly(sock: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        data += sock.recv(1 << 16)
    return data


def test_a_delayed_response_is_complete_and_takes_two_delays_more() -> None:
    with BackgroundServer(create_app()) as server, Tap(server.url, delay=0.3) as tap:
        response = requests.get(f"{tap.url}/sse?count=3&interval=0.1", timeout=SECONDS)
    assert response.text == "data: \\ 0\n\ndata: | 1\n\ndata: / 2\n\n"
    assert response.elapsed.total_seconds() >= 0.6


def test_a_negative_delay_is_refused() -> None:
    with pytest.raises(ValueError, match="delay must be a number of seconds, 0 or more, not -1"):
        Tap("http://127.0.0.1:1", delay=-1)


FEW_FILES = """
import resource, socket, sys, time
from server.lab import Tap
resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
tap = Tap(sys.argv[1]).start()
address = ("127.0.0.1", int(tap.url.rpartition(":")[2]))

def first_bytes(sock):
    sock.sendall(b"GET /sse?interval=60 HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n")
    try:
        return sock.recv(15)
    except ConnectionError:
        return b""

held = [open("/dev/null") for _ in range(30)]
clients = [socket.create_connection(address, 10) for _ in range(3)]
assert all(first_bytes(sock) for sock in clients)
last = []
try:
    while True:
        held.append(open("/dev/null"))
except OSError:
    held.pop().close()  # one descriptor, for the client
refused = socket.create_connection(address, 10)
assert first_bytes(refused) == b""
used = time.process_time()
time.sleep(0.3)
assert time.process_time() - used < 0.2
refused.close()
for file in held:
    file.close()
assert first_bytes(socket.create_connection(address, 10)) == b"HTTP/1.1 200 OK"
tap.stop()
print("refused and alive")
"""
