"""Answers to the exercises of 05_polling."""

from typing import ClassVar

from exercise_cases import Right, Trials, Wrong, exercises

CANTEEN = """
canteen = Flask("canteen")
dishes = {"soup": 4, "stew": 9}


@canteen.get("/menu")
def menu():
    response = jsonify(dishes)
    response.set_etag(VERSION)
    return response.make_conditional(request)
"""
MENU_BY_HAND = """
import hashlib

canteen = Flask("canteen")
dishes = {"soup": 4, "stew": 9}


@canteen.get("/menu")
def menu():
    version = '"' + hashlib.sha256(repr(dishes).encode()).hexdigest()[:12] + '"'
    if version in request.headers.get("If-None-Match", ""):
        return "", 304, {"ETag": version}
    return dishes, {"ETag": version}
"""
WATCH = """
def watch(ask):
    seen = []
    while True:
        state = ask()
        if state["n"] not in seen:
            seen.append(state["n"])
        if not state["more"]:
            return seen
        time.sleep(0.01)
"""
WATCH_BY_RECURSION = """
def watch(ask, seen=()):
    with ThreadPoolExecutor(1) as pool:
        state = pool.submit(ask).result()
    seen = list(dict.fromkeys([*seen, state["n"]]))
    if state["more"]:
        threading.Event().wait(0.01)
        return watch(ask, seen)
    return seen


from concurrent.futures import ThreadPoolExecutor
"""
ROOM = """
app = Flask("room")
number, version, more = 0, 0, True


def change(new_number, new_more):
    global number, version, more
    number, version, more = new_number, version + 1, new_more
    return "", 204


@app.route("/<any(open, next, close):what>", methods=["POST"])
def post(what):
    return change(*{"open": (0, True), "next": (number + 1, more), "close": (number, False)}[what])


@app.route("/sign")
def sign():
    tag = f'"v{version}"'
    head = {"ETag": tag, "Cache-Control": "public, no-cache"}
    if request.headers.get("If-None-Match") == tag:
        return Response(status=304, headers=head)
    return {"number": number, "more": more}, 200, head
"""
LOOK = """state = ask()
    while state["more"]:
        pass
    while True:"""
ROOM_SOLUTION = exercises("polling")[5].solution
assert "response.add_etag()" in ROOM_SOLUTION


def room(old: str, new: str) -> str:
    """Return the solution with this change."""
    assert old in ROOM_SOLUTION
    return ROOM_SOLUTION.replace(old, new)


def arrange(order: str) -> str:
    """Return the answer with these letters."""
    solution = exercises("polling")[2].solution
    assert 'order = "GHEAFCB"' in solution
    return solution.replace('order = "GHEAFCB"', f'order = "{order}"')


