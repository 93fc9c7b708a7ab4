"""The comparison of techniques: the arrival of every tick, the cost, the table and the bar chart."""

from __future__ import annotations

import io
from collections.abc import Iterator
from types import ModuleType, SimpleNamespace

import pytest
from flask import Flask, Response
from matplotlib.image import imread

from server import create_app
from server.lab import BackgroundServer
from server.lab.comparison import Bars, Comparison, Measurement, arrival_times, compare_techniques, measure
from server.techniques import TECHNIQUES, sse

STEMS = [technique.blueprint.name for technique in TECHNIQUES]
ONE = Measurement(seen=4, requests=1, bytes=100, first=0.001, median=0.002, most=0.003, threads=1)


@pytest.fixture(scope="module")
def server() -> Iterator[BackgroundServer]:
    with BackgroundServer(create_app()) as server:
        yield server


@pytest.mark.parametrize("technique", TECHNIQUES, ids=STEMS)
def test_every_technique_delivers_its_last_tick_in_order_and_not_early(
    technique: ModuleType, server: BackgroundServer
) -> None:
    times = arrival_times(technique, server.url, count=4, interval=0.02)
    module = f"server/techniques/{technique.blueprint.name}.py"
    remedy = f"correct TICK_END or receive_ticks in {module}: they must find the ticks 0 to 3, not {list(times)}"
    assert set(times) <= {0, 1, 2, 3}, remedy
    assert list(times) == sorted(times), remedy
    assert 3 in times, remedy
    assert all(when >= n * 0.02 - 0.005 for n, when in times.items()), f"{module} delivers ticks before they are due"


def test_a_refused_request_raises_an_oserror(server: BackgroundServer) -> None:
    unknown = SimpleNamespace(blueprint=SimpleNamespace(name="unknown"), TICK_END=b"\n")
    for technique in [*TECHNIQUES, unknown]:
        with BackgroundServer(Flask("empty")) as empty, pytest.raises(OSError, match=r"404|refused"):
            arrival_times(technique, empty.url, count=1, interval=0)  # type: ignore[arg-type]


def test_a_tick_that_is_split_over_reads_counts_once() -> None:
    app = Flask("split")

    @app.get("/lines")
    def lines() -> Response:
        return Response(iter([b"a\r", b"\nb\r\nc", b"\r\n", b"d"]))

    technique = SimpleNamespace(blueprint=SimpleNamespace(name="lines"), TICK_END=b"\r\n")
    with BackgroundServer(app) as split:
        times = arrival_times(technique, split.url, count=3, interval=0)  # type: ignore[arg-type]
    assert list(times) == [0, 1, 2]


def test_measure_counts_ticks_requests_bytes_and_threads(server: BackgroundServer) -> None:
    measured = measure(sse, server.url, count=5, interval=0.02)
    assert (measured.seen, measured.requests) == (5, 1)
    assert 5 * len("f\r\ndata: x 0\n\n\r\n") < measured.bytes < 2000
    assert measured.first > 0
    assert measured.median <= measured.most
    assert 0 < measured.threads < 2


def test_compare_has_every_technique_in_order(server: BackgroundServer) -> None:
    compared = compare_techniques(TECHNIQUES, server.url, count=2, interval=0.01)
    assert list(compared) == STEMS
    assert [line.split()[0] for line in str(compared).splitlines()[1:]] == STEMS


def test_the_ranking_by_bytes_and_the_incomplete_techniques() -> None:
    heavy = Measurement(seen=3, requests=4, bytes=300, first=0, median=0, most=0, threads=0)
    compared = Comparison({"heavy": heavy, "light": ONE}, count=4)
    assert (compared.by_bytes(), compared.incomplete()) == (["light", "heavy"], ["heavy"])


def test_the_table_has_milliseconds_and_bytes_per_tick() -> None:
    line = str(Comparison({"sse": ONE}, count=4)).splitlines()[1]
    assert line.split() == ["sse", "4", "1", "100", "25", "1.0", "ms", "2.0", "ms", "3.0", "ms", "1.0"]


def test_a_bar_chart_is_a_picture_with_an_alternative_text() -> None:
    bars = Comparison({"sse": ONE}, count=4).bars("bytes", lambda one: one.bytes)
    assert bars == Bars("bytes", {"sse": 100})
    data, metadata = bars._repr_mimebundle_()
    assert data["text/plain"] == metadata["image/png"]["alt"] == "bytes:\nsse 100"
    assert imread(io.BytesIO(data["image/png"])).shape[1] == 880
