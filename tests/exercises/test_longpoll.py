"""Answers to the exercises of 06_longpoll."""

from typing import ClassVar

from exercise_cases import Right, Trials, Wrong, exercises

NEWS = """
def news(kept, told, after, seconds):
    with told:
        told.wait_for(lambda: len(kept) > after, seconds)
        return kept[after:]
"""
NEWS_IN_A_LOOP = """
def news(kept, told, after, seconds):
    due = time.monotonic() + seconds
    told.acquire()
    try:
        while not kept[after:] and (left := due - time.monotonic()) > 0:
            told.wait(left)
        return list(kept)[after:]
    finally:
        told.release()
"""
NEWS_IN_ITS_SLEEP = """
def news(kept, told, after, seconds):
    due = time.monotonic() + seconds
    while len(kept) <= after and time.monotonic() < due:
        time.sleep(0.01)
    return kept[after:]
"""
NUMBERED = """
from collections import deque
from itertools import count


class Room:
    def __init__(self):
        self.lines, self.numbers, self.last, self.told = deque(maxlen=3), count(1), 0, threading.Condition()

    def say(self, line):
        with self.told:
            self.last = next(self.numbers)
            self.lines.append((self.last, line))
            self.told.notify_all()

    def hear(self, after):
        with self.told:
            if self.last <= after:
                self.told.wait(5)
            found = [(number, line) for number, line in self.lines if number > after]
            missed = found[0][0] - after - 1 if found else 0
            return {"cursor": self.last, "missed": missed, "lines": [line for _, line in found]}
"""
BOXES = """
import json
import queue

app = Flask("kitchen")
board, boxes, lock = [], [], threading.Lock()


@app.route("/orders", methods=["GET", "POST"])
def both():
    if request.method == "POST":
        with lock:
            board.append(request.data.decode())
            for box in boxes:
                box.put(None)
        return "", 204
    after, box = int(request.args.get("after", "0")), queue.Queue()
    with lock:
        boxes.append(box)
        found = board[after:]
    try:
        if not found:
            box.get(timeout=float(request.args.get("timeout", "5")))
            found = board[after:]
    except queue.Empty:
        return "", 204
    finally:
        boxes.remove(box)
    return Response(json.dumps({"orders": found, "cursor": after + len(found)}), content_type="application/json")
"""
ONE_BOX = """
import queue

app = Flask("kitchen")
box = queue.Queue()
number = 0


@app.post("/orders")
def hang_up():
    box.put(request.get_data(as_text=True))
    return "", 204


@app.get("/orders")
def take_down():
    global number
    try:
        order = box.get(timeout=request.args.get("timeout", 5, type=float))
    except queue.Empty:
        return "", 204
    number += 1
    return {"orders": [order], "cursor": number}
"""
EVENTS = """
app = Flask("kitchen")
orders, cooks, order, heard, seen = [], [], threading.Lock(), None, None


@app.post("/orders")
def expect():
    with order:
        orders.append(request.get_data(as_text=True))
        for cook in cooks:
            cook.set()
        cooks.clear()
    return "", 204


@app.get("/orders")
def listen():
    after, told = request.args.get("after", 0, type=int), threading.Event()
    with order:
        cooks.append(told)
        if len(orders) > after:
            told.set()
    if not told.wait(request.args.get("timeout", 5.0, float)):
        return "", 204
    return {"orders": orders[after:], "cursor": len(orders)}
"""
COUNTER = """
app = Flask("kitchen")
board, bell, n = [], threading.Condition(), 0


@app.post("/orders")
def hang_up():
    global n
    with bell:
        board.append((n, request.get_data(as_text=True)))
        n += 1
        bell.notify_all()
    return "", 204


@app.get("/orders")
def take_down():
    after = request.args.get("after", 0, type=int)
    due = time.monotonic() + float(request.args.get("timeout") or 5)
    with bell:
        while n <= after:
            left = due - time.monotonic()
            if left <= 0:
                return "", 204
            bell.wait(left)
        return {"orders": [text for number, text in board if number >= after], "cursor": n}
"""
IF = "if len(kept) <= after:\n            told.wait(seconds)"


