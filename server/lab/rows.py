"""The facts about every byte of a connection, as rows.

The bytes are parsed by server.wire. A row says what kind of bytes it holds, what they mean and when they were
complete. It holds no text for people: draw.py and timeline.py make that.
"""

from __future__ import annotations

import io
import sys
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import groupby
from typing import Literal, NamedTuple

from server.wire import Explainer, Fragment, Meaning, http

from . import decode, formats
from .pieces import Direction, Piece
from .redact import LINE, asterisks, is_body, redact_parts

Kind = Literal[
    "start line",
    "header",
    "end of headers",
    "chunk size",
    "body",
    "compressed",
    "end of chunk",
    "last chunk",
    "trailer",
    "end of trailers",
    "length reached",
    "incomplete",
    "not HTTP/1",
    "excess",
    "not drawn",
    "unit incomplete",
    "refused",
    "unreachable",
    "client disconnects",
    "client resets",
    "client closes",
    "server closes",
    "server resets",
    "open",
    "no response",
    "not noticed",
]
ALL = sys.maxsize


class Row(NamedTuple):
    """One line of a drawing, as facts.

    `when` is the time in seconds at which the last byte arrived. `raw` are the bytes; a row without bytes is an
    event of the connection. `kind` says what the bytes are. A row of a body has the name of its `format` ("" if
    unknown) and the `meaning` that the module of the format found; `decoded` are its bytes if the body was
    compressed.

    `code` is one more fact of the kind: of "compressed" the coding or the problem, of "incomplete" whether more
    bytes may come, of "server closes" the state of the body, of "not HTTP/1" the name of the protocol or the reason.
    `size` is the number of bytes of a chunk or of what is not drawn, `seconds` the length of a silence. `problems`
    are the codes of server.wire.http for a header section.

    `starts` is True at the first row of a message, `timed` where a drawing shows the time.
    """

    when: float
    direction: Direction
    kind: Kind
    raw: bytes = b""
    format: str = ""
    meaning: Meaning | None = None
    decoded: bytes = b""
    code: str = ""
    size: int = 0
    seconds: float = 0.0
    problems: tuple[str, ...] = ()
    starts: bool = False
    timed: bool = False


Timed = tuple[float, "http.Part | Pending"]


class Pending(NamedTuple):
    """The bytes of a part that may still be completed."""

    raw: bytes


class _Seen(NamedTuple):
    """The header sections of one direction, each with its time, and how its messages ended."""

    heads: list[tuple[float, http.Head]]
    ends: list[str]


def rows(
    pieces: list[Piece],
    secrets: bool = False,
    most: int = ALL,
    complete: bool = True,
    now: float | None = None,
    running: bool = True,
) -> list[Row]:
    """Return the rows of one connection, in the order of time.

    `most` limits the rows of each body; one more row says how many bytes follow. If the recording is not `complete`,
    there are no rows about the end of the connection. `now` is the present time in seconds, or the end of the
    recording if it is not `running` any more; the default is the time of the last piece.
    """
    if not pieces:
        return []
    until = pieces[-1].when if now is None else now
    found = iter_rows(pieces, secrets, most, complete, until, running)
    return sorted(found, key=lambda row: row.when)


def iter_rows(
    pieces: list[Piece],
    secrets: bool = False,
    most: int = ALL,
    complete: bool = True,
    now: float = 0,
    running: bool = True,
) -> Iterator[Row]:
    """Yield the rows of one connection: those of one direction, then those of the other. See rows()."""
    visible = _unchanged if secrets else _redacted
    requests, responses = _Seen([], []), _Seen([], [])
    parser = http.Parser("response", _methods(pieces))
    yield from _rows_of("<-", visible(_parts(pieces, "<-", parser, complete)), most, responses)
    upgrade = next((head for _, head in responses.heads if head.status == 101), None)
    sent = _parts(pieces, "->", http.Parser("request", switched=parser.switched), complete)
    yield from _rows_of("->", visible(sent), most, requests, upgrade)
    if complete and parser.switched:
        yield from _tunnel_end(pieces, now, running)
    elif complete:
        yield from _end(pieces, requests, responses, now, running)


