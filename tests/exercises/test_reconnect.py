"""Answers to the exercises of 10_reconnect."""

from typing import ClassVar

from exercise_cases import Right, Trials, Wrong, exercises


def but(number: int, old: str, new: str) -> str:
    """Return the solution of an exercise in which one thing is another."""
    before, mark, after = exercises("reconnect")[number].solution.partition("### BEGIN SOLUTION")
    assert old in after
    return before + mark + after.replace(old, new)


def order(letters: str) -> str:
    return but(2, '"EIBHDJACFG"', f'"{letters}"')


WITHOUT_CLOSE = """
board, here = ["welcome"], []


def watch(name):
    here.append(name)
    shown = 0
    while True:
        while shown < len(board):
            yield Event(board[shown]).encode()
            shown += 1
        time.sleep(0.05)
        yield comment("still here")
    here.remove(name)
"""
WATCH_CAUGHT = """
board, here = ["welcome"], []


def watch(name):
    here.append(name)
    told = 0
    quiet = 0
    while True:
        try:
            if told == len(board):
                time.sleep(0.02)
                quiet += 1
                if quiet % 10 == 0:
                    yield ":\\n"
            else:
                yield f"data: {board[told]}\\n\\n"
                told += 1
        except GeneratorExit:
            here.remove(name)
            return
"""
WATCH_WITH_A_MANAGER = """
from contextlib import contextmanager

board, here = ["welcome"], []


@contextmanager
def present(name):
    here.append(name)
    try:
        yield
    finally:
        here.remove(name)


def watch(name):
    with present(name):
        shown = 0
        while True:
            for text in board[shown:]:
                yield Event(text).encode()
                shown += 1
            time.sleep(0.2)
            yield comment("ping")
"""
RECIPE_FROM_ONE = """
STEPS = ["flour", "eggs", "milk", "salt"]
app = Flask("recipe")


@app.route("/")
def recipe():
    try:
        seen = int(request.headers["Last-Event-ID"])
    except (KeyError, ValueError):
        seen = 0
    lines = [f"data: {step}\\nid: {n}\\n\\n" for n, step in enumerate(STEPS, 1) if n > seen]
    return Response(lines, mimetype="text/event-stream") if lines else ("", 204)
"""
RECIPE_BY_LIST = """
STEPS = ["flour", "eggs", "milk", "salt"]
app = Flask("recipe")


@app.route("/")
def recipe():
    try:
        seen = int(request.headers["Last-Event-ID"])
    except (KeyError, ValueError):
        seen = -1
    lines = [f"data: {step}\\nid: {n}\\n\\n" for n, step in enumerate(STEPS) if n > seen]
    return Response(lines, mimetype="text/event-stream") if lines else ("", 204)
"""
RECIPE_BY_WORDS = """
STEPS = ["flour", "eggs", "milk", "salt"]
app = Flask("recipe")


@app.route("/")
def recipe():
    last = request.headers.get("Last-Event-ID")
    left = STEPS[STEPS.index(last) + 1 :] if last in STEPS else STEPS
    lines = [Event(step, id=step).encode() for step in left]
    return Response(lines, mimetype="text/event-stream") if lines else ("", 204)
"""
STATION_IN_GENERATOR = """
@app.route("/")
def station():
    def generate(last, now):
        after = -1
        if last in given:
            after = given.index(last)
            lost = now[0][0] - after - 1
            if lost > 0:
                yield f"event: missed\\ndata: {lost}\\n\\n"
        elif last:
            yield "event: unknown\\ndata:\\n\\n"
        for number, reading in now:
            if number > after:
                yield f"id: monday-{number}\\ndata: {reading}\\n\\n"

    last, now = request.headers.get("Last-Event-ID", ""), list(kept)
    given = [f"monday-{number}" for number in range(now[-1][0] + 1)]
    if last == f"monday-{now[-1][0]}":
        return "", 204
    return Response(generate(last, now), mimetype="text/event-stream")
"""


