r"""Hide secrets in header sections: in start lines, headers and trailers, even if they are cut or malformed.

Hidden are the values of headers and of parameters in URLs whose names are those of secrets, user names and passwords
in URLs, and tokens in Sec-WebSocket-Protocol. Bodies are not changed: secrets in them are shown.

A name is percent-decoded, and its case and punctuation are ignored: `access%5Ftoken`, `a[token]` and `X-Auth-Token`
are names of secrets. Some headers with such names are shown, because they are not secret and they teach:
Sec-WebSocket-Key, Sec-WebSocket-Accept, Idempotency-Key and those of CORS.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Protocol
from urllib.parse import unquote_to_bytes

from server.wire import http

LINE = re.compile(rb"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")
# A name with one of these in it, a name that ends in one of these words, and a name that is one of these.
INSIDE = re.compile(
    rb"token|secret|passw|passphrase|apikey|accesskey|cookie|session|xsrf|csrf|signature|credential|jwt|bearer|hmac"
    rb"|assertion|saml|dpop|auth(?!or(?!i))"
)
LAST_WORDS = {b"key", b"sig", b"sid", b"pwd", b"pw", b"pass", b"pin", b"otp", b"ticket"}
WHOLE = {b"code"}
SHOWN = {
    b"secwebsocketkey",
    b"secwebsocketaccept",
    b"idempotencykey",
    b"accesscontrolallowcredentials",
}
PARAMETER = re.compile(rb"(?:^|[?&;#\s,/\"'<(])([^?&;#\s,/\"'<(=]+)=")  # a delimiter, a name and "="
AFTER_PARAMETER, AFTER_PATH_PARAMETER = re.compile(rb"[&#\s]"), re.compile(rb"[;?&#\s]")
CONNECT = re.compile(rb"^CONNECT ([^ ]*)@")
AUTHORITY = re.compile(rb"//([^/?#\s<>\"]*)@")
PROTOCOL_NAME = re.compile(rb"(?:v?[0-9]{1,3}|[a-z]+)(?:[.-](?:v?[0-9]{1,3}|[a-z]+))*")
START_LINE = re.compile(rb"HTTP/|[A-Za-z]+ (?:[/*]|https?://|[^ ]* HTTP/)")

Hide = Callable[[bytes], bytes]
Span = tuple[int, int]


class Raw(Protocol):
    """A part of a stream with its bytes, such as the parts of server.wire.http."""

    @property
    def raw(self) -> bytes:
        """The bytes."""


def not_shown(secret: bytes) -> bytes:
    """Return the text that replaces a secret in a drawing."""
    return b"(not shown)" if secret else b""


def asterisks(secret: bytes) -> bytes:
    """Return one asterisk per byte of the secret, so that the bytes after it keep their positions."""
    return b"*" * len(secret)


def redact(section: bytes, hide: Hide = not_shown) -> bytes:
    r"""Return the bytes of a header section, or of some lines of it, with each secret replaced by `hide(secret)`.

    >>> redact(b"Cookie: a=b\r\n"), redact(b"GET /lab?token=1234&n=1 HTTP/1.1\r\n")
    (b'Cookie: (not shown)\r\n', b'GET /lab?token=(not shown)&n=1 HTTP/1.1\r\n')
    """
    return _replace(section, 0, list(_secrets(section)), hide)


def is_body(part: Raw) -> bool:
    """Return whether a part consists of bytes of a body or of its chunks, which are not changed."""
    return isinstance(part, http.Data | http.Size | http.DataEnd | http.Excess)


def redact_parts(parts: Iterable[Raw], hide: Hide = not_shown) -> list[bytes]:
    r"""Return the bytes of each part of one direction, bodies unchanged. A secret may span parts.

    >>> parser = http.Parser("request")
    >>> redact_parts(parser.feed(b"GET / HTTP/1.1\r\nCookie: a=b\r\n\r\n"), asterisks)
    [b'GET / HTTP/1.1\r\nCookie: ***\r\n\r\n', b'']
    """
    found: list[bytes] = []
    section: list[bytes] = []  # consecutive parts that are not of a body
    for part in parts:
        if is_body(part):
            found += _redact_pieces(section, hide)
            section.clear()
            found.append(part.raw)
        else:
            section.append(part.raw)
    return found + _redact_pieces(section, hide)


def _redact_pieces(pieces: list[bytes], hide: Hide) -> list[bytes]:
    """Return consecutive bytes with their secrets replaced, divided as they were."""
    spans = list(_secrets(b"".join(pieces)))
    found, start, first = [], 0, 0
    for piece in pieces:
        end = start + len(piece)
        last = first
        while last < len(spans) and spans[last][0] < end:
            last += 1
        found.append(_replace(piece, start, spans[first:last], hide))
        first = last - 1 if last > first and spans[last - 1][1] > end else last
        start = end
    return found


def _replace(data: bytes, offset: int, spans: list[Span], hide: Hide) -> bytes:
    """Replace the spans, which count from `offset` bytes before the data."""
    found, at = [], 0
    for start, end in spans:
        start, end = max(start - offset, 0), min(end - offset, len(data))
        found += [data[at:start], hide(data[start:end])]
        at = end
    return b"".join([*found, data[at:]])


def _secrets(section: bytes) -> Iterator[Span]:
    """Yield where the secrets are, in order and without overlap."""
    at, hidden = 0, False  # hidden: the header of this line, or of the lines that it continues, is a secret
    for line in re.findall(rb"[^\n]*\n|[^\n]+", section):
        content = line.rstrip(b"\r\n")
        folded = line.startswith((b" ", b"\t"))
        hidden = hidden and folded
        start = 0
        for part in content.split(b"\r"):  # some readers take a bare CR for a line end
            value = 0 if hidden else _secret_value(part)
            if value is not None:
                value += len(part[value:]) - len(part[value:].lstrip(b" \t"))
                if start + value < len(content):
                    yield at + start + value, at + len(content)
                hidden = True
                break
            for begin, end in _secrets_in_value(part):
                yield at + start + begin, at + start + end
            start += len(part) + 1
        at += len(line)


def _secret_value(line: bytes) -> int | None:
    """Return where the value of a header begins if it is a secret, None if it may be shown."""
    if START_LINE.match(line):
        return None
    name, colon, value = line.partition(b":")
    first = re.match(rb"[ \t]*[^ \t:]+", name)
    if first and _is_secret(first[0]):  # even if the colon is missing
        return len(name) + 1 if not name[first.end() :].strip() and colon else first.end()
    if not colon or re.search(rb"[/?=]", name):
        return None
    if _squeezed(name) == b"secwebsocketprotocol":
        return len(name) + 1 if _has_token(value) else None
    return len(name) + 1 if _is_secret(name) else None


def _has_token(protocols: bytes) -> bool:
    """Return whether Sec-WebSocket-Protocol carries a token: one element is secret, or does not look like a name."""
    names = [name.strip() for name in protocols.split(b",")]
    return any(name and (_is_secret(name) or not PROTOCOL_NAME.fullmatch(name)) for name in names)


def _is_secret(name: bytes) -> bool:
    for _ in range(3):  # names that are encoded twice are decoded too
        name = unquote_to_bytes(name)
    squeezed = _squeezed(name)
    words = re.findall(rb"[a-z0-9]+", name.lower())
    if squeezed in SHOWN or not words:
        return False
    return bool(INSIDE.search(squeezed)) or words[-1] in LAST_WORDS or squeezed in WHOLE


def _squeezed(name: bytes) -> bytes:
    return re.sub(rb"[^a-z0-9]", b"", name.lower())


def _secrets_in_value(text: bytes, depth: int = 2) -> list[Span]:
    """Return where secrets are in a start line or a value: parameters of URLs, and the user information before @."""
    spans = [found.span(1) for found in (*AUTHORITY.finditer(text), *CONNECT.finditer(text)) if found[1]]
    end = checked = 0
    for found in PARAMETER.finditer(text):
        start = found.end()
        if found.start() < end:
            continue
        if _is_secret(found[1]):
            end = _end_of_value(text, found)
            spans.append((start, end))
        elif depth and start > checked:
            checked = _end(AFTER_PARAMETER, text, start)
            if text.find(b"%", start, checked) >= 0:  # perhaps a URL in a parameter of a URL
                end = checked
                if _secrets_in_value(unquote_to_bytes(text[start:end]), depth - 1):
                    spans.append((start, end))
    return _merged(spans)


def _end_of_value(text: bytes, parameter: re.Match[bytes]) -> int:
    if text.startswith(b'"', parameter.end()):
        closing = text.find(b'"', parameter.end() + 1)
        return closing + 1 if closing >= 0 else len(text)
    return _end(AFTER_PATH_PARAMETER if parameter[0].startswith(b";") else AFTER_PARAMETER, text, parameter.end())


def _end(pattern: re.Pattern[bytes], text: bytes, start: int) -> int:
    found = pattern.search(text, start)
    return found.start() if found else len(text)


def _merged(spans: list[Span]) -> list[Span]:
    merged: list[Span] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            before = merged.pop()
            start, end = before[0], max(end, before[1])
        if start < end:
            merged.append((start, end))
    return merged
