"""A recording TCP proxy: it stands between a client and a server and notes every piece that passes.

One thread moves the bytes of all connections. It reads from one side only when the other has taken what came before,
so a slow reader slows the writer as it would without the tap, and memory stays flat. Bytes go on as soon as they are
read, before anything is drawn; what they mean is not its business. How a side ends is passed on too: a close as a
close of that direction, a reset as a reset.
"""

from __future__ import annotations

import contextlib
import errno
import selectors
import socket
import struct
import threading
import weakref
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from .cells import replace_earlier
from .pieces import Direction, How
from .recording import Recording

HOST = "127.0.0.1"
PIECE = 1 << 16  # bytes that are read at once
GRACE_SECONDS = 0.5  # at the stop, for connections that are about to end by themselves
UNDER_WAY = (0, errno.EINPROGRESS, errno.EWOULDBLOCK)  # what a connect that does not wait answers
RESET = struct.pack("ii", 1, 0)  # SO_LINGER: closing drops what is unsent and sends a reset


class Tap:
    """Pass on and record everything between clients of `.url` and the server at `url`, in both directions.

    A context manager; or `.start()`, which returns the tap, and `.stop()`, which leaves no thread and no socket.
    `keep` bounds the bytes that `.recording` keeps (None: all). A second run of the notebook cell that started it
    replaces it. Works for anything that speaks TCP; a path in `url` is kept in `.url`.

    Raises ValueError for a URL that is not http:// with a host.
    """

    def __init__(self, url: str, keep: int | None = None) -> None:
        parts = urlsplit(url)
        if parts.scheme != "http" or not parts.hostname:
            raise ValueError(f"a tap reads plain HTTP, such as http://127.0.0.1:23423, and cannot read {url!r}")
        self.target = (parts.hostname, parts.port or 80)
        self.recording = Recording(keep)
        self._path = parts.path + (f"?{parts.query}" if parts.query else "")
        self._loop: _Loop | None = None
        self._finalizer: weakref.finalize[Any, Any] | None = None

    @property
    def url(self) -> str:
        """The address to talk to instead. Raises RuntimeError where the tap does not run."""
        if self._loop is None:
            raise RuntimeError("this tap does not run: call start() first")
        return f"http://{HOST}:{self._loop.port}{self._path}"

    def start(self) -> Tap:
        """Start to listen and return the tap; do nothing where it runs already."""
        if self._loop is None:
            replace_earlier(self)
            self._loop = _Loop(self.target, self.recording)
            self._finalizer = weakref.finalize(self, self._loop.end, 0)
        return self

    def stop(self) -> None:
        """Stop to listen and close what is still open, after a short grace for what is about to end by itself."""
        if self._loop is not None and self._finalizer is not None:
            self._finalizer.detach()
            self._loop.end(GRACE_SECONDS)
            self.recording.stop()
        self._loop = self._finalizer = None

    def __enter__(self) -> Tap:
        return self.start()

    def __exit__(self, *exception: object) -> None:
        self.stop()

    def __repr__(self) -> str:
        return f"<Tap {self.url if self._loop else 'stopped'} of http://{self.target[0]}:{self.target[1]}>"


class _Side:
    """One of the two sockets of a connection, and the bytes that wait to be sent to it."""

    def __init__(self, sock: socket.socket, connection: int, direction: Direction) -> None:
        self.sock, self.connection = sock, connection
        self.direction = direction  # in which what it says goes
        self.peer: _Side
        self.addresses: Iterator[Any] = iter(())  # of the server, still to be tried
        self.waiting = b""
        self.connecting = False
        self.ended = False  # it says nothing more
        self.told = False  # it was told that the peer says nothing more

    def interest(self) -> int:
        reads = not (self.ended or self.peer.waiting or self.peer.connecting or self.connecting)
        writes = bool(self.waiting) or self.connecting
        return selectors.EVENT_READ * reads | selectors.EVENT_WRITE * writes


def _addresses(host: str, port: int) -> list[Any]:
    try:
        return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise RuntimeError(f"no address for {host!r} ({error.strerror}): look at the host in the tap's URL") from None


