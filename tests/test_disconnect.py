"""The pause: it lasts its seconds, and ends as soon as the client disconnects."""

from __future__ import annotations

import select
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from server import disconnect
from server.disconnect import ClientDisconnected, pause

SOON = 0.5  # seconds: generous for what takes a few milliseconds on an idle machine
SOCKET_KEYS = ("werkzeug.socket", "gunicorn.socket")  # the names that these servers use
RESET = struct.pack("ii", 1, 0)  # SO_LINGER: closing the socket resets the connection
Pair = tuple[socket.socket, socket.socket]


@pytest.fixture(params=["this system", "every system"])
def pair(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Pair]:
    """The two ends of a TCP connection, the server's and the client's, with each way of waiting."""
    if request.param == "every system":
        monkeypatch.setattr(disconnect, "_disconnects_on_linux", disconnect._disconnects)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        client = socket.create_connection(listener.getsockname(), timeout=5)
        served, _ = listener.accept()
    with served, client:
        yield served, client


def paused(sock: socket.socket, seconds: float, key: str = SOCKET_KEYS[0]) -> float:
    """Return how many seconds a pause takes."""
    start = time.monotonic()
    pause({key: sock})(seconds)
    return time.monotonic() - start


def noticed(served: socket.socket, end_connection: Callable[[], object]) -> float:
    """Pause for five seconds, end the connection meanwhile, and return how many seconds later the pause ends."""
    ended: list[float] = []

    def end() -> None:
        ended.append(time.monotonic())
        end_connection()

    timer = threading.Timer(0.05, end)
    timer.start()
    with pytest.raises(ClientDisconnected, match="the client has disconnected"):
        pause({"werkzeug.socket": served})(5)
    now = time.monotonic()
    timer.join()
    return now - ended[0]


@pytest.mark.parametrize("environ", [{}, {"werkzeug.socket": None}, {"werkzeug.socket": object()}])
def test_without_a_socket_the_pause_is_time_sleep(environ: dict[str, object]) -> None:
    assert pause(environ) is time.sleep


@pytest.mark.parametrize("key", SOCKET_KEYS)
def test_pause_lasts_its_seconds_while_the_client_is_connected(pair: Pair, key: str) -> None:
    assert 0.045 <= paused(pair[0], 0.05, key) < 0.05 + SOON
    assert paused(pair[0], 0, key) < SOON


def test_pause_ends_as_soon_as_the_client_closes(pair: Pair) -> None:
    served, client = pair
    assert noticed(served, client.close) < SOON


def test_pause_ends_as_soon_as_the_client_resets(pair: Pair) -> None:
    served, client = pair
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    assert noticed(served, client.close) < SOON


def test_pause_ends_as_soon_as_the_server_shuts_the_connection_down(pair: Pair) -> None:
    served, _ = pair
    assert noticed(served, lambda: served.shutdown(socket.SHUT_RDWR)) < SOON


@pytest.mark.parametrize("key", SOCKET_KEYS)
def test_pause_ends_at_once_after_an_earlier_disconnect(pair: Pair, key: str) -> None:
    served, client = pair
    client.close()
    start = time.monotonic()
    with pytest.raises(ClientDisconnected):
        pause({key: served})(5)
    assert time.monotonic() - start < SOON


def test_pause_of_zero_seconds_notices_a_disconnect(pair: Pair) -> None:
    served, client = pair
    wait = pause({"werkzeug.socket": served})
    client.close()
    with pytest.raises(ClientDisconnected):
        wait(0)


def test_pause_leaves_a_body_and_a_pipelined_request_unread(pair: Pair) -> None:
    served, client = pair
    client.sendall(b"GET /next")
    assert 0.045 <= paused(served, 0.05) < 0.05 + SOON
    served.settimeout(5)
    assert served.recv(100) == b"GET /next"


def test_bytes_that_arrive_in_the_pause_do_not_shorten_it(pair: Pair) -> None:
    served, client = pair
    timer = threading.Timer(0.02, client.sendall, (b"more",))
    timer.start()
    assert 0.095 <= paused(served, 0.1) < 0.1 + SOON
    timer.join()


@pytest.mark.parametrize("pair", ["this system"], indirect=True)
def test_unread_bytes_hide_a_disconnect_on_other_systems_than_linux(pair: Pair) -> None:
    served, client = pair
    client.sendall(b"GET /next")
    if hasattr(select, "epoll"):
        assert noticed(served, client.close) < SOON
    else:
        client.close()
        assert paused(served, 0.05) >= 0.045
    assert served.recv(100) == b"GET /next"


def test_pause_on_a_closed_socket_raises(pair: Pair) -> None:
    pair[0].close()
    with pytest.raises(ClientDisconnected, match="the server has closed the connection"):
        pause({"werkzeug.socket": pair[0]})(60)


def test_client_disconnected_is_a_connection_error_which_servers_expect() -> None:
    assert issubclass(ClientDisconnected, ConnectionError)


@pytest.mark.parametrize("module", ["server.disconnect", "server.ticks", "server.wire.sse"])
def test_importing_a_small_module_loads_neither_flask_nor_pillow(module: str) -> None:
    code = f"import sys, {module}; print({{'flask', 'werkzeug', 'jinja2', 'PIL'}} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "set()\n"
