"""What each byte of a recording means: a connection as rows, in the order in which they were complete.

The bytes are read through server.wire. This room knows HTTP, and of each body's format only where to ask: the wire
module that names its media type, or the protocol that a connection is upgraded to.
"""

from __future__ import annotations

import importlib
import io
import pkgutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from server import wire
from server.wire import Meaning, http

from .pieces import Direction, Piece
from .redact import LINE, without_secrets, without_secrets_in_heads

MARKS = {"first": "┌ ", "inside": "│ ", "last": "└ ", "same": "│ "}


@dataclass(frozen=True)
class Row:
    """One line of a drawing: `raw` bytes, what they mean, and when they were complete (seconds).

    `direction` says who speaks, `mark` is the margin of a body's lines. `starts` a message; `timed` where the time
    is worth a look. A row without bytes tells of something that happened.
    """

    when: float
    direction: Direction
    raw: bytes
    note: str = ""
    mark: str = ""
    starts: bool = False
    timed: bool = False


def rows(pieces: list[Piece], secrets: bool = False, most: int = 60, complete: bool = True) -> list[Row]:
    """Return the rows of one connection; of each body at most `most` lines, and how many more there are.

    Where the recording is not `complete`, how the connection ended is not told.
    """
    requests, responses = _both(pieces, complete)
    found = [*_Speaker("->", secrets, most).rows(requests), *_Speaker("<-", secrets, most).rows(responses)]
    endings = _endings(pieces, responses) if complete else ()
    return sorted([*found, *endings], key=lambda row: row.when)


def without_secrets_in(pieces: list[Piece]) -> list[Piece]:
    """Return the pieces of one connection with asterisks for what must not be seen, also where a piece cuts it."""
    requests, responses = (
        io.BytesIO(without_secrets_in_heads(part for _, part in parts)) for parts in _both(pieces, complete=True)
    )
    streams = {"->": requests, "<-": responses}
    return [piece._replace(data=streams[piece.direction].read(len(piece.data))) for piece in pieces]


@dataclass(frozen=True)
class Pending:
    """What has come of a part that may still be completed."""

    raw: bytes


Part = http.Part | Pending
Timed = tuple[float, Part]


def _both(pieces: list[Piece], complete: bool) -> tuple[list[Timed], list[Timed]]:
    """Read both directions of a connection."""
    requests = _parts(pieces, "->", http.Parser("request"), complete)
    methods = [part.method for _, part in requests if isinstance(part, http.Head)]
    responses = _parts(pieces, "<-", http.Parser("response", methods), complete)
    if upgraded := _upgraded(responses):
        requests = _parts(pieces, "->", http.Parser("request", switched=upgraded), complete)
    return requests, responses


def _upgraded(responses: list[Timed]) -> int | None:
    """Return the number of the request, counted from 1, that was answered with 101; None where none was."""
    statuses = [part.status for _, part in responses if isinstance(part, http.Head)]
    finals = [status for status in statuses if status == 101 or status >= 200]
    return finals.index(101) + 1 if 101 in finals else None


def _parts(pieces: list[Piece], direction: Direction, parser: http.Parser, complete: bool) -> list[Timed]:
    """Read one direction: its parts, each with the time at which its last byte came."""
    found: list[Timed] = []
    when = 0.0
    for piece in pieces:
        if piece.direction == direction and (complete or not piece.how):
            when = piece.when
            parts = parser.close() if piece.how else parser.feed(piece.data)
            found += [(when, part) for part in parts]
            if piece.how:
                break
    return [*found, (when, Pending(parser.pending))] if parser.pending else found


