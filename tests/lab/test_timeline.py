"""The picture of a recording."""

from __future__ import annotations

import io
import struct

import pytest
from matplotlib.image import imread
from recordings import CHUNKED, GET, TWO_TICKS, answered

from server.lab import Recording
from server.lab.timeline import Timeline
from server.wire.http import Head, chunk


def shown(recording: Recording) -> tuple[bytes, str, str]:
    data, metadata = recording.timeline()._repr_mimebundle_()
    return data["image/png"], data["text/plain"], metadata["image/png"]["alt"]


def size(png: bytes) -> tuple[int, int]:
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    width, height = struct.unpack(">II", png[16:24])
    return width, height


def test_it_is_a_png_with_a_text_beside_it() -> None:
    png, text, alt = shown(answered(GET, [TWO_TICKS]))
    width, height = size(png)
    assert width > 2 * height > 300
    assert text == alt == "a timeline, 2 chunks, 2 events"


def test_its_ground_is_transparent_so_that_it_reads_on_light_and_dark() -> None:
    picture = imread(io.BytesIO(shown(answered(GET, [TWO_TICKS]))[0]))
    assert picture[0, 0, 3] == 0  # the corner, its alpha
    assert picture[..., 3].max() == 1


def test_it_counts_every_chunk_and_event_of_a_long_stream() -> None:
    recording = answered(GET, [CHUNKED, *(chunk(b"data: %d\n\n" % number) for number in range(500))])
    assert str(recording.timeline()) == "a timeline, 500 chunks, 500 events"


def test_a_recording_of_nothing_is_an_empty_picture() -> None:
    png, text, _ = shown(Recording())
    assert size(png)
    assert text == "a timeline"


@pytest.mark.parametrize(
    ("content_type", "sent", "things"),
    [
        ("application/x-ndjson", b'{"part":1}\n', "1 document"),
        ("multipart/x-mixed-replace; boundary=cut", b"--cut\r\n\r\nevent\r\n--cut--\r\n", "1 part"),
        ("text/plain", b"a message is sent\n", ""),
        ("text/plain", b"blank line: dispatches event\n", ""),
    ],
)
def test_what_is_sent_is_counted_by_the_name_that_its_format_gives_it(
    content_type: str, sent: bytes, things: str
) -> None:
    head = Head("HTTP/1.1 200 OK", (("Content-Type", content_type), ("Transfer-Encoding", "chunked")))
    text = shown(answered(GET, [head.encode() + chunk(sent)]))[1]
    assert text == ", ".join(filter(None, ("a timeline, 1 chunk", things)))


@pytest.mark.parametrize("data", ["$x$", r"$\frac$", "\U0001f40d \u4e2d", "<b>", '"', ""])
def test_any_data_can_be_a_label(data: str) -> None:
    png, text, _ = shown(answered(GET, [CHUNKED + chunk(f"data: {data}\n\n".encode())]))
    assert size(png)
    assert text == "a timeline, 1 chunk, 1 event"


def test_a_label_is_the_text_of_the_event_or_the_number_of_the_unit() -> None:
    events = answered(GET, [CHUNKED + chunk(b'data: {"step": 3, "of": "x"}\n\n')]).timeline()
    assert labels(events) == ['{"step": 3, "of": "x"}']
    head = Head("HTTP/1.1 200 OK", (("Content-Type", "application/x-ndjson"),)).encode()
    assert labels(answered(GET, [head + b'{"n": 7}\n[8]\n']).timeline()) == ["1", "2"]


def test_lines_that_look_like_a_drawing_are_not_events() -> None:
    recording = answered(b"mail is sent\n", [b"mail is sent\nblank line: dispatches event\n"])
    assert str(recording.timeline()) == "a timeline"


def labels(timeline: Timeline) -> list[str]:
    (axes,) = timeline.figure().axes
    return [text.get_text() for text in axes.texts]