def changed(number: int, old: str, new: str) -> str:
    """Return the solution of an exercise with this change in what it adds."""
    before, begin, solution = exercises("longpoll")[number].solution.partition("### BEGIN SOLUTION")
    assert old in solution
    return before + begin + solution.replace(old, new)


def arrange(order: str) -> str:
    """Return the answer with these letters."""
    return changed(2, 'order = "FIDHKAECJ"', f'order = "{order}"')


class TestLongpoll(Trials):
    stem = "longpoll"
    trials: ClassVar = {
        1: [
            Wrong("the server remembers", 'answer = "a"', "by the cursor in the request alone"),
            Wrong("shown twice", 'answer = "c"', "It never arrived"),
            Wrong("the answer once more", 'answer = "d"', "an answer of its own"),
            Wrong("no choice", "answer = True", "answer is one of"),
        ],
        2: [
            Wrong(
                "the number of this answer's lines",
                arrange("FIDHKAEGJ"),
                "it asks with the cursor 2, though the cursor is 3",
            ),
            Wrong(
                "forgotten at each turn", arrange("FDBHKAECJ"), "it asks with the cursor 0, though the cursor is 1"
            ),
            Wrong("a cursor that stays", arrange("FIDHKAEJ"), "it asks with the cursor 0, though the cursor is 1"),
            Wrong("no word on 204", arrange("FIDHKECJ"), "follow raises TypeError"),
            Wrong(
                "the look at the end before the messages", arrange("FIDHKAJEC"), "and it returns ['Ada', 'Bea', 'C"
            ),
            Wrong("no end", arrange("FIDHKAEC"), "it asks once more"),
            Wrong("try without except", arrange("FIDHAECJ"), "these lines are not a valid program"),
            Wrong("nothing but the name", arrange("FI"), "it returns None, though there is more to come"),
            Right("the cursor first", arrange("f i d h k a c e j")),
        ],
        3: [
            Wrong(
                "the loop that burns", exercises("longpoll")[3].stub, "news is still running after 2 s. It is at line"
            ),
            Wrong("a loop that sleeps", NEWS_IN_ITS_SLEEP, "it never waits at told"),
            Wrong("no bound", NEWS.replace(", seconds)\n        return", ")\n        return"), "without a bound"),
            Wrong("no lock", NEWS.replace("with told:", "if True:"), "without holding its lock"),
            Wrong(
                "the next message",
                NEWS.replace("wait_for(lambda: len(kept) > after, seconds)", "wait(seconds)"),
                "and it waits for another one",
            ),
            Wrong(
                "any ring is news",
                NEWS.replace("told.wait_for(lambda: len(kept) > after, seconds)", IF),
                "told rings without a message, and then with one: news returns []",
            ),
            Wrong(
                "a moment at a time",
                NEWS_IN_A_LOOP.replace("wait(left)", "wait(0.001)"),
                "it waits again and again, each time for a moment only: that burns, too",
            ),
            Wrong("a nap at a time", NEWS_IN_A_LOOP.replace("wait(left)", "wait(0.05)"), "waits at told for 0.05 s"),
            Wrong("true already", NEWS.replace("> after", ">= after"), "or what it waits for is true already"),
            Wrong("the latest only", NEWS.replace("kept[after:]", "kept[after:][-1:]"), "news returns ['three']"),
            Right("in a loop, with a time to give up", NEWS_IN_A_LOOP),
        ],
        4: [
            Wrong("the cursor counts what is kept", exercises("longpoll")[4].stub, "who has the cursor 2 hears"),
            Wrong(
                "everything kept",
                changed(4, "            del self.lines[:-KEPT]\n", ""),
                "'missed': 0}, expected {'lines': ['seven'",
            ),
            Wrong(
                "a place in what is kept",
                changed(4, "max(0, after - gone) :", "after:"),
                "who has the cursor 2 hears {'cursor': 4, 'lines': ['four'], 'missed': 0}, expected",
            ),
            Wrong("nothing is missed", changed(4, "max(0, gone - after)}", "0}"), "'missed': 2}"),
            Wrong("less than nothing missed", changed(4, "max(0, gone - after)}", "gone - after}"), "'missed': -1"),
            Wrong(
                "a place before the first",
                changed(4, "max(0, after - gone) :", "after - gone :"),
                "'lines': ['eight', 'nine']",
            ),
            Wrong("nobody is woken", changed(4, "self.told.notify_all()", "pass"), "there is no answer within 1.5 s"),
            Wrong("no wait", changed(4, ", 5)\n", ", 0)\n"), "it does not wait for the tenth"),
            Wrong("no bound", changed(4, "> after, 5)", "> after)"), "hear waits without a bound"),
            Wrong("half a second", changed(4, "> after, 5)", "> after, 0.5)"), "hear waits for 0.5 s, expected 5"),
            Wrong(
                "every line kept, and the last three told",
                changed(4, "            del self.lines[:-KEPT]\n", "").replace(
                    "gone = self.said - len(self.lines)\n            lines = self.lines[max(0, after - gone) :]",
                    "gone = max(0, self.said - KEPT)\n            lines = self.lines[max(after, gone) :]",
                ),
                "after 200 lines the room still holds 200 of them, expected no more than 3",
            ),
            Wrong("no room", "Room = None", "your code raises TypeError"),
            Right("lines with their numbers", NUMBERED),
        ],
        5: [
            Wrong("one is woken", changed(5, "hung.notify_all()", "hung.notify()"), "and 1 of them heard of it"),
            Wrong("a box from which one takes", ONE_BOX, "and 1 of them heard of it"),
            Wrong(
                "the next order, not the one that is there",
                changed(5, "hung.wait_for(lambda: len(orders) > after, ", "hung.wait("),
                "no response to GET /orders?after=0 within 1 s. It is at line",
            ),
            Wrong(
                "no bound",
                changed(5, '> after, request.args.get("timeout", 5, type=float))', "> after)"),
                "no response to GET /orders?timeout=0.01 within 1 s. It is at line",
            ),
            Wrong(
                "an empty list",
                changed(5, "if len(orders) > after:", "if True:"),
                "nothing comes within 0.2 s: the status is 200, expected 204",
            ),
            Wrong(
                "no wait",
                changed(5, 'get("timeout", 5, type=float)', 'get("no", 0)'),
                "though it may wait for an order",
            ),
            Wrong(
                "half a second, where nobody says it",
                changed(5, '"timeout", 5', '"timeout", 0.5'),
                "where nobody says a timeout, it waits for 0.5 s at a time, expected 5",
            ),
            Wrong(
                "no bound, where nobody says it",
                changed(5, '"timeout", 5, type', '"timeout", type'),
                "where nobody says a timeout, it waits without a bound",
            ),
            Wrong(
                "whole numbers only",
                changed(5, "5, type=float", "5, type=int"),
                "with timeout=0.01 it waits for 5 s (0.01 is no whole number)",
            ),
            Wrong(
                "looking again and again",
                COUNTER.replace("bell.wait(left)", "bell.release(), time.sleep(0.05), bell.acquire()"),
                "looks again and again",
            ),
            Wrong(
                "the latest only",
                changed(5, "orders[after:]", "orders[-1:]"),
                "'orders': ['two eggs']}, expected 200 with {'orders': ['a tea', 'two eggs']",
            ),
            Wrong(
                "a cursor of this answer",
                changed(5, '"cursor": len(orders)', '"cursor": len(orders[after:])'),
                "{'cursor': 1, 'orders': ['one stew']}, expected",
            ),
            Wrong(
                "whole seconds",
                changed(5, 'get("timeout", 5, type=float)', "__getitem__('timeout')"),
                "your code raises TypeError: unsupported operand",
            ),
            Right("a box for each cook", BOXES),
            Right("an event for each cook, and names of the check", EVENTS),
            Right("a counter n", COUNTER),
        ],
    }