class _Speaker:
    """Turns the parts that one side has sent into rows."""

    def __init__(self, direction: Direction, secrets: bool, most: int) -> None:
        self.direction, self.secrets, self.most = direction, secrets, most
        self.found: list[Row] = []
        self.explainer: Any = _Plain()
        self.body: list[tuple[float, bytes]] = []  # lines of one chunk, or of a body without chunks
        self.chunked = False
        self.broken = False  # from here on it is not HTTP
        self.lines = 0  # of this body, so far

    def rows(self, parts: Iterable[Timed]) -> list[Row]:
        """Return the rows of these parts."""
        when = 0.0
        for when, part in parts:
            if isinstance(part, http.NotHTTP) and not self.broken:
                self.draw_why(when, part)
            if isinstance(part, http.Data | http.NotHTTP):
                self.collect(when, part.raw)
            else:
                self.draw_body()
                self.draw(when, part)
        self.draw_body()
        if begun := getattr(self.explainer, "pending", b""):
            self.add_to_body(when, begun, "begun, and not finished", "│ ")
        self.draw_rest()
        return self.found

    def draw(self, when: float, part: Part) -> None:
        """Draw one part that is not of a body's bytes."""
        if isinstance(part, http.Head):
            self.draw_head(when, part)
        elif isinstance(part, http.Size):
            self.chunked = True
            if self.lines < self.most:
                self.add(when, part.raw, f"a chunk of {part.size} byte{'s' * (part.size != 1)}", timed=True)
        elif isinstance(part, http.DataEnd):
            self.add_to_body(when, part.raw)
        else:
            self.draw_rest()
            self.draw_end(when, part)

    def draw_head(self, when: float, head: http.Head) -> None:
        """Draw a head line by line, and choose who explains the body."""
        self.draw_rest()
        self.draw_lines(when, head.raw, "blank line: the head ends", starts=True)
        self.explainer, self.chunked = explainer(head), False

    def draw_lines(self, when: float, raw: bytes, note: str, starts: bool = False) -> None:
        """Draw what is not a body line by line, and a note beside the last line."""
        lines = LINE.findall(raw)
        for number, line in enumerate(lines):
            first = starts and number == 0
            self.add(when, self.shown(line), note if line is lines[-1] else "", starts=first, timed=first)

    def draw_why(self, when: float, part: http.NotHTTP) -> None:
        """Say why the rest cannot be read, which is drawn line by line."""
        self.draw_body()
        self.draw_rest()
        self.add(when, b"", f"not HTTP/1: {self.shown(part.why.encode()).decode()}", timed=True)
        self.explainer, self.chunked, self.broken = _Plain(), False, True

    def draw_end(self, when: float, part: Part) -> None:
        """Draw the last chunk, or how else a body has said that it is whole."""
        if isinstance(part, http.LastChunk):
            self.draw_last_chunk(when, part.raw)
        elif part == http.End("length"):
            self.add(when, b"", "the body is whole: as many bytes as Content-Length says", timed=True)
        elif part.raw:
            finished = "not finished so far" if isinstance(part, Pending) else "never finished"
            self.draw_lines(when, part.raw, f"begun, and {finished}", starts=not self.found)

    def draw_last_chunk(self, when: float, raw: bytes) -> None:
        """Draw the last chunk: in one row, unless it has trailer fields."""
        if raw == http.LAST_CHUNK:
            self.add(when, raw, "the last chunk: the body is whole", timed=True)
        else:
            self.draw_lines(when, raw, "the last chunk and its trailer: the body is whole")
            self.found[-1] = replace(self.found[-1], timed=True)

    def shown(self, line: bytes) -> bytes:
        """Return a line of a head as it may be seen."""
        return line if self.secrets else without_secrets(line)

    def collect(self, when: float, data: bytes) -> None:
        """Cut bytes of a body into lines, and complete the line that the bytes before have begun."""
        if cut := getattr(self.explainer, "cut", None):  # of frames, not of lines
            self.body += [(when, fragment) for fragment in cut(data)]
            return
        for fragment in LINE.findall(data):
            before = self.body[-1][1] if self.body else b"\n"
            if not before.endswith((b"\r", b"\n")) or (before.endswith(b"\r") and fragment == b"\n"):
                self.body[-1] = (when, before + fragment)
            else:
                self.body.append((when, fragment))

    def draw_body(self) -> None:
        """Draw the lines collected so far."""
        for when, line in self.body:
            meaning = self.explainer.feed(line)
            if meaning.place == "same" and self.found and self.found[-1].mark:
                self.join(when, line, meaning.text)
                continue
            self.lines += 1
            timed = not self.chunked and (meaning.place == "last" or isinstance(self.explainer, _Plain))
            shown = self.shown(line) if self.broken else line
            self.add_to_body(when, shown, meaning.text, MARKS[meaning.place], timed)
        self.body.clear()

    def join(self, when: float, line: bytes, note: str) -> None:
        """Add bytes to the row before."""
        if self.lines <= self.most:
            self.found[-1] = replace(self.found[-1], when=when, raw=self.found[-1].raw + line, note=note)

    def draw_rest(self) -> None:
        """Say how many lines of the body were too many to draw."""
        if (more := self.lines - self.most) > 0:
            self.add(self.found[-1].when, b"", f"{more} line{'s' * (more != 1)} more, not drawn")
        self.lines = 0

    def add_to_body(self, when: float, raw: bytes, note: str = "", mark: str = "", timed: bool = False) -> None:
        """Add a row of a body while it is not too long."""
        if self.lines <= self.most:
            self.add(when, raw, note, mark, timed=timed)

    def add(
        self, when: float, raw: bytes, note: str = "", mark: str = "", starts: bool = False, timed: bool = False
    ) -> None:
        """Add a row."""
        self.found.append(Row(when, self.direction, raw, note, mark, starts, timed))


