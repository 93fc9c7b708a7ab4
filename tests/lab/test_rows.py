"""Rows: what each byte of a connection means, and when it was complete."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from recordings import CHUNKED, GET, TWO_TICKS
from splits import cut

from server.lab.pieces import Direction, Piece
from server.lab.rows import Row, explainer, rows, without_secrets_in
from server.wire import sse
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


def notes(found: list[Row]) -> list[str]:
    return [row.note for row in found if row.note]


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
        spoken = b"".join(piece.data for piece in pieces if piece.direction == direction)
        assert b"".join(row.raw for row in found if row.direction == direction) == spoken


@given(st.lists(st.integers(0, 250), max_size=8))
def test_a_row_has_the_time_of_its_last_byte(places: list[int]) -> None:
    pieces = said(*(("<-", piece) for piece in cut(TWO_TICKS, places)))
    seen = b""
    for row in rows(pieces):
        seen += row.raw
        if row.raw and row.note != "still open":
            needed = next(
                n for n in range(len(pieces)) if len(b"".join(p.data for p in pieces[: n + 1])) >= len(seen)
            )
            # A line end after a chunk's bytes is known as such only when it is whole, so never earlier.
            assert row.when >= pieces[needed].when


def test_a_message_starts_at_its_start_line_and_at_who_leaves() -> None:
    pieces = [*said(("->", GET), ("<-", CHUNKED)), Piece(2, 1, "->", b"", "closed"), Piece(3, 1, "<-", b"", "closed")]
    assert [row.note or row.raw[:4] for row in rows(pieces) if row.starts] == [
        b"GET ",
        b"HTTP",
        "the client leaves",
        "the server has noticed, and ends the stream",
    ]


def test_an_answer_to_head_has_no_body_and_the_next_answer_is_read() -> None:
    head = Head("HEAD / HTTP/1.1").encode()
    answer = Head("HTTP/1.1 200 OK", (("Content-Length", "5"),)).encode()
    found = rows(said(("->", head), ("<-", answer), ("->", GET), ("<-", answer + b"hello")))
    assert [row.raw for row in found if row.starts and row.direction == "<-"] == [b"HTTP/1.1 200 OK\r\n"] * 2
    assert "still open" not in notes(found)


def test_the_lines_of_each_chunk_are_explained_by_the_format_of_the_body() -> None:
    pieces = said(("->", GET), ("<-", CHUNKED + chunk(b": hi\nretry: 5\n") + chunk(b"data: a\n\n") + LAST_CHUNK))
    assert [(row.mark, row.note) for row in rows(pieces) if row.mark] == [
        ("┌ ", "a comment: ignored"),
        ("│ ", "wait 5 ms before a reconnect"),
        ("│ ", ""),
        ("└ ", 'blank line: event "message" is sent: "a"'),
    ]


def test_a_media_type_finds_its_explainer_whatever_its_case_and_parameters() -> None:
    for media_type in ("text/event-stream", "Text/Event-Stream; charset=utf-8", "text/event-stream;x"):
        assert isinstance(explainer(answer(media_type)), sse.Explainer)
    for media_type in ("", "text/plain", "text/event-stream2"):
        assert explainer(answer(media_type)).feed(b"data: x\n").text == ""


def answer(media_type: str) -> Head:
    return Head("HTTP/1.1 200 OK", (("Content-Type", media_type),))


def test_an_incomplete_recording_says_nothing_of_how_the_connection_ended() -> None:
    ends = [Piece(2, 1, "->", b"", "closed"), Piece(3, 1, "<-", b"", "closed")]
    pieces = [*said(("->", GET), ("<-", TWO_TICKS[:-9])), *ends]
    assert "the client leaves" in notes(rows(pieces))
    assert not [
        note for note in notes(rows(pieces, complete=False)) if "leave" in note or "cut" in note or "never" in note
    ]


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
