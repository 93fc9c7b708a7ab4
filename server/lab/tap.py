"""A recording TCP proxy: it stands between clients and a server, and records each read with its time.

One thread moves the bytes of all connections. It sends the bytes on as soon as it has read them, and does not
interpret them. It reads from one side only when the other side has taken the bytes before. A slow reader therefore
slows the sender as it would without the tap, and memory does not grow. A close is passed on as a close, a reset as a
reset.
"""

from __future__ import annotations

import contextlib
import errno
import re
import selectors
import socket
import struct
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

from server.serving import Refuser
from server.wire import http

from .cells import replace_earlier
from .pieces import Direction, How
from .recording import Recording

READ_BYTES = 1 << 16
MOST_DELAYED = 1000  # reads of one direction that wait for their delay
CONNECT_SECONDS = 5  # for the server to accept a connection
GRACE_SECONDS = 0.5  # at stop(), for connections that are about to end
IN_PROGRESS = (0, errno.EINPROGRESS, errno.EWOULDBLOCK)  # results of a connect() that does not wait
RESET = struct.pack("ii", 1, 0)  # SO_LINGER: closing drops unsent bytes and sends a reset
HOST_HEADER = re.compile(rb"(?im)^(Host:[ \t]*)[^\r\n]*")


class Tap:
    """Pass on and record everything between clients of `.url` and the server at `url`, in both directions.

    Use it as a context manager, or call `.start()`, which returns the tap, and `.stop()`. After that no thread and no
    socket is left. When a notebook cell runs again, the tap that it started before is stopped. It works for every
    protocol over TCP. A path in `url` is kept in `.url`.

    `port` and `host` are the address on which the tap listens. Port 0 takes a free port. Warning: with a host such as
    "0.0.0.0", everybody on your network can reach the server through the tap, without a password.

    `keep` is the number of bytes that `.recording` keeps (None: all).

    With `upstream_host=True` the server receives its own name in the Host header of each request, for apps that check
    it (TRUSTED_HOSTS). The recording shows the header that the client sent.

    `delay` is the time in seconds that the bytes need from one side to the other, as on a long line. The recording
    shows when the tap read them. The time that a real connection needs to be opened is not simulated.

    If the server does not accept a connection within 5 seconds, the recording ends it as "unreachable".

    Raises ValueError for a URL that is not http:// with a host, and for a negative delay. `.start()` raises
    RuntimeError if the host of the URL has no address or if the port is in use.
    """

    def __init__(
        self,
        url: str,
        *,
        port: int = 0,
        host: str = "127.0.0.1",
        keep: int | None = None,
        upstream_host: bool = False,
        delay: float = 0,
    ) -> None:
        parts = urlsplit(url)
        if parts.scheme != "http" or not parts.hostname:
            raise ValueError(f"a tap needs a URL such as http://127.0.0.1:23423, not {url!r}")
        if delay < 0:
            raise ValueError(f"delay must be a number of seconds, 0 or more, not {delay}")
        self.delay = delay
        self.target = (parts.hostname, parts.port or 80)
        self.address = (host, port)
        self.recording = Recording(keep)
        self._host_header = parts.netloc.rpartition("@")[2].encode() if upstream_host else None
        self._path = parts.path + (f"?{parts.query}" if parts.query else "")
        self._connections = 0  # so far, also before a restart
        self._loop: _Loop | None = None
        self._finalizer: weakref.finalize[Any, Any] | None = None

    @property
    def url(self) -> str:
        """The address for clients. Raises RuntimeError if the tap is not running."""
        if self._loop is None:
            raise RuntimeError("this tap is not running: call start() first")
        host = "127.0.0.1" if self.address[0] in ("0.0.0.0", "") else self.address[0]
        return f"http://{host}:{self._loop.port}{self._path}"

    def start(self) -> Tap:
        """Start to listen and return the tap. Do nothing if it is already running."""
        if self._loop is None:
            replace_earlier(self)
            self._loop = _Loop(
                self.address, self.target, self.recording, self._connections, self._host_header, self.delay
            )
            self._finalizer = weakref.finalize(self, self._loop.end, 0)
        return self

    def stop(self) -> None:
        """Stop listening, then close the remaining connections after a short grace period."""
        if self._loop is not None and self._finalizer is not None:
            self._finalizer.detach()
            self._loop.end(GRACE_SECONDS)
            self._connections = self._loop.count
            self.recording.stop()
        self._loop = self._finalizer = None

    def __enter__(self) -> Tap:
        return self.start()

    def __exit__(self, *exception: object) -> None:
        self.stop()

    def __repr__(self) -> str:
        return f"<Tap {self.url if self._loop else 'stopped'} of http://{self.target[0]}:{self.target[1]}>"


