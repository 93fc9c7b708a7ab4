"""Tests of server.techniques.longpoll: a response that waits for the next tick."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st
from raw_client import SECONDS, ask, read_all, read_until, reset, wait_for

from server import create_app
from server.feed import KEPT, Feed
from server.lab import BackgroundServer
from server.techniques import longpoll

client: Any = create_app().test_client()

SOON = 1  # seconds, the limit for the end of a request


def test_the_first_request_starts_a_feed_and_receives_its_first_tick() -> None:
    before = time.time()
    response = client.get("/longpoll?interval=60")
    found = response.json
    assert (response.status_code, response.headers["Cache-Control"]) == (200, "no-store")
    assert (found["ticks"], found["missed"], found["more"]) == ([{"char": "\\", "n": 0}], 0, True)
    started, _, n = found["cursor"].partition("-")
    assert n == "0"
    assert int(before * 1000) <= int(started) <= time.time() * 1000


def test_the_next_request_waits_for_the_next_tick() -> None:
    first = client.get("/longpoll?interval=0.1").json
    began = time.time()
    second = client.get(f"/longpoll?interval=0.1&after={first['cursor']}").json
    due = int(first["cursor"].partition("-")[0]) / 1000 + 0.1
    assert second["ticks"][0]["n"] == 1
    assert due - 1e-5 <= time.time() < max(began, due) + SOON


def test_after_the_timeout_the_response_is_204_and_the_cursor_is_still_valid() -> None:
    cursor = client.get("/longpoll?interval=60").json["cursor"]
    for timeout in ("0", "0.02"):
        response = client.get(f"/longpoll?interval=60&timeout={timeout}&after={cursor}")
        assert (response.status_code, response.data) == (204, b"")


def poll_to_the_end(query: str) -> list[dict[str, Any]]:
    """Poll with the last cursor until the feed ends. Return the JSON of the responses with status 200."""
    found = [client.get(f"/longpoll?{query}").json]
    due = time.monotonic() + SECONDS
    while found[-1]["more"]:
        assert time.monotonic() < due
        response = client.get(f"/longpoll?{query}&after={found[-1]['cursor']}")
        assert response.status_code in (200, 204)
        if response.status_code == 200:
            found.append(response.json)
    return found


@pytest.mark.parametrize("timeout", ["0", "0.001", "0.004"])
def test_no_tick_is_lost_or_repeated_if_requests_time_out(timeout: str) -> None:
    responses = poll_to_the_end(f"interval=0.01&count=20&timeout={timeout}")
    assert [tick["n"] for response in responses for tick in response["ticks"]] == list(range(20))
    assert {response["missed"] for response in responses} == {0}
    assert [response["more"] for response in responses] == [True] * (len(responses) - 1) + [False]


def test_a_client_that_has_every_tick_receives_a_response_immediately() -> None:
    cursor = client.get("/longpoll?count=1&interval=60").json["cursor"]
    assert client.get(f"/longpoll?count=1&interval=60&after={cursor}").json == {
        "ticks": [],
        "cursor": cursor,
        "missed": 0,
        "more": False,
    }


@given(st.integers(-1, 300), st.integers(0, 300))
def test_the_response_has_the_kept_ticks_and_the_number_of_missed_ticks(after: int, latest: int) -> None:
    found = longpoll.new_ticks(Feed(5, 1, count=301), after, now=5 + latest)
    numbers = [tick["n"] for tick in found["ticks"]]
    new = max(0, latest - after)
    assert len(numbers) == min(new, KEPT)
    assert found["missed"] == new - len(numbers)
    assert numbers == list(range(latest - len(numbers) + 1, latest + 1)) if new else numbers == []
    assert found["cursor"] == f"5000-{max(after, latest)}"
    assert found["more"] == (max(after, latest) < 300)


def test_a_client_with_an_old_cursor_receives_the_number_of_missed_ticks() -> None:
    started = round(time.time() * 1000) - 150_500
    found = client.get(f"/longpoll?interval=1&after={started}-9").json
    latest = found["ticks"][-1]["n"]
    assert (len(found["ticks"]), found["missed"]) == (KEPT, latest - 9 - KEPT)
    assert latest >= 150


@pytest.mark.parametrize(
    ("query", "allowed"),
    [
        *[(f"count={bad}", "count must be a whole number from 1 to 1000000, not '") for bad in ("0", "-1", "x")],
        *[
            (f"interval={bad}", "interval must be a number of seconds from 0.001 to 3600")
            for bad in ("x", "1e9", "-1")
        ],
        ("interval=0", "interval must be a number of seconds from 0.001 to 3600"),
        *[
            (f"timeout={bad}", "timeout must be a number of seconds from 0 to 60")
            for bad in ("x", "61", "-1", "1e1", "")
        ],
        *[
            (f"after={bad}", "after must be a cursor from an earlier response, not '")
            for bad in ("", "0", "x", "1-", "-1", "1--1", "99999999999999-0", "0-999999999999999", "9" * 300)
        ],
    ],
)
def test_an_invalid_query_parameter_is_refused_with_the_allowed_values(query: str, allowed: str) -> None:
    response = client.get(f"/longpoll?{query}")
    assert (response.status_code, response.mimetype) == (400, "text/plain")
    assert response.text.startswith(allowed)
    assert len(response.text) < 120


# A client that disconnects while it waits.


def waiting(server: BackgroundServer) -> list[threading.Thread]:
    end = f"stream of server {server.url.rpartition(':')[2]}"
    return [thread for thread in threading.enumerate() if thread.name == end]


def cursor_of(server: BackgroundServer) -> str:
    return str(requests.get(f"{server.url}/longpoll?interval=60", timeout=SECONDS).json()["cursor"])


@pytest.mark.parametrize("how", ["close", "reset"])
def test_a_disconnect_during_the_wait_ends_the_thread_without_an_error(server: BackgroundServer, how: str) -> None:
    after = cursor_of(server)
    wait_for(lambda: not waiting(server), "the first response has ended")
    sock = ask(server.url, f"/longpoll?interval=60&after={after}")
    wait_for(lambda: waiting(server), "the wait has begun")
    sock.settimeout(0.05)
    with pytest.raises(TimeoutError):
        sock.recv(1)
    began = time.monotonic()
    if how == "reset":
        reset(sock)
    else:
        sock.close()
    wait_for(lambda: not waiting(server), "the thread has ended")
    assert time.monotonic() - began < SOON
    assert not [line for line in server.log if "Traceback" in line or "Error" in line or '" 500' in line]


def test_stopping_the_server_ends_waiting_requests() -> None:
    with BackgroundServer(create_app()) as server:
        after = cursor_of(server)
        socks = [ask(server.url, f"/longpoll?interval=60&after={after}") for _ in range(3)]
        wait_for(lambda: len(waiting(server)) >= 3, "the waits have begun")
        threads, began = waiting(server), time.monotonic()
        server.stop()
        assert time.monotonic() - began < SOON
        assert not any(thread.is_alive() for thread in threads)
        assert [read_all(sock) for sock in socks] == [b""] * 3


def test_a_waiting_request_does_not_delay_another_request(server: BackgroundServer) -> None:
    after = cursor_of(server)
    with ask(server.url, f"/longpoll?interval=60&after={after}"), ask(server.url, "/longpoll?interval=60") as other:
        assert b"200 OK" in read_until(other, b'"n":0}]}\n')
