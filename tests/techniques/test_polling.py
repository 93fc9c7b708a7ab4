"""Tests of server.techniques.polling: the current tick, and 304 if the client already has it."""

from __future__ import annotations

import time
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from raw_client import SECONDS, wait_for
from raw_client import ask as ask_for

from server import create_app
from server.feed import Feed
from server.lab import BackgroundServer
from server.techniques import polling

client: Any = create_app().test_client()

NOW = 1_700_000_000.25


@pytest.fixture
def stopped_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stop the clock."""
    monkeypatch.setattr("time.time", lambda: NOW)


def start(seconds_ago: float) -> int:
    return round((NOW - seconds_ago) * 1000)


@pytest.mark.usefixtures("stopped_clock")
def test_the_response_is_the_latest_tick() -> None:
    for ago, wanted in ((0, ("\\", 0)), (0.99, ("\\", 0)), (1, ("|", 1)), (7.5, ("-", 7)), (1000, ("\\", 1000))):
        response = client.get(f"/polling?start={start(ago)}&interval=1")
        assert (response.status_code, response.mimetype) == (200, "application/json")
        assert response.json == {"char": wanted[0], "n": wanted[1], "more": True}


@pytest.mark.usefixtures("stopped_clock")
def test_after_the_last_tick_more_is_false() -> None:
    states = [client.get(f"/polling?start={start(ago)}&interval=1&count=3").json for ago in (1, 2, 3, 600)]
    assert [(state["n"], state["more"]) for state in states] == [(1, True), (2, False), (2, False), (2, False)]


def test_without_start_the_feed_starts_with_the_server() -> None:
    before = Feed(polling.STARTED / 1000, 0.5).latest(time.time())
    found = client.get("/polling").json
    assert before <= found["n"] <= Feed(polling.STARTED / 1000, 0.5).latest(time.time())


@pytest.mark.usefixtures("stopped_clock")
def test_a_cache_must_revalidate_the_response() -> None:
    headers = client.get(f"/polling?start={start(3)}&interval=1").headers
    assert headers["Cache-Control"] == "no-cache"
    assert headers["ETag"] == '"3"'


@pytest.mark.usefixtures("stopped_clock")
@pytest.mark.parametrize(
    ("has", "status"),
    [('"3"', 304), ('W/"3"', 304), ('"1", "3"', 304), ("*", 304), ('"2"', 200), ('"30"', 200), ("", 200)],
)
def test_a_client_that_has_the_latest_tick_receives_304_without_a_body(has: str, status: int) -> None:
    response = client.get(f"/polling?start={start(3)}&interval=1", headers={"If-None-Match": has})
    assert (response.status_code, bool(response.data)) == (status, status == 200)
    assert response.headers["ETag"] == '"3"'
    assert response.headers["Cache-Control"] == "no-cache"


@pytest.mark.parametrize(("has", "status"), [("", 200), ('"1"', 304)])
def test_the_response_has_one_date_and_304_has_no_body_or_content_length(
    server: BackgroundServer, has: str, status: int
) -> None:
    url = f"{server.url}/polling?start=0&count=2"
    response = requests.get(url, headers={"If-None-Match": has} if has else {}, timeout=SECONDS)
    assert response.status_code == status
    assert len(response.raw.headers.getlist("Date")) == 1
    names = [name.lower() for name in response.raw.headers]
    assert ("content-length" in names, len(response.content) > 0) == (status == 200, status == 200)


@pytest.mark.usefixtures("stopped_clock")
def test_start_now_redirects_to_a_new_feed_with_a_relative_url() -> None:
    response = client.get("/polling?count=3&start=now&interval=0.02")
    assert response.status_code == 303
    location = response.headers["Location"]
    assert urlsplit(location)[:3] == ("", "", "polling")
    assert parse_qs(urlsplit(location).query) == {"start": [str(start(0))], "count": ["3"], "interval": ["0.02"]}
    assert client.get(f"/{location}").json == {"char": "\\", "n": 0, "more": True}


def test_polling_until_the_feed_ends_returns_its_ticks_in_order(server: BackgroundServer) -> None:
    url = requests.get(f"{server.url}/polling?start=now&interval=0.02&count=6", timeout=SECONDS).url
    assert "start=now" not in url
    states: list[dict[str, Any]] = []

    def poll() -> bool:
        states.append(requests.get(url, timeout=SECONDS).json())
        return not states[-1]["more"]

    wait_for(poll, "the feed has ended")
    numbers = [state["n"] for state in states]
    assert numbers == sorted(numbers)
    assert states[-1] == {"char": "|", "n": 5, "more": False}


@pytest.mark.usefixtures("stopped_clock")
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
            (f"start={bad}", f"start must be a whole number from 0 to {round(NOW * 1000)}, not '")
            for bad in ("-1", "x", "", "1.5", "Now", round(NOW * 1000) + 1)
        ],
        ("start=now&count=x", "count must be a whole number"),
    ],
)
def test_an_invalid_query_parameter_is_refused_with_the_allowed_values(query: str, allowed: str) -> None:
    response = client.get(f"/polling?{query}")
    assert (response.status_code, response.mimetype) == (400, "text/plain")
    assert response.text.startswith(allowed)


def test_the_response_to_head_has_no_body(server: BackgroundServer) -> None:
    with ask_for(server.url, "/polling?start=0&count=1", "HEAD") as sock:
        head = sock.recv(65536)
    assert head.startswith(b"HTTP/1.1 200 ")
    assert head.endswith(b"\r\n\r\n")
    assert head.count(b"\r\nDate: ") == 1
