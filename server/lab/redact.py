r"""What a drawing must not show: cookies, authorization and tokens in heads, also where a head is cut or broken."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Protocol

from server.wire import http

LINE = re.compile(rb"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")
SECRET_FIELD = re.compile(
    rb"(?i)^([^\s:]*(?:cookie|auth|token|secret|api-?key|xsrf|csrf|session)[^\s:]*:[ \t]*)([^\r\n]*)"
)
SECRET_VALUE = re.compile(
    rb"(?i)([?&;][\w-]*(?:token|secret|api_?key|password|xsrf|csrf|session|auth)[\w-]*=)([^&\s;]+)"
)
Hide = Callable[[bytes], bytes]


class Raw(Protocol):
    """A part of a stream with its bytes, such as those of server.wire.http."""

    @property
    def raw(self) -> bytes:
        """The bytes."""


def not_shown(secret: bytes) -> bytes:
    """Return what stands in a drawing in place of a secret."""
    return b"(not shown)" if secret else b""


def asterisks(secret: bytes) -> bytes:
    """Return as many asterisks as the secret has bytes, so that everything after it stays in its place."""
    return b"*" * len(secret)


def without_secrets(line: bytes, hide: Hide = not_shown) -> bytes:
    r"""Return a line of a head without what must not be seen.

    >>> without_secrets(b"Cookie: a=b\r\n"), without_secrets(b"GET /lab?token=1234&n=1 HTTP/1.1\r\n")
    (b'Cookie: (not shown)\r\n', b'GET /lab?token=(not shown)&n=1 HTTP/1.1\r\n')
    """
    for secret in (SECRET_FIELD, SECRET_VALUE):
        line = secret.sub(lambda found: found[1] + hide(found[2]), line)
    return line


def without_secrets_in_heads(parts: Iterable[Raw]) -> bytes:
    r"""Return the bytes of a direction, each secret as asterisks: bodies as they are, all else line by line.

    >>> parser = http.Parser("request")
    >>> without_secrets_in_heads(parser.feed(b"GET / HTTP/1.1\r\nCookie: a=b\r\n\r\n"))
    b'GET / HTTP/1.1\r\nCookie: ***\r\n\r\n'
    """
    return b"".join(part.raw if isinstance(part, http.Data) else _each_line(part.raw) for part in parts)


def _each_line(raw: bytes) -> bytes:
    return b"".join(without_secrets(line, asterisks) for line in LINE.findall(raw))
