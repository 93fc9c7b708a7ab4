r"""A recording as text and as plain HTML: each byte in its place, and what it means beside it.

Text is the truth: `\r`, `\n` and other bytes that cannot be seen are written as escapes, a character of UTF-8 as
itself. Only what is secret is not as it was sent, unless asked for: cookies, authorization and tokens.
"""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from .pieces import Piece, Pieces
from .rows import Row, rows, without_secrets_in

TIME, BYTES = 9, 16  # columns of a time, and of the bytes where a note stands beside them
MOST_COLUMNS = 100  # of one line's bytes
ESCAPES = {"\r": "\\r", "\n": "\\n", "\t": "\\t", "\0": "\\0"}
NOTHING = "nothing has passed yet"


def visible(data: bytes) -> str:
    r"""Return bytes as a text in which each byte can be seen.

    A backslash stays one, but is doubled where it would read as an escape.

    >>> print(visible(b"data: \\ 0\r\n"), visible("caf\u00e9".encode()), visible(b"\xff\x00 \\n"))
    data: \ 0\r\n café \xff\0 \\n
    """
    shown = [_seen(char) for char in data.decode("utf-8", "surrogateescape")]
    after = [*shown, " "][1:]
    return "".join(
        "\\\\" if char == "\\" and follows[0] in "rntx0uU\\" else char
        for char, follows in zip(shown, after, strict=True)
    )


def milliseconds(seconds: float) -> str:
    """Return a time as a drawing writes it.

    >>> milliseconds(0.1012), milliseconds(12.3456)
    ('101.2 ms', '12345.6 ms')
    """
    return f"{seconds * 1000:.1f} ms"


def text(recording: Pieces, times: bool = True, secrets: bool = False, most: int = 60) -> str:
    """Return the drawing as text; see Recording.text."""
    lines: list[str] = []
    for title, messages in _connections(recording, secrets, most):
        lines += ["", title] if title else []
        for message in messages:
            lines += ["", *(_line(row, number == 0, times) for number, row in enumerate(message))]
    return "\n".join([*lines, *_dropped(recording)]).strip("\n") or NOTHING


def html(recording: Pieces, times: bool = True, secrets: bool = False, most: int = 60) -> str:
    """Return the drawing as HTML, of h4, details, summary, pre, p, b and i alone; see Recording.html."""
    found: list[str] = []
    for title, messages in _connections(recording, secrets, most):
        found += [f"<h4>{title}</h4>"] if title else []
        found += [_details(message, times) for message in messages]
    found += [f"<p>{line.strip()}</p>" for line in _dropped(recording)]
    return "\n".join(found) or f"<p>{NOTHING}</p>"


def received(recording: Pieces, secrets: bool = False) -> str:
    """Return the pieces as received, a line each; see Recording.received."""
    pieces = recording.pieces
    if not secrets:
        shown = [piece for _, own in _by_connection(pieces) for piece in without_secrets_in(own)]
        pieces = sorted(shown, key=lambda piece: piece.when)
    return "\n".join(
        f"{milliseconds(piece.when):>10}  {piece.direction} {len(piece.data):>5} bytes  "
        f"{_short(visible(piece.data)) or piece.how}"
        for piece in pieces
    )


def _seen(char: str) -> str:
    if 0xDC80 <= ord(char) <= 0xDCFF:  # a byte that is not UTF-8
        return f"\\x{ord(char) - 0xDC00:02x}"
    if char in ESCAPES or char.isprintable():
        return ESCAPES.get(char, char)
    # A character from U+0080 on is no \x80: that is a byte.
    return f"\\u{ord(char):04x}" if 0x80 <= ord(char) < 0x100 else char.encode("unicode_escape").decode()


def _short(line: str) -> str:
    return line if len(line) <= MOST_COLUMNS else f"{line[:MOST_COLUMNS]}... ({len(line)} characters)"


def _dropped(recording: Pieces) -> list[str]:
    return ["", f"   ({recording.dropped} bytes more were not kept)"] if recording.dropped else []


def _connections(recording: Pieces, secrets: bool, most: int) -> Iterator[tuple[str, list[list[Row]]]]:
    """Yield each connection's title ("" where there is only one) and its messages."""
    found = _by_connection(recording.pieces)
    for number, own in found:
        title = f"connection {number}" if len(found) > 1 else ""
        yield title, _messages(rows(own, secrets, most, not recording.dropped))


def _by_connection(pieces: list[Piece]) -> list[tuple[int, list[Piece]]]:
    numbers = sorted({piece.connection for piece in pieces})
    return [(number, [piece for piece in pieces if piece.connection == number]) for number in numbers]


def _messages(found: list[Row]) -> list[list[Row]]:
    """Cut rows into messages: one begins where a row says so, and where the other side speaks."""
    messages: list[list[Row]] = []
    for row in found:
        if row.starts or not messages or messages[-1][-1].direction != row.direction:
            messages.append([])
        messages[-1].append(row)
    return messages


def _cells(row: Row, times: bool) -> tuple[str, str, str]:
    data, note = row.mark + _short(visible(row.raw)), "".join(_seen(char) for char in row.note)
    return data, note, milliseconds(row.when) if times and row.timed else ""


def _line(row: Row, first: bool, times: bool) -> str:
    data, note, time = _cells(row, times)
    lead = row.direction if first else ""
    line = f"{lead:<3}{data:<{BYTES}} {note}".rstrip() if data else f"{lead:<3}({note})"
    return f"{time:>{TIME}} {line}" if times else line


def _details(message: list[Row], times: bool) -> str:
    first, *rest = message
    data, note, time = _cells(first, times)
    arrow = {"->": "→", "<-": "←"}[first.direction]
    summary = f"{time} {arrow} <b>{escape(data)}</b> <i>{escape(note)}</i>".replace(" <i></i>", "").strip()
    lines = "\n".join(_marked(row, times) for row in rest)
    return (
        f"<details open><summary>{summary}</summary>\n<pre>{lines}</pre></details>" if rest else f"<p>{summary}</p>"
    )


def _marked(row: Row, times: bool) -> str:
    """Return a line as _line does, its note in italics."""
    line, note = (escape(each, quote=False) for each in (_line(row, False, times), _cells(row, times)[1]))
    before, _, after = line.rpartition(note) if note else (line, "", "")
    return f"{before}<i>{note}</i>{after}" if note else line
