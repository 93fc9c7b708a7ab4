"""What a request may ask of a stream, and the pause that ends when its client leaves."""

from __future__ import annotations

import socket
import struct
import threading
import time
from collections.abc import Iterator

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from werkzeug.exceptions import BadRequest

from server import create_app
from server.pace import MOST_SECONDS, MOST_TICKS, SOCKETS, ClientLeftError, Pace, pace, pause

SOON = 0.5  # seconds: generous for what takes a few milliseconds on an idle machine
RESET = struct.pack("ii", 1, 0)

app = create_app()


def paced(query: str) -> Pace:
    with app.test_request_context(f"/?{query}"):
        return pace(count=7, interval=0.25)


def refusal(query: str) -> str:
    with pytest.raises(BadRequest) as caught:
        paced(query)
    response = caught.value.get_response()
    assert response.status_code == 400
    assert response.content_type == "text/plain; charset=utf-8"
    return str(response.get_data(as_text=True))


def test_what_is_not_asked_for_is_the_default() -> None:
    found = paced("")
    assert found[:2] == (7, 0.25)


@pytest.mark.parametrize(("text", "count"), [("0", 0), ("1", 1), ("007", 7), (str(MOST_TICKS), MOST_TICKS)])
def test_a_count_is_a_whole_number(text: str, count: int) -> None:
    assert paced(f"count={text}")[0] == count


@pytest.mark.parametrize(
    ("text", "interval"), [("0", 0), ("1", 1), ("0.5", 0.5), (".5", 0.5), ("2.", 2), ("3600", MOST_SECONDS)]
)
def test_an_interval_is_a_number_of_seconds(text: str, interval: float) -> None:
    assert paced(f"interval={text}")[1] == interval


@pytest.mark.parametrize(
    "text",
    [
        *["-1", "x", "", "%20", "1.5", "1e3", "1_0", "0x10", "%2B1", "nan", "inf", "None", "1000001", "9" * 400],
        *["%D9%A1", "%C2%B2", "1%00", "1%0A", "%0A1", "1,2"],
    ],
)
def test_any_other_count_is_refused_with_what_is_allowed(text: str) -> None:
    said = refusal(f"count={text}")
    assert said.startswith("count is a whole number from 0 to 1000000, not '")
    assert said.count("\n") == 1
    assert len(said) < 200


@pytest.mark.parametrize(
    "text",
    [
        *[
            "-1",
            "-0.1",
            "x",
            "",
            ".",
            "1e9",
            "1e1",
            "nan",
            "NaN",
            "inf",
            "Infinity",
            "-inf",
            "3600.1",
            "3601",
            "9" * 400,
        ],
        *["9" * 400, "1_0", "%2B1", "%D9%A1", "0.5%0A", "0,5"],
    ],
)
def test_any_other_interval_is_refused_with_what_is_allowed(text: str) -> None:
    said = refusal(f"interval={text}")
    assert said.startswith("interval is a number of seconds from 0 to 3600, such as 0.5, not '")
    assert said.count("\n") == 1
    assert len(said) < 200


def test_a_refusal_says_what_was_wrong() -> None:
    assert refusal("count=-1") == "count is a whole number from 0 to 1000000, not '-1'\n"
    assert refusal("interval=1e9") == "interval is a number of seconds from 0 to 3600, such as 0.5, not '1e9'\n"


@given(st.text(max_size=20))
@example("1\n")
@example("\u0661")
def test_any_text_is_either_a_number_in_range_or_refused(text: str) -> None:
    with app.test_request_context("/", query_string={"count": text, "interval": text}):
        try:
            found = pace()
        except BadRequest:
            return
    assert found[0] == int(text)
    assert found[1] == float(text) <= MOST_SECONDS
    assert text.isascii()


def test_of_a_repeated_value_the_first_counts() -> None:
    assert paced("count=1&count=2&interval=1&interval=x")[0] == 1
    assert refusal("count=x&count=1").endswith("not 'x'\n")


def test_every_stream_refuses_a_bad_pace_before_it_begins() -> None:
    client = app.test_client()
    for stem in ("sse", "snippets", "template"):
        for query in ("count=-1", "interval=x"):
            response = client.get(f"/{stem}?{query}")
            assert (response.status_code, response.mimetype) == (400, "text/plain")
            assert " is a " in response.text