class _Loop:
    """The thread that listens, reads, notes and sends on."""

    def __init__(self, target: tuple[str, int], recording: Recording) -> None:
        self.addresses = _addresses(*target)
        self.recording = recording
        self.count = 0  # connections so far
        self.open: list[_Side] = []
        self.idle = threading.Event()  # set while no connection is open
        self.idle.set()
        self.stopping = False
        self.selector = selectors.DefaultSelector()
        self.listener = socket.create_server((HOST, 0), backlog=1024)
        self.listener.setblocking(False)
        self.port = self.listener.getsockname()[1]
        self.wake, self.waker = socket.socketpair()
        self.selector.register(self.listener, selectors.EVENT_READ)
        self.selector.register(self.wake, selectors.EVENT_READ)
        self.thread = threading.Thread(target=self.run, daemon=True, name=f"tap {self.port}")
        self.thread.start()

    def end(self, grace: float) -> None:
        """Wait a while for open connections to end, then end everything."""
        self.idle.wait(grace)
        self.stopping = True
        self.waker.send(b"x")
        if threading.current_thread() is not self.thread:
            self.thread.join()

    def run(self) -> None:
        """Move bytes until the end."""
        try:
            while not self.stopping:
                for key, ready in self.selector.select():
                    self.turn(key, ready)
        finally:
            for sock in [self.listener, self.wake, self.waker, *(side.sock for side in self.open)]:
                sock.close()
            self.selector.close()

    def turn(self, key: selectors.SelectorKey, ready: int) -> None:
        """Do what one ready socket asks for."""
        if key.fileobj is self.listener:
            self.accept()
        elif isinstance(side := key.data, _Side) and side in self.open:
            if ready & selectors.EVENT_WRITE:
                self.send(side)
            elif ready & selectors.EVENT_READ:
                self.read(side)

    def accept(self) -> None:
        """Take a client, and begin to connect to the server for it."""
        try:
            sock, _ = self.listener.accept()
        except OSError:  # it left before it was taken
            return
        self.count += 1
        client = _Side(sock, self.count, "->")
        server = _Side(socket.socket(), self.count, "<-")
        client.peer, server.peer = server, client
        self.open += [client, server]
        self.idle.clear()
        client.sock.setblocking(False)
        server.addresses = iter(self.addresses)
        self.connect(server)

    def connect(self, server: _Side) -> None:
        """Begin to connect to the next address of the server; where none is left, it has refused."""
        found = next(server.addresses, None)
        if found is None:
            self.break_off(server, "refused")
            return
        self.forget(server)
        server.sock.close()
        server.sock = socket.socket(*found[:3])
        server.sock.setblocking(False)
        server.connecting = True
        if server.sock.connect_ex(found[4]) in UNDER_WAY:
            self.watch(server, server.peer)
        else:  # it is refused at once, and no readiness will tell
            self.connect(server)

    def connected(self, server: _Side) -> bool:
        """Tell whether the connection that was begun stands now; else try the next address."""
        if server.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            self.connect(server)
            return False
        server.connecting = False
        for side in (server, server.peer):  # each piece leaves at once
            with contextlib.suppress(OSError):  # it may be gone already, as the next read will tell
                side.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return True

    def read(self, side: _Side) -> None:
        """Note what a side says and send it on to its peer."""
        try:
            data = side.sock.recv(PIECE)
        except BlockingIOError:
            return
        except OSError:
            self.break_off(side, "reset")
            return
        self.recording.add(side.connection, side.direction, data, "" if data else "closed")
        side.ended = not data
        side.peer.waiting += data
        self.send(side.peer)

    def send(self, side: _Side) -> None:
        """Send what waits for a side; when nothing does and its peer has ended, tell it so."""
        if side.connecting and not self.connected(side):
            return
        try:
            if side.waiting:
                side.waiting = side.waiting[side.sock.send(side.waiting) :]
            if side.peer.ended and not side.waiting and not side.told:
                side.told = True
                side.sock.shutdown(socket.SHUT_WR)
        except BlockingIOError:
            pass
        except OSError:
            self.break_off(side, "reset")
            return
        if side.ended and side.peer.ended and not (side.waiting or side.peer.waiting):
            self.close(side)
        else:
            self.watch(side, side.peer)

    def break_off(self, side: _Side, how: How) -> None:
        """Note that a side is gone, and reset its peer."""
        self.recording.add(side.connection, side.direction, b"", how)
        with contextlib.suppress(OSError):  # it may be gone as well
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
        """Tell the selector for what each of these sides waits now."""
        for side in sides:
            interest, known = side.interest(), side.sock in self.selector.get_map()
            if interest and known:
                self.selector.modify(side.sock, interest, side)
            elif interest:
                self.selector.register(side.sock, interest, side)
            else:
                self.forget(side)

    def forget(self, side: _Side) -> None:
        """Wait for nothing of this side."""
        if side.sock.fileno() >= 0 and side.sock in self.selector.get_map():
            self.selector.unregister(side.sock)