class TestPolling(Trials):
    stem = "polling"
    trials: ClassVar = {
        1: [
            Wrong("the server remembers", 'answer = "b"', "remembers every version that it has told"),
            Wrong("the address decides", 'answer = "c"', "one version whatever it says at one address"),
            Wrong("each answer is new", 'answer = "d"', "a new version for each answer"),
            Wrong("no choice", "answer = None", "answer is one of"),
        ],
        2: [
            Wrong("never back to one second", arrange("GHEAFDB"), "it waits [2, 4, 8, 16, 32], expected"),
            Wrong("the wait first", arrange("GHEBAFC"), "it waits [1, 1, 2, 4, 8, 8], expected"),
            Wrong("no end", arrange("GHEACB"), "says that no more is to come"),
            Wrong("the old wait", arrange("GHEAFBC"), "it waits [1, 1, 2, 4, 8], expected"),
            Wrong("a wait after the end", arrange("GHEACBF"), "it waits [1, 2, 4, 8, 8, 8], expected"),
            Wrong("nothing to begin with", arrange("GEAFCB"), "poll raises UnboundLocalError"),
            Wrong("every line", arrange("GHEAFCDB"), "8 of 8 lines are used: leave out 1"),
            Wrong("a loop that does not ask", arrange("GHEB"), "it waits again and again"),
            Wrong("no loop", arrange("GHAFCB"), "these lines are not a valid program"),
            Right("the wait chosen before the look at the end", arrange("g h e a c f b")),
        ],
        3: [
            Wrong(
                "the time for a version",
                CANTEEN.replace("VERSION", "str(time.time())"),
                "the menu is the same, but its ETag was ",
            ),
            Wrong(
                "the number of dishes",
                CANTEEN.replace("VERSION", "str(len(dishes))"),
                "after a new price the status is 304, expected 200 and the menu",
            ),
            Wrong(
                "the dictionary itself",
                CANTEEN.replace("VERSION", "str(id(dishes))"),
                "after a new dish the status is 304, expected 200 and the menu",
            ),
            Wrong(
                "the sum of the prices",
                CANTEEN.replace("VERSION", "str(sum(dishes.values()))"),
                "after two prices that change places the status is 304",
            ),
            Wrong(
                "the prices without their dishes",
                CANTEEN.replace("VERSION", "str(list(dishes.values()))"),
                "after a pie that costs what the cake did the status is 304",
            ),
            Wrong("a time in no quotes", exercises("polling")[3].stub, "the menu is the same, but its ETag was"),
            Wrong("no application", CANTEEN + "\n\ncanteen = None\n", "canteen is no application: None"),
            Wrong(
                "no quotes",
                MENU_BY_HAND.replace("'\"' + ", "").replace(" + '\"'", ""),
                "expected a text in double quotes",
            ),
            Wrong(
                "an ETag that nobody compares",
                CANTEEN.replace("VERSION", "str(sum(dishes.values()))").replace(".make_conditional(request)", ""),
                "the menu is the same, but the status is 200, expected 304",
            ),
            Wrong(
                "304 for everybody who has something",
                MENU_BY_HAND.replace("version in request.headers.get(", "request.headers.get("),
                "to an ETag that is none of ours the status is 304",
            ),
            Wrong(
                "a 304 without its ETag",
                MENU_BY_HAND.replace('return "", 304, {"ETag": version}', "return Response(status=304)"),
                "the ETag of the 304 is missing, expected",
            ),
            Wrong("no ETag", CANTEEN.replace("    response.set_etag(VERSION)\n", ""), "the answer has no ETag"),
            Right("by hand", MENU_BY_HAND),
        ],
        4: [
            Wrong(
                "the threads as they were",
                exercises("polling")[4].stub,
                "asks were under way at once, expected 1 at most",
            ),
            Wrong(
                "never asks again",
                WATCH.replace("while True:\n        state = ask()", LOOK),
                "watch is still running after 2 s. It is at line",
            ),
            Wrong(
                "no pause",
                WATCH.replace("time.sleep(0.01)", "pass"),
                "it asks again at once, expected after at least 10 ms",
            ),
            Wrong(
                "a pause of a second",
                WATCH.replace("time.sleep(0.01)", "time.sleep(1)"),
                "of 6 times: expected some 10 ms between two asks",
            ),
            Wrong("news or not", WATCH.replace('state["n"] not in seen', "True"), "it returns [0, 0, 1, 3, 3, 4]"),
            Wrong(
                "the last left out",
                WATCH.replace('if state["n"] not in seen', 'if state["more"] and state["n"] not in seen'),
                "it returns [0, 1, 3], expected",
            ),
            Wrong(
                "once more after the end",
                WATCH.replace("return seen", "return [*seen, ask()]"),
                "was told that all is over",
            ),
            Right("a thread and a call for each ask", WATCH_BY_RECURSION),
            Right("a longer pause", WATCH.replace("time.sleep(0.01)", "time.sleep(0.1)")),
        ],
        5: [
            Wrong(
                "only the number in the version",
                room("add_etag()", 'set_etag(str(state["number"]))'),
                "after POST /close, a sign with the old ETag gets 304 and misses the change",
            ),
            Wrong(
                "no caching word",
                room('    response.headers["Cache-Control"] = "no-cache"\n', ""),
                "Cache-Control is missing",
            ),
            Wrong("nothing kept at all", room('"no-cache"', '"no-store"'), "expected no-cache"),
            Wrong(
                "words for truth",
                room("jsonify(state)", 'jsonify({**state, "more": str(state["more"])})'),
                "the sign says {'more': 'True', 'number': 0}, expected",
            ),
            Wrong(
                "a dictionary as a text", room("jsonify(state)", "Response(str(state))"), "Content-Type of the sign"
            ),
            Wrong(
                "a head, and nobody who compares",
                room(".make_conditional(request)", ""),
                "but the sign is told again",
            ),
            Wrong(
                "get, not post", room('@app.post("/next")', '@app.get("/next")'), "the status of POST /next is 405"
            ),
            Wrong(
                "a number that goes on", room("number=0, ", ""), "after POST /open, on the second day, the sign says"
            ),
            Wrong(
                "closed for ever",
                room('"more": False', '"more": True').replace("number=0, more=True", "number=0"),
                "the sign says {'more': False, 'number': 0}, expected {'number': 0, 'more': True}",
            ),
            Wrong(
                "a number that nobody counts",
                ROOM.replace("number + 1", "number"),
                "after POST /next the sign says {'more': True, 'number': 0}, expected {'number': 1",
            ),
            Wrong("no view", 'app = Flask("room")', "no view answers POST /open yet"),
            Right("by hand, with a version that counts", ROOM),
        ],
    }
