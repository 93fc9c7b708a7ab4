"""create_app(): content negotiation at /, the pages, and the headers of every response."""

from __future__ import annotations

import ast
import http.client
from itertools import islice
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests
from flask import Flask
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.test import Client

import server as package
from server import create_app
from server.lab import BackgroundServer
from server.techniques import TECHNIQUES

STREAM = "text/event-stream"
STEMS = [technique.blueprint.name for technique in TECHNIQUES]
# The techniques that stream their ticks in the body of one response.
STREAMS = [technique.blueprint.name for technique in TECHNIQUES if technique.TICK_END]
LAST = {"multipart": b"\r\n--next-picture--\r\n"}  # what follows the last tick at the end
app = create_app()


@pytest.mark.parametrize(
    "accept",
    [
        STREAM,
        f"{STREAM}, */*",
        f"{STREAM}, */*;q=0.1",
        f"text/html;q=0.9, {STREAM}",
        f"text/html;q=0, {STREAM};q=0.1",
        f"application/json, {STREAM};q=0.5",
        STREAM.upper(),
        f"{STREAM};charset=utf-8, {STREAM}",
    ],
)
def test_a_client_that_prefers_an_event_stream_gets_the_spinner(accept: str) -> None:
    with app.test_client().get("/", headers={"Accept": accept}) as response:
        assert (response.status_code, response.content_type) == (200, STREAM)
        assert list(islice(response.response, 2)) == [b"data: \\ 0\n\n", b"data: | 1\n\n"]
        assert response.headers["Vary"] == "Accept"


@pytest.mark.parametrize(
    "accept",
    [
        None,
        "",
        "*/*",
        "text/*",
        "text/html",
        f"text/html, {STREAM}",
        f"text/html, {STREAM};q=0.9",
        f"{STREAM};q=0",
        "application/json",
        "text/event-streams",
        "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8",
        "nonsense;;;q=x",
    ],
)
def test_any_other_client_is_shown_the_way_to_the_page(accept: str | None) -> None:
    headers = {} if accept is None else {"Accept": accept}
    response = app.test_client().get("/", headers=headers)
    assert response.status_code == 302
    assert response.headers["Location"] == "static/index.html"  # relative to the document
    assert response.headers["Vary"] == "Accept"


def test_the_stream_at_the_root_is_endless_without_a_count() -> None:
    response = app.test_client().get("/?count=3&interval=0", headers={"Accept": STREAM})
    assert response.data == b"data: \\ 0\n\ndata: | 1\n\ndata: / 2\n\n"


def test_the_way_to_the_page_leads_to_the_page() -> None:
    with app.test_client().get("/", follow_redirects=True) as response:
        assert (response.status_code, response.mimetype) == (200, "text/html")


@pytest.mark.parametrize("accept", ["*/*", STREAM])
@pytest.mark.parametrize("path", ["/", *(f"/{stem}" for stem in STEMS)])
def test_the_response_to_head_has_headers_and_no_body(server: BackgroundServer, path: str, accept: str) -> None:
    wanted = requests.get(
        server.url + path, headers={"Accept": accept}, stream=True, timeout=5, allow_redirects=False
    )
    with wanted, requests.head(server.url + path, headers={"Accept": accept}, timeout=5) as found:
        assert found.status_code == wanted.status_code
        assert found.headers.get("Content-Type") == wanted.headers.get("Content-Type")
        assert found.content == b""


def test_any_origin_may_read_every_response() -> None:
    client = app.test_client()
    for path in ("/", "/sse?count=1", "/sse?count=x", "/nowhere", "/static/index.html"):
        with client.get(path) as response:
            assert response.headers["Access-Control-Allow-Origin"] == "*"


@pytest.mark.parametrize(
    "path",
    [
        "/nowhere",
        "/sse/",
        "/static/",
        "/static/nothing.html",
        "/static/../server/__init__.py",
        "/static/%2e%2e/run.py",
    ],
)
def test_an_unknown_path_is_not_found(path: str) -> None:
    assert app.test_client().get(path).status_code == 404


ACCEPTED = {rule.rule: rule.methods or set() for rule in app.url_map.iter_rules()}
WRONG = [
    (method, path)
    for path in ("/", *(f"/{stem}" for stem in STEMS))
    for method in ("POST", "PUT", "PATCH", "DELETE")
    if method not in ACCEPTED[path]
]


