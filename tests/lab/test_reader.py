"""Reading a stream and noting when each piece came."""

from __future__ import annotations

from itertools import count

import requests

from server.lab import Arrivals, BackgroundServer, arrivals


def test_it_reads_to_the_end_or_up_to_the_given_number_of_reads() -> None:
    assert arrivals("abc").pieces == ["a", "b", "c"]
    assert arrivals(count(), most=3).pieces == [0, 1, 2]
    assert arrivals(iter([])) == []


def test_it_takes_no_more_reads_than_the_given_number() -> None:
    numbers = count()
    arrivals(numbers, most=2)
    assert next(numbers) == 2


def test_times_begin_when_the_reading_does_and_rise() -> None:
    times = arrivals(range(100)).times
    assert times[0] >= 0
    assert times == sorted(times)


def test_the_pieces_of_a_real_stream_are_its_events(server: BackgroundServer) -> None:
    with requests.get(f"{server.url}/sse?count=3&interval=0.2", stream=True, timeout=5) as response:
        found = arrivals(response.iter_content(None))
    assert found.pieces == [b"data: \\ 0\n\n", b"data: | 1\n\n", b"data: / 2\n\n"]
    assert found.times[2] - found.times[0] >= 0.2


class Printer:
    """What IPython hands to an object that shows itself as text."""

    def __init__(self) -> None:
        self.said = ""

    def text(self, text: str) -> None:
        self.said += text


def test_arrivals_draw_when_each_piece_came_its_size_and_what_it_is() -> None:
    found, printer = arrivals([b"data: a\n\n", "text", 7]), Printer()
    assert [line.split(" ms  ")[1] for line in str(found).splitlines()] == [
        r"    9 bytes  data: a\n\n",
        "'text'",
        "7",
    ]
    found._repr_pretty_(printer, False)
    found._repr_pretty_(printer, True)
    assert printer.said == f"{found}Arrivals(...)"
    assert str(Arrivals()) == ""
