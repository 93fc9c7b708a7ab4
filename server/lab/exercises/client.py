"""Serve a learner's app, send it requests, and record the responses."""

from __future__ import annotations

import contextlib
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from flask import Flask, Response, got_request_exception, request

from ..background import BackgroundServer
from ..client import SECONDS, exchange
from ..deadline import Deadline
from ..response import RecordedResponse
from .bounded import at
from .expect import format_list
from .locations import line_of_threads, waiting_frames
from .response import AppResponse, NotYet, check, fail

GRACE = 0.3  # seconds for a view to notice that its client has disconnected
POLL, STOP = 0.005, 0.05  # seconds for a server to stop, and for its streams; a check may start several servers
BEGIN = 0.5  # seconds for an app to begin to wait


def fetch(app: Any, path: str = "/", *, grace: float = GRACE, **options: Any) -> AppResponse:
    """Serve a WSGI app, send one request and return the response. `app` may also be the URL of a running server.

    `options` are those of `Served.fetch` for an app, and those of `server.lab.client.exchange` for a URL. After the
    response the client disconnects, and the app has `grace` seconds to notice. Raises NotYet as `Served.fetch` does.
    """
    if isinstance(app, str):
        return AppResponse(exchange(app, path, **options))
    with serving(app) as server:
        return server.fetch(path, grace=grace, **options)


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
def serving(app: Any) -> Iterator[Served]:
    """Serve a WSGI app for several requests, also at the same time; a context manager.

    Raises NotYet if `app` is not an application.
    """
    check(callable(app), f"{app!r} is not an application. Write Flask(...), with a view.")
    watched = WatchedApp(app)
    server = BackgroundServer(watched, poll_seconds=POLL, stop_seconds=STOP).start()
    with got_request_exception.connected_to(watched.note), ThreadPoolExecutor(16) as pool:
        try:
            yield Served(server.url, watched, pool)
        finally:  # before the pool waits for its requests, because this ends them
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ResourceWarning)  # a stream that is still busy: see `still_running`
                server.stop()


class Served:
    """A running server with a learner's app; `serving` makes it."""

    def __init__(self, url: str, watched: WatchedApp, pool: ThreadPoolExecutor) -> None:
        self.url, self.watched, self._pool = url, watched, pool

    def fetch(
        self,
        path: str = "/",
        *,
        method: str = "GET",
        seconds: float = SECONDS,
        grace: float = 0,
        may_fail: bool = False,
        may_time_out: bool = False,
        **options: Any,
    ) -> AppResponse:
        """Send one request and return the response.

        The client reads for at most `seconds` and disconnects; the other `options` are those of
        `server.lab.client.exchange`. The app has `grace` seconds to notice: see `AppResponse.still_running`. Raises
        NotYet if there is no response at all, unless it `may_time_out` (the status is 0 then), and if the app raises
        an exception, unless it `may_fail`.
        """
        response = AppResponse(exchange(self.url, path, method=method, seconds=seconds, **options))
        response.still_running = self.watched.wait_idle(grace) if grace else ""
        response.errors = self.watched.errors_of(response)
        if not response.head and not may_time_out:
            line = line_of_threads(self.watched.threads[::-1])
            raise NotYet(f"no response to {method} {path} within {seconds} s.{at(line)}")
        if response.error and not may_fail:
            fail(f"your code raises {response.error}", response)
        return response

    def start_request(self, path: str = "/", **options: Any) -> Future[AppResponse]:
        """Send a request, and return when the app has responded or waits. `.result()` is the response."""
        before = list(self.watched.threads)
        future, deadline = self._pool.submit(self.fetch, path, may_time_out=True, **options), Deadline(BEGIN)
        while not future.done() and (step := deadline.step()):
            if waiting_frames(thread for thread in list(self.watched.threads) if thread not in before):
                break
            time.sleep(min(step, 0.005))
        return future

    def wait_timeouts(self) -> list[float | None]:
        """Return the timeout in seconds of each view that waits at a condition, event or queue; None: no timeout.

        A view that sleeps or looks again and again is not in the list.
        """
        return [frame.f_locals["timeout"] for frame in waiting_frames(list(self.watched.threads))]


class Watcher:
    """The data that a client has received so far, for server code that waits for it. Pass it to `fetch` as `until`.

    A check can therefore tell from the order of events, not from the clock, whether data is sent too late. A wait
    ends after `seconds`. Then `late` becomes True, and later waits end at once.

    Attributes:
        steps: how often the server's code has called `step()`.
        late: whether a wait has timed out.
    """

    def __init__(self, seconds: float = 1.0) -> None:
        self.steps, self.late, self._seconds = 0, False, seconds
        self._body, self._known = b"", 0  # the body so far, and its number of bytes at the last step
        self._changed = threading.Condition()

    @property
    def text(self) -> str:
        """The body of the response so far."""
        return self._body.decode("utf-8", "replace")

    def __call__(self, response: RecordedResponse) -> bool:
        """Note the body of the response. Return False, so that `fetch` goes on."""
        with self._changed:
            self._body = response.body
            self._changed.notify_all()
        return False

    def wait(self, text: str) -> str:
        """Wait until the client has received as many characters as `text` has. Return the text that it has."""
        with self._changed:
            self._wait_for(lambda: len(self.text) >= len(text))
            return self.text

    def step(self, *_: object) -> None:
        """Wait until the chunk has arrived that the server's code has made since the previous step.

        Call it before each chunk, also in place of `time.sleep`: arguments are ignored.
        """
        with self._changed:
            if self.steps:
                self._wait_for(lambda: len(self._body) > self._known)
            self.steps, self._known = self.steps + 1, len(self._body)

    def _wait_for(self, holds: Callable[[], bool]) -> None:
        self.late = self.late or not Deadline(self._seconds).wait_for(self._changed, holds)
