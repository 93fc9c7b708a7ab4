"""Tests of server.wire.websocket: RFC 6455, wsproto as an oracle, and every split of the bytes."""

from __future__ import annotations

import time
import tracemalloc
import zlib
from collections.abc import Iterable
from typing import Any

import pytest
from cpu_time import expect_linear
from hypothesis import example, given
from hypothesis import strategies as st
from splits import cut, every_cut, read_all
from wsproto.extensions import PerMessageDeflate
from wsproto.frame_protocol import CloseReason, FrameDecoder, FrameProtocol, Opcode

from server.wire.http import Head
from server.wire.websocket import (
    BINARY,
    CLOSE,
    CONTINUATION,
    NAMES,
    PING,
    PONG,
    TEXT,
    Explainer,
    Frame,
    Parser,
    close_payload,
    describe,
    masked,
)

# The frames that the parser returned, and the text of its error ("" if there is none).
Found = tuple[list[Frame], str]

PLACES = st.lists(st.integers(0, 200), max_size=8)
MASK = st.none() | st.binary(min_size=4, max_size=4)
FRAME = st.builds(
    Frame,
    st.sampled_from([CONTINUATION, TEXT, BINARY]),
    st.binary(max_size=140),
    st.booleans(),
    st.integers(0, 7),
    MASK,
) | st.builds(
    Frame, st.sampled_from([CLOSE, PING, PONG]), st.binary(max_size=125), st.just(True), st.integers(0, 7), MASK
)
# Streams in which the special bytes of this format are frequent.
STREAM_BYTES = st.lists(
    st.sampled_from(
        [
            *[b"\x81\x02hi", b"\x01\x01a", b"\x80\x01b", b"\x89\x00", b"\x88\x02\x03\xe8", b"\x88\x01x", b"\xc1\x01"],
            *[b"\x81\x82abcd\0\0", b"\x82\x7e\x00\x7e", b"\x82\x7f", b"\0\0", b"\xff", b"\x09", b"\x80", b"x" * 126],
        ]
    ),
    max_size=8,
).map(b"".join)


def read(pieces: Iterable[bytes], masks: bool | None = None) -> Found:
    """Feed the pieces. Stop at the first error."""
    parser, found = Parser(masks), []
    try:
        for piece in (*pieces, b""):
            found += parser.feed(piece)
    except ValueError as error:
        return found, str(error)
    return found, ""


def parse(stream: bytes, masks: bool | None = None) -> Found:
    """Return the result for a stream, and check that every split of its bytes gives the same result."""
    whole = read([stream], masks)
    for pieces in every_cut(stream):
        assert read(pieces, masks) == whole, pieces
    return whole


# The standard, rule by rule.

MASK_OF_THE_RFC = b"\x37\xfa\x21\x3d"


@pytest.mark.parametrize(
    ("frame", "raw"),
    [
        (Frame(TEXT, b"Hello"), "81 05 48 65 6c 6c 6f"),
        (Frame(TEXT, b"Hello", mask=MASK_OF_THE_RFC), "81 85 37 fa 21 3d 7f 9f 4d 51 58"),
        (Frame(TEXT, b"Hel", fin=False), "01 03 48 65 6c"),
        (Frame(CONTINUATION, b"lo"), "80 02 6c 6f"),
        (Frame(PING, b"Hello"), "89 05 48 65 6c 6c 6f"),
        (Frame(PONG, b"Hello", mask=MASK_OF_THE_RFC), "8a 85 37 fa 21 3d 7f 9f 4d 51 58"),
        (Frame(BINARY, bytes(256)), "82 7e 01 00" + " 00" * 256),
    ],
)
def test_the_examples_of_rfc_6455_section_5_7_byte_for_byte(frame: Frame, raw: str) -> None:
    assert frame.encode() == bytes.fromhex(raw)
    assert parse(bytes.fromhex(raw)) == ([frame], "")


