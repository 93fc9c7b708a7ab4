"""Serve a learner's app, ask it, and see what comes: once, or several times."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
import traceback
from collections.abc import Callable, Collection, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from types import FrameType
from typing import Any
from urllib.parse import urlsplit

from flask import Flask, Response, got_request_exception
from flask.logging import default_handler

from server.wire import http

from ..background import BackgroundServer
from ..recording import Recording
from .ending import PATIENCE, SECONDS, Due, end_server, short_sleeps, wait_of
from .expecting import few
from .places import where_it_is
from .seen import NotYet, Seen, check, fail

MOST_BYTES = 1 << 20  # of one answer
BEGINS = 0.5  # seconds for an app to begin to wait


def ask(
    app: Any,
    path: str = "/",
    *,
    method: str = "GET",
    headers: Mapping[str, str] | None = None,
    body: bytes = b"",
    until: Callable[[Seen], object] | None = None,
    seconds: float = SECONDS,
    patience: float = PATIENCE,
    may_fail: bool = False,
) -> Seen:
    """Serve a WSGI app, send one request, and return what was seen; `app` may also be the URL of a server that runs.

    It reads to the end of the answer, or until `until(seen)` holds, or for `seconds`. Then it leaves, and its server
    is gone, and every thread with it; a view has `patience` seconds to notice that. Raises NotYet
    where nothing at all was answered, or, unless it `may_fail`, where the app has raised.
    """
    if isinstance(app, str):
        return _ask(app, path, method, headers, body, until, seconds)
    if not callable(app):
        raise NotYet(f"{app!r} is no application: write Flask(...), with a view.")
    with short_sleeps():
        server = BackgroundServer(in_pieces(app)).start()
        try:
            with told(app, server):
                seen = _ask(server.url, path, method, headers, body, until, seconds)
        finally:
            log, stuck = end_server(server, patience)
    seen.log, seen.stuck = log, stuck
    if not seen.head:
        raise NotYet(f"no answer to {method} {path} within {seconds} s{stuck or '.'}")
    if seen.error and not may_fail:
        fail(f"your code raises {seen.error}", seen)
    return seen


def _ask(
    url: str,
    path: str,
    method: str,
    headers: Mapping[str, str] | None,
    body: bytes,
    until: Callable[[Seen], object] | None,
    seconds: float,
) -> Seen:
    parts = urlsplit(url)
    fields = {"Host": parts.netloc, **(headers or {}), **({"Content-Length": str(len(body))} if body else {})}
    request = http.Head(f"{method} {path} HTTP/1.1", tuple(fields.items())).encode() + body
    recording, due = Recording(keep=MOST_BYTES), Due(seconds)
    parser, over = http.Parser("response", [method]), False  # it reads along: each byte once, also of a long answer
    with socket.create_connection((parts.hostname or "", parts.port or 80), timeout=seconds) as sock:
        recording.add(1, "->", request)
        sock.sendall(request)
        while not over and (step := due.step()) and not recording.dropped:
            sock.settimeout(step)
            try:
                data = sock.recv(1 << 16)
            except TimeoutError:
                continue
            except ConnectionError:
                over = True
                recording.add(1, "<-", b"", "reset")
            else:
                over = not data or any(isinstance(part, http.End) for part in parser.feed(data))
                recording.add(1, "<-", data, "" if data else "closed")
            if until is not None and until(Seen(recording, method)):
                break
    return Seen(recording, method)


def streamed(generate: Callable[[], Any], content_type: str = "text/plain") -> Flask:
    """Return an app that answers every GET with what `generate()` yields."""
    app = Flask("exercise")
    app.add_url_rule("/", "stream", lambda: Response(generate(), content_type=content_type))
    return app


def in_pieces(app: Any) -> Callable[..., Iterator[bytes]]:
    """Return a WSGI app that raises TypeError where `app` yields what is no bytes, and says what it is (PEP 3333)."""

    def checked(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterator[bytes]:
        with contextlib.ExitStack() as stack:
            body = app(environ, start_response)
            stack.callback(getattr(body, "close", lambda: None))
            for piece in body:
                if not isinstance(piece, bytes):
                    advice = ": call its encode()" if hasattr(piece, "encode") else ""
                    raise TypeError(f"{few([piece])[1:-1]} is yielded, and each piece must be text or bytes{advice}")
                yield piece

    return checked


class Watcher:
    """What a reader has seen so far, for code of the server that waits for it: given to `ask` as `until`.

    So a check tells who is late by the order of things, and by no clock.
    """

    def __init__(self, seconds: float = 1.0) -> None:
        self.text, self.seconds = "", seconds
        self._changed = threading.Condition()

    def __call__(self, seen: Seen) -> bool:
        """Note what has been seen, and let `ask` read on."""
        with self._changed:
            self.text = seen.text
            self._changed.notify_all()
        return False

    def wait(self, text: str) -> str:
        """Wait until the reader has seen so much text, for `seconds` at most; return what it has seen.

        After one wait in vain it waits no more.
        """
        with self._changed:
            if not Due(self.seconds).wait_at(self._changed, lambda: len(self.text) >= len(text)):
                self.seconds = 0
            return self.text


class Steps:
    """The clock of a stream that hands over each piece before it makes the next: no wall clock is asked.

    What makes the pieces calls `step()` before each; `watch` is the `until` of the request. `step` waits for what was
    sent since the step before to arrive; where nothing does within `seconds`, `held` is True, and it waits no more.
    """

    def __init__(self, seconds: float = 1.0) -> None:
        self.taken, self.held, self._seconds = 0, False, seconds
        self._arrived = self._known = 0  # bytes
        self._changed = threading.Condition()

    def step(self, *_: object) -> None:
        """Go on, as soon as what was sent last has arrived."""
        with self._changed:
            if self.taken and not self.held:
                self.held = not Due(self._seconds).wait_at(self._changed, lambda: self._arrived > self._known)
            self.taken, self._known = self.taken + 1, self._arrived

    def watch(self, seen: Seen) -> None:
        """Take note of what has arrived."""
        with self._changed:
            self._arrived = len(seen.body)
            self._changed.notify_all()


@contextlib.contextmanager
def serving(app: Any) -> Iterator[Served]:
    """Serve a WSGI app for several requests, which may be under way at once; a context manager.

    At the end of the block the server is gone, and every thread with it.
    """
    check(callable(app), f"{app!r} is no application: write Flask(...), with a view.")
    with short_sleeps(), ThreadPoolExecutor(16) as pool:
        server = BackgroundServer(in_pieces(app)).start()
        try:
            with told(app, server):
                yield Served(server, pool)
        finally:
            end_server(server)


class Served:
    """A learner's server that runs; `serving` makes it."""

    def __init__(self, server: BackgroundServer, pool: ThreadPoolExecutor) -> None:
        self.url, self._server, self._pool = server.url, server, pool

    def ask(
        self,
        path: str = "/",
        *,
        method: str = "GET",
        seconds: float = SECONDS,
        may_fail: bool = False,
        may_wait: bool = False,
        **options: Any,
    ) -> Seen:
        """Send one request and return what was seen, as `ask` does.

        Raises NotYet where nothing at all was answered, unless it `may_wait` (the status is 0 then), and where the
        app has raised, unless it `may_fail`.
        """
        before = len(self._server.log)
        seen = ask(self.url, path, method=method, seconds=seconds, **options)
        seen.log, due = list(self._server.log)[before:], Due(PATIENCE)
        while seen.status == 500 and not seen.error and due.step():  # the server tells why after it has answered
            time.sleep(0.005)
            seen.log = list(self._server.log)[before:]
        if not seen.head and not may_wait:
            raise NotYet(f"no answer to {method} {path} within {seconds} s{where_it_is(self._busy()[::-1]) or '.'}")
        if seen.error and not may_fail:
            fail(f"your code raises {seen.error}", seen)
        return seen

    def begin(self, path: str = "/", **options: Any) -> Future[Seen]:
        """Send a request, and return when the app waits with its answer, or has answered.

        `.result()` of what it returns is what was seen.
        """
        before, due = self._busy(), Due(BEGINS)
        asking = self._pool.submit(self.ask, path, may_wait=True, **options)
        while not asking.done() and not self._waits(before) and due.step():
            time.sleep(0.005)
        return asking

    def bounds(self) -> list[float | None]:
        """Return for how many seconds each view waits that waits or sleeps just now; None is a wait without bound."""
        return [frame.f_locals["timeout"] for frame in self._waits()]

    def _busy(self) -> list[threading.Thread]:
        name = f"stream of server {self.url.rpartition(':')[2]}"
        return [thread for thread in threading.enumerate() if thread.name == name]

    def _waits(self, before: Collection[threading.Thread] = ()) -> list[FrameType]:
        """Return the waits that are under way in threads which are not among those before."""
        waits = [wait_of(thread) for thread in self._busy() if thread not in before]
        return [frame for frame in waits if frame]


@contextlib.contextmanager
def told(app: Any, server: BackgroundServer) -> Iterator[None]:
    """Let the server's log tell what a Flask app raises, also where a notebook has set up logs of its own."""

    def note(sender: Flask, exception: BaseException, **_: object) -> None:
        if default_handler not in sender.logger.handlers:  # that one writes to the server's log
            server.log.append("".join(traceback.format_exception(exception)))

    with got_request_exception.connected_to(note, app) if isinstance(app, Flask) else contextlib.nullcontext():
        yield
