"""What a drawing must not show."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.lab.redact import asterisks, without_secrets, without_secrets_in_heads
from server.wire.http import Head, Parser

SHOWN = b"(not shown)"


@pytest.mark.parametrize(
    "name",
    [
        *[
            "Cookie",
            "set-cookie",
            "AUTHORIZATION",
            "Proxy-Authorization",
            "X-Auth-Token",
            "X-XSRFToken",
            "X-CSRF-Token",
        ],
        *["X-CSRF-Token", "X-Api-Key", "Apikey", "X-Session-Id", "Client-Secret"],
    ],
)
def test_the_value_of_a_secret_field_is_hidden(name: str) -> None:
    assert without_secrets(f"{name}: sesame open\r\n".encode()) == f"{name}: (not shown)\r\n".encode()
    assert without_secrets(f"{name}:sesame".encode()) == f"{name}:(not shown)".encode()


@pytest.mark.parametrize(
    "name", ["token", "access_token", "xsrf", "_xsrf", "session_id", "api_key", "password", "AUTH"]
)
def test_a_secret_in_a_query_is_hidden_and_the_rest_of_the_line_stays(name: str) -> None:
    line = f"GET /lab?n=1&{name}=sesame&m=2 HTTP/1.1\r\n".encode()
    assert without_secrets(line) == line.replace(b"sesame", SHOWN)
    assert without_secrets(b"Referer: http://x/?" + name.encode() + b"=sesame\r\n").count(b"sesame") == 0


@pytest.mark.parametrize(
    "line",
    [b"Host: cookie\r\n", b"GET /token HTTP/1.1\r\n", b"Accept: */*\r\n", b"\r\n", b"GET /?n=token HTTP/1.1\r\n"],
)
def test_what_is_no_secret_stays(line: bytes) -> None:
    assert without_secrets(line) == line


@given(st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1))
def test_asterisks_keep_every_other_byte_in_its_place(secret: str) -> None:
    line = f"Cookie: {secret}\r\n".encode()
    hidden = without_secrets(line, asterisks)
    assert hidden == b"Cookie: " + b"*" * len(secret) + b"\r\n"


def test_bodies_stay_as_they_are() -> None:
    head = Head("POST / HTTP/1.1", (("Cookie", "sesame"), ("Content-Length", "14"))).encode()
    stream = head + b"Cookie: sesame"
    assert without_secrets_in_heads(Parser("request").feed(stream)) == stream.replace(b"sesame", b"******", 1)
