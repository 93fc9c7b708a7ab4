r"""A recording as text and as plain HTML: each byte in its place, and what it means beside it.

The text shows the bytes as they are: `\r`, `\n` and other bytes that cannot be seen are escapes, and a character of
UTF-8 is itself. Secrets in header sections are not shown by default; bodies are always shown.
"""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import NamedTuple

from server.wire import plural

from .formats import describe
from .pieces import Pieces, by_connection
from .rows import Row, rows, without_secrets_in

TIME, BYTES = 9, 16  # columns of a time, and of the bytes if a note follows
MAX_COLUMNS = 100  # of the bytes of one line
COMPRESSED_BYTES = 8  # of a row of compressed bytes
ESCAPES = {"\r": "\\r", "\n": "\\n", "\t": "\\t", "\0": "\\0"}
NOTHING = "nothing is recorded yet"
MARKS = {"first": "┌ ", "inside": "│ ", "last": "└ "}
DECODED_MARKS = {"first": "╔ ", "inside": "║ ", "last": "╚ "}
ARROWS = {"->": "→", "<-": "←"}
NOTES = {
    ("end of headers", ""): "blank line: end of headers",
    ("last chunk", ""): "last chunk",
    ("last chunk", "complete"): "last chunk: the body is complete",
    ("end of trailers", ""): "blank line: end of trailers, the body is complete",
    ("length reached", ""): "Content-Length reached: the body is complete",
    ("incomplete", "so far"): "incomplete so far",
    ("incomplete", "closed"): "incomplete: the connection was closed",
    ("not HTTP/1", "TLS"): "TLS, not HTTP: one side uses https, the other http",
    ("not HTTP/1", "HTTP/2"): "HTTP/2: this drawing reads HTTP/1 only",
    ("excess", "no body"): "bytes after a response without a body",
    ("excess", ""): "bytes after the end of the response",
    ("refused", ""): "connection refused: no server listens at this address",
    ("unreachable", ""): "the server did not accept the connection in time",
    ("client disconnects", ""): "the client disconnects",
    ("client resets", ""): "the client resets the connection",
    ("client closes", ""): "the client closes the connection",
    ("server closes", ""): "the server closes the connection",
    ("server resets", ""): "the server resets the connection",
    ("open", "running"): "still open",
    ("open", "stopped"): "still open when the recording stopped",
    ("no response", "running"): "no response so far",
    ("no response", "stopped"): "no response until the recording stopped",
    ("not noticed", "running"): "not noticed by the server so far",
    ("not noticed", "stopped"): "not noticed by the server until the recording stopped",
}
ENDS = {
    "app not visible": "; the recording cannot show whether the app still runs",
    "no response": " without a response",
    "response incomplete": ": the response is incomplete",
    "body incomplete": ": the body is incomplete",
    "body unknown": ": this ends the body, complete or not",
}
COMPRESSED = {
    "": ", decoded below",
    "not decoded": ", not decoded",
    "unknown coding": ": not readable as events",
    "invalid data": ": the data are not valid, not decoded",
    "over the limit": ": more is not decoded",
}
PROBLEMS = {
    "obs-fold": "a folded header",
    "space-before-colon": "a space before a colon",
    "bare-lf": "a line end without CR",
    "length-beside-transfer-encoding": "Content-Length is ignored because of Transfer-Encoding",
    "repeated-length": "Content-Length is repeated",
    "transfer-encoding-in-http-1.0": "HTTP/1.0 has no Transfer-Encoding",
}
HEADER_SECTION = {"start line", "header", "end of headers"}  # kinds of rows
MESSAGES = 60  # that are drawn at least, so that a small limit of body lines does not hide any
IDLE = 1.0  # seconds from which a silence is shown


class Message(NamedTuple):
    """The rows that one side sent until the other side sent something, or until the next message."""

    rows: list[Row]