class _Side:
    """One of the two sockets of a connection, and the bytes to send to it."""

    def __init__(self, sock: socket.socket, connection: int, direction: Direction) -> None:
        self.sock, self.connection = sock, connection
        self.direction = direction  # of the bytes that are read from it
        self.peer: _Side
        self.addresses: Iterator[Any] = iter(())  # of the server, not tried yet
        self.deadline = 0.0  # for the server to accept the connection; 0 when it has
        self.delayed: deque[tuple[float, bytes]] = deque()  # bytes for it, and the time at which they are due
        self.unsent = b""
        self.ended = False  # it sends no more bytes
        self.shut_down = False  # the end of its peer has been passed on to it
        self.rewrite: Callable[[bytes], bytes] = bytes  # applied to the bytes that it sends

    def interest(self) -> int:
        reads = not (self.ended or self.peer.unsent or self.deadline or len(self.peer.delayed) >= MOST_DELAYED)
        writes = bool(self.unsent or self.deadline)
        return selectors.EVENT_READ * reads | selectors.EVENT_WRITE * writes


def _addresses(host: str, port: int) -> list[Any]:
    try:
        return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise RuntimeError(f"{host!r} has no address ({error.strerror}). Check the host in the tap's URL") from None


def _listener(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=1024)
    except OSError as error:
        reason = "already in use" if error.errno == errno.EADDRINUSE else f"not available ({error.strerror})"
        raise RuntimeError(f"port {port} is {reason}. Pass port=0 for a free port") from None


def _host_rewriter(host: bytes) -> Callable[[bytes], bytes]:
    """Return a function that replaces the Host header in the requests of one connection, up to an upgrade."""
    parser: http.Parser | None = http.Parser("request")

    def rewrite(data: bytes) -> bytes:
        nonlocal parser
        if parser is None:
            return data
        sent = b""
        for part in parser.feed(data) if data else parser.close():
            if isinstance(part, http.Head):
                sent += HOST_HEADER.sub(rb"\g<1>" + host, part.raw, count=1)
                if part.get("Upgrade"):
                    parser = None
            else:
                sent += part.raw
        return sent

    return rewrite