def test_the_last_example_of_section_5_7_has_a_length_of_64_bits() -> None:
    raw = bytes.fromhex("82 7f 00 00 00 00 00 01 00 00") + bytes(65_536)
    assert Frame(BINARY, bytes(65_536)).encode() == raw
    assert read([raw]) == read(cut(raw, [1, 2, 5, 10, 65_545])) == ([Frame(BINARY, bytes(65_536))], "")


@pytest.mark.parametrize(
    ("size", "head"),
    [
        (0, "82 00"),
        (125, "82 7d"),
        (126, "82 7e 00 7e"),
        (65_535, "82 7e ff ff"),
        (65_536, "82 7f 00 00 00 00 00 01 00 00"),
    ],
)
def test_a_length_is_encoded_in_the_shortest_of_three_forms(size: int, head: str) -> None:
    raw = Frame(BINARY, bytes(size)).encode()
    assert raw == bytes.fromhex(head) + bytes(size)
    assert read(cut(raw, [1, 2, 3, 4, 9, 10, 11, size])) == ([Frame(BINARY, bytes(size))], "")
    hidden = Frame(BINARY, bytes(size), mask=b"abcd").encode()
    assert hidden[1] == raw[1] | 0x80
    assert read(cut(hidden, [1, 2, 3, 4, 9, 13, 14, size])) == ([Frame(BINARY, bytes(size), mask=b"abcd")], "")


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        ("82 7e 00 7d", "a length of 125 must not be encoded in 16 bits: use the shortest form"),
        ("82 7e 00 00", "a length of 0 must not be encoded in 16 bits: use the shortest form"),
        ("82 7f 00 00 00 00 00 00 ff ff", "a length of 65535 must not be encoded in 64 bits: use the shortest form"),
        ("82 7f 00 00 00 00 00 00 00 05", "a length of 5 must not be encoded in 64 bits: use the shortest form"),
        ("82 ff 80 00 00 00 00 00 00 00", "the first bit of a 64-bit length must be 0: 0x8000000000000000"),
        *[(f"8{opcode:x} 00", f"opcode {opcode} is not defined") for opcode in (3, 7, 11, 15)],
        ("89 7e 00 7e", "a ping frame must have at most 125 bytes of payload, not 126"),
        ("8a 7e 01 2c", "a pong frame must have at most 125 bytes of payload, not 300"),
        ("88 7f 00 00 00 00 00 01 00 00", "a close frame must have at most 125 bytes of payload, not 65536"),
        ("09 00", "a ping frame must not be fragmented"),
        ("08 02", "a close frame must not be fragmented"),
    ],
)
def test_frames_before_an_invalid_frame_are_returned_and_every_later_call_raises(raw: str, why: str) -> None:
    found, error = parse(b"\x81\x02hi" + bytes.fromhex(raw) + b"tail!tail!")
    assert found == [Frame(TEXT, b"hi")]
    assert error.endswith(why)
    parser = Parser()
    assert parser.feed(b"\x81\x02hi" + bytes.fromhex(raw) + b"tail!tail!") == [Frame(TEXT, b"hi")]
    for piece in (b"", b"\x81\x02hi"):
        with pytest.raises(ValueError, match=r"not defined|bytes|fragmented|shortest|must be 0"):
            parser.feed(piece)


def test_a_frame_larger_than_the_default_limit_is_refused() -> None:
    assert parse(bytes.fromhex("82 7f 00 00 00 00 04 00 00 00") + b"x") == ([], "")
    _, error = parse(bytes.fromhex("82 7f 00 00 00 00 04 00 00 01") + b"x")
    assert error == "a frame of 67108865 bytes is larger than the limit of 67108864 bytes"


