"""Serve a learner's app, send it requests, and record the responses."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

from flask import Flask, Response, got_request_exception, request

from server.wire import http

from ..background import BackgroundServer
from ..recording import Recording
from .bounded import SECONDS, Deadline, at
from .expect import format_list
from .locations import line_of_threads, waiting_frames
from .response import AppResponse, NotYet, check, fail

MOST_BYTES = 1 << 20  # of one response
GRACE = 0.3  # seconds for a view to notice that its client has disconnected
POLL = 0.005  # seconds for a server to stop; a check may start several servers
BEGIN = 0.5  # seconds for an app to begin to wait


def fetch(
    app: Any,
    path: str = "/",
    *,
    method: str = "GET",
    headers: Mapping[str, str] | None = None,
    body: bytes = b"",
    until: Callable[[AppResponse], object] | None = None,
    seconds: float = SECONDS,
    grace: float = GRACE,
    may_fail: bool = False,
) -> AppResponse:
    """Serve a WSGI app, send one request and return the response. `app` may also be the URL of a running server.

    The client reads until the response is complete, until `until(response)` is true, or for `seconds`. Then it
    disconnects, and the app has `grace` seconds to notice. Raises NotYet if there is no response at all, and if the
    app raises an exception, unless it `may_fail`.
    """
    if isinstance(app, str):
        return _exchange(app, path, method, headers, body, until, seconds)
    with running(app) as (server, watched):
        response = _exchange(server.url, path, method, headers, body, until, seconds)
        response.still_running = watched.wait_idle(grace)
        response.errors = watched.errors_of(response)
    if not response.head:
        raise NotYet(f"no response to {method} {path} within {seconds} s.{at(response.still_running)}")
    if response.error and not may_fail:
        fail(f"your code raises {response.error}", response)
    return response


def _exchange(
    url: str,
    path: str,
    method: str,
    headers: Mapping[str, str] | None,
    body: bytes,
    until: Callable[[AppResponse], object] | None,
    seconds: float,
) -> AppResponse:
    parts = urlsplit(url)
    sent = {"Host": parts.netloc, **(headers or {}), **({"Content-Length": str(len(body))} if body else {})}
    head = http.Head(f"{method} {path} HTTP/1.1", tuple(sent.items())).encode() + body
    recording, deadline = Recording(keep=MOST_BYTES), Deadline(seconds)
    parser, over = http.Parser("response", [method]), False
    with socket.create_connection((parts.hostname or "", parts.port or 80), seconds) as sock:
        port = sock.getsockname()[1]
        recording.add(1, "->", head)
        sock.sendall(head)
        while not over and (step := deadline.step()) and not recording.dropped:
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
            if until is not None and until(AppResponse(recording, method)):
                break
    return AppResponse(recording, method, port)


def streamed(generate: Callable[[], Any], content_type: str = "text/plain") -> Flask:
    """Return an app that sends the items of `generate()` in response to every GET request."""
    app = Flask("exercise")

    @app.get("/")
    def stream() -> Response:
        items = generate()
        if items is None:
            raise TypeError("the function returns None. Yield each item; print() does not send it to the client")
        return Response(items, content_type=content_type)

    return app


class WatchedApp:
    """A WSGI app that notes the exceptions of another one, and the threads in which it runs.

    It raises TypeError if the other app yields something other than bytes (PEP 3333).
    """

    def __init__(self, app: Any) -> None:
        self.app, self.errors, self.threads = app, list[tuple[int, BaseException]](), list[threading.Thread]()
        self._changed = threading.Condition()

    def note(self, sender: Flask, exception: BaseException, **_: object) -> None:
        """Take note of an exception that Flask turns into a response with status 500."""
        self.errors.append((request.environ["REMOTE_PORT"], exception))

    def errors_of(self, response: AppResponse) -> list[BaseException]:
        """Return the exceptions that the app raised for the request of this response."""
        return [error for port, error in self.errors if port == response.client_port]

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterator[bytes]:
        """Yield what the other app yields."""
        thread, begun = threading.current_thread(), list[object]()

        def started(*arguments: Any, **options: Any) -> Any:
            begun.append(arguments)
            return start_response(*arguments, **options)

        self.threads.append(thread)
        try:
            with contextlib.ExitStack() as stack:
                body = self.app(environ, started)
                stack.callback(getattr(body, "close", lambda: None))
                for data in body:
                    if not begun:
                        raise RuntimeError("start_response is not called before the first item (PEP 3333)")
                    if not isinstance(data, bytes):
                        advice = ": call its encode()" if hasattr(data, "encode") else ""
                        raise TypeError(
                            f"{format_list([data])[1:-1]} is yielded, but each item must be text or bytes{advice}"
                        )
                    yield data
        except Exception as error:
            self.errors.append((environ["REMOTE_PORT"], error))
            raise
        finally:
            with self._changed:
                self.threads.remove(thread)
                self._changed.notify_all()

    def wait_idle(self, seconds: float) -> str:
        """Wait until the app has finished all requests; return the line at which it still is afterwards, or ""."""
        with self._changed:
            Deadline(seconds).wait_for(self._changed, lambda: not self.threads)
            return line_of_threads(self.threads)


@contextlib.contextmanager
def running(app: Any) -> Iterator[tuple[BackgroundServer, WatchedApp]]:
    """Serve a WSGI app while the block runs; a context manager."""
    check(callable(app), f"{app!r} is not an application. Write Flask(...), with a view.")
    watched = WatchedApp(app)
    server = BackgroundServer(watched, poll_seconds=POLL).start()
    try:
        with got_request_exception.connected_to(watched.note):
            yield server, watched
    finally:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ResourceWarning)  # a stream that is still busy: see `still_running`
            server.stop()


@contextlib.contextmanager
def serving(app: Any) -> Iterator[Served]:
    """Serve a WSGI app for several requests, also at the same time; a context manager."""
    with running(app) as (server, watched), ThreadPoolExecutor(16) as pool:
        yield Served(server.url, watched, pool)


class Served:
    """A running server with a learner's app; `serving` makes it."""

    def __init__(self, url: str, watched: WatchedApp, pool: ThreadPoolExecutor) -> None:
        self.url, self._watched, self._pool = url, watched, pool

    def fetch(
        self,
        path: str = "/",
        *,
        method: str = "GET",
        seconds: float = SECONDS,
        may_fail: bool = False,
        may_time_out: bool = False,
        **options: Any,
    ) -> AppResponse:
        """Send one request and return the response, as the function `fetch` does.

        Raises NotYet if there is no response at all, unless it `may_time_out` (the status is 0 then), and if the app
        raises an exception, unless it `may_fail`.
        """
        response = fetch(self.url, path, method=method, seconds=seconds, **options)
        response.errors = self._watched.errors_of(response)
        if not response.head and not may_time_out:
            line = line_of_threads(self._watched.threads[::-1])
            raise NotYet(f"no response to {method} {path} within {seconds} s.{at(line)}")
        if response.error and not may_fail:
            fail(f"your code raises {response.error}", response)
        return response

    def start_request(self, path: str = "/", **options: Any) -> Future[AppResponse]:
        """Send a request, and return when the app has responded or waits. `.result()` is the response."""
        before = list(self._watched.threads)
        future, deadline = self._pool.submit(self.fetch, path, may_time_out=True, **options), Deadline(BEGIN)
        while not future.done() and (step := deadline.step()):
            if waiting_frames(thread for thread in list(self._watched.threads) if thread not in before):
                break
            time.sleep(min(step, 0.005))
        return future

    def wait_timeouts(self) -> list[float | None]:
        """Return the timeout in seconds of each view that waits at a condition, event or queue; None: no timeout.

        A view that sleeps or looks again and again is not in the list.
        """
        return [frame.f_locals["timeout"] for frame in waiting_frames(list(self._watched.threads))]


