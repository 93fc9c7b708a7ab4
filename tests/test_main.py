"""`python -m server`: its options, which hosts it trusts, its end, and too many open files."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import requests
from raw_client import SECONDS, ask, read_all, read_until, wait_for

from server.__main__ import LOOPBACK, trusted_hosts

LIMITED = """
import resource, runpy, sys
resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
runpy.run_module("server", run_name="__main__")
"""
REFUSED = "A client was refused: too many files and connections are open"


@contextmanager
def serving(*options: str, code: str | None = None, **environ: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """Run `python -m server` on a free port, and yield its URL and its process."""
    command = [sys.executable, *(["-c", code] if code else ["-m", "server"]), "--port", "0", *options]
    process = subprocess.Popen(
        command, env={**os.environ, **environ}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout
    assert process.stderr
    with process, process.stdout, process.stderr:
        try:
            line = process.stdout.readline()
            found = re.fullmatch(r"Serving on http://[^:]+:(\d+)\. Press Ctrl-C to stop\.\n", line)
            assert found, line
            yield f"http://127.0.0.1:{found[1]}", process
        finally:
            process.terminate()


def status(url: str, host: str) -> int:
    return requests.get(f"{url}/sse?count=0", headers={"Host": host}, timeout=SECONDS).status_code


def test_it_trusts_the_names_of_this_computer_and_no_other() -> None:
    with serving() as (url, _):
        assert [status(url, host) for host in ("localhost", "127.0.0.1:1", "[::1]:2")] == [200] * 3
        assert status(url, "evil.example") == 400


def test_another_name_can_be_trusted_by_an_option_or_by_the_environment() -> None:
    with serving("--trusted-host", "pi.example", STREAMING_TRUSTED_HOSTS="a.example b.example") as (url, _):
        hosts = ("pi.example", "a.example", "b.example:80", "localhost")
        assert [status(url, host) for host in hosts] == [200] * 4
        assert status(url, "evil.example") == 400


@pytest.mark.parametrize(
    ("host", "names", "hub", "trusted"),
    [
        ("localhost", [], None, LOOPBACK),
        ("127.0.0.1", ["pi.example"], None, [*LOOPBACK, "pi.example"]),
        ("0.0.0.0", [], None, None),
        ("0.0.0.0", ["pi.example"], None, [*LOOPBACK, "pi.example"]),
        ("localhost", [], "/user/ada/", None),
        ("localhost", ["hub.example"], "/user/ada/", [*LOOPBACK, "hub.example"]),
    ],
)
def test_any_host_is_trusted_on_a_hub_and_on_the_network(
    host: str, names: list[str], hub: str | None, trusted: list[str] | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("JUPYTERHUB_SERVICE_PREFIX", raising=False)
    if hub:
        monkeypatch.setenv("JUPYTERHUB_SERVICE_PREFIX", hub)
    assert trusted_hosts(host, names) == trusted


def test_port_in_use_is_one_line_with_a_remedy() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        command = [sys.executable, "-m", "server", "--port", port]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert done.stderr.startswith(f"Cannot listen on port {port}: ")
    assert done.stderr.endswith("Stop the other server or pass --port 0.\n")
    assert done.stderr.count("\n") == 1


if sys.platform != "win32":

    def test_ctrl_c_ends_all_streams_without_a_traceback() -> None:
        with serving("--trusted-host", "x") as (url, process), ask(url, "/sse?interval=60") as stream:
            read_until(stream, b"data:")
            process.send_signal(signal.SIGINT)
            read_all(stream)
            _, errors = process.communicate(timeout=SECONDS)
            assert process.returncode == 0
            assert "Traceback" not in errors

    def test_without_file_descriptors_a_client_is_refused_and_the_others_are_served() -> None:
        import resource

        before = sum(resource.getrusage(resource.RUSAGE_CHILDREN)[:2])
        served, refused = list[socket.socket](), list[socket.socket]()
        with serving("--trusted-host", "x", code=LIMITED) as (url, process):
            for _ in range(100):
                client = ask(url, "/sse?interval=0.05")
                try:
                    start = client.recv(15)
                except ConnectionError:
                    start = b""
                (served if start == b"HTTP/1.1 200 OK" else refused).append(client)
            for client in served:
                read_until(client, b"data:")
                read_until(client, b"data:")
            for client in [*served, *refused]:
                client.close()
            wait_for(lambda: status(url, "localhost") == 200, "a new client is served")
            process.terminate()
            _, errors = process.communicate(timeout=SECONDS)
            assert len(served) >= 40
            assert len(refused) >= 30
            assert errors.count(REFUSED) == 1
            assert "Traceback" not in errors
        assert sum(resource.getrusage(resource.RUSAGE_CHILDREN)[:2]) - before < 5  # seconds of CPU time: no busy loop
