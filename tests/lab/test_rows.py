"""Rows: what each byte of a connection means, and when it was complete."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from recordings import CHUNKED, GET, TWO_TICKS
from splits import cut

from server.lab.pieces import Direction, Piece
from server.lab.rows import Row, rows, without_secrets_in
from server.wire.http import LAST_CHUNK, Head, chunk

PIECES = st.lists(
    st.tuples(
        st.sampled_from(["->", "<-"]),
        st.binary(max_size=20) | st.sampled_from([GET, TWO_TICKS, TWO_TICKS[:70], CHUNKED, LAST_CHUNK]),
        st.sampled_from(["", "", "", "closed", "reset", "refused"]),
    ),
    max_size=6,
)


def said(*steps: tuple[Direction, bytes]) -> list[Piece]:
    """Pieces of one connection, one a second."""
    return [Piece(float(second), 1, direction, data) for second, (direction, data) in enumerate(steps)]


def kinds(found: list[Row]) -> list[str]:
    return [row.kind for row in found]


def test_each_byte_is_in_one_row_in_the_order_in_which_it_was_said() -> None:
    found = rows(said(("->", GET), ("<-", TWO_TICKS)))
    assert b"".join(row.raw for row in found) == GET + TWO_TICKS


@given(PIECES)
def test_any_pieces_give_rows_in_the_order_of_time_and_no_byte_is_lost(
    steps: list[tuple[Direction, bytes, str]],
) -> None:
    pieces, ended = [], set()
    for second, (direction, data, how) in enumerate(steps):
        if direction not in ended:
            pieces.append(Piece(second, 1, direction, b"" if how else data, how))  # type: ignore[arg-type]
            ended |= {direction} if how else set()
    found = rows(pieces, secrets=True, most=10_000)
    assert [row.when for row in found] == sorted(row.when for row in found)
    for direction in ("->", "<-"):
        sent = b"".join(piece.data for piece in pieces if piece.direction == direction)
        assert b"".join(row.raw for row in found if row.direction == direction) == sent


@given(st.lists(st.integers(0, 250), max_size=8))
def test_a_row_has_the_time_of_its_last_byte(places: list[int]) -> None:
    pieces = said(*(("<-", piece) for piece in cut(TWO_TICKS, places)))
    seen = b""
    for row in rows(pieces):
        seen += row.raw
        if row.raw:
            needed = next(
                n for n in range(len(pieces)) if len(b"".join(p.data for p in pieces[: n + 1])) >= len(seen)
            )
            # A line end after a chunk's bytes is known as such only when it is whole, so never earlier.
            assert row.when >= pieces[needed].when


def test_a_message_starts_at_its_start_line_and_at_a_disconnect() -> None:
    pieces = [*said(("->", GET), ("<-", CHUNKED)), Piece(2, 1, "->", b"", "closed"), Piece(3, 1, "<-", b"", "closed")]
    assert [(row.kind, row.code) for row in rows(pieces) if row.starts] == [
        ("start line", ""),
        ("start line", ""),
        ("client disconnects", ""),
        ("server closes", "app not visible"),
    ]


def test_a_response_to_head_has_no_body_and_the_next_response_is_read() -> None:
    head = Head("HEAD / HTTP/1.1").encode()
    response = Head("HTTP/1.1 200 OK", (("Content-Length", "5"),)).encode()
    found = rows(said(("->", head), ("<-", response), ("->", GET), ("<-", response + b"hello")))
    assert [row.raw for row in found if row.starts and row.direction == "<-"] == [b"HTTP/1.1 200 OK\r\n"] * 2
    assert "open" not in kinds(found)


def test_a_row_has_the_facts_of_its_bytes() -> None:
    found = rows(said(("->", GET), ("<-", CHUNKED + chunk(b": hi\nretry: 5\ndata: a\n\n") + LAST_CHUNK)))
    assert [(row.kind, row.size) for row in found if row.kind == "chunk size"] == [("chunk size", 23)]
    body = [row for row in found if row.kind == "body"]
    assert {row.format for row in body} == {"sse"}
    assert [row.meaning and (row.meaning.position, row.meaning.kind) for row in body] == [
        ("first", "comment"),
        ("inside", "retry"),
        ("inside", "data"),
        ("last", "dispatch"),
    ]
    assert [row.meaning.label for row in body if row.meaning and row.meaning.complete] == ["a"]


def test_an_incomplete_recording_has_no_rows_about_the_end_of_the_connection() -> None:
    ends = [Piece(2, 1, "->", b"", "closed"), Piece(3, 1, "<-", b"", "closed")]
    pieces = [*said(("->", GET), ("<-", TWO_TICKS[:-9])), *ends]
    assert kinds(rows(pieces))[-2:] == ["client disconnects", "server closes"]
    assert {"client disconnects", "server closes"}.isdisjoint(kinds(rows(pieces, complete=False)))


@pytest.mark.parametrize("running", [True, False])
def test_a_request_without_a_response_has_the_length_of_the_silence(running: bool) -> None:
    last = rows(said(("->", GET)), now=3.2, running=running)[-1]
    assert (last.kind, last.seconds, last.code) == ("no response", 3.2, "running" if running else "stopped")


def test_a_disconnect_without_a_reaction_of_the_server_is_not_noticed() -> None:
    pieces = [*said(("->", GET), ("<-", CHUNKED)), Piece(2, 1, "->", b"", "closed")]
    last = rows(pieces, now=5.0)[-1]
    assert (last.kind, last.seconds, last.code) == ("not noticed", 3.0, "running")


def test_a_second_request_without_a_response_is_silent_too() -> None:
    response = Head("HTTP/1.1 200 OK", (("Content-Length", "0"),)).encode()
    last = rows(said(("->", GET), ("<-", response), ("->", GET)), now=4.0)[-1]
    assert (last.kind, last.seconds) == ("no response", 2.0)


def test_pieces_without_secrets_keep_their_sizes_and_all_else() -> None:
    asked = Head("GET /?token=abc HTTP/1.1", (("Cookie", "a=b"),)).encode()
    pieces = said(("->", asked[:12]), ("->", asked[12:30]), ("<-", TWO_TICKS), ("->", asked[30:]))
    shown = without_secrets_in(pieces)
    assert [piece._replace(data=b"") for piece in shown] == [piece._replace(data=b"") for piece in pieces]
    assert [len(piece.data) for piece in shown] == [len(piece.data) for piece in pieces]
    assert shown[2].data == TWO_TICKS
    assert b"".join(piece.data for piece in shown if piece.direction == "->") == asked.replace(
        b"abc", b"***"
    ).replace(b"a=b", b"***")