class _Plain:
    """Explains the lines of a body of which nothing is known."""

    def feed(self, fragment: bytes) -> Meaning:
        return Meaning("inside")


def explainer(head: http.Head) -> Any:
    """Return the Explainer of the wire module that names what follows this head, or one that says nothing."""
    content_type, protocol = head.get("Content-Type"), head.get("Upgrade").strip().lower()
    media_type = content_type.partition(";")[0].strip().lower()
    upgraded = bool(protocol) and head.status in (0, 101)  # a request has no status; 426 upgrades nothing
    for found in pkgutil.iter_modules(wire.__path__):
        module = importlib.import_module(f"{wire.__name__}.{found.name}")
        if upgraded and getattr(module, "UPGRADE", None) == protocol:
            return module.Explainer(content_type)
        if not upgraded and media_type and getattr(module, "MEDIA_TYPE", None) == media_type:
            return module.Explainer(content_type)
    return _Plain()


def _endings(pieces: list[Piece], responses: list[Timed]) -> Iterator[Row]:
    """Tell who has left before the answer was whole, and how."""
    ends = [part for _, part in responses if isinstance(part, http.End)]
    heads = [part for _, part in responses if isinstance(part, http.Head)]
    whole = len(ends) == len(heads) and all(end.how not in ("close", "tunnel", "cut") for end in ends)
    if whole and heads:
        return
    if heads and heads[-1].status == 101:
        yield from _upgraded_ending(pieces)
        return
    left = next((piece for piece in pieces if piece.direction == "->" and piece.how), None)
    closed = next((piece for piece in pieces if piece.direction == "<-" and piece.how), None)
    if left and not (closed and closed.when < left.when):
        yield Row(left.when, "->", b"", "the client leaves", starts=True, timed=True)
        if closed:
            noticed = "the server has noticed, and ends the stream" if heads else "the server closes too"
            yield Row(closed.when, "<-", b"", noticed, starts=True, timed=True)
    elif closed:
        how = _how(closed.how, ends, "body" if heads else "answer")
        yield Row(closed.when, "<-", b"", how, starts=not responses, timed=True)
    elif heads:
        yield Row(pieces[-1].when, "<-", b"", "still open")


def _upgraded_ending(pieces: list[Piece]) -> Iterator[Row]:
    """Tell who has closed the connection of another protocol first; a close of TCP is its ordinary end."""
    end = next((piece for piece in pieces if piece.how), None)
    if end is None:
        yield Row(pieces[-1].when, pieces[-1].direction, b"", "still open")
        return
    who = "the client" if end.direction == "->" else "the server"
    how = "resets" if end.how == "reset" else "closes"
    yield Row(end.when, end.direction, b"", f"{who} {how} the connection", starts=True, timed=True)


def _how(how: str, ends: list[http.End], what: str) -> str:
    if how == "refused":
        return "refused: nothing listens where the server should be"
    verb = "resets the connection" if how == "reset" else "closes"
    if not ends or ends[-1].how not in ("close", "cut"):
        return f"the server {verb}"
    if how == "closed" and ends[-1].how == "close":
        return "the server closes: whether the body is whole, nobody can tell"
    return f"the server {verb}: the {what} is cut"
