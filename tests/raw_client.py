"""A client in bare sockets, and waits that are bounded and have a condition."""

from __future__ import annotations

import os
import socket
import struct
import time
from collections.abc import Callable
from urllib.parse import urlsplit

SECONDS = 10  # for what takes a few milliseconds on an idle machine
RESET = struct.pack("ii", 1, 0)  # SO_LINGER: closing sends a reset


def dial(url: str) -> socket.socket:
    """Connect to the host and port of a URL."""
    parts = urlsplit(url)
    return socket.create_connection((parts.hostname, parts.port or 80), timeout=SECONDS)


def ask(url: str, path: str = "/", method: str = "GET") -> socket.socket:
    """Connect and send a request; return the socket to read the response from."""
    sock = dial(url)
    sock.sendall(f"{method} {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    return sock


def read_until(sock: socket.socket, end: bytes) -> bytes:
    """Read until `end` has come."""
    seen, due = b"", time.monotonic() + SECONDS
    while end not in seen:
        assert time.monotonic() < due, f"no {end!r} within {SECONDS} s: {seen[-100:]!r}"
        piece = sock.recv(65536)
        assert piece, f"the connection has ended before {end!r}: {seen!r}"
        seen += piece
    return seen


def read_all(sock: socket.socket) -> bytes:
    """Read to the end of the connection, be it a close or a reset, and close it."""
    seen, due = b"", time.monotonic() + SECONDS
    with sock:
        try:
            while piece := sock.recv(65536):
                seen += piece
                assert time.monotonic() < due, f"no end within {SECONDS} s: {seen[-100:]!r}"
        except ConnectionError:
            return seen
    return seen


def reset(sock: socket.socket) -> None:
    """Close a socket with a reset."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    sock.close()


def wait_for(condition: Callable[[], object], what: str = "the condition") -> None:
    """Wait until a condition holds."""
    due = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < due, f"not within {SECONDS} s: {what}"
        time.sleep(0.002)


def open_files() -> int:
    """Return how many files and sockets this process has open; 0 where the system does not tell."""
    for path in ("/proc/self/fd", "/dev/fd"):
        if os.path.isdir(path):
            return len(os.listdir(path))
    return 0
