"""server.lab.redact: secrets in header sections are hidden in every view of a recording, and nothing else is."""

from __future__ import annotations

import pytest
from cpu_time import expect_linear
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.text import Text

from server.lab.recording import Recording
from server.lab.redact import asterisks, redact, redact_parts
from server.wire.http import Head, Parser, chunk

SECRET_HEADERS = [
    *["Cookie", "set-cookie", "AUTHORIZATION", "Proxy-Authorization", "X-Auth-Token", "X-XSRFToken", "X-CSRF-Token"],
    *["X-Api-Key", "Apikey", "X-Session-Id", "Client-Secret", "X-Functions-Key", "Ocp-Apim-Subscription-Key"],
    *["Cf-Access-Jwt-Assertion", "DPoP", "X-Goog-Iap-Jwt-Assertion", "X-Amz-Security-Token", "X-Hub-Signature-256"],
]
SECRET_PARAMETERS = [
    *["token", "access_token", "xsrf", "_xsrf", "session_id", "api_key", "password", "AUTH", "api-key", "%74oken"],
    *[
        "access%5Ftoken",
        "a[token]",
        "a%5Btoken%5D",
        "sig",
        "signature",
        "X-Amz-Signature",
        "code",
        "key",
        "jwt",
        "pwd",
    ],
    *[
        "ticket",
        "sid",
        "connect.sid",
        "X-Amz-Credential",
        "SAMLResponse",
        "%2574oken",
        "to%6ben",
        "oauth",
        "user[pwd]",
    ],
]
# Lines of a request with SESAME where the secret is. "\n" stands for CRLF.
LINES = [
    *[f"{name}: SESAME" for name in SECRET_HEADERS],
    *["Authorization : Bearer SESAME", "Authorization\t:SESAME", "Cookie:\n SESAME", "Cookie: a=b;\n\tc=SESAME"],
    *[
        "Cookie: a=b\rc=SESAME",
        "A: b\rCookie: SESAME",
        "Authorization: Bearer\n SESAME\n SESAME",
        "A: b\n Cookie: SESAME",
    ],
    *["Authorization SESAME", "Cookie SESAME: x", "Cookie a: SESAME", "X Cookie: SESAME", "Cook\0ie: SESAME"],
    *["Referer: http://x/?n=1&token=SESAME", "Location: /a#access_token=SESAME", "Location: http://u:SESAME@x/"],
    *[
        "Referer: http://SESAME@x/",
        "Link: </a?key=SESAME>; rel=next",
        "Refresh: 0; url=/?sid=SESAME",
        "A: token=SESAME",
    ],
    *['A: b; token="SESAME SESAME"', "Referer:\n http://x/?token=SESAME", "Location: /?next=%2Fa%3Ftoken%3DSESAME"],
    *[
        "Sec-WebSocket-Protocol: bearer, SESAME",
        "Sec-WebSocket-Protocol: base64url.bearer.authorization.k8s.io.SESAME",
    ],
    *["Sec-WebSocket-Protocol: chat, eyJSESAME", "Sec-WebSocket-Protocol: v1,access_token, SESAME"],
]
TARGETS = [
    *[f"/lab?n=1&{name}=SESAME&m=2" for name in SECRET_PARAMETERS],
    *["/?token=SESAME", "/a;jsessionid=SESAME?n=1", "/?token=a?SESAME", "/?token=a;SESAME", "/?token=a/b=SESAME"],
    *[
        "http://u:SESAME@x/",
        "http://SESAME@x/?n=1",
        "/?u=http%3A%2F%2Fu%3ASESAME%40x%2F",
        "/?u=%2F%3Fa%3D%252F%253Fkey%253DSESAME",
    ],
    *["/#access_token=SESAME", "/?a%26token=SESAME", "/api/key=SESAME"],
]
REQUESTS = [
    *[f"GET / HTTP/1.1\nHost: x\n{line}\nN: 1\n\n" for line in LINES],
    *[f"GET {target} HTTP/1.1\nHost: x\n\n" for target in TARGETS],
    "CONNECT u:SESAME@x:443 HTTP/1.1\n\n",
    "GET / HTTP/1.1\nCookie: SESAME",
    "GET /?token=SESAME",
    "GET /?token=SESAME\n\n",
    "hello\nCookie: SESAME\n",
    "POST / HTTP/1.1\nTransfer-Encoding: chunked\n\n1\nx\n0\nX-Auth: SESAME\n\n",
]


def views(recording: Recording, figure: bool = True) -> dict[str, str]:
    """Return every view of a recording as text. The `figure` of the timeline takes most of the time."""
    picture = recording.timeline()
    return {
        "text": str(recording),
        "HTML": recording.html(),
        "received": recording.received(),
        "timeline": f"{picture} {picture.figure().findobj(Text) if figure else ''}",
    }