class TestReconnect(Trials):
    stem = "reconnect"
    trials: ClassVar = {
        1: [
            Wrong("an event without an id forgets it", 'answer = "a"', "does not make the browser forget"),
            Wrong("the browser counts", 'answer = "b"', "does not count events"),
            Wrong("an id counts at once", 'answer = "d"', "the eggs would be lost"),
            Wrong("no choice", "answer = 7", "answer is one of"),
        ],
        2: [
            Wrong(
                "forgets it before each request",
                order("EBKHDJACFG"),
                "'pause'] and so on, without an end, expected ['ask with None', 'pot', 'tea'",
            ),
            Wrong("notes nothing", order("EIBHDJAFG"), "and so on, without an end, expected ['ask with None'"),
            Wrong("204 is a pause", order("EIBHACFG"), "'NoneType' object is not iterable"),
            Wrong("the pause first", order("EIBGHDJACF"), "it does ['pause', 'ask with None'"),
            Wrong(
                "asks once",
                order("EIHDJACFG"),
                "these lines are not a valid program (IndentationError: unexpected indent)",
            ),
            Wrong(
                "without the first line",
                order("IBHDJACFG"),
                "these lines are not a valid program (IndentationError: unexpected indent)",
            ),
            Wrong(
                "the loop asks no more",
                order("EIHBDJACFG"),
                "these lines are not a valid program (IndentationError: unexpected indent)",
            ),
            Wrong("nothing is handed on", order("EIBHDJACG"), "follow hands nothing on"),
            Right("notes it after the event is dealt with", order("e i b h d j a f c g")),
        ],
        3: [
            Wrong(
                "a negative number",
                exercises("reconnect")[3].solution.replace(
                    "int(last) + 1 if last.isdecimal() else 0", "int(last) + 1 if last.lstrip('-').isdecimal() else 0"
                ),
                "expected ['flour', 'eggs'",
            ),
            Wrong("loses one", but(3, "int(last) + 1", "int(last) + 2"), "come ['milk', 'salt'], expected ['eggs'"),
            Wrong(
                "a stream of nothing at the end",
                but(3, "if first >= len(STEPS)", "if False"),
                "after the last step (id 3) the status is 200, expected 204",
            ),
            Wrong("404 at the end", but(3, "status=204", "status=404"), "the status is 404, expected 204"),
            Wrong("no look at the id", but(3, "if last.isdecimal()", 'if last != ""'), "the browser gives up"),
            Wrong("another name", but(3, '"Last-Event-ID"', '"Last-Event-Id-Seen"'), "and gets it once more"),
            Wrong("no ids", but(3, ", id=str(n)", ""), "the ids are ['', '', '', ''], expected ['0'"),
            Wrong("the ids begin anew", but(3, "id=str(n)", "id=str(n - first)"), "and at first they were"),
            Wrong("ids from one", RECIPE_FROM_ONE, "the ids are ['1', '2', '3', '4'], expected ['0', '1', '2', '3']"),
            Wrong("words for ids", RECIPE_BY_WORDS, "the ids are ['flour', 'eggs', 'milk', 'salt'], expected ['0'"),
            Right("a list, an exception", RECIPE_BY_LIST),
        ],
        4: [
            Wrong("a heartbeat and no finally", WITHOUT_CLOSE, "watch has ended, and here is ['Ada']"),
            Wrong(
                "finally and no heartbeat",
                but(4, 'yield comment("still here")', "pass"),
                "Ada has left after this, and two seconds later watch does not know it",
            ),
            Wrong("a blank line", but(4, 'comment("still here")', '"\\n"'), "there is no comment"),
            Wrong(
                "an empty text",
                but(4, 'comment("still here")', '""'),
                "Ada has left after this, and two seconds later watch does not know it",
            ),
            Wrong(
                "an event for a heartbeat",
                but(4, 'comment("still here")', '"data:\\n\\n"'),
                "the events are ['welcome', '', ",
            ),
            Wrong(
                "an event of its own type",
                but(4, 'comment("still here")', 'Event("", event="ping").encode()'),
                "there are events of the type ping",
            ),
            Wrong(
                "no line end",
                but(4, 'comment("still here")', '": still here"'),
                "The last event has no blank line after it, so it is never dispatched",
            ),
            Wrong(
                "a heartbeat too slow",
                but(4, "time.sleep(0.05)", "time.sleep(5)"),
                "Ada has left after this, and two seconds later",
            ),
            Wrong("a loop that never yields", but(4, "time.sleep(0.05)", "while True: pass"), "while True: pass"),
            Wrong(
                "never in the list",
                but(4, "here.append(name)", "pass").replace("here.remove(name)", "pass"),
                "here is [], expected",
            ),
            Wrong(
                "a heartbeat every second and a half",
                but(4, "time.sleep(0.05)", "time.sleep(1.5)"),
                "two seconds later watch does not know it",
            ),
            Wrong(
                "a heartbeat at once, and then not for long",
                but(4, "time.sleep(0.05)", 'yield comment("ping"); time.sleep(1.3)'),
                "nothing is said, and the line is quiet for 1.",
            ),
            Wrong(
                "one leaves, and all are off the list",
                but(4, "here.remove(name)", "here.clear()"),
                "Bob has left, Ada still reads, and here is [], expected ['Ada']",
            ),
            Wrong(
                "the last who came leaves",
                but(4, "here.append(name)", "here.insert(0, name)").replace("here.remove(name)", "here.pop()"),
                "Bob has left, Ada still reads, and here is ['Bob'], expected ['Ada']",
            ),
            Right("a context manager of the name present, a ping now and then", WATCH_WITH_A_MANAGER),
            Right("caught, a short comment now and then", WATCH_CAUGHT),
        ],
        5: [
            Wrong(
                "off by one",
                but(5, "each > n]", "each >= n]"),
                "the events are ['18.2', '18.4', '18.1'], expected ['18.4', '18.1']",
            ),
            Wrong("counts one more", but(5, "kept[0][0] - n - 1)", "kept[0][0] - n)"), "the events are ['3']"),
            Wrong(
                "missed where nothing is",
                but(5, "> n + 1", "> n"),
                "the id monday-3 the type of event number 1 is 'missed', expected 'message'",
            ),
            Wrong(
                "nothing of what is lost",
                but(5, "if known and kept", "if False and kept"),
                "the type of event number 1 is 'message', expected 'missed'",
            ),
            Wrong("missed for the first visit", but(5, "if known and kept", "if kept"), "for a reader without an id"),
            Wrong("any day will do", but(5, "day == DAY and ", ""), "for a reader with the id sunday-5"),
            Wrong(
                "the number without a look",
                but(5, 'day, _, number = (last or "").rpartition("-")', 'day, number = (last or "-").split("-")'),
                "ValueError: not enough values",
            ),
            Wrong(
                "the day, and never a look at the number",
                but(5, "number.isdecimal() and ", ""),
                "your code raises ValueError: invalid literal for int() with base 10: 'x'",
            ),
            Wrong(
                "monday or something like it",
                but(5, "day == DAY", 'day.startswith("monday")'),
                "for a reader with the id mondayish-5 the type of event number 1",
            ),
            Wrong(
                "what begins with the day",
                but(5, "day == DAY", 'last and last.startswith("monday")').replace(
                    "number.isdecimal() and int(number)", "int(number or 0)"
                ),
                "ValueError: invalid literal for int() with base 10: 'monday'",
            ),
            Wrong(
                "a number that is still to come",
                but(5, " and int(number) <= kept[-1][0]", ""),
                "for a reader with the id monday-7 the status is 204, expected 200",
            ),
            Wrong(
                "a fault in the generator",
                but(5, "(event.encode() for event in news)", "(news[n + 9].encode() for event in news)"),
                "your code raises IndexError: list index out of range, at line 20 of your cell: return Response(",
            ),
            Wrong(
                "numbers for ids",
                but(5, 'f"{DAY}-{each}"', "str(each)"),
                "the id of reading number 1 is '4', expected 'monday-4'",
            ),
            Wrong("no end", but(5, "if not news:", "if False:"), "after monday-6, the last, it is 200, expected 204"),
            Wrong(
                "the readings of once",
                but(5, "in kept if", 'in [(4, "18.2"), (5, "18.4"), (6, "18.1")] if'),
                "['18.2'",
            ),
            Right("in the generator", but(5, "\n", "\n").partition("### BEGIN")[0] + STATION_IN_GENERATOR),
        ],
    }