# The pause.


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    """The two ends of a TCP connection: the server's and the client's."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        client = socket.create_connection(listener.getsockname(), timeout=5)
        served, _ = listener.accept()
    with served, client:
        yield served, client


def waited(sock: socket.socket, seconds: float, key: str = SOCKETS[0]) -> float:
    began = time.monotonic()
    pause({key: sock})(seconds)
    return time.monotonic() - began


@pytest.mark.parametrize("environ", [{}, {"werkzeug.socket": None}, {"werkzeug.socket": object()}])
def test_without_a_socket_a_pause_is_a_sleep(environ: dict[str, object]) -> None:
    assert pause(environ) is time.sleep


@pytest.mark.parametrize("key", SOCKETS)
def test_a_pause_lasts_as_long_as_it_was_asked_to(pair: tuple[socket.socket, socket.socket], key: str) -> None:
    assert 0.045 <= waited(pair[0], 0.05, key) < 0.05 + SOON
    assert waited(pair[0], 0, key) < SOON


def leaving(served: socket.socket, leave: threading.Timer) -> float:
    """Pause for a minute while the client leaves; return how long after that the pause has ended."""
    leave.start()
    with pytest.raises(ClientLeftError, match="the client has left"):
        pause({"werkzeug.socket": served})(60)
    ended = time.monotonic()
    leave.join()
    return ended


def test_a_pause_ends_as_soon_as_the_client_closes(pair: tuple[socket.socket, socket.socket]) -> None:
    served, client = pair
    left: list[float] = []

    def close() -> None:
        left.append(time.monotonic())
        client.close()

    assert leaving(served, threading.Timer(0.05, close)) - left[0] < SOON


def test_a_pause_ends_as_soon_as_the_client_resets(pair: tuple[socket.socket, socket.socket]) -> None:
    served, client = pair
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    left: list[float] = []

    def reset() -> None:
        left.append(time.monotonic())
        client.close()

    assert leaving(served, threading.Timer(0.05, reset)) - left[0] < SOON


def test_a_pause_ends_as_soon_as_the_server_hangs_up(pair: tuple[socket.socket, socket.socket]) -> None:
    served, _ = pair
    left: list[float] = []

    def hang_up() -> None:
        left.append(time.monotonic())
        served.shutdown(socket.SHUT_RDWR)

    assert leaving(served, threading.Timer(0.05, hang_up)) - left[0] < SOON


@pytest.mark.parametrize("key", ["werkzeug.socket", "gunicorn.socket"])  # where these servers put it
def test_a_client_that_has_left_before_the_pause_ends_it_at_once(
    pair: tuple[socket.socket, socket.socket], key: str
) -> None:
    served, client = pair
    client.close()
    began = time.monotonic()
    with pytest.raises(ClientLeftError):
        pause({key: served})(5)
    assert time.monotonic() - began < SOON


@pytest.mark.parametrize("header", [{"CONTENT_LENGTH": "4"}, {"HTTP_TRANSFER_ENCODING": "chunked"}])
def test_a_body_that_waits_to_be_read_is_left_alone(
    pair: tuple[socket.socket, socket.socket], header: dict[str, str]
) -> None:
    served, client = pair
    client.sendall(b"body")
    began = time.monotonic()
    pause({"werkzeug.socket": served, **header})(0.05)
    assert 0.045 <= time.monotonic() - began < 0.05 + SOON
    served.settimeout(5)
    assert served.recv(4) == b"body"


def test_a_client_that_says_more_than_its_request_is_still_there(pair: tuple[socket.socket, socket.socket]) -> None:
    served, client = pair
    client.sendall(b"more")
    assert 0.045 <= waited(served, 0.05) < 0.05 + SOON


def test_what_a_client_says_after_its_request_does_not_hide_that_it_leaves(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    served, client = pair
    client.sendall(b"more")
    left: list[float] = []

    def close() -> None:
        left.append(time.monotonic())
        client.close()

    assert leaving(served, threading.Timer(0.05, close)) - left[0] < SOON


def test_a_socket_that_the_server_has_closed_ends_the_pause(pair: tuple[socket.socket, socket.socket]) -> None:
    pair[0].close()
    with pytest.raises(ClientLeftError, match="the server has closed the connection"):
        pause({"werkzeug.socket": pair[0]})(60)


def test_servers_take_a_leaving_calmly_since_it_is_a_connection_error() -> None:
    assert issubclass(ClientLeftError, ConnectionError)
