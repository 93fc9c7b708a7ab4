"""Answers to the exercises of 11_choosing."""

from typing import ClassVar

from exercise_cases import Right, Trials, Wrong, exercises


def but(number: int, old: str, new: str) -> str:
    """Return the solution of an exercise in which one thing is another."""
    before, mark, after = exercises("choosing")[number].solution.partition("### BEGIN SOLUTION")
    assert old in after
    return before + mark + after.replace(old, new)


def listen(*lines: str) -> str:
    return "\n    ".join(["def listen(chat):", *lines])


PASSED_ON = """
app = Flask("bakery")


@app.after_request
def at_once(response):
    response.headers["x-accel-buffering"] = "No"
    return response


@app.get("/")
def bread():
    def generate():
        done = 0
        while done < 100:
            bake(0.1)
            done += 25
            yield f"data: {done}\\n\\n"

    return generate(), 200, {"Content-Type": "text/event-stream"}
"""
THREE_IN_ONE = """
SCORES, app = [], Flask("match")


@app.route("/<who>")
def told(who):
    if who == "now":
        return Response('{"score": "%s",\\n "n": %d}' % (SCORES[-1], len(SCORES) - 1), mimetype="application/json")

    def scores(after, form):
        for n, score in list(enumerate(SCORES))[after + 1 :]:
            play()
            yield form.format(n, score)

    if who == "archive":
        return scores(-1, '{{"score": "{1}", "n": {0}}}\\n'), {"Content-Type": "application/x-ndjson"}
    last = request.headers.get("Last-Event-ID", type=int, default=-1)
    response = Response(scores(last, "data: {1}\\nid: {0}\\n\\n"), mimetype="text/event-stream")
    response.headers["X-Accel-Buffering"] = "no"
    return response if last + 1 < len(SCORES) else ("", 204)
"""
HEADERS = ', headers={"X-Accel-Buffering": "no"}'


