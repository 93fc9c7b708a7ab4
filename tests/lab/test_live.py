"""The server of the live page: its port, and the file that gives its address to static/waiting.html."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from flask import Flask

from server.lab import live_server

app = Flask("live")


@app.get("/")
def root() -> str:
    return "hello"


@pytest.fixture
def taken() -> Iterator[int]:
    """A port on which another program listens."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port: int = other.getsockname()[1]
        yield port


def test_it_uses_the_preferred_port_and_prints_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with live_server(app, port) as server:
        assert server.url == f"http://127.0.0.1:{port}"
        assert requests.get(server.url, timeout=5).text == "hello"
    assert capsys.readouterr().out == ""


def test_it_takes_a_free_port_if_the_port_is_in_use_and_prints_it(
    taken: int, capsys: pytest.CaptureFixture[str]
) -> None:
    with live_server(app, taken) as server:
        assert server.url != f"http://127.0.0.1:{taken}"
        assert requests.get(server.url, timeout=5).text == "hello"
        line = f"Port {taken} is already in use on this machine. This server uses another port: {server.url}\n"
    assert capsys.readouterr().out == line


def test_it_writes_its_address_for_the_live_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "live.js"
    monkeypatch.setenv("STREAMING_LIVE_PAGE", str(file))
    for _ in range(2):  # the second server's address replaces the first's
        with live_server(app, 0) as server:
            assert file.read_text(encoding="utf-8") == f'liveAddress = "{server.url}/"\n'
    assert list(tmp_path.iterdir()) == [file]


def test_on_a_hub_the_address_goes_through_the_proxy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STREAMING_LIVE_PAGE", str(tmp_path / "live.js"))
    monkeypatch.setenv("JUPYTERHUB_SERVICE_PREFIX", "/user/ada/")
    with live_server(app, 0) as server:
        port = server.url.rpartition(":")[2]
    assert (tmp_path / "live.js").read_text(encoding="utf-8") == f'liveAddress = "/user/ada/proxy/{port}/"\n'


def test_without_a_live_page_it_writes_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("STREAMING_LIVE_PAGE", raising=False)
    monkeypatch.chdir(tmp_path)
    live_server(app, 0).stop()
    assert list(tmp_path.iterdir()) == []