class _Loop:
    """The thread that accepts, reads, records and sends."""

    def __init__(
        self,
        address: tuple[str, int],
        target: tuple[str, int],
        recording: Recording,
        count: int,
        host_header: bytes | None,
        delay: float,
    ) -> None:
        self.addresses = _addresses(*target)
        self.recording, self.count, self.host_header, self.delay = recording, count, host_header, delay
        self.open: list[_Side] = []
        self.idle = threading.Event()  # set while no connection is open
        self.idle.set()
        self.stopping = False
        self.selector = selectors.DefaultSelector()
        self.listener = _listener(*address)
        self.listener.setblocking(False)
        self.refuser = Refuser(self.listener)
        self.port = self.listener.getsockname()[1]
        self.wake, self.waker = socket.socketpair()
        self.selector.register(self.listener, selectors.EVENT_READ)
        self.selector.register(self.wake, selectors.EVENT_READ)
        self.thread = threading.Thread(target=self.run, daemon=True, name=f"tap {self.port}")
        self.thread.start()

    def end(self, grace: float) -> None:
        """Wait up to `grace` seconds for open connections to end, then end everything."""
        self.idle.wait(grace)
        self.stopping = True
        with contextlib.suppress(OSError):  # the thread has already ended
            self.waker.send(b"x")
        if threading.current_thread() is not self.thread:
            self.thread.join()

    def run(self) -> None:
        """Move bytes until the end."""
        try:
            while not self.stopping:
                times = [side.deadline for side in self.open if side.deadline]
                times += [side.delayed[0][0] for side in self.open if side.delayed and not side.deadline]
                timeout = max(0, min(times) - time.monotonic()) if times else None
                for key, ready in self.selector.select(timeout):
                    self.handle(key, ready)
                for side in [side for side in self.open if side.delayed]:
                    self.release(side)
                for side in [side for side in self.open if 0 < side.deadline <= time.monotonic()]:
                    self.connect(side, "unreachable")
        finally:
            for sock in [self.listener, self.wake, self.waker, *(side.sock for side in self.open)]:
                sock.close()
            self.refuser.close()
            self.selector.close()

    def handle(self, key: selectors.SelectorKey, ready: int) -> None:
        """Handle one socket that is ready."""
        side = key.data
        if key.fileobj is self.listener:
            self.accept()
        elif isinstance(side, _Side) and side in self.open:
            if ready & selectors.EVENT_WRITE and side.deadline:
                self.connected(side)
            elif ready & selectors.EVENT_WRITE:
                self.send(side)
            elif ready & selectors.EVENT_READ:
                self.read(side)

    def accept(self) -> None:
        """Accept a client, and begin to connect to the server for it. Refuse it if no file descriptor is left."""
        try:
            sock, _ = self.listener.accept()
        except OSError as error:  # or the client has disconnected before it was accepted
            self.refuser.refuse(error)
            return
        self.count += 1
        client = _Side(sock, self.count, "->")
        server = _Side(sock, self.count, "<-")
        client.peer, server.peer = server, client
        if self.host_header:
            client.rewrite = _host_rewriter(self.host_header)
        self.open += [client, server]
        self.idle.clear()
        sock.setblocking(False)
        server.addresses = iter(self.addresses)
        self.connect(server)

    def connect(self, server: _Side, failure: How = "refused") -> None:
        """Begin to connect to the next address of the server. If there is none, record the last failure."""
        if server.sock is not server.peer.sock:
            self.forget(server)
            server.sock.close()
        for family, kind, protocol, _, address in server.addresses:
            try:
                server.sock = socket.socket(family, kind, protocol)
            except OSError:  # no file descriptor is left: refuse the client
                self.close(server)
                return
            server.sock.setblocking(False)
            if server.sock.connect_ex(address) in IN_PROGRESS:
                server.deadline = time.monotonic() + CONNECT_SECONDS
                self.watch(server, server.peer)
                return
            server.sock.close()
        self.abort(server, failure)

    def connected(self, server: _Side) -> None:
        """Send what the client has sent meanwhile. If the connection has failed, try the next address."""
        if server.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            self.connect(server)
            return
        server.deadline = 0
        for side in (server, server.peer):
            with contextlib.suppress(OSError):  # it has closed: the next read shows it
                side.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.send(server)

    def read(self, side: _Side) -> None:
        """Record the bytes that a side has sent, and send them to its peer."""
        try:
            data = side.sock.recv(READ_BYTES)
        except BlockingIOError:
            return
        except OSError:
            self.abort(side, "reset")
            return
        self.recording.add(side.connection, side.direction, data, "" if data else "closed")
        side.ended = not data
        if self.delay:
            side.peer.delayed.append((time.monotonic() + self.delay, side.rewrite(data)))
        else:
            side.peer.unsent += side.rewrite(data)
        if side.peer.deadline:  # the server has not accepted the connection yet
            self.watch(side)
        else:
            self.send(side.peer)

    def release(self, side: _Side) -> None:
        """Send the delayed bytes that are due to a side."""
        if side not in self.open or side.deadline or side.delayed[0][0] > time.monotonic():
            return
        while side.delayed and side.delayed[0][0] <= time.monotonic():
            side.unsent += side.delayed.popleft()[1]
        self.send(side)

    def send(self, side: _Side) -> None:
        """Send the unsent bytes to a side. If there are none and its peer has ended, shut it down."""
        try:
            if side.unsent:
                side.unsent = side.unsent[side.sock.send(side.unsent) :]
            if side.peer.ended and not (side.unsent or side.delayed or side.shut_down):
                side.shut_down = True
                side.sock.shutdown(socket.SHUT_WR)
        except BlockingIOError:
            pass
        except OSError:
            self.abort(side, "reset")
            return
        waiting = side.unsent or side.peer.unsent or side.delayed or side.peer.delayed
        if side.ended and side.peer.ended and not waiting:
            self.close(side)
        else:
            self.watch(side, side.peer)

    def abort(self, side: _Side, how: How) -> None:
        """Record how a side ended, and reset its peer."""
        self.recording.add(side.connection, side.direction, b"", how)
        with contextlib.suppress(OSError):  # the peer has ended as well
            side.peer.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        self.close(side)

    def close(self, side: _Side) -> None:
        """Close both sockets of a connection."""
        for each in (side, side.peer):
            self.forget(each)
            each.sock.close()
            self.open.remove(each)
        if not self.open:
            self.idle.set()

    def watch(self, *sides: _Side) -> None:
        """Tell the selector which events of these sides matter now."""
        for side in sides:
            interest, known = side.interest(), side.sock in self.selector.get_map()
            if interest and known:
                self.selector.modify(side.sock, interest, side)
            elif interest:
                self.selector.register(side.sock, interest, side)
            else:
                self.forget(side)

    def forget(self, side: _Side) -> None:
        """Watch no events of this side."""
        if side.sock.fileno() >= 0 and side.sock in self.selector.get_map():
            self.selector.unregister(side.sock)
