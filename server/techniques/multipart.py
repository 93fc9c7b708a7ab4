r"""Multipart: a body of parts, each of which replaces the part before it; here, pictures.

>>> from server.ticks import Tick
>>> picture(Tick("|", 1))[:8]
b'\x89PNG\r\n\x1a\n'
"""

import io
import math
from collections.abc import Iterable, Iterator

from flask import Blueprint, Response, request
from PIL import Image, ImageDraw, ImageFont

from server.disconnect import pause
from server.query import bad_request, read_count, read_interval
from server.ticks import SPINNER, Tick, ticks
from server.wire.multipart import MEDIA_TYPE, Part, closing, opening

blueprint = Blueprint("multipart", __name__)

BOUNDARY, PNG = "next-picture", "image/png"
TICK_END = rb"IEND\xaeB`\x82"  # the bytes that end a tick, as a regular expression: the last ones of a PNG file
SIDE = 160  # pixels
INK, PAPER = "#0b6a5f", "#f2f4f1"
FONT = ImageFont.load_default(20)
Image.preinit()  # load the PNG format now; otherwise the first picture is late
TURNS = dict(zip(SPINNER, (45, 90, 135, 180), strict=True))  # degrees


@blueprint.get("/multipart")
def stream() -> Response:
    """Stream one picture per tick. The stream is endless unless the request has a `count`.

    With `length=1` each part has a Content-Length header. With `ahead=1` the server sends each part together with the
    headers of the next part. Otherwise a browser that waits for them shows every picture one tick late.
    """
    with_length, ahead = (request.args.get(name) == "1" for name in ("length", "ahead"))
    if with_length and ahead:
        bad_request("length and ahead exclude each other: the length of the next picture is not known yet")
    count = read_count()
    spinner = ticks(SPINNER, count=count, interval=read_interval(0.5), pause=pause(request.environ))
    body = parts_ahead(spinner, count) if ahead else parts(spinner, with_length)
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return Response(body, content_type=f"{MEDIA_TYPE}; boundary={BOUNDARY}", headers=headers)


def parts(spinner: Iterable[Tick], with_length: bool = False) -> Iterator[bytes]:
    """Yield one part per tick, and at the end the closing boundary."""
    for tick in spinner:
        yield Part(picture(tick), PNG, with_length).encode(BOUNDARY)
    yield closing(BOUNDARY)


def parts_ahead(spinner: Iterable[Tick], count: int | None) -> Iterator[bytes]:
    """Yield the same bytes in other chunks: each part together with the boundary and the headers that follow it."""
    before = opening(BOUNDARY, PNG)
    for tick in spinner:
        after = closing(BOUNDARY) if tick.n + 1 == count else opening(BOUNDARY, PNG)
        yield before + picture(tick) + b"\r\n" + after
        before = b""
    if count == 0:
        yield closing(BOUNDARY)


def picture(tick: Tick) -> bytes:
    """Return a picture of a tick as the bytes of a PNG file, 160 pixels square."""
    image = Image.new("RGB", (SIDE, SIDE), PAPER)
    pen, middle, radius = ImageDraw.Draw(image), SIDE / 2, SIDE * 0.35
    turn = math.radians(TURNS[tick.char])
    across, up = radius * math.cos(turn), radius * math.sin(turn)
    pen.line((middle - across, middle - up, middle + across, middle + up), INK, 8)
    pen.text((6, 4), str(tick.n), INK, FONT)
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()