@pytest.mark.parametrize(("method", "path"), WRONG)
def test_a_wrong_method_is_refused_and_the_right_ones_are_named(method: str, path: str) -> None:
    response = app.test_client().open(path, method=method)
    assert response.status_code == 405
    assert {"GET", "HEAD"} <= set(response.headers["Allow"].replace(" ", "").split(","))


def behind(prefix: str) -> Client:
    return Client(DispatcherMiddleware(Flask("outside"), {prefix: app}))


def test_everything_works_behind_a_prefix() -> None:
    client = behind("/proxy/1234")
    redirect = client.get("/proxy/1234/")
    assert redirect.headers["Location"] == "static/index.html"
    with client.get("/proxy/1234/static/index.html") as page:
        assert page.status_code == 200
    assert client.get("/proxy/1234/sse?count=1").data == b"data: \\ 0\n\n"
    assert client.get("/sse").status_code == 404


@pytest.mark.parametrize("stem", STREAMS)
def test_a_stream_of_a_count_ends_with_the_last_chunk(server: BackgroundServer, stem: str) -> None:
    for count in (0, 1, 3):
        response = requests.get(f"{server.url}/{stem}?count={count}&interval=0", timeout=5)
        assert response.headers["Transfer-Encoding"] == "chunked"  # and requests raises where the last one is missing
        assert response.content == app.test_client().get(f"/{stem}?count={count}&interval=0").data


@pytest.mark.parametrize("stem", STREAMS)
def test_a_tick_leaves_before_the_next_is_made(server: BackgroundServer, stem: str) -> None:
    first = app.test_client().get(f"/{stem}?count=1").data.removesuffix(LAST.get(stem, b""))
    address = urlsplit(server.url)
    connection = http.client.HTTPConnection(str(address.hostname), address.port, timeout=5)
    connection.request("GET", f"/{stem}?interval=3600")
    seen = b""
    with connection.getresponse() as response:
        while len(seen) < len(first):
            piece = response.read1()
            assert piece, "the stream has ended"
            seen += piece
    assert seen.startswith(first)
    connection.close()


@pytest.mark.parametrize("stem", [*STREAMS, "longpoll"])
def test_a_stream_is_not_kept_by_any_cache(stem: str) -> None:
    assert app.test_client().get(f"/{stem}?count=1").headers["Cache-Control"] == "no-store"


def test_each_app_is_a_new_one() -> None:
    assert create_app() is not create_app()


@pytest.mark.parametrize("host", ["localhost", "localhost:23423", "LOCALHOST", "127.0.0.1:5", "[::1]", "[::1]:23423"])
@pytest.mark.parametrize("path", ["/sse?count=1", "/static/index.html", "/"])
def test_trusted_host_is_served_with_any_port(host: str, path: str) -> None:
    client = create_app(trusted_hosts=["localhost", "127.0.0.1", "::1"]).test_client()
    with client.get(path, headers={"Host": host}) as response:
        assert response.status_code in (200, 302)


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "evil.example:80", "127.0.0.2", "[", ""])
@pytest.mark.parametrize("path", ["/sse?count=1", "/static/index.html", "/", "/nowhere"])
def test_any_other_host_is_a_bad_request_with_a_remedy(host: str, path: str) -> None:
    response = create_app(trusted_hosts=["localhost"]).test_client().get(path, headers={"Host": host})
    assert (response.status_code, response.mimetype) == (400, "text/plain")
    assert response.text.startswith("this server does not trust the host '")
    assert "--trusted-host NAME" in response.text


def test_without_trusted_hosts_any_host_is_served() -> None:
    assert app.test_client().get("/sse?count=1", headers={"Host": "hub.example"}).status_code == 200


def test_the_port_is_23423_unless_the_environment_moves_it() -> None:
    source = Path(str(package.__file__)).read_text(encoding="utf-8")
    (port,) = (
        node.value
        for node in ast.parse(source).body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "PORT"
    )
    assert ast.unparse(port) == "int(os.environ.get('STREAMING_PORT', '23423'))"


def test_the_techniques_are_named_in_order_with_a_title_and_a_line(server: BackgroundServer) -> None:
    named = requests.get(f"{server.url}/techniques", timeout=5).json()
    assert [technique["stem"] for technique in named] == STEMS
    assert all(technique["title"] and technique["about"].endswith(".") for technique in named)
