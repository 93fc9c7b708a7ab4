"""The technique of polling: what is so at this moment, and 304 where nothing is new."""

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
def noon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stop the clock."""
    monkeypatch.setattr("time.time", lambda: NOW)


def start(seconds_ago: float) -> int:
    return round((NOW - seconds_ago) * 1000)


@pytest.mark.usefixtures("noon")
def test_the_answer_is_the_latest_tick_at_this_moment() -> None:
    for ago, wanted in ((0, ("\\", 0)), (0.99, ("\\", 0)), (1, ("|", 1)), (7.5, ("-", 7)), (1000, ("\\", 1000))):
        response = client.get(f"/polling?start={start(ago)}&interval=1")
        assert (response.status_code, response.mimetype) == (200, "application/json")
        assert response.json == {"char": wanted[0], "n": wanted[1], "more": True}


@pytest.mark.usefixtures("noon")
def test_the_last_tick_says_that_no_more_will_come_and_stays() -> None:
    states = [client.get(f"/polling?start={start(ago)}&interval=1&count=3").json for ago in (1, 2, 3, 600)]
    assert [(state["n"], state["more"]) for state in states] == [(1, True), (2, False), (2, False), (2, False)]


def test_without_a_start_everybody_sees_the_feed_that_began_with_the_server() -> None:
    before = Feed(polling.STARTED / 1000, 0.5).latest(time.time())
    found = client.get("/polling").json
    assert before <= found["n"] <= Feed(polling.STARTED / 1000, 0.5).latest(time.time())


@pytest.mark.usefixtures("noon")
def test_the_head_says_keep_it_but_ask_again_before_you_use_it() -> None:
    headers = client.get(f"/polling?start={start(3)}&interval=1").headers
    assert headers["Cache-Control"] == "no-cache"
    assert headers["ETag"] == '"3"'


@pytest.mark.usefixtures("noon")
@pytest.mark.parametrize(
    ("has", "status"),
    [('"3"', 304), ('W/"3"', 304), ('"1", "3"', 304), ("*", 304), ('"2"', 200), ('"30"', 200), ("", 200)],
)
def test_a_client_that_has_the_latest_tick_gets_304_and_no_body(has: str, status: int) -> None:
    response = client.get(f"/polling?start={start(3)}&interval=1", headers={"If-None-Match": has})
    assert (response.status_code, bool(response.data)) == (status, status == 200)
    assert response.headers["ETag"] == '"3"'
    assert response.headers["Cache-Control"] == "no-cache"


@pytest.mark.parametrize(("has", "status"), [("", 200), ('"1"', 304)])
def test_on_the_wire_there_is_one_date_and_with_304_neither_a_body_nor_its_length(
    server: BackgroundServer, has: str, status: int
) -> None:
    url = f"{server.url}/polling?start=0&count=2"
    response = requests.get(url, headers={"If-None-Match": has} if has else {}, timeout=SECONDS)
    assert response.status_code == status
    assert len(response.raw.headers.getlist("Date")) == 1
    names = [name.lower() for name in response.raw.headers]
    assert ("content-length" in names, len(response.content) > 0) == (status == 200, status == 200)


@pytest.mark.usefixtures("noon")
def test_a_feed_of_one_s_own_is_a_redirect_that_holds_behind_any_prefix() -> None:
    response = client.get("/polling?count=3&start=now&interval=0.02")
    assert response.status_code == 303
    where = response.headers["Location"]
    assert urlsplit(where)[:3] == ("", "", "polling")
    assert parse_qs(urlsplit(where).query) == {"start": [str(start(0))], "count": ["3"], "interval": ["0.02"]}
    assert client.get(f"/{where}").json == {"char": "\\", "n": 0, "more": True}


def test_whoever_asks_until_no_more_will_come_sees_the_feed_go_by(server: BackgroundServer) -> None:
    url = requests.get(f"{server.url}/polling?start=now&interval=0.02&count=6", timeout=SECONDS).url
    assert "start=now" not in url
    seen: list[dict[str, Any]] = []

    def poll() -> bool:
        seen.append(requests.get(url, timeout=SECONDS).json())
        return not seen[-1]["more"]

    wait_for(poll, "the end")
    numbers = [state["n"] for state in seen]
    assert numbers == sorted(numbers)
    assert seen[-1] == {"char": "|", "n": 5, "more": False}


@pytest.mark.usefixtures("noon")
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
def test_what_no_feed_can_be_is_refused_with_what_is_allowed(query: str, allowed: str) -> None:
    response = client.get(f"/polling?{query}")
    assert (response.status_code, response.mimetype) == (400, "text/plain")
    assert response.text.startswith(allowed)


def test_a_head_request_is_answered_without_a_body(server: BackgroundServer) -> None:
    with ask_for(server.url, "/polling?start=0&count=1", "HEAD") as sock:
        head = sock.recv(65536)
    assert head.startswith(b"HTTP/1.1 200 ")
    assert head.endswith(b"\r\n\r\n")
    assert head.count(b"\r\nDate: ") == 1