def visible(data: bytes) -> str:
    r"""Return bytes as a text that shows every byte.

    A backslash is doubled only if it would read as an escape.

    >>> print(visible(b"data: \\ 0\r\n"), visible("caf\u00e9".encode()), visible(b"\xff\x00 \\n"))
    data: \ 0\r\n café \xff\0 \\n
    """
    shown = [_escaped(char) for char in data.decode("utf-8", "surrogateescape")]
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
    for part in _parts(recording, secrets, most):
        if isinstance(part, Message):
            lines += ["", *(_line(row, number == 0, times) for number, row in enumerate(part.rows))]
        else:
            lines += ["", part]
    return "\n".join(lines).strip("\n") or NOTHING


def html(recording: Pieces, times: bool = True, secrets: bool = False, most: int = 60) -> str:
    """Return the drawing as HTML with the elements h4, details, summary, pre, p, b and i; see Recording.html."""
    found = []
    for part in _parts(recording, secrets, most):
        if isinstance(part, Message):
            found.append(_details(part, times))
        else:
            name = "p" if part.startswith("   (") else "h4"
            found.append(f"<{name}>{escape(part.strip(), quote=False)}</{name}>")
    return "\n".join(found) or f"<p>{NOTHING}</p>"


def received(recording: Pieces, secrets: bool = False, most: int = 200) -> str:
    """Return the reads one per line; see Recording.received."""
    pieces, more = recording.pieces[:most], len(recording.pieces) - most
    if not secrets:
        shown = [piece for own in by_connection(pieces).values() for piece in without_secrets_in(own)]
        pieces = sorted(shown, key=lambda piece: piece.when)
    lines = [
        f"{milliseconds(piece.when):>10}  {piece.direction} {len(piece.data):>5} bytes  "
        f"{_beginning(piece.data) or piece.how}"
        for piece in pieces
    ]
    return "\n".join([*lines, f"({more} more, not shown)"] if more > 0 else lines)


def _escaped(char: str) -> str:
    if 0xDC80 <= ord(char) <= 0xDCFF:  # a byte that is not UTF-8
        return f"\\x{ord(char) - 0xDC00:02x}"
    if char in ESCAPES or char.isprintable():
        return ESCAPES.get(char, char)
    # A character from U+0080 on is not written as \x80, because that is a byte.
    return f"\\u{ord(char):04x}" if 0x80 <= ord(char) < 0x100 else char.encode("unicode_escape").decode()


def _beginning(data: bytes) -> str:
    """Return visible bytes; of a long line the beginning and the number of bytes."""
    shown = visible(data[: 4 * MAX_COLUMNS + 4])  # a character has at most 4 bytes
    return shown if len(shown) <= MAX_COLUMNS else f"{shown[:MAX_COLUMNS]}... ({len(data)} bytes)"


def _parts(recording: Pieces, secrets: bool, most: int) -> Iterator[Message | str]:
    """Yield the messages of all connections, at most `most` or 60, and the titles and remarks between them."""
    state = recording.snapshot()
    connections = by_connection(state.pieces)
    left = max(most, MESSAGES)
    for drawn, (number, own) in enumerate(connections.items()):
        if left <= 0:
            yield f"   ({plural(len(connections) - drawn, 'more connection')}, not drawn)"
            break
        if len(connections) > 1:
            yield f"connection {number}"
        complete = number not in state.incomplete
        messages = _messages(rows(own, secrets, most, complete, state.now, state.running))
        yield from messages[:left]
        if len(messages) > left:
            yield f"   ({plural(len(messages) - left, 'more message')}, not drawn)"
        left -= len(messages)
    if state.dropped or state.dropped_ends:
        ends = f" and {plural(state.dropped_ends, 'connection end')}" if state.dropped_ends else ""
        yield f"   ({plural(state.dropped, 'more byte')}{ends} not kept: the limit is keep={recording.keep})"