@pytest.mark.parametrize("request_text", REQUESTS)
def test_no_view_of_a_recording_shows_a_secret(request_text: str) -> None:
    data = request_text.replace("\n", "\r\n").encode("latin-1")
    assert b"SESAME" not in redact(data)
    assert len(redact(data, asterisks)) == len(data)
    for size in (len(data), 1, 7):
        recording = Recording()
        for at in range(0, len(data), size):
            recording.add(1, "->", data[at : at + size])
        recording.add(1, "<-", b"HTTP/1.1 200 OK\r\nSet-Cookie: SESAME\r\nContent-Length: 0\r\n\r\n")
        recording.add(1, "->", b"", "closed")
        for name, shown in views(recording, figure=size == len(data)).items():
            assert "SESAME" not in shown, (name, size)
        assert "SESAME" in recording.text(secrets=True)


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("Cookie: a=b\r\n", "Cookie: (not shown)\r\n"),
        ("Cookie:a=b", "Cookie:(not shown)"),
        ("Cookie:\r\n a=b\r\n c\r\nN: 1\r\n", "Cookie:\r\n (not shown)\r\n (not shown)\r\nN: 1\r\n"),
        ("GET /?n=1&token=a&m=2 HTTP/1.1\r\n", "GET /?n=1&token=(not shown)&m=2 HTTP/1.1\r\n"),
        ("GET /a;jsessionid=a?n=1 HTTP/1.1", "GET /a;jsessionid=(not shown)?n=1 HTTP/1.1"),
        ("Location: http://u:p@x/a#id_token=b", "Location: http://(not shown)@x/a#id_token=(not shown)"),
        ("Cookie: \r\n", "Cookie: \r\n"),
    ],
)
def test_only_the_secret_is_replaced(line: str, shown: str) -> None:
    assert redact(line.encode()) == shown.encode()


@pytest.mark.parametrize(
    "line",
    [
        *[
            "Host: cookie",
            "GET /token HTTP/1.1",
            "Accept: */*",
            "",
            "GET /?n=token HTTP/1.1",
            "GET /token:x HTTP/1.1",
        ],
        *["Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo="],
        *[
            "Last-Event-ID: 7",
            "GET /poll?after=3&count=2 HTTP/1.1",
            "Idempotency-Key: 1",
            "HTTP/1.1 200 OK",
            "Author: me",
        ],
        *["Access-Control-Allow-Headers: Authorization", "Access-Control-Allow-Credentials: true"],
        *["Sec-WebSocket-Protocol: graphql-transport-ws, v12.stomp, wamp.2.json, ticks.v1", "Keep-Alive: timeout=5"],
        *["Content-Type: multipart/x-mixed-replace; boundary=frame", "User-Agent: a/1 (b; c)", "Date: Wed 10:00:00"],
        *[
            "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits=15",
            "GET /?country_code=de HTTP/1.1",
        ],
        *["GET /?q=caf%C3%A9&u=http%3A%2F%2Fx%2F HTTP/1.1", "From: a@b.example", "Cache-Control: no-cache"],
        *["GET /?author=me HTTP/1.1", "GET http://x:80/ HTTP/1.1", "CONNECT x:443 HTTP/1.1"],
    ],
)
def test_a_line_without_a_secret_is_not_changed(line: str) -> None:
    assert redact(f"{line}\r\n".encode()) == f"{line}\r\n".encode()


@given(st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1))
def test_asterisks_keep_the_position_of_every_other_byte(secret: str) -> None:
    assert redact(f"Cookie: {secret}\r\n".encode(), asterisks) == b"Cookie: " + b"*" * len(secret) + b"\r\n"


@given(
    st.binary()
    | st.lists(st.sampled_from([b"Cookie", b":", b" ", b"\r", b"\n", b"?token=", b"%", b"//", b"@"])).map(b"".join)
)
def test_any_bytes_keep_their_number_and_their_line_ends(data: bytes) -> None:
    hidden = redact(data, asterisks)
    assert len(hidden) == len(data)
    assert hidden.count(b"\n") == data.count(b"\n")
    assert redact(hidden, asterisks) == hidden


def test_bodies_are_shown() -> None:
    section = Head("POST / HTTP/1.1", (("Cookie", "SESAME"), ("Transfer-Encoding", "chunked"))).encode()
    stream = section + chunk(b"Cookie: SESAME") + b"0\r\nX-Token: SESAME\r\n\r\n"
    redacted = stream.replace(b"SESAME", b"******")
    parts = Parser("request").feed(stream)
    assert b"".join(redact_parts(parts, asterisks)) == redacted.replace(b"e: ******\r\n0", b"e: SESAME\r\n0")


@pytest.mark.parametrize(
    ("before", "repeated", "after"),
    [
        (b"GET /?", b"auth", b""),
        (b"GET /?", b"a=?", b"%"),
        (b"GET /?", b"a=%3F", b""),
        (b"GET /?", b"&token=", b""),
        (b"GET ", b"//", b""),
        (b"GET ", b"//a", b"@"),
        (b"A:", b"\r", b""),
        (b"A:", b"\n b", b""),
        (b"Cookie:", b"\n b", b""),
        (b"Sec-WebSocket-Protocol: ", b"a-", b""),
        (b"", b" ", b"x"),
        (b"", b"a ", b":"),
    ],
)
def test_the_time_grows_linearly_with_the_number_of_bytes(before: bytes, repeated: bytes, after: bytes) -> None:
    expect_linear(lambda size: before + repeated * (size // len(repeated)) + after, redact, 8_000)