class TestChoosing(Trials):
    stem = "choosing"
    trials: ClassVar = {
        1: [
            Wrong("polls become cheaper", 'answer = "a"', "Each has a head, both ways"),
            Wrong("the wrong way round", 'answer = "c"', "with each of its events"),
            Wrong("frames are all that counts", 'answer = "d"', "What costs is the head"),
            Wrong("no choice", 'answer = "polling"', "answer is one of"),
        ],
        2: [
            Wrong("polling is light", 'order = "CDBEA"', "C stands before D, but C is measured at"),
            Wrong("the lightest last", 'order = "BEDCA"', "E stands before D"),
            Wrong("a script is heavier than a request", 'order = "DBCEA"', "C stands before E"),
            Wrong("one of them twice", 'order = "DBBCA"', "each of the letters A to E once"),
            Wrong("one left out", 'order = "DBEC"', "each of the letters A to E once"),
            Right("with commas, in small letters", 'order = "d, b, e, c, a"'),
            Right("a list", 'order = ["D", "B", "E", "C", "A"]'),
        ],
        3: [
            Wrong(
                "no-cache for no-buffer",
                but(3, '"X-Accel-Buffering": "no"', '"Cache-Control": "no-cache"'),
                "an event was made, and a second later it had not arrived: it is held back",
            ),
            Wrong(
                "says yes",
                but(3, '"no"', '"yes"'),
                "an event was made, and a second later it had not arrived: it is held back",
            ),
            Wrong(
                "padding",
                but(3, HEADERS, "").replace("encode()", 'encode() + b":" * 4096 + b"\\n"'),
                "an event was made, and a second later it had not arrived: it is held back",
            ),
            Wrong(
                "in the stream",
                but(3, HEADERS, "").replace("bake(0.1)", 'yield "X-Accel-Buffering: no\\n"; bake(0.1)'),
                "an event was made, and a second later it had not arrived: it is held back",
            ),
            Wrong(
                "the field of a request",
                but(3, HEADERS, ', headers={"Accept-Buffering": "no"}'),
                "an event was made, and a second later it had not arrived: it is held back",
            ),
            Wrong(
                "a list for a generator",
                but(3, "Response(generate()", "Response(list(generate())"),
                "an event was made, and a second later it had not arrived: it is held back",
            ),
            Wrong(
                "bakes after each event",
                but(3, "            bake(0.1)\n", "").replace("encode()\n", "encode()\n            bake(0.1)\n"),
                "at the calls of bake() [1, 2, 3, 4] events had been sent, expected [0, 1, 2, 3]",
            ),
            Wrong("no bake", but(3, "            bake(0.1)\n", ""), "bake() is called 0 times"),
            Right("after the request, in other letters", PASSED_ON),
            Right("bake as a default argument", but(3, "def bread():", "def bread(bake=bake):")),
        ],
        4: [
            Wrong(
                "texts before they are said",
                "def listen(chat):\n    for _, text in chat.said:\n        yield text\n",
                "before it was said",
            ),
            Wrong(
                "a longer pause",
                listen(
                    "shown, more = 0, True",
                    "while more:",
                    "    news = chat.get()",
                    '    yield from news["texts"][shown:]',
                    '    shown, more = len(news["texts"]), news["more"]',
                    "    chat.pause(7)",
                ),
                "'Is anybody here?' is shown 6.",
            ),
            Wrong(
                "waits, and then pauses, too",
                but(4, 'yield from news["texts"]', 'yield from news["texts"]; chat.pause(1)'),
                "'I am.' is shown 0.6",
            ),
            Wrong(
                "the cursor never moves",
                but(4, 'after=news["cursor"]', "after=0"),
                "it shows ['Is anybody here?', 'Is anybody here?'",
            ),
            Wrong(
                "no cursor",
                but(4, 'after=news["cursor"]', ""),
                "it shows ['Is anybody here?', 'Is anybody here?', 'Is anybody here?'",
            ),
            Wrong(
                "only the last of them", but(4, 'yield from news["texts"]', 'yield news["texts"]'), "it shows [['Is"
            ),
            Wrong(
                "no generator",
                listen("for text in []:", "    print(text)"),
                "listen hands nothing on",
            ),
            Wrong(
                "all in the end",
                listen("time.sleep(0)", "chat.pause(30)", 'yield from chat.get()["texts"]'),
                "is shown 29.01 s after it was said",
            ),
            Wrong(
                "one request for all",
                listen('return chat.get(after=0)["texts"]'),
                "it shows ['Is anybody here?'], expected",
            ),
            Wrong(
                "never looks for more",
                listen("while True:", '    yield from chat.get(after=0)["texts"]'),
                "and so on, expected",
            ),
            Wrong(
                "a loop without a request",
                listen("while chat.now < 30:", "    pass", "yield"),
                "your code is still running after 2 s. It is at line",
            ),
            Right(
                "the first as a look, no from",
                listen(
                    "seen = []",
                    "answer = chat.get()",
                    "while True:",
                    '    for text in answer["texts"]:',
                    "        seen.append(text)",
                    "        yield text",
                    '    if not answer["more"]:',
                    "        return",
                    "    answer = chat.get(len(seen))",
                ),
            ),
        ],
        5: [
            Right(
                "scores with a type",
                exercises("choosing")[5].solution.replace(
                    "id=str(n)).encode()", 'id=str(n), event="score").encode()'
                ),
            ),
            Wrong(
                "an archive as a list",
                but(
                    5,
                    'Response(generate(), content_type="application/x-ndjson")',
                    "list(map(json.loads, generate()))",
                ),
                "Content-Type is application/json",
            ),
            Wrong(
                "Python for JSON",
                but(5, 'json.dumps({"n": n, "score": score})', 'str({"n": n, "score": score})'),
                "line 1 is not JSON (Expecting property name enclosed in double quotes at character 2)",
            ),
            Wrong(
                "nobody plays",
                but(5, "play()\n            yield json", "yield json"),
                "play() is called 0 times",
            ),
            Wrong(
                "the first score before the match",
                but(
                    5,
                    "play()\n            yield Event(SCORES[n], id=str(n)).encode()",
                    "yield Event(SCORES[n], id=str(n)).encode()\n            play()",
                ),
                "at the calls of play() [1, 2, 3, 4, 5] scores had been sent, expected [0, 1, 2, 3, 4]",
            ),
            Wrong(
                "a type of its own",
                but(5, "application/x-ndjson", "application/jsonl"),
                "Content-Type is application/jsonl, expected application/x-ndjson",
            ),
            Wrong("no line end", but(5, ' + "\\n"', ""), "; line 1 has no line end: "),
            Wrong(
                "the match for a score",
                but(5, "return {", "play()\n    return {"),
                "a short answer waits for nothing",
            ),
            Wrong(
                "the latest as text",
                but(5, 'return {"n": len(SCORES) - 1, "score": SCORES[-1]}', "return SCORES[-1]"),
                "the type of /now is text/html",
            ),
            Wrong(
                "the first for the latest",
                but(5, '{"n": len(SCORES) - 1, "score": SCORES[-1]}', '{"n": 0, "score": SCORES[0]}'),
                "/now says {'n': 0",
            ),
            Wrong(
                "the proxy forgotten",
                but(5, HEADERS, ""),
                "a score was played, and a second later it had not arrived: it is held back",
            ),
            Wrong("no ids", but(5, ", id=str(n)", ""), "the ids are ['', ''"),
            Wrong(
                "ids that nobody reads",
                but(5, 'int(request.headers.get("Last-Event-ID", "-1")) + 1', "0"),
                "expected ['1:1', '1:2', '2:2']",
            ),
            Wrong("the last once more", but(5, '"-1")) + 1', '"0"))'), "expected ['1:1', '1:2', '2:2']"),
            Wrong(
                "a stream of nothing at the end",
                but(5, "if first >= len(SCORES):", "if False:"),
                "after the last id the status is 200, expected 204",
            ),
            Wrong(
                "another match",
                but(5, "enumerate(SCORES)", 'enumerate(["0:0", "1:0", "1:1", "2:1"])'),
                "the documents are [{'n': 0, 'score': '0:0'}, {'n': 1, 'score': '1:0'}",
            ),
            Wrong(
                "a list for a generator",
                but(5, "Response(generate(), ", "Response(list(generate()), "),
                "a score was played, and a second later it had not arrived: it is held back",
            ),
            Wrong(
                "all lines for everybody",
                but(5, '"text/event-stream"', '"application/x-ndjson"'),
                "the type of /screen is application/x-ndjson",
            ),
            Right("one view for all", THREE_IN_ONE),
        ],
    }