def _messages(found: list[Row]) -> list[Message]:
    """Split rows into messages: a new one begins where a row says so, and where the direction changes."""
    messages: list[Message] = []
    for row in found:
        if row.starts or not messages or messages[-1].rows[-1].direction != row.direction:
            messages.append(Message([]))
        messages[-1].rows.append(row)
    return messages


def _note(row: Row, times: bool) -> str:
    """Return what a row means."""
    if row.meaning is not None:
        return describe(row.format, row.meaning, row.decoded or row.raw)
    if row.kind == "chunk size":
        return f"chunk of {plural(row.size, 'byte')}"
    if row.kind == "not drawn":
        return f"{plural(row.size, 'more byte')} of the body, not drawn"
    if row.kind == "compressed":
        coding = row.format if row.code != "unknown coding" else f"compressed ({row.format})"
        return f"{coding}, {plural(row.size, 'byte')}{COMPRESSED[row.code]}"
    if row.kind == "unit incomplete":
        return f"the {row.code} data are incomplete"
    if row.kind in ("server closes", "server resets"):
        return NOTES[row.kind, ""] + ENDS.get(row.code, "")
    note = NOTES.get((row.kind, row.code)) or NOTES.get((row.kind, ""), "")
    if row.kind == "not HTTP/1" and not note:
        note = f"not HTTP/1: {row.code}"
    if row.problems:
        note += f" (note: {', '.join(PROBLEMS[problem] for problem in row.problems)})"
    silent = times and (row.kind in ("no response", "not noticed") or (row.kind == "open" and row.seconds >= IDLE))
    return f"{note}, {row.seconds:.1f} s" if silent else note


def _cells(row: Row, times: bool) -> tuple[str, str, str]:
    """Return the bytes, the note and the time of a row, as they are shown."""
    marks = DECODED_MARKS if row.decoded else MARKS
    mark = marks[row.meaning.position] if row.meaning and row.kind == "body" else ""
    note = "".join(_escaped(char) for char in _note(row, times))
    data = mark + _beginning(row.decoded or row.raw)
    if row.kind == "compressed":
        data = MARKS["inside"] + visible(row.raw[:COMPRESSED_BYTES]) + ("..." if row.size > COMPRESSED_BYTES else "")
    return data, note, milliseconds(row.when) if times and row.timed else ""


def _line(row: Row, first: bool, times: bool) -> str:
    before, note, after = _line_cells(row, first, times)
    return f"{before}{note}{after}".rstrip()


def _line_cells(row: Row, first: bool, times: bool) -> tuple[str, str, str]:
    """Return a line of the drawing in three: before its note, the note, and after it."""
    data, note, time = _cells(row, times)
    lead = (f"{time:>{TIME}} " if times else "") + f"{row.direction if first else '':<3}"
    return (f"{lead}{data:<{BYTES}} ", note, "") if data else (f"{lead}(", note, ")")


def _details(message: Message, times: bool) -> str:
    first, *rest = message.rows
    data, note, time = _cells(first, times)
    bold = f"<b>{escape(data, quote=False)}</b>" if data else ""
    italic = f"<i>{escape(note, quote=False)}</i>" if note else ""
    summary = " ".join(filter(None, (time, ARROWS[first.direction], bold, italic)))
    if not rest:
        return f"<p>{summary}</p>"
    lines = "\n".join(_italic(row, times) for row in rest)
    # A request without a body is folded, so that the response is in sight.
    folded = first.direction == "->" and all(row.kind in HEADER_SECTION for row in message.rows)
    return f"<details{'' if folded else ' open'}><summary>{summary}</summary>\n<pre>{lines}</pre></details>"


def _italic(row: Row, times: bool) -> str:
    """Return a line as _line does, with its note in italics."""
    before, note, after = (escape(cell, quote=False) for cell in _line_cells(row, False, times))
    return f"{before}<i>{note}</i>{after}" if note else f"{before}{after}".rstrip()