def without_secrets_in(pieces: list[Piece]) -> list[Piece]:
    """Return the pieces of one connection with asterisks for secrets, also if a secret is split between pieces."""
    responses = http.Parser("response", _methods(pieces))
    answered = [part for _, part in _parts(pieces, "<-", responses, complete=True)]
    requests = http.Parser("request", switched=responses.switched)
    asked = [part for _, part in _parts(pieces, "->", requests, complete=True)]
    streams = {
        "->": io.BytesIO(b"".join(redact_parts(asked, asterisks))),
        "<-": io.BytesIO(b"".join(redact_parts(answered, asterisks))),
    }
    return [piece._replace(data=streams[piece.direction].read(len(piece.data))) for piece in pieces]


def _methods(pieces: list[Piece]) -> list[str]:
    """Return the methods of the requests of a connection."""
    parts = _parts(pieces, "->", http.Parser("request"), complete=True)
    return [part.method for _, part in parts if isinstance(part, http.Head)]


def _parts(pieces: list[Piece], direction: Direction, parser: http.Parser, complete: bool) -> Iterator[Timed]:
    """Parse one direction: yield its parts, each with the time at which its last byte arrived."""
    when = 0.0
    for piece in pieces:
        if piece.direction == direction and (complete or not piece.how):
            when = piece.when
            for part in parser.close() if piece.how else parser.feed(piece.data):
                yield when, part
            if piece.how:
                break
    if parser.pending:
        yield when, Pending(parser.pending)


def _unchanged(parts: Iterator[Timed]) -> Iterator[Timed]:
    return parts


def _redacted(parts: Iterator[Timed]) -> Iterator[Timed]:
    """Yield the parts of one direction without secrets. A secret may span parts, so header sections are collected."""
    for of_body, group in groupby(parts, lambda timed: is_body(timed[1])):
        if of_body:
            yield from group
            continue
        section = list(group)
        for (when, part), raw in zip(section, redact_parts(part for _, part in section), strict=True):
            yield when, Pending(raw) if isinstance(part, Pending) else replace(part, raw=raw)


class _Body:
    """Makes the rows of one body, at most `most` of them; it counts the bytes of the rest."""

    def __init__(
        self,
        direction: Direction,
        explainer: Explainer,
        name: str = "",
        most: int = ALL,
    ) -> None:
        self.direction, self.explainer, self.format, self.most = direction, explainer, name, most
        self.chunked = False
        self.full = False  # no more rows are made
        self.count = 0  # rows so far
        self.hidden = 0  # bytes that are in no row
        self.when = 0.0  # the time of the last byte
        self._times: deque[tuple[int, float]] = deque()  # the end of each read in the body, and its time
        self._received = self._explained = 0  # bytes

    def feed(self, when: float, data: bytes) -> Iterable[Row]:
        """Take the next bytes of the body; return the rows that they complete."""
        self.when = when
        if self.full:
            self.hidden += len(data)
            return ()
        return self.explain(when, data)

    def flush(self) -> Iterable[Row]:
        """Return rows for what has begun, because a chunk or the recording ends."""
        fragments = self.explainer.flush()
        return self._rows(fragments) if fragments else ()

    def rest(self) -> Iterator[Row]:
        """Yield the row that says how many bytes are in no row."""
        if self.hidden:
            yield Row(self.when, self.direction, "not drawn", size=self.hidden)
        self.hidden = 0

    def close(self, ended: bool) -> Iterator[Row]:
        """Yield the last rows. `ended` says whether the message ended here; otherwise more bytes may follow."""
        yield from self.flush()
        yield from self.rest()
        if ended and not self.full and (meaning := self.explainer.close()):
            yield Row(self.when, self.direction, "unit incomplete", format=self.format, meaning=meaning)

    def explain(self, when: float, data: bytes, decoded: bool = False) -> list[Row]:
        """Return the rows of bytes that have just arrived; `decoded` says whether they were compressed."""
        self._received += len(data)
        self._times.append((self._received, when))
        return self._rows(self.explainer.feed(data), decoded)

    def _rows(self, fragments: list[Fragment], decoded: bool = False) -> list[Row]:
        found = []
        for raw, meaning in fragments:
            when = self._time_of(len(raw))
            if self.count >= self.most:
                self.full = True
                self.hidden += 0 if decoded else len(raw)
                continue
            self.count += 1
            timed = not self.chunked and (meaning.position == "last" or not self.format)
            wire, text = (b"", raw) if decoded else (raw, b"")
            found.append(Row(when, self.direction, "body", wire, self.format, meaning, text, timed=timed))
        return found

    def _time_of(self, size: int) -> float:
        """Return the time at which the last of the next `size` bytes arrived."""
        self._explained += size
        while self._times[0][0] < self._explained:
            self._times.popleft()
        return self._times[0][1]


