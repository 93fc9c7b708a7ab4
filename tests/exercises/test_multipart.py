"""Answers to the exercises of 08_multipart."""

from typing import ClassVar

from exercise_cases import Right, Trials, Wrong, exercises

GAPS = """
before = b"--slide\\r\\n"
between = b"\\r\\n\\r\\n"
after = b"\\r\\n"
last = b"--slide--\\r\\n"


def slides(pictures):
    for each in pictures:
        yield before + b"Content-Type: image/png" + between + each + after
    yield last
"""
TIMER = """
HEAD = b"Content-Type: text/plain\\r\\n\\r\\n"


def timer(clock):
    yield b"--egg\\r\\n" + HEAD
    for left in clock:
        yield f"{left}\\r\\n--egg"
        if left == 0:
            yield b"--\\r\\n"
            break
        yield b"\\r\\n" + HEAD
"""
BOARD = """
import uuid

notes = [b"milk"]
app = Flask("board")


@app.get("/")
def board():
    boundary = uuid.uuid4().hex
    body = b"".join(part(note, boundary) for note in notes) + f"--{boundary}--".encode()
    return Response(body, headers={"Content-Type": f'multipart/x-mixed-replace; boundary="{boundary}"'})


def part(note, boundary):
    return f"--{boundary}\\r\\nContent-Type: text/plain\\r\\n\\r\\n".encode() + note + b"\\r\\n"
"""
CAMERA = """
import time

app = Flask("camera")
pictures = [(0, b"")]


def put(picture):
    pictures[:] = [(pictures[0][0] + 1, picture)]


def newer(had):
    while pictures[0][0] == had:
        time.sleep(0.002)
    return pictures[0]


@app.get("/camera")
def camera():
    def generate(count):
        had = 0
        for n in range(count):
            yield "--frame\\r\\nContent-Type: image/png\\r\\n\\r\\n"
            had, picture = newer(had)
            yield picture + b"\\r\\n"
        yield "--frame--\\r\\n"

    count = int(request.args["count"])
    return Response(generate(count), content_type="multipart/x-mixed-replace; boundary=frame")
"""
HOLDING = """
app = Flask("camera")
changed, taken = threading.Condition(), []


def put(picture):
    with changed:
        taken.append(picture)
        changed.notify_all()


@app.get("/camera")
def camera():
    def generate(count):
        had = 0
        yield opening("now", "image/png")
        for left in range(count - 1, -1, -1):
            with changed:
                changed.wait_for(lambda: len(taken) > had)
                had = len(taken)
                yield taken[-1] + b"\\r\\n" + (opening("now", "image/png") if left else closing("now"))

    count = int(request.args["count"])
    return Response(generate(count), content_type="multipart/x-mixed-replace; boundary=now")
"""
READERS = """
import queue

app = Flask("camera")
readers, lock, latest = [], threading.Lock(), []


def put(picture):
    with lock:
        latest[:] = [picture]
        for reader in readers:
            while not reader.empty():
                reader.get_nowait()
            reader.put(picture)


@app.get("/camera")
def camera():
    def generate(count):
        mine = queue.Queue()
        with lock:
            readers.append(mine)
            for picture in latest:
                mine.put(picture)
        try:
            head = opening("x", "image/png")
            for n in range(count):
                after = opening("x", "image/png") if n + 1 < count else closing("x")
                yield head + mine.get() + b"\\r\\n" + after
                head = b""
        finally:
            readers.remove(mine)

    count = request.args.get("count", type=int)
    return Response(generate(count), content_type="multipart/x-mixed-replace; boundary=x")
"""