class Watcher:
    """The text that a client has received so far, for server code that waits for it. Pass it to `fetch` as `until`.

    A check can therefore tell from the order of events, not from the clock, whether data is sent too late.
    """

    def __init__(self, seconds: float = 1.0) -> None:
        self.text, self.seconds = "", seconds
        self._changed = threading.Condition()

    def __call__(self, response: AppResponse) -> bool:
        """Note the text of the response; return False, so that `fetch` goes on."""
        with self._changed:
            self.text = response.text
            self._changed.notify_all()
        return False

    def wait(self, text: str) -> str:
        """Wait up to `seconds` until the client has as much as `text`; return what it has.

        After a wait that times out, later calls do not wait.
        """
        with self._changed:
            if not Deadline(self.seconds).wait_for(self._changed, lambda: len(self.text) >= len(text)):
                self.seconds = 0
            return self.text


class Steps:
    """A clock for tests of streams. It advances when the previous chunk has arrived and ignores real time.

    The server's code calls `step()` before it makes each chunk; `watch` is the `until` of the request. If nothing
    arrives within `seconds`, `held` becomes True and later steps do not wait.
    """

    def __init__(self, seconds: float = 1.0) -> None:
        self.taken, self.held, self._seconds = 0, False, seconds
        self._arrived = self._known = 0  # bytes
        self._changed = threading.Condition()

    def step(self, *_: object) -> None:
        """Return as soon as the previous chunk has arrived."""
        with self._changed:
            if self.taken and not self.held:
                self.held = not Deadline(self._seconds).wait_for(self._changed, lambda: self._arrived > self._known)
            self.taken, self._known = self.taken + 1, self._arrived

    def watch(self, response: AppResponse) -> None:
        """Note how many bytes have arrived."""
        with self._changed:
            self._arrived = len(response.body)
            self._changed.notify_all()
