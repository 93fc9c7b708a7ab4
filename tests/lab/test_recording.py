"""A recording displays itself: as text, as HTML and as a list of reads."""

from __future__ import annotations

from recordings import GET, TWO_TICKS, answered, recorded

from server.lab import Recording


def test_pieces_as_received_are_a_line_each() -> None:
    lines = recorded(("->", b"ab\n"), ("<-", b"x" * 200), ("->", "closed")).received().splitlines()
    assert [line.split(" ms  ")[1] for line in lines] == [
        r"->     3 bytes  ab\n",
        f"<-   200 bytes  {'x' * 100}... (200 bytes)",
        "->     0 bytes  closed",
    ]
    assert Recording().received() == ""


def test_pieces_of_several_connections_are_received_in_the_order_of_time() -> None:
    recording = Recording()
    for connection, data in ((1, b"a"), (2, b"b"), (1, b"c")):
        recording.add(connection, "->", data)
    assert [line[-1] for line in recording.received().splitlines()] == ["a", "b", "c"]


class Printer:
    """What IPython hands to an object that shows itself as text."""

    def __init__(self) -> None:
        self.said = ""

    def text(self, text: str) -> None:
        self.said += text


def test_it_shows_itself_in_a_notebook() -> None:
    recording, printer = answered(GET, [TWO_TICKS]), Printer()
    recording._repr_pretty_(printer, False)
    recording._repr_pretty_(printer, True)
    assert printer.said == f"{recording.text()}Recording(...)"