@pytest.mark.parametrize("opcode", NAMES)
def test_a_server_accepts_only_masked_frames_and_a_client_only_unmasked_frames(opcode: int) -> None:
    bare, hidden = Frame(opcode, b"hi"), Frame(opcode, b"hi", mask=b"\0\0\0\0")
    assert parse(hidden.encode(), masks=True) == ([hidden], "")
    assert parse(bare.encode(), masks=False) == ([bare], "")
    assert (parse(bare.encode()), parse(hidden.encode())) == (([bare], ""), ([hidden], ""))
    assert parse(bare.encode(), masks=True) == (
        [],
        f"a client must mask its frames: this {NAMES[opcode]} frame has no mask",
    )
    assert parse(hidden.encode(), masks=False) == (
        [],
        f"a server must not mask its frames: this {NAMES[opcode]} frame has a mask",
    )


def test_a_control_frame_may_arrive_between_the_fragments_of_a_message() -> None:
    frames = [Frame(TEXT, b"Hel", fin=False), Frame(PING, b"?"), Frame(CONTINUATION, b"lo")]
    assert parse(b"".join(frame.encode() for frame in frames)) == (frames, "")


def test_pending_has_the_bytes_of_the_incomplete_frame() -> None:
    parser = Parser()
    assert parser.feed(b"\x81\x02hi\x81\x02h") == [Frame(TEXT, b"hi")]
    assert parser.pending == b"\x81\x02h"
    assert parser.feed(b"o") == [Frame(TEXT, b"ho")]
    assert parser.pending == b""


def test_bytes_after_a_close_frame_stay_pending() -> None:
    parser, close = Parser(), Frame(CLOSE, close_payload(1000))
    assert parser.feed(b"\x81\x02hi" + close.encode() + b"\x81\x02ho") == [Frame(TEXT, b"hi"), close]
    assert (parser.closed, parser.feed(b"\x83"), parser.pending) == (True, [], b"\x81\x02ho\x83")
    parse(b"\x88\x00\x81\x02hi\x83\x00")


# The encoder.


