"""Compare techniques: receive the same ticks with each one, and measure what that costs.

A technique is a module of `server.techniques`, whose docstring lists the names that such a module has.
"""

from __future__ import annotations

import io
import logging
import math
import re
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from statistics import mean, median
from types import ModuleType
from typing import Any

import requests
from matplotlib.figure import Figure

from .tap import Tap
from .timeline import INK, RESPONSE

SAMPLE_SECONDS = 0.005  # between two counts of the server's threads


@dataclass(frozen=True)
class Measurement:
    """The cost of some ticks with one technique, measured through a tap.

    `seen` is the number of different ticks that the client received. `bytes` counts both directions and all headers.
    The delays are in seconds: `first` from the first request to the first tick; `median` and `most` from the time at
    which a tick is due to its arrival, at the median and for 99 % of the ticks. `threads` is the mean number of
    threads of the server.
    """

    seen: int
    requests: int
    bytes: int
    first: float
    median: float
    most: float
    threads: float


def receive(technique: ModuleType, url: str, query: str) -> Iterator[int]:
    """Yield the number of each tick when it arrives.

    `url` is the root of the server, and `query` has `count` and `interval`. Raises OSError if a request fails.
    """
    if technique.TICK_END is None:
        yield from technique.receive_ticks(url, query)
        return
    response = requests.get(f"{url}/{technique.blueprint.name}?{query}", stream=True, timeout=10)
    response.raise_for_status()
    unfinished, n = b"", 0
    for data in response.iter_content(None):
        *complete, unfinished = re.split(technique.TICK_END, unfinished + data)
        for _ in complete:
            yield n
            n += 1


def arrival_times(technique: ModuleType, url: str, count: int, interval: float) -> dict[int, float]:
    """Return when each tick arrived first, in seconds since the first request.

    `count` is the number of ticks, and `interval` is the time between two ticks in seconds. Raises OSError if a
    request fails.
    """
    started, times = time.perf_counter(), dict[int, float]()
    for n in receive(technique, url, f"count={count}&interval={interval}"):
        times.setdefault(n, time.perf_counter() - started)
    return times


def measure(technique: ModuleType, url: str, count: int, interval: float, delay: float = 0) -> Measurement:
    """Receive `count` ticks of a BackgroundServer, one every `interval` seconds, and measure the cost.

    `delay` is the time in seconds that bytes need in each direction (see Tap). The server must run in this process,
    since its threads are counted. Raises OSError if a request fails.
    """
    with Tap(url, delay=delay) as tap, ThreadSampler() as sampler:
        times = arrival_times(technique, tap.url, count, interval)
    pieces = tap.recording.pieces
    late = sorted(when - n * interval for n, when in times.items())
    return Measurement(
        seen=len(times),
        requests=max(piece.connection for piece in pieces),  # the server closes the connection after each response
        bytes=sum(len(piece.data) for piece in pieces),
        first=min(times.values()),
        median=median(late),
        most=late[math.ceil(0.99 * len(late)) - 1],
        threads=mean(sampler.counts),
    )


class ThreadSampler:
    """A context manager that counts the threads of servers in this process every 5 ms."""

    def __init__(self) -> None:
        self.counts: list[int] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True, name="sampler")

    def __enter__(self) -> ThreadSampler:
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while True:
            names = [thread.name for thread in threading.enumerate()]
            self.counts.append(sum("stream of server" in name or "simple_websocket" in name for name in names))
            if self._stop.wait(SAMPLE_SECONDS):
                return


class Comparison(dict[str, Measurement]):
    """The measurements by the name of the technique. A notebook shows them as a table.

    `count` is the number of ticks that the server had.
    """

    def __init__(self, measurements: Mapping[str, Measurement], count: int) -> None:
        super().__init__(measurements)
        self.count = count

    def __str__(self) -> str:
        row = "{:<10} {:>5} {:>8} {:>8} {:>8} {:>9} {:>9} {:>9} {:>7}".format
        lines = [row("", "ticks", "requests", "bytes", "per tick", "first", "late", "99% late", "threads")]
        for name, one in self.items():
            delays = [f"{1000 * seconds:.1f} ms" for seconds in (one.first, one.median, one.most)]
            per_tick = round(one.bytes / one.seen)
            lines.append(row(name, one.seen, one.requests, one.bytes, per_tick, *delays, f"{one.threads:.1f}"))
        return "\n".join(lines)

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(str(self))

    def by_bytes(self) -> list[str]:
        """Return the names of the techniques. The one with the fewest bytes comes first."""
        return sorted(self, key=lambda name: self[name].bytes)

    def incomplete(self) -> list[str]:
        """Return the names of the techniques whose client did not receive every tick."""
        return [name for name, one in self.items() if one.seen < self.count]

    def bars(self, title: str, value: Callable[[Measurement], float], log: bool = False) -> Bars:
        """Return a bar chart with one bar per technique.

        `title` names the value and its unit. `value` is called with a Measurement. `log` sets a logarithmic scale.
        """
        return Bars(title, {name: value(one) for name, one in self.items()}, log)


def compare_techniques(
    techniques: Iterable[ModuleType], url: str, count: int, interval: float, delay: float = 0
) -> Comparison:
    """Measure each technique in turn; see `measure`."""
    measured = {each.blueprint.name: measure(each, url, count, interval, delay) for each in techniques}
    return Comparison(measured, count)


@dataclass(frozen=True)
class Bars:
    """A bar chart. A notebook shows it as a PNG image, other displays as text.

    The first line of the text has no values, because a folded output in JupyterLab shows its first line.
    """

    title: str
    values: Mapping[str, float]
    log: bool = False

    def __str__(self) -> str:
        values = [f"{name} {value:,.1f}".removesuffix(".0") for name, value in self.values.items()]
        return f"{self.title}:\n{', '.join(values)}"

    def png(self) -> bytes:
        """Return the picture as the bytes of a PNG file."""
        # On a new machine, matplotlib first searches for fonts. If that takes long, it writes a message to stderr.
        logging.getLogger("matplotlib.font_manager").setLevel(logging.ERROR)
        figure = Figure(figsize=(8, 0.6 + 0.25 * len(self.values)), layout="constrained")
        axes = figure.add_subplot(xlabel=self.title)
        names = list(self.values)[::-1]  # the first technique is at the top
        axes.barh(names, [self.values[name] for name in names], color=RESPONSE, height=0.6, log=self.log)
        axes.tick_params(colors=INK)
        axes.xaxis.label.set_color(INK)
        for side, spine in axes.spines.items():
            spine.set(visible=side == "bottom", color=INK)
        buffer = io.BytesIO()
        figure.savefig(buffer, format="png", dpi=110, transparent=True)
        return buffer.getvalue()

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> Any:
        return {"image/png": self.png(), "text/plain": str(self)}, {"image/png": {"alt": str(self)}}