class _CompressedBody(_Body):
    """Makes the rows of a compressed body: its bytes in one row per chunk, then the rows of the decoded bytes."""

    def __init__(self, body: _Body, coding: str) -> None:
        super().__init__(body.direction, body.explainer, body.format, body.most)
        self.decoder = decode.Decoder(coding)
        self._raw: list[bytes] = []  # of this chunk
        self._first = 0.0  # the time of its first byte
        self._found: list[Row] = []

    def feed(self, when: float, data: bytes) -> Iterable[Row]:
        """Take the next bytes of the body."""
        self._first = self._first if self._raw else when
        self.when = when
        self._raw.append(data)
        if not self.full:
            self._found += self.explain(when, self.decoder.feed(data), decoded=True)
        return ()

    def flush(self) -> Iterable[Row]:
        """Return the row of the compressed bytes of a chunk, and the rows of the decoded bytes."""
        raw, found = b"".join(self._raw), self._found
        self._raw, self._found = [], []
        found += self._rows(self.explainer.flush(), decoded=True)
        if not raw:
            return found
        state = "not decoded" if self.full else self.decoder.problem
        row = Row(self._first, self.direction, "compressed", raw, self.decoder.coding, code=state, size=len(raw))
        return [row, *found]

    def close(self, ended: bool) -> Iterator[Row]:
        """Yield the last rows; a problem of the compressed data comes before one of the format."""
        yield from self.flush()
        if ended and self.decoder.unfinished and not self.full:
            yield Row(self.when, self.direction, "unit incomplete", code=self.decoder.coding)
        elif not self.decoder.problem:
            yield from super().close(ended)


def _body_of(direction: Direction, head: http.Head, upgrade: http.Head | None, most: int) -> _Body:
    """Return what makes the rows of a message's body. `upgrade` is the 101 response of the connection, if any."""
    name = formats.find(head)
    extended = upgrade if upgrade and head.get("Upgrade") else head  # the 101 response names the extensions
    body = _Body(direction, formats.explainer(name, extended), name, most)
    coding = decode.coding_of(head)
    return _CompressedBody(body, coding) if coding else body


def _rows_of(
    direction: Direction,
    parts: Iterable[Timed],
    most: int,
    seen: _Seen,
    upgrade: http.Head | None = None,
) -> Iterator[Row]:
    """Yield the rows of the parts that were sent in one direction, and add its messages to `seen`."""

    def unknown() -> _Body:
        return _Body(direction, formats.Unknown(), most=most)

    body, inside, other = unknown(), False, False
    for when, part in parts:
        if isinstance(part, http.Data):
            yield from body.feed(when, part.raw)
        elif isinstance(part, http.DataEnd):
            if not body.full:
                yield from body.flush()
            if not body.full:
                yield Row(when, direction, "end of chunk", part.raw)
        elif isinstance(part, http.Size):
            body.chunked, body.full = True, body.full or body.count >= most
            if not body.full:
                yield Row(when, direction, "chunk size", part.raw, size=part.size, timed=True)
        elif isinstance(part, http.Head):
            seen.heads.append((when, part))
            yield from _head_rows(when, direction, part)
            body, inside = _body_of(direction, part, upgrade, most), True
        elif isinstance(part, http.LastChunk):
            yield from body.flush()
            yield from body.rest()
            yield from _last_chunk_rows(when, direction, part)
        elif isinstance(part, http.NotHTTP | http.Excess):
            if not other:
                yield from body.close(ended=False)
                body, other = unknown(), True
                yield _other_bytes(when, direction, part)
            yield from body.feed(when, part.raw)
        elif isinstance(part, http.End):
            seen.ends.append(part.how)
            yield from body.flush()
            yield from body.rest()
            if part.how == "length":
                yield Row(when, direction, "length reached", timed=True)
            yield from body.close(part.how != "cut")
            yield from _incomplete_rows(when, direction, part.raw, "closed", not inside)
            body, inside = unknown(), False
        else:
            yield from body.close(ended=False)
            yield from _incomplete_rows(when, direction, part.raw, "so far", not inside)
            body = unknown()
    yield from body.close(ended=False)


