"""Answers to the exercises of 09_websocket."""

from typing import ClassVar

from exercise_cases import Right, Trials, Wrong

LINES = """
lines = {
    "A": "        else:\\n            message += frame.payload",
    "B": '    message = b""',
    "C": "def read(frames, answer):",
    "D": "        if frame.opcode == PING:\\n            answer(Frame(PONG, frame.payload, mask=MASK))",
    "E": "    for frame in frames:",
    "F": '            if frame.fin:\\n                yield message.decode()\\n                message = b""',
    "G": '        if frame.fin:\\n            yield message.decode()\\n            message = b""',
}
"""
SAY = """
def say(text):
    payload = text.encode()
    length = len(payload)
    if length < 126:
        head = bytes([0x81, 0x80 | length])
    elif length < 65_536:
        head = bytes([0x81, 0x80 | 126]) + length.to_bytes(2, "big")
    else:
        head = bytes([0x81, 0x80 | 127]) + length.to_bytes(8, "big")
    mask = b"\\x0a\\x0b\\x0c\\x0d"
    return head + mask + bytes(byte ^ mask[place % 4] for place, byte in enumerate(payload))
"""
CHAT = """
app = Flask("chat")
sock = Sock(app)
room = set()


def tell(each, text):
    try:
        each.send(text)
        return True
    except Exception:
        return False


@sock.route("/chat")
def chat(ws):
    room.add(ws)
    try:
        while (text := ws.receive()) is not None:
            room.difference_update([each for each in list(room) if not tell(each, text)])
    except ConnectionClosed:
        room.discard(ws)
"""
BROKEN_CHAT = """
app = Flask("chat")
sock = Sock(app)
room = set()


@sock.route("/chat")
def chat(ws):
    room.add(ws)
    while True:
        text = ws.receive()
        for each in room:
            each.send(text)
"""
LISTED_CHAT = BROKEN_CHAT.replace("for each in room:", "for each in list(room):")
LOCKED_CHAT = """
app = Flask("chat")
sock = Sock(app)
room = set()
door = threading.Lock()


@sock.route("/chat")
def chat(ws):
    with door:
        room.add(ws)
    try:
        while True:
            text = ws.receive()
            with door:
                for each in room:
                    try:
                        each.send(text)
                    except ConnectionClosed:
                        continue
    finally:
        with door:
            room.remove(ws)
"""
CLOSING_CHAT = """
app = Flask("chat")
sock = Sock(app)
room = set()


@sock.route("/chat")
def chat(ws):
    room.add(ws)
    try:
        while True:
            text = ws.receive()
            for each in room.copy():
                try:
                    each.send(text)
                except ConnectionClosed:
                    room.discard(each)
                    try:
                        each.close()
                    except ConnectionClosed:
                        pass
    finally:
        room.discard(ws)
"""
NAMED_GAME = """
app, sock = Flask("guess"), Sock()


def answer(guess, number):
    return "right" if guess == number else "lower" if guess > number else "higher"


def ends(ws, code):
    ws.close(code)


@sock.route("/guess")
def game(ws):
    heard = ""
    while heard != "right":
        said = ws.receive(1)
        if said is None:
            return ends(ws, 4000)
        try:
            heard = answer(int(said), request.args.get("number", type=int))
        except ValueError:
            return ends(ws, 1008)
        ws.send(heard)
    ends(ws, 1000)


sock.init_app(app)
"""
GAME = """
app = Flask("guess")
sock = Sock(app)


@sock.route("/guess")
def game(ws):
    secret = request.args.get("number", type=int)
    code = None
    while code is None:
        guess = ws.receive(timeout=1)
        if guess is None:
            code = 4000
        elif not guess.strip().lstrip("-").isdigit():
            code = 1008
        elif int(guess) == secret:
            ws.send("right")
            code = 1000
        elif int(guess) < secret:
            ws.send("higher")
        else:
            ws.send("lower")
    ws.close(code)
"""


def game(old: str, new: str) -> str:
    """Return the game with one mistake."""
    assert GAME.count(old) == 1
    return GAME.replace(old, new)


