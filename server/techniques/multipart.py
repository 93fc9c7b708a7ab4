r"""Multipart: a body of parts, each of which replaces the one before it; here, pictures.

>>> from server.ticks import Tick
>>> picture(Tick("|", 1))[:8]
b'\x89PNG\r\n\x1a\n'
"""

import io
import math
from collections.abc import Iterable, Iterator

from flask import Blueprint, Response, request
from PIL import Image, ImageDraw, ImageFont

from server.pace import pace, refuse
from server.ticks import SPINNER, Tick, ticks
from server.wire.multipart import MEDIA_TYPE, Part, closing, opening

blueprint = Blueprint("multipart", __name__)

BOUNDARY, PNG = "next-picture", "image/png"
SIDE = 160  # pixels
INK, PAPER = "#0b6a5f", "#f2f4f1"
FONT = ImageFont.load_default(20)
Image.preinit()  # or the first picture waits for its format to be loaded
TURNS = dict(zip(SPINNER, (45, 90, 135, 180), strict=True))  # degrees


@blueprint.get("/multipart")
def stream() -> Response:
    """Stream a picture a tick, without end unless `count` says otherwise.

    With `length=1` each part tells its length. With `ahead=1` the head of the next part leaves together with each
    part; otherwise a browser that waits for it shows every picture one tick late.
    """
    with_length, ahead = (request.args.get(name) == "1" for name in ("length", "ahead"))
    if with_length and ahead:
        refuse("length and ahead exclude each other: nobody knows how long the next picture will be")
    count, interval, wait = pace(count=None, interval=0.5)
    story = ticks(SPINNER, count, interval, wait)
    body = parts_ahead(story, count) if ahead else parts(story, with_length)
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return Response(body, content_type=f"{MEDIA_TYPE}; boundary={BOUNDARY}", headers=headers)


def parts(story: Iterable[Tick], with_length: bool = False) -> Iterator[bytes]:
    """Yield one part a tick, and at the end the last boundary."""
    for tick in story:
        yield Part(picture(tick), PNG, with_length).encode(BOUNDARY)
    yield closing(BOUNDARY)


def parts_ahead(story: Iterable[Tick], count: int | None) -> Iterator[bytes]:
    """Yield the same bytes, cut elsewhere: with each part the boundary and the head that come after it."""
    before = opening(BOUNDARY, PNG)
    for tick in story:
        after = closing(BOUNDARY) if tick.n + 1 == count else opening(BOUNDARY, PNG)
        yield before + picture(tick) + b"\r\n" + after
        before = b""
    if count == 0:
        yield closing(BOUNDARY)


def picture(tick: Tick) -> bytes:
    """Draw a tick: the bytes of a PNG file, 160 pixels square."""
    image = Image.new("RGB", (SIDE, SIDE), PAPER)
    pen, middle, radius = ImageDraw.Draw(image), SIDE / 2, SIDE * 0.35
    turn = math.radians(TURNS[tick.char])
    across, up = radius * math.cos(turn), radius * math.sin(turn)
    pen.line((middle - across, middle - up, middle + across, middle + up), INK, 8)
    pen.text((6, 4), str(tick.n), INK, FONT)
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()