class TestMultipart(Trials):
    stem = "multipart"
    trials: ClassVar = {
        1: [
            Wrong("only the last boundary ends", 'answer = "a"', "A part is whole at the next one"),
            Wrong("a line end ends", 'answer = "c"', "A line end alone ends no part"),
            Wrong("two hyphens are a boundary", 'answer = "d"', "One with a blank in it is data"),
            Wrong("no choice", 'answer = ""', "answer is one of"),
        ],
        2: [
            Wrong(
                "no blank line",
                GAPS.replace('between = b"\\r\\n\\r\\n"', 'between = b"\\r\\n"'),
                "their blank line and the last boundary are missing",
            ),
            Wrong(
                "no hyphens",
                GAPS.replace('before = b"--', 'before = b"'),
                "the parts are [], expected [b'one', b'two']",
            ),
            Wrong(
                "the boundary right after the picture",
                GAPS.replace('after = b"\\r\\n"', 'after = b""'),
                "; --slide-- is not at the beginning of a line, so it counts as data",
            ),
            Wrong(
                "a blank line too many",
                GAPS.replace('after = b"\\r\\n"', 'after = b"\\r\\n\\r\\n"'),
                "the parts are [b'one\\r\\n', b'two\\r\\n'], expected",
            ),
            Wrong(
                "the last as the others",
                GAPS.replace("slide--", "slide"),
                "the body ends in the headers of a part",
            ),
            Wrong(
                "a charset for a picture",
                GAPS.replace('between = b"', 'between = b"; charset=utf-8'),
                "the types of the parts are ['image/png; charset=utf-8'",
            ),
            Wrong("LF for CRLF", GAPS.replace("\\r", ""), "its line ends are LF"),
            Wrong(
                "text for bytes", GAPS.replace('before = b"', 'before = "'), "before is '--slide\\r\\n': what goes"
            ),
            Right(
                "the line end belongs to the boundary",
                GAPS.replace('before = b"', 'before = b"\\r\\n')
                .replace('after = b"\\r\\n"', 'after = b""')
                .replace('last = b"', 'last = b"\\r\\n'),
            ),
        ],
        3: [
            Wrong(
                "only the length",
                "def timer(clock):\n    for left in clock:\n"
                '        yield Part(str(left).encode(), with_length=True).encode("egg")\n    yield closing("egg")',
                "3 is whole, and the head of the next part, for which the display waits",
            ),
            Wrong(
                "only the boundary",
                'def timer(clock):\n    yield "--egg\\r\\n"\n    for left in clock:\n'
                '        yield "Content-Type: text/plain\\r\\n\\r\\n"\n'
                '        yield f"{left}\\r\\n--egg" + ("\\r\\n" if left else "--\\r\\n")',
                "3 is whole, and the head of the next part, for which the display waits",
            ),
            Wrong(
                "a list of all numbers",
                'def timer(clock):\n    for left in list(clock):\n        yield Part(b"%d" % left).encode("egg")\n'
                '    yield closing("egg")',
                "the clock is asked what comes after 3, and the part 3 is not whole",
            ),
            Wrong(
                "a part too many",
                'def timer(clock):\n    yield opening("egg", "text/plain")\n    for left in clock:\n'
                '        yield b"%d\\r\\n" % left + opening("egg", "text/plain")\n    yield closing("egg")',
                "b'0', b'']",
            ),
            Wrong(
                "the same number for ever",
                "def timer(clock):\n    left = next(clock)\n"
                '    while left >= 0:\n        yield Part(b"%d" % left).encode("egg")',
                " in all], expected [b'3', b'2', b'1', b'0']",
            ),
            Wrong(
                "a loop that never looks again",
                TIMER.replace("            break", "        while left == 0:\n            pass"),
                "all parts have arrived, but the response does not end",
            ),
            Wrong(
                "the last boundary late",
                TIMER.replace("            yield b", "            list(clock)\n            yield b"),
                "after 0, and the part 0 is not",
            ),
            Right("by hand, in small pieces", TIMER),
        ],
        4: [
            Wrong(
                "long, and always the same",
                BOARD.replace("uuid.uuid4().hex", '"a-boundary-that-is-long-enough-for-anybody"'),
                "and a visitor who has read earlier responses can write it in a note",
            ),
            Wrong(
                "random, once",
                BOARD.replace("    boundary = uuid", "    boundary = BOUNDARY or uuid").replace(
                    'app = Flask("board")', 'app = Flask("board")\nBOUNDARY = uuid.uuid4().hex'
                ),
                "and a visitor who has read earlier responses can write it in a note",
            ),
            Wrong(
                "two boundaries",
                BOARD.replace('boundary="{boundary}"', 'boundary="{uuid.uuid4().hex}"'),
                "; no line of the body is the boundary of the Content-Type",
            ),
            Wrong(
                "hyphens taken out",
                BOARD.replace("+ note +", '+ note.replace(b"--", b"") +').replace("uuid.uuid4().hex", '"note"'),
                "the parts are [b'milk', b'note', ",
            ),
            Wrong(
                "only the length",
                BOARD.replace("uuid.uuid4().hex", '"note"').replace(
                    "plain\\r\\n", "plain\\r\\nContent-Length: {len(note)}\\r\\n"
                ),
                "--note is 7 times in the response, expected 5 times",
            ),
            Wrong(
                "refused",
                BOARD.replace("uuid.uuid4().hex", '"note"').replace(
                    "part(note, boundary) for", "Part(note).encode(boundary) for"
                ),
                "your code raises ValueError: the body contains",
            ),
            Wrong(
                "a boundary that counts",
                BOARD.replace("uuid.uuid4().hex", 'f"note-{next(numbers)}"').replace(
                    "import uuid", "import itertools\n\nnumbers = itertools.count(1)"
                ),
                "the boundary is 'note-2', and a visitor who has read earlier responses can write it",
            ),
            Wrong(
                "the time in seconds",
                BOARD.replace("uuid.uuid4().hex", 'f"{int(time.time()) + next(numbers)}-end"').replace(
                    "import uuid", "import itertools, time\n\nnumbers = itertools.count(1)"
                ),
                "and a visitor who has read earlier responses can write it in a note",
            ),
            Right("made whole", BOARD),
            Right(
                "one that no note holds",
                BOARD.replace(
                    "uuid.uuid4().hex",
                    '"b"\n    while any(boundary.encode() in note for note in notes):\n        boundary += "b"',
                ),
            ),
        ],
        5: [
            Wrong(
                "one late",
                CAMERA.replace('            yield "--frame', '            head = "--frame').replace(
                    "yield picture +", "yield head.encode() + picture +"
                ),
                "whole parts: 0 of 3, and no more come",
            ),
            Wrong(
                "without the head of the next",
                CAMERA.replace('\\r\\nContent-Type: image/png\\r\\n\\r\\n"', '\\r\\n"').replace(
                    "yield picture", 'yield b"Content-Type: image/png\\r\\n\\r\\n" + picture'
                ),
                "whole parts: 1 of 3, and no more come",
            ),
            Wrong(
                "any picture, new or not",
                CAMERA.replace("pictures[0][0] == had", "not pictures[0][0]"),
                "a picture comes twice",
            ),
            Wrong(
                "a queue of all",
                READERS.replace(
                    "            while not reader.empty():\n                reader.get_nowait()\n", ""
                ).replace("latest[:] = [picture]", "latest.append(picture)"),
                "part number 1 is picture 1, expected picture 3",
            ),
            Wrong(
                "a queue for each reader",
                READERS.replace("            while not reader.empty():\n                reader.get_nowait()\n", ""),
                "part number 2 is picture 6, expected picture 8",
            ),
            Wrong(
                "taken from the others",
                CAMERA.replace(
                    "    return pictures[0]\n",
                    "    got = pictures[0]\n    pictures[:] = [(got[0], b'')]\n    return got\n",
                ).replace("while pictures[0][0] == had", "while not pictures[0][1]"),
                "when picture 5 is the latest, and has got 0 of its 3 pictures: your code is still running",
            ),
            Wrong(
                "a camera that waits",
                "import queue\n"
                + CAMERA.replace("pictures[:] =", "box.put(picture)\n    pictures[:] =").replace(
                    "pictures = [", "box = queue.Queue(1)\npictures = ["
                ),
                "put is still running",
            ),
            Wrong(
                "no end",
                CAMERA.replace('        yield "--frame--', '        yield "--frame'),
                "the body ends in the headers of a part",
            ),
            Wrong(
                "one picture",
                CAMERA.replace("range(count)", "range(1)"),
                "part number 2 is missing, expected picture 4",
            ),
            Wrong("another path", CAMERA.replace('"/camera"', '"/live"'), "the status is 404, expected 200"),
            Wrong(
                "nothing at all",
                CAMERA.replace("generate(count), ", '"", '),
                "part number 1 is missing, expected picture 3",
            ),
            Wrong(
                "an empty page",
                CAMERA.replace(
                    'Response(generate(count), content_type="multipart/x-mixed-replace; boundary=frame")', '""'
                ),
                "Content-Type is 'text/html",
            ),
            Wrong("no type", CAMERA.replace("image/png", "text/plain"), "the types of the parts are"),
            Wrong(
                "no boundary in the head",
                CAMERA.replace("; boundary=frame", ""),
                "Content-Type is 'multipart/x-mixed-replace'",
            ),
            Wrong(
                "without end",
                CAMERA.replace("for n in range(count)", "while True"),
                "of your cell: time.sleep",
            ),
            Wrong(
                "a lock over the yield",
                HOLDING,
                "and has got 1 of its 3 pictures: put is still running after 1 s",
            ),
            Wrong(
                "another boundary than the head tells",
                CAMERA.replace("boundary=frame", "boundary=picture"),
                "boundary=picture', and no line begins with --picture",
            ),
            Wrong(
                "the request in the generator",
                CAMERA.replace("range(count)", 'range(int(request.args["count"]))'),
                "your code raises RuntimeError: Working outside of request context.",
            ),
            Wrong(
                "a count that is a text",
                CAMERA.replace('int(request.args["count"])', 'request.args["count"]'),
                "your code raises TypeError: 'str' object cannot be interpreted as an integer, at line",
            ),
            Wrong("looking again and again", CAMERA, "looks again and again instead of sleeping until one comes"),
            Wrong(
                "short waits",
                exercises("multipart")[5].solution.replace("changed.wait()", "changed.wait(0.01)"),
                "looks again and again instead of sleeping until one comes",
            ),
            Right(
                "waiting with a timeout",
                exercises("multipart")[5].solution.replace("changed.wait()", "changed.wait(30)"),
            ),
            Right("a box for each reader", READERS),
        ],
    }