@pytest.mark.parametrize(
    ("frame", "why"),
    [
        (Frame(3), "opcode 3 is not defined"),
        (Frame(-1), "opcode -1 is not defined"),
        (Frame(16), "opcode 16 is not defined"),
        (Frame(TEXT, rsv=8), "rsv must be a number from 0 to 7, not 8"),
        (Frame(TEXT, rsv=-1), "rsv must be a number from 0 to 7, not -1"),
        (Frame(TEXT, mask=b"abc"), "a mask must have four bytes, not b'abc'"),
        (Frame(TEXT, mask=b""), "a mask must have four bytes, not b''"),
        (Frame(PING, bytes(126)), "a ping frame must have at most 125 bytes of payload, not 126"),
        (Frame(CLOSE, fin=False), "a close frame must not be fragmented"),
    ],
)
def test_an_invalid_frame_is_not_encoded(frame: Frame, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        frame.encode()


@given(st.binary(max_size=50), st.binary(min_size=4, max_size=4))
def test_a_mask_is_applied_byte_by_byte_and_masking_twice_restores_the_payload(payload: bytes, mask: bytes) -> None:
    assert masked(payload, mask) == bytes(byte ^ mask[at % 4] for at, byte in enumerate(payload))
    assert masked(masked(payload, mask), mask) == payload


@given(st.integers(-10, 70_000))
@example(1000)
@example(1004)
@example(1015)
@example(2999)
@example(4999)
def test_only_close_codes_that_may_be_sent_are_accepted(code: int) -> None:
    allowed = code in {*range(1000, 1015), *range(3000, 5000)} - {1004, 1005, 1006}
    if allowed:
        assert close_payload(code, "bye") == code.to_bytes(2, "big") + b"bye"
    else:
        with pytest.raises(ValueError, match=f"close code {code} must not be sent"):
            close_payload(code)


def test_a_reason_has_at_most_123_bytes() -> None:
    assert len(close_payload(1000, "\u20ac" * 41)) == 125
    with pytest.raises(ValueError, match="the reason has 126 bytes: at most 123 fit into a close frame"):
        close_payload(1000, "\u20ac" * 42)


# Any bytes.


@given(st.lists(FRAME, max_size=4), PLACES)
def test_encoded_frames_are_parsed_to_equal_frames_up_to_a_close_frame(
    frames: list[Frame], places: list[int]
) -> None:
    to_the_close = next((n for n, frame in enumerate(frames, 1) if frame.opcode == CLOSE), len(frames))
    assert read(cut(b"".join(frame.encode() for frame in frames), places)) == (frames[:to_the_close], "")


@given(st.binary() | STREAM_BYTES, st.sampled_from([None, True, False]), PLACES)
def test_every_split_of_any_bytes_gives_the_same_result(data: bytes, masks: bool | None, places: list[int]) -> None:
    assert read(cut(data, places), masks) == read([data], masks)


@given(STREAM_BYTES)
def test_a_stream_split_in_two_anywhere_or_byte_by_byte_gives_the_same_result(data: bytes) -> None:
    parse(data)


def parse_and_explain(pieces: list[bytes]) -> None:
    parser, explainer = Parser(), Explainer()
    frames = [frame for piece in pieces for frame in parser.feed(piece)]
    fields = [fragment for piece in pieces for fragment in explainer.feed(piece)]
    assert frames[-1].fin
    assert fields[-1][1].complete


@pytest.mark.parametrize("in_frames", [False, True])
def test_the_time_for_a_long_message_in_small_pieces_grows_linearly(in_frames: bool) -> None:
    def pieces(size: int) -> list[bytes]:
        if not in_frames:
            stream = Frame(BINARY, bytes(size), mask=b"abcd").encode()
            return cut(stream, range(0, len(stream), 512))
        inside = Frame(CONTINUATION, bytes(512), fin=False).encode()
        return [
            Frame(BINARY, fin=False).encode(),
            *[inside] * (size // 512),
            Frame(CONTINUATION, b"x", mask=b"abcd").encode(),
        ]

    expect_linear(pieces, parse_and_explain, 1 << 16)


# wsproto as an oracle.

PAYLOAD = st.binary(max_size=140) | st.sampled_from([125, 126, 127, 65_535, 65_536]).map(bytes)


def wsproto_frames(data: list[bytes], client: bool) -> list[Frame]:
    """Return the frames that wsproto reads, as a client or as a server."""
    decoder, found = FrameDecoder(client), []
    opcode, payload = None, b""
    for piece in data:
        decoder.receive_bytes(piece)
        while (frame := decoder.process_buffer()) is not None:
            assert isinstance(frame.payload, bytes | bytearray)
            payload += frame.payload  # wsproto may return a frame in several parts
            opcode = frame.opcode if opcode is None else opcode
            if frame.frame_finished:
                found.append(Frame(int(opcode), payload, frame.message_finished))
                opcode, payload = None, b""
    return found


@given(
    st.lists(st.tuples(st.sampled_from([TEXT, BINARY, PING, PONG]), PAYLOAD, st.booleans()), min_size=1, max_size=3),
    st.booleans(),
    st.binary(min_size=4, max_size=4),
    PLACES,
)
def test_wsproto_reads_encoded_frames(
    wanted: list[tuple[int, bytes, bool]], client: bool, mask: bytes, places: list[int]
) -> None:
    frames = [
        Frame(opcode, payload[:125] if opcode >= CLOSE else payload, fin or opcode >= CLOSE)
        for opcode, payload, fin in wanted
    ]
    stream = b"".join(
        Frame(each.opcode, each.payload, each.fin, mask=None if client else mask).encode() for each in frames
    )
    ended = [Frame(each.opcode, each.payload, each.fin) for each in frames]
    assert wsproto_frames(cut(stream, places), client) == ended


@given(
    st.lists(st.tuples(st.sampled_from([TEXT, BINARY]), PAYLOAD, st.integers(0, 9)), max_size=3),
    st.booleans(),
    PLACES,
)
def test_frames_written_by_wsproto_are_parsed(
    messages: list[tuple[int, bytes, int]], client: bool, places: list[int]
) -> None:
    writer = FrameProtocol(client, [])
    stream, wanted = bytes(writer.ping(b"?")), [Frame(PING, b"?")]
    for opcode, payload, at in messages:
        data: Any = payload.decode("latin-1") if opcode == TEXT else payload
        stream += writer.send_data(data[:at], fin=False) + writer.pong(b"!") + writer.send_data(data[at:], fin=True)
        first, rest = (part.encode() if isinstance(part, str) else part for part in (data[:at], data[at:]))
        wanted += [Frame(opcode, first, False), Frame(PONG, b"!"), Frame(CONTINUATION, rest)]
    stream += writer.close(1000, "bye")
    wanted.append(Frame(CLOSE, close_payload(1000, "bye")))
    found, error = read(cut(stream, places), masks=client)
    assert error == ""
    assert [Frame(each.opcode, each.payload, each.fin) for each in found] == wanted
    assert all((each.mask is not None) == client for each in found)
    assert b"".join(each.encode() for each in found) == stream


def test_opcodes_and_close_codes_are_the_same_as_in_wsproto() -> None:
    assert {opcode.name.lower(): int(opcode) for opcode in Opcode} == {name: opcode for opcode, name in NAMES.items()}
    unsent = (CloseReason.NO_STATUS_RCVD, CloseReason.ABNORMAL_CLOSURE, CloseReason.TLS_HANDSHAKE_FAILED)
    for code in CloseReason:
        if code not in unsent:
            assert close_payload(int(code))


# The explainer, which drawings use.

DEFLATE = Head("HTTP/1.1 101 Switching Protocols", (("Sec-WebSocket-Extensions", "permessage-deflate"),))


def explain(*pieces: bytes, head: Head | None = None) -> list[tuple[bytes, str, str]]:
    """Return the bytes, the position and the text of each field of the frames in these pieces."""
    explainer = Explainer(head)
    found = [fragment for piece in pieces for fragment in explainer.feed(piece)]
    return [(raw, meaning.position, describe(meaning, raw)) for raw, meaning in found]


def texts(*frames: Frame, head: Head | None = None) -> list[str]:
    """Return the text of the last field of each frame."""
    found = explain(*[frame.encode() for frame in frames], head=head)
    return [text for _, position, text in found if position == "last"]


def test_a_frame_is_split_into_its_fields() -> None:
    assert explain(Frame(TEXT, b"hi" * 70, mask=b"abcd").encode()) == [
        (b"\x81\xfe", "first", "1 000 0001: FIN, text; 1 1111110: masked, length in the next 16 bits"),
        (b"\x00\x8c", "inside", "length: 140 bytes"),
        (b"abcd", "inside", "masking key"),
        (masked(b"hi" * 70, b"abcd"), "last", f'text message: "{("hi" * 70)[:37]}..."'),
    ]


def test_a_frame_without_payload_ends_with_an_empty_field() -> None:
    assert explain(b"\x81\x00", b"\x81\x80abcd", b"\x89\x00", b"\x88\x80abcd") == [
        (b"\x81\x00", "first", "1 000 0001: FIN, text; 0 0000000: no mask, 0 bytes"),
        (b"", "last", 'text message: ""'),
        (b"\x81\x80", "first", "1 000 0001: FIN, text; 1 0000000: masked, 0 bytes"),
        (b"abcd", "inside", "masking key"),
        (b"", "last", 'text message: ""'),
        (b"\x89\x00", "first", "1 000 1001: FIN, ping; 0 0000000: no mask, 0 bytes"),
        (b"", "last", "ping"),
        (b"\x88\x80", "first", "1 000 1000: FIN, close; 1 0000000: masked, 0 bytes"),
        (b"abcd", "inside", "masking key"),
        (b"", "last", "close, no code"),
    ]


def test_a_control_frame_between_two_fragments_is_not_part_of_their_message() -> None:
    assert texts(
        Frame(TEXT, b"Hel", fin=False),
        Frame(PING, b"?"),
        Frame(CONTINUATION, b"l", fin=False),
        Frame(CONTINUATION, b"o"),
    ) == [
        "fragment of a message: more fragments follow",
        'ping: "?"',
        "fragment of a message: more fragments follow",
        'text message: "Hello"',
    ]


def test_wrong_fragments_are_protocol_errors() -> None:
    lost = "protocol error: no message to continue"
    assert texts(Frame(TEXT, b"a"), Frame(CONTINUATION, b"b")) == ['text message: "a"', lost]
    assert texts(Frame(CONTINUATION, b"b")) == [lost]
    assert texts(Frame(TEXT, b"a", fin=False), Frame(TEXT, b"b"), Frame(TEXT, b"c")) == [
        "fragment of a message: more fragments follow",
        "protocol error: the message before is not finished",
        'text message: "c"',
    ]


def test_text_messages_are_shown_and_binary_messages_only_with_their_size() -> None:
    assert texts(Frame(TEXT, "\u20ac\n\u00e9".encode()), Frame(BINARY, b"\0\1")) == [
        'text message: "\u20ac\n\u00e9"',
        "binary message: 2 bytes",
    ]


def test_a_text_message_with_invalid_utf_8_is_marked() -> None:
    assert texts(Frame(TEXT, b"\xed\xa0\x80")) == ["text message: 3 bytes (not valid UTF-8)"]
    split_character = texts(Frame(TEXT, b"\xe2\x82", fin=False), Frame(CONTINUATION, b"\xac"))
    assert split_character[-1] == 'text message: "\u20ac"'


def test_reserved_bits_are_marked_unless_an_extension_uses_them() -> None:
    frame = Frame(TEXT, b"hi", rsv=4).encode()
    assert explain(frame)[0][2].endswith("; reserved bits without an extension")
    assert "reserved" not in explain(frame, head=DEFLATE)[0][2]
    assert explain(Frame(TEXT, b"hi", rsv=2).encode(), head=DEFLATE)[0][2].endswith("without an extension")


def test_a_close_frame_is_shown_with_its_code_and_reason() -> None:
    assert texts(Frame(CLOSE, close_payload())) == ["close 1000"]
    assert texts(Frame(CLOSE, close_payload(1001, "bye"))) == ['close 1001: "bye"']
    assert texts(Frame(CLOSE, b"\x03")) == ["close, no code (only one byte of a code)"]


@pytest.mark.parametrize("code", [0, 999, 1004, 1005, 1006, 1015, 2999, 5000])
def test_a_close_code_that_must_not_be_sent_is_marked(code: int) -> None:
    payload = code.to_bytes(2, "big")
    assert texts(Frame(CLOSE, payload)) == [f"close {code} (this code must not be sent)"]


@pytest.mark.parametrize("takeover", [True, False])
def test_messages_compressed_by_wsproto_are_shown_as_text(takeover: bool) -> None:
    extension = PerMessageDeflate(client_no_context_takeover=not takeover, server_no_context_takeover=not takeover)
    extension.accept("")
    writer = FrameProtocol(True, [extension])
    stream = bytes(writer.send_data("spinner " * 9, fin=True))
    stream += writer.send_data("in two ", fin=False) + writer.ping(b"?") + writer.send_data("pieces", fin=True)
    stream += writer.send_data("spinner " * 9, fin=True)
    for pieces in every_cut(stream):
        found = [text for _, _, text in explain(*pieces, head=DEFLATE)]
        assert [text for text in found if 'message: "' in text] == [
            'compressed text message: "spinner spinner spinner spinner spinn..."',
            'compressed text message: "in two pieces"',
            'compressed text message: "spinner spinner spinner spinner spinn..."',
        ]


def test_invalid_compressed_data_is_marked() -> None:
    assert texts(Frame(TEXT, b"\xff\xff", rsv=4), head=DEFLATE) == [
        "compressed text message: 2 bytes (not valid deflate data)"
    ]


def test_a_message_that_inflates_to_200_mb_is_not_decompressed() -> None:
    squeeze = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    zeros = b"\0" * (1 << 20)
    raw = b"".join(squeeze.compress(zeros) for _ in range(200)) + squeeze.flush(zlib.Z_SYNC_FLUSH)
    frame = Frame(TEXT, raw.removesuffix(b"\0\0\xff\xff"), rsv=4).encode()
    tracemalloc.start()
    began = time.thread_time()
    found = explain(frame, head=DEFLATE)
    took, (_, peak) = time.thread_time() - began, tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert found[-1][2].endswith("(more than 1 MB: not decompressed)")
    assert took < 1
    assert peak < 8 << 20


def test_after_an_error_all_bytes_are_one_row_per_read() -> None:
    why = "not a frame: opcode 3 is not defined"
    assert explain(b"\x81\x02hi\x83\x00tail", b"more\x81\x02hi", b"", b"x")[2:] == [
        (b"\x83\x00tail", "inside", why),
        (b"more\x81\x02hi", "inside", why),
        (b"x", "inside", why),
    ]


def test_bytes_after_a_close_frame_are_ignored() -> None:
    ignored = "after the close frame: ignored"
    assert explain(b"\x88\x00\x81\x02hi", b"x")[2:] == [(b"\x81\x02hi", "inside", ignored), (b"x", "inside", ignored)]


def test_a_message_without_its_last_fragment_is_incomplete() -> None:
    explainer = Explainer()
    explainer.feed(Frame(TEXT, b"a", fin=False).encode())
    meaning = explainer.close()
    assert meaning
    assert describe(meaning, b"") == "the last message is incomplete: no frame with FIN follows"


@given(st.binary() | STREAM_BYTES, PLACES)
def test_no_byte_is_lost_and_the_explainer_never_raises(data: bytes, places: list[int]) -> None:
    explainer = Explainer()
    found = [fragment for piece in cut(data, places) for fragment in explainer.feed(piece)]
    assert b"".join(raw for raw, _ in [*found, *explainer.flush()]) == data


@given(st.binary() | STREAM_BYTES, PLACES)
def test_the_explainer_finds_the_frames_that_the_parser_finds(data: bytes, places: list[int]) -> None:
    frames, error = read([data])
    found = explain(*cut(data, places))
    assert sum(position == "last" for _, position, _ in found) == len(frames)
    assert {text for _, _, text in found if text.startswith("not a frame")} == (
        {f"not a frame: {error}"} if error else set()
    )


def test_a_message_compressed_with_zlib_is_decompressed() -> None:
    squeeze = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    raw = (squeeze.compress(b"hello") + squeeze.flush(zlib.Z_SYNC_FLUSH)).removesuffix(b"\0\0\xff\xff")
    assert texts(Frame(TEXT, raw, rsv=4), head=DEFLATE) == ['compressed text message: "hello"']


@pytest.mark.parametrize("size", [1, 3, 100])
def test_a_frame_larger_than_the_limit_is_refused_before_its_payload_arrives(size: int) -> None:
    fits, too_large = Frame(BINARY, bytes(200)), Frame(BINARY, bytes(201)).encode()[:4]
    stream = fits.encode() + too_large
    found, error = read_all(Parser(limit=200), [*cut(stream, range(0, len(stream), size)), b""])
    assert (found, error) == ([fits], "a frame of 201 bytes is larger than the limit of 200 bytes")
