"""The pieces of a recording: their order and clock, the limit of bytes, and waiting for a condition."""

from __future__ import annotations

import threading
import time

import pytest
from recordings import GET, Step, recorded

from server.lab import Piece, Recording


def test_its_clock_starts_at_the_first_piece() -> None:
    recording = Recording()
    assert recording.started is None
    before = time.perf_counter()
    recording.add(1, "->", b"a")
    recording.add(1, "<-", b"b")
    assert recording.started is not None
    assert before <= recording.started <= time.perf_counter()
    first, second = recording.pieces
    assert first == Piece(0, 1, "->", b"a", "")
    assert second.when > 0


def test_clear_forgets_everything_and_starts_the_clock_again() -> None:
    recording = recorded(("->", b"abc"), keep=2)
    recording.clear()
    assert (recording.pieces, recording.dropped, recording.started) == ([], 0, None)
    recording.add(1, "->", b"abc")
    assert (recording.bytes("->"), recording.dropped, recording.pieces[0].when) == (b"ab", 1, 0)


def test_its_bytes_are_those_of_a_direction_and_of_a_connection() -> None:
    recording = recorded(("->", b"a"), ("<-", b"b"), ("->", b"c"))
    recorded(("->", b"d"), connection=2, into=recording)
    assert (recording.bytes("->"), recording.bytes("<-")) == (b"acd", b"b")
    assert (recording.bytes("->", 1), recording.bytes("->", 2), recording.bytes("->", 3)) == (b"ac", b"d", b"")


def test_its_pieces_are_a_copy() -> None:
    recording = recorded(("->", b"a"))
    recording.pieces.clear()
    assert len(recording.pieces) == 1


@pytest.mark.parametrize(
    ("keep", "kept", "dropped"), [(None, b"abcdef", 0), (4, b"abcd", 2), (0, b"", 6), (9, b"abcdef", 0)]
)
def test_it_keeps_the_first_bytes_and_counts_the_others(keep: int | None, kept: bytes, dropped: int) -> None:
    recording = recorded(("->", b"abc"), ("->", b"def"), ("->", "closed"), keep=keep)
    assert (recording.bytes("->"), recording.dropped) == (kept, dropped)
    assert recording.dropped_ends == (1 if dropped else 0)  # of a connection that has lost bytes
    assert dropped or recording.pieces[-1].how == "closed"


def test_the_limit_also_bounds_the_ends_of_connections() -> None:
    recording = Recording(keep=100)
    for number in range(1, 501):
        steps: list[Step] = [("->", b"x" * 40), ("<-", b"y"), ("->", "closed"), ("<-", "closed")]
        recorded(*steps, connection=number, into=recording)
    assert len(recording.pieces) == 4 + 4 + 1
    assert (recording.dropped, recording.dropped_ends) == (500 * 41 - 100, 2 * 498)
    assert recording.snapshot().incomplete == {3}
    assert "(20400 more bytes and 996 connection ends not kept: the limit is keep=100)" in recording.text()


def test_the_end_of_a_connection_that_lost_nothing_is_kept_after_the_limit() -> None:
    recording = recorded(("->", b"ab"), keep=2)
    recorded(("->", b"cd"), connection=2, into=recording)
    recorded(("->", "closed"), connection=1, into=recording)
    assert recording.pieces[-1][1:] == (1, "->", b"", "closed")


def test_a_snapshot_has_a_clock_that_stands_still_after_the_stop() -> None:
    recording = recorded(("->", b"a"))
    assert recording.snapshot().running
    recording.stop()
    first, second = recording.snapshot(), recording.snapshot()
    assert not first.running
    assert first.now == second.now >= first.pieces[-1].when
    recording.add(1, "->", b"b")
    assert recording.snapshot().running


def test_a_negative_keep_is_refused() -> None:
    with pytest.raises(ValueError, match="not -1"):
        Recording(-1)


def test_waiting_returns_as_soon_as_the_condition_holds() -> None:
    recording = Recording()
    adder = threading.Timer(0.02, recording.add, (1, "->", b"x"))
    adder.start()
    began = time.monotonic()
    assert recording.wait(lambda recording: recording.bytes("->") == b"x", 10) is recording
    assert time.monotonic() - began < 5
    adder.join()
    assert recording.wait(lambda recording: True, 0) is recording


def test_waiting_in_vain_says_what_was_seen() -> None:
    with pytest.raises(TimeoutError, match=r"was not true within 0.01 s; recorded so far:\n(.|\n)*GET /sse"):
        recorded(("->", GET)).wait(lambda recording: False, 0.01)


def test_it_may_be_read_while_it_grows() -> None:
    recording, stop, added = Recording(), threading.Event(), 0

    def grow() -> None:
        nonlocal added
        while added < 50 or not (stop.is_set() or added >= 2000):
            recording.add(1, "->", b"x")
            added += 1

    grower = threading.Thread(target=grow)
    grower.start()
    sizes = [len(recording.pieces) for _ in range(50)]
    stop.set()
    grower.join(10)
    assert sizes == sorted(sizes)
    assert recording.bytes("->") == b"x" * added
