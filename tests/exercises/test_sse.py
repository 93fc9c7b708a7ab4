"""Answers to the exercises of 02_sse."""

from typing import ClassVar

from exercise_cases import Right, Trials, Wrong, exercises

LINES = """
lines = {
    "A": "        time.sleep(0.02)",
    "B": '        yield f"data: {number}\\\\n\\\\n"',
    "C": "def count():",
    "D": '    return [f"data: {number}\\\\n\\\\n" for number in range(3)]',
    "E": "    for number in range(3):",
}
"""
JOB = """
app = Flask("progress")


@app.get("/job")
def job():
    def generate(steps):
        for step in range(1, steps + 1):
            time.sleep(0.01)
            yield f"event: progress\\ndata: {100 * step // steps}\\n\\n"
        yield "event: done\\ndata: finished\\n\\n"

    steps = request.args.get("steps", 5, type=int)
    return Response(generate(steps), content_type="text/event-stream", headers={"Cache-Control": "no-store"})
"""


class TestSse(Trials):
    stem = "sse"
    trials: ClassVar = {
        1: [
            Wrong("the end of a stream sends", 'answer = "b"', "Without its blank line it is dropped"),
            Wrong("a line is an event", 'answer = "c"', "Lines between two blank lines are one event"),
            Wrong("a comment is an event", 'answer = "d"', "never reaches the page"),
            Wrong("no choice", "answer = 1", "answer is one of"),
        ],
        2: [
            Wrong("a list for a generator", f'{LINES}\norder = "CD"', "it does ['data: 0\\n\\n', 'data: 1"),
            Wrong("the pause first", f'{LINES}\norder = "CEAB"', "it does ['pause', 'data: 0"),
            Wrong("the loop outside", f'{LINES}\norder = "ECBA"', "these lines are not a valid program"),
            Wrong("one event only", f'{LINES}\norder = "CB"', "raises NameError: name 'number' is not defined"),
            Wrong("a letter that is none", f'{LINES}\norder = "CEXA"', "no line has the letter 'X'"),
            Wrong(
                "the return after the loop",
                f'{LINES}\norder = "CEBAD"',
                "5 of 5 lines are used: leave out 1",
            ),
            Right("with blanks and commas", f'{LINES}\norder = "c, e, b, a"'),
        ],
        3: [
            Wrong("a type", 'def news():\n    yield "event: hello\\ndata: hello\\n\\n"', "receives only 'message'"),
            Wrong(
                "print for yield",
                'def news():\n    print("data: hello\\n")',
                "the function returns None. Yield each item",
            ),
            Wrong(
                "a line end in the word",
                'def news():\n    for word in ("hello\\n", "world\\n"):\n        yield f"data: {word}"',
                "An event is dispatched only after a blank line",
            ),
            Wrong(
                "no data",
                'def news():\n    for word in ("hello", "world"):\n        yield f"{word}\\n\\n"',
                "does not begin with the name of a field",
            ),
            Wrong(
                "a backslash too many",
                'def news():\n    for word in ("hello", "world"):\n        yield f"data: {word}\\\\n\\\\n"',
                "no blank line",
            ),
            Wrong(
                "a loop without end",
                'def news():\n    while True:\n        pass\n    yield "data: hello\\n\\n"',
                "no response to GET / within 2.0 s. It is at line ",
            ),
            Wrong(
                "a whole text at once",
                'def news():\n    return "data: hello\\n\\ndata: world\\n\\n"',
                "both events are made before the first has left",
            ),
            Wrong(
                "both in one piece",
                'def news():\n    yield "".join(f"data: {word}\\n\\n" for word in ("hello", "world"))',
                "both events are made before the first has left",
            ),
            Wrong(
                "a list",
                'def news():\n    return [f"data: {word}\\n\\n" for word in ("hello", "world")]',
                "both events are made before the first has left",
            ),
            Wrong(
                "the blank line with the next event",
                'def news():\n    yield "data: hello\\n"\n    yield "\\ndata: world\\n\\n"',
                "both events are made before the first has left",
            ),
            Right(
                "each blank line by itself",
                'def news():\n    for word in ("hello", "world"):\n'
                '        yield f"data:{word}\\n"\n        yield "\\n"',
            ),
            Right("in bytes", 'def news():\n    yield b"data: hello\\r\\n\\r\\n"\n    yield b"data:world\\r\\r"'),
        ],
        4: [
            Wrong(
                "the double line end removed",
                'def entries(texts):\n    for text in texts:\n        yield f"data: {text}\\n\\n".strip("e")',
                "has sent an event of its own",
            ),
            Wrong(
                "line ends swallowed",
                "def entries(texts):\n    for text in texts:\n"
                '        yield f"data: {chr(32).join(text.splitlines())}\\n\\n"',
                "arrives as ['hi  event: admin data: gone'], expected",
            ),
            Wrong(
                "only one kind of line end",
                "def entries(texts):\n    for text in texts:\n"
                '        yield "".join(f"data: {line}\\n" for line in text.split("\\n")) + "\\n"',
                "the text 'older\\rsystem' arrives as ['older']",
            ),
            Wrong(
                "as a Python text",
                'def entries(texts):\n    for text in texts:\n        yield f"data: {text!r}\\n\\n"',
                "the text 'hello' arrives as [\"'hello'\"], expected ['hello']",
            ),
            Wrong(
                "splitlines",
                "def entries(texts):\n    for text in texts:\n"
                '        yield "".join(f"data: {line}\\n" for line in text.splitlines()) + "\\n"',
                "the text '' arrives as []",
            ),
            Wrong(
                "return for yield",
                "def entries(texts):\n    for text in texts:\n        return Event(text).encode()",
                "the events are ['first'], expected ['first', 'second']",
            ),
            Right(
                "split by hand",
                "import re\ndef entries(texts):\n    for text in texts:\n"
                '        yield "".join("data: " + line + "\\n" for line in re.split("\\r\\n|\\r|\\n", text)) + "\\n"',
            ),
        ],
        5: [
            Wrong(
                "a percentage by floating point",
                exercises("sse")[5].solution.replace("100 * step // steps", "int(step / steps * 100)"),
                "Number 29 is '57', expected '58'",
            ),
            Wrong(
                "reported before the step",
                exercises("sse")[5]
                .solution.replace("range(1, steps + 1):\n            time.sleep(0.01)", "range(1, steps + 1):")
                .replace('event="progress").encode()', 'event="progress").encode()\n            time.sleep(0.01)'),
                "before the first step of 10 ms is done",
            ),
            Wrong(
                "a list for a generator",
                JOB.replace("generate(steps),", "list(generate(steps)),"),
                "no event of /job?steps=1000 within 1 s: the first must leave after the first step",
            ),
            Wrong(
                "no content type", JOB.replace('content_type="text/event-stream", ', ""), "Content-Type is text/html"
            ),
            Wrong(
                "one line end",
                JOB.replace("steps}\\n\\n", "steps}\\n"),
                "the events are [], expected ['25', '50', '75', '100']",
            ),
            Wrong(
                "the request in the generator",
                JOB.replace("range(1, steps + 1)", 'range(1, request.args.get("steps", 5, type=int) + 1)'),
                "Working outside of request context",
            ),
            Wrong(
                "no end",
                JOB.replace("event: done", "event: progress"),
                "'100', 'finished'], expected ['25', '50', '75', '100']",
            ),
            Wrong("no work", JOB.replace("time.sleep(0.01)", "pass"), "of 1,000 steps are done within 1 s: each"),
            Wrong("short steps", JOB.replace("0.01", "0.001"), "of 1,000 steps are done within 1 s: each"),
            Wrong(
                "done without data",
                JOB.replace("event: done\\ndata: finished", "event: done"),
                "the last event that is sent is 'progress', expected 'done', with data",
            ),
            Wrong(
                "cached",
                JOB.replace(', headers={"Cache-Control": "no-store"}', ""),
                "the head has no Cache-Control: no-store",
            ),
            Wrong(
                "nothing before the end",
                JOB.replace("generate(steps),", '"".join(generate(steps)),'),
                "the first must leave after the first step, not after the last",
            ),
            Right("by hand", JOB),
            Right(
                "a helper called percent",
                JOB.replace("{100 * step // steps}", "{percent(step, steps)}").replace(
                    '@app.get("/job")',
                    'def percent(step, steps):\n    return step * 100 // steps\n\n\n@app.get("/job")',
                ),
            ),
            Right(
                "the last event above the view",
                JOB.replace('"event: done\\ndata: finished\\n\\n"', "last.encode()").replace(
                    '@app.get("/job")', 'done = last = Event("all done", event="done")\n\n\n@app.get("/job")'
                ),
            ),
        ],
    }
