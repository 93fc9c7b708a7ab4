"""Trials of the exercises of 06_longpoll."""

from typing import ClassVar

from trials import Right, Trials, Wrong, exercises

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
            Wrong("try without except", arrange("FIDHAECJ"), "these lines are no program"),
            Wrong("nothing but the name", arrange("FI"), "it returns None, though there is more to come"),
            Right("the cursor first", arrange("f i d h k a c e j")),
        ],
        3: [
            Wrong("the loop that burns", exercises("longpoll")[3].stub, "news is not done after 2 s: it is at line"),
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
                "that burns, too",
            ),
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
            Wrong("a place in what is kept", changed(4, "max(0, after - gone) :", "after:"), "who has the cursor 2"),
            Wrong("nothing is missed", changed(4, "max(0, gone - after)}", "0}"), "'missed': 2}"),
            Wrong("less than nothing missed", changed(4, "max(0, gone - after)}", "gone - after}"), "'missed': -1"),
            Wrong(
                "a place before the first",
                changed(4, "max(0, after - gone) :", "after - gone :"),
                "'lines': ['eight', 'nine']",
            ),
            Wrong("nobody is woken", changed(4, "self.told.notify_all()", "pass"), "there is no answer within 1.5 s"),
            Wrong("no wait", changed(4, ", 5)\n", ", 0)\n"), "it does not wait for the tenth"),
            Wrong("no room", "Room = None", "your code raises TypeError"),
            Right("lines with their numbers", NUMBERED),
        ],
        5: [
            Wrong("one is woken", changed(5, "hung.notify_all()", "hung.notify()"), "and 1 of them heard of it"),
            Wrong("a box from which one takes", ONE_BOX, "and 1 of them heard of it"),
            Wrong(
                "the next order, not the one that is there",
                changed(5, "hung.wait_for(lambda: len(orders) > after, ", "hung.wait("),
                "no answer to GET /orders?after=0 within 1 s: it is at line",
            ),
            Wrong(
                "no bound",
                changed(5, '> after, request.args.get("timeout", 5, type=float))', "> after)"),
                "no answer to GET /orders?timeout=0.01 within 1 s: it is at line",
            ),
            Wrong("an empty list", changed(5, "if len(orders) > after:", "if True:"), "expected 204"),
            Wrong(
                "no wait",
                changed(5, 'get("timeout", 5, type=float)', 'get("no", 0)'),
                "though it may wait for an order",
            ),
            Wrong("the latest only", changed(5, "orders[after:]", "orders[-1:]"), "['two eggs']"),
            Wrong(
                "a cursor of this answer",
                changed(5, '"cursor": len(orders)', '"cursor": len(orders[after:])'),
                "{'cursor': 1, 'orders': ['one stew']}, expected",
            ),
            Wrong(
                "whole seconds", changed(5, 'get("timeout", 5, type=float)', "__getitem__('timeout')"), "TypeError"
            ),
            Right("a box for each cook", BOXES),
        ],
    }