def _head_rows(when: float, direction: Direction, head: http.Head) -> Iterator[Row]:
    start, *headers, blank = LINE.findall(head.raw)
    yield Row(when, direction, "start line", start, starts=True, timed=True)
    for header in headers:
        yield Row(when, direction, "header", header)
    yield Row(when, direction, "end of headers", blank, problems=head.problems)


def _last_chunk_rows(when: float, direction: Direction, part: http.LastChunk) -> Iterator[Row]:
    size, *trailers, blank = LINE.findall(part.raw)
    if not trailers:
        yield Row(when, direction, "last chunk", part.raw, code="complete", timed=True)
        return
    yield Row(when, direction, "last chunk", size)
    for trailer in trailers:
        yield Row(when, direction, "trailer", trailer)
    yield Row(when, direction, "end of trailers", blank, problems=part.problems, timed=True)


def _other_bytes(when: float, direction: Direction, part: http.NotHTTP | http.Excess) -> Row:
    if isinstance(part, http.Excess):
        return Row(when, direction, "excess", code=part.after, timed=True)
    why = part.protocol or part.why
    return Row(when, direction, "not HTTP/1", code=why, timed=True)


def _incomplete_rows(when: float, direction: Direction, raw: bytes, code: str, starts: bool) -> Iterator[Row]:
    lines = LINE.findall(raw)
    for number, line in enumerate(lines, 1):
        last = code if number == len(lines) else ""
        first = starts and number == 1
        yield Row(when, direction, "incomplete", line, code=last, starts=first, timed=first)


def _end(pieces: list[Piece], requests: _Seen, responses: _Seen, now: float, running: bool) -> Iterator[Row]:
    """Yield how an HTTP connection ended if it did so before the last response was complete, or that it is open."""
    asked = [when for when, _ in requests.heads]
    heads, ends = [head.status for _, head in responses.heads], responses.ends
    finals = sum(status >= 200 for status in heads)
    responded = any(piece.data for piece in pieces if piece.direction == "<-")
    waiting = len(asked) > finals or not responded
    complete = len(ends) == len(heads) and not {"close", "cut"} & {*ends}
    if complete and heads and not waiting:
        return
    state = "running" if running else "stopped"
    client, server = (
        next((piece for piece in pieces if piece.direction == direction and piece.how), None)
        for direction in ("->", "<-")
    )
    if client and not (server and server.when < client.when):
        kind: Kind = "client resets" if client.how == "reset" else "client disconnects"
        yield Row(client.when, "->", kind, starts=True, timed=True)
        if server:
            code = "app not visible" if heads else ""
            yield Row(server.when, "<-", _server(server.how), code=code, starts=True, timed=True)
        else:
            yield Row(now, "<-", "not noticed", code=state, seconds=now - client.when, starts=True)
    elif server:
        if waiting:
            code = "no response" if complete else "response incomplete"
        else:
            code = {"cut": "body incomplete", "close": "body unknown"}.get(ends[-1] if ends else "", "")
        if server.how == "reset" and code == "body unknown":
            code = "body incomplete"
        yield Row(server.when, "<-", _server(server.how), code=code, starts=not responded, timed=True)
    elif waiting and asked:
        yield Row(now, "<-", "no response", code=state, seconds=now - asked[finals], starts=True)
    elif heads:
        yield Row(now, "<-", "open", code=state, seconds=now - pieces[-1].when)


def _server(how: str) -> Kind:
    kinds: dict[str, Kind] = {"refused": "refused", "unreachable": "unreachable", "reset": "server resets"}
    return kinds.get(how, "server closes")


def _tunnel_end(pieces: list[Piece], now: float, running: bool) -> Iterator[Row]:
    """Yield who closed a connection that was switched to another protocol, or that it is open."""
    end = next((piece for piece in pieces if piece.how), None)
    if end is None:
        state = "running" if running else "stopped"
        yield Row(now, pieces[-1].direction, "open", code=state, seconds=now - pieces[-1].when)
    elif end.direction == "->":
        kind: Kind = "client resets" if end.how == "reset" else "client closes"
        yield Row(end.when, "->", kind, starts=True, timed=True)
    else:
        yield Row(end.when, "<-", _server(end.how), starts=True, timed=True)