class TestWebsocket(Trials):
    stem = "websocket"
    trials: ClassVar = {
        1: [
            Wrong("letters for bytes", 'answer = "a"', "in UTF-8 this letter has two"),
            Wrong("a client without a mask", 'answer = "B"', "a client masks all it sends"),
            Wrong("seven bits for every length", 'answer = "c"', "They hold lengths up to 125"),
            Wrong("the number for its letter", "answer = 134", "answer is one of"),
        ],
        2: [
            Wrong(
                "the FIN of a ping",
                f'{LINES}\norder = "CBEDAG"',
                "it reads the messages ['in two ', 'pieces', 'bye']",
            ),
            Wrong(
                "a message for each frame",
                f'{LINES}\norder = "CEBDAF"',
                "these lines are not a valid program",
            ),
            Wrong("the end before the piece", f'{LINES}\norder = "CBEDFA"', "it reads the messages []"),
            Wrong("no pong", f'{LINES}\norder = "CBEAF"', "these lines are not a valid program"),
            Wrong("no message to begin with", f'{LINES}\norder = "CEDAF"', "your lines raise UnboundLocalError"),
            Wrong(
                "a piece for a message",
                f'{LINES}\norder = "CBEDA"',
                "read returns None: no line of it yields a message",
            ),
            Wrong("lines without a name", f'{LINES}\norder = "E"', "these lines are not a valid program"),
            Right("in small letters", f'{LINES}\norder = "c b e d a f"'),
        ],
        3: [
            Wrong(
                "untouched",
                "def say(text):\n    return bytes([0x81, len(text)]) + text.encode()",
                "the text is 'hello', and its frame has 7 bytes: the server closes with 1002",
            ),
            Wrong(
                "letters for bytes",
                SAY.replace("length = len(payload)", "length = len(text)"),
                "the text is 'Grüße', and its frame has 13 bytes: the server closes with 1007",
            ),
            Wrong(
                "the bit, but no mask",
                "def say(text):\n    return bytes([0x81, 0x80 | len(text)]) + text.encode()",
                "its frame has 7 bytes: the server says nothing; the head of the frame tells of more bytes",
            ),
            Wrong(
                "the mask, but not used",
                "def say(text):\n    return bytes([0x81, 0x80 | len(text)]) + MASK + text.encode()",
                "the text is 'hello', and the server understands 'igohn'",
            ),
            Wrong(
                "every length in seven bits",
                "def say(text):\n    raw = text.encode()\n    return bytes([0x81, (0x80 | len(raw)) % 256]) + MASK + "
                "bytes(byte ^ MASK[place % 4] for place, byte in enumerate(raw))",
                "the text is 126 times 'x', and its frame has 132 bytes: the server says nothing",
            ),
            Wrong(
                "126 in seven bits",
                SAY.replace("length < 126:", "length <= 126:"),
                "its frame has 132 bytes: the server says nothing; the head of the frame tells of more bytes",
            ),
            Wrong("a text", "def say(text):\n    return Frame(TEXT, text.encode())", "say returns Frame"),
            Wrong("no text at all", "def say(text):\n    return Frame(TEXT, text).encode()", "say raises TypeError"),
            Right("by hand", SAY),
        ],
        4: [
            Wrong("untouched", BROKEN_CHAT, "Anna's connection has ended with 1000"),
            Wrong(
                "only the room is tidied",
                LISTED_CHAT.replace("    while True:", "    while True:\n      try:").replace(
                    "            each.send(text)",
                    "            each.send(text)\n      except ConnectionClosed:\n"
                    "        room.discard(ws)\n        raise",
                ),
                "Dora's connection has ended with 1000",
            ),
            Wrong(
                "only the sending is safe",
                LISTED_CHAT.replace(
                    "            each.send(text)",
                    "            try:\n                each.send(text)\n            except ConnectionClosed:\n"
                    "                pass",
                ),
                "only Anna is there, and room has 3 connections",
            ),
            Wrong(
                "the set changes under the loop",
                BROKEN_CHAT.replace(
                    "            each.send(text)",
                    "            try:\n                each.send(text)\n            except ConnectionClosed:\n"
                    "                room.discard(each)",
                ),
                "your code raises RuntimeError: Set changed size during iteration",
            ),
            Wrong(
                "a loop without end",
                LISTED_CHAT.replace(
                    "        text = ws.receive()",
                    "        try:\n            text = ws.receive()\n"
                    "        except ConnectionClosed:\n            continue",
                ),
                "her view still goes on",
            ),
            Wrong(
                "the set itself in the loop", CHAT.replace("list(room)", "room"), "Set changed size during iteration"
            ),
            Wrong("a list", CHAT.replace("set()", "[]"), "room is a list, expected a set"),
            Right("with a function", CHAT),
            Right("with a lock, and nobody comes in meanwhile", LOCKED_CHAT),
            Right("closes what has ended", CLOSING_CHAT),
        ],
        5: [
            Wrong(
                "texts compared",
                game("int(guess) < secret", 'guess < request.args["number"]'),
                "to the guess '9' the server says 'lower', expected 'higher'",
            ),
            Wrong(
                "one secret for all",
                game("    secret = request", "    global secret\n    secret = request"),
                "to the guess '9' the server says 'lower', expected 'higher'",
            ),
            Wrong(
                "the answer returned",
                game('ws.send("higher")', 'return "higher"'),
                "the server closes with 1000, exp",
            ),
            Wrong(
                "digits for a whole number",
                game('not guess.strip().lstrip("-").isdigit()', "not guess.isdigit()"),
                "to the guess '-3' the server closes with 1008, expected 'higher'",
            ),
            Wrong(
                "a second for the whole game",
                game("timeout=1", "timeout=due - time.monotonic()").replace(
                    "    secret = ", "    due = time.monotonic() + 1\n    secret = "
                ),
                "the server closes with 4000, expected",
            ),
            Wrong(
                "nobody looks at the text",
                game('not guess.strip().lstrip("-").isdigit()', "False"),
                "your code raises ValueError: invalid literal for int()",
            ),
            Wrong("waits for ever", game("timeout=1", ""), "no guess for a second, at the beginning"),
            Wrong("no patience", game("timeout=1", "timeout=0.7"), "in less than a second"),
            Wrong("the usual code for all", game("ws.close(code)", "ws.close()"), "closes with 1000, expected 1008"),
            Wrong("a close is a message", game("ws.close(code)", 'ws.send("1000")'), "expected a close frame"),
            Wrong(
                "everything caught",
                game(
                    "        guess = ws.receive(timeout=1)",
                    "        try:\n            guess = ws.receive(timeout=1)\n"
                    "        except Exception:\n            continue",
                ),
                "the view still goes on",
            ),
            Wrong("another path", game('"/guess"', '"/"'), "the status of GET /guess?number=42 is 404"),
            Right("with a code to close with", GAME),
            Right("with names that a check could have", NAMED_GAME),
        ],
    }
