"""Answers to the exercises of 07_ndjson."""

from typing import ClassVar

from exercise_cases import Right, Trials, Wrong

LINES = """
lines = {
    "A": '    rest = ""',
    "B": "        for line in lines:",
    "C": "        *lines, rest = (rest + piece).splitlines()",
    "D": "def documents(pieces):",
    "E": "            yield json.loads(line)",
    "F": "    yield json.loads(rest)",
    "G": '        *lines, rest = (rest + piece).split("\\\\n")',
    "H": "    for piece in pieces:",
}
"""
ENTRIES = """
def entries(book):
    for entry in book:
        yield %s
"""
EXPORT = """
def export(rows):
    count = 0
    for row in rows:
        count += 1
        yield json.dumps(row) + "\\n"
    yield json.dumps({"done": True, "rows": count}) + "\\n"
"""
PARROT = """
app = Flask("parrot")


@app.post("/generate")
@app.post("/chat")
def both():
    try:
        prompt = json.loads(request.data)["prompt"]
        words = parrot(prompt + "")
    except (ValueError, KeyError, TypeError):
        return "no prompt", 400
    if request.path == "/generate":
        return Response(document(words), mimetype="application/x-ndjson")
    return Response(data(words), mimetype="text/event-stream")


def document(words):
    for token in words:
        yield json.dumps({"token": token, "done": False})
        yield "\\n"
    yield '{"token": "", "done": true}\\n'


def data(words):
    for token in words:
        yield f"data: {json.dumps({'token': token})}\\n\\n"
    yield "data: [DONE]\\n\\n"
"""


class TestNdjson(Trials):
    stem = "ndjson"
    trials: ClassVar = {
        1: [
            Wrong("a number is no document", 'answer = "a"', "Any JSON value is a document"),
            Wrong("the last line counts", 'answer = "c"', "It has not ended"),
            Wrong("a blank line is a document", 'answer = "d"', "A blank one holds no document"),
            Wrong("no choice", "answer = 3", "answer is one of"),
        ],
        2: [
            Wrong(
                "splitlines",
                f'{LINES}\norder = "DAHCBE"',
                "{'n': 1, 'text': 'first\\nsecond'}], expected [{'n': 0",
            ),
            Wrong(
                "half a line at the end",
                f'{LINES}\norder = "DAHGBEF"',
                "these lines make [{'n': 0}, 1234], expected [{'n': 0}]",
            ),
            Wrong("cut twice", f'{LINES}\norder = "DAHGBEC"', "these lines raise JSONDecodeError("),
            Wrong("only a text", f'{LINES}\norder = "D"', "these lines are not a valid program"),
            Wrong(
                "lines of its own", 'lines = {"A": "rest = 0"}\norder = "A"', "these lines are not a valid program"
            ),
            Wrong("no rest", f'{LINES}\norder = "DHGBE"', "these lines raise UnboundLocalError"),
            Wrong(
                "the cut before the loop",
                f'{LINES}\norder = "DAGHBE"',
                "these lines are not a valid program",
            ),
            Wrong("no function", f'{LINES}\norder = "F"', "these lines are not a valid program"),
            Right("with arrows", f'{LINES}\norder = "d > a > h > g > b > e"'),
        ],
        3: [
            Wrong(
                "the quotation marks replaced",
                ENTRIES % """str(entry).replace("'", '"') + "\\n\"""",
                "line 1 is not JSON (Expecting value",
            ),
            Wrong(
                "the names replaced, too",
                ENTRIES % 'str(entry).replace("True", "true").replace("None", "null").replace("\'", \'"\') + "\\n"',
                "line 1 is not JSON (Expecting ',' delimiter at character 19)",
            ),
            Wrong(
                "a document on several lines",
                ENTRIES % 'json.dumps(entry, indent=2) + "\\n"',
                "line 1 is not JSON (Expecting property name enclosed in double quotes at character 2): b'{'",
            ),
            Wrong("no line end", ENTRIES % "json.dumps(entry)", "line 1 has no line end"),
            Wrong(
                "the separators of an event",
                ENTRIES % 'f"data: {json.dumps(entry)}\\n\\n"',
                "line 1 is not JSON (Expecting value at character 1): b'data: ",
            ),
            Wrong(
                "one document for all",
                'def entries(book):\n    yield json.dumps(book) + "\\n"',
                "the documents are [[{",
            ),
            Wrong("the dictionary itself", ENTRIES % "entry", "is yielded, but each item must be text or bytes"),
            Right(
                "in one text",
                "import io\ndef entries(book):\n    file = io.StringIO()\n    for entry in book:\n"
                '        json.dump(entry, file, ensure_ascii=False)\n        print(file=file, end="\\r\\n")\n'
                "    return [file.getvalue().encode()]",
            ),
        ],
        4: [
            Wrong(
                "a list first",
                EXPORT.replace("    count = 0", "    rows = list(rows)\n    count = 0"),
                "of 4,000 rows, 4000 are made and not",
            ),
            Wrong(
                "each row kept",
                EXPORT.replace("count = 0", "kept = []")
                .replace("count += 1", "kept.append(row)")
                .replace("count}", "len(kept)}"),
                "it keeps what it has handed over",
            ),
            Wrong(
                "each line kept",
                EXPORT.replace("count = 0", "kept = []")
                .replace("count += 1", 'kept.append(json.dumps(row) + "\\n")')
                .replace('yield json.dumps(row) + "\\n"', "yield kept[-1]")
                .replace("count}", "len(kept)}"),
                "it keeps what it has handed over",
            ),
            Wrong(
                "a list for a generator",
                "def export(rows):\n    lines = [ndjson.encode(row) for row in rows]\n"
                '    return [*lines, ndjson.encode({"done": True, "rows": len(lines)})]',
                "of 4,000 rows, 4000 are made and not",
            ),
            Wrong(
                "no end",
                "def export(rows):\n    for row in rows:\n        yield ndjson.encode(row)",
                "expected [{'sale': 0}, {'sale': 1}, {'sale': 2}, {'done': True, 'rows': 3}]",
            ),
            Wrong(
                "counted first",
                EXPORT.replace("count = 0", "count = sum(1 for _ in rows)").replace("        count += 1\n", ""),
                "the documents are [{'done': True, 'rows': 3}]",
            ),
            Wrong(
                "the last number for the count",
                EXPORT.replace("count = 0", "")
                .replace("for row", "for count, row")
                .replace("in rows", "in enumerate(rows)")
                .replace("        count += 1\n", ""),
                "{'done': True, 'rows': 2}], expected",
            ),
            Wrong(
                "no rows, no count",
                EXPORT.replace("count = 0", "")
                .replace("for row", "for count, row")
                .replace("in rows", "in enumerate(rows, 1)")
                .replace("        count += 1\n", ""),
                "with no rows your code raises UnboundLocalError",
            ),
            Wrong(
                "a Python text",
                EXPORT.replace('json.dumps({"done": True, "rows": count})', "str({'done': True})"),
                "line 4 is not JSON (Expecting property name enclosed in double quotes at character 2)",
            ),
            Right(
                "in batches",
                "def export(rows):\n    count = 0\n    while batch := list(itertools.islice(rows, 100)):\n"
                "        count += len(batch)\n"
                '        yield "".join(json.dumps(row) + "\\n" for row in batch)\n'
                '    yield json.dumps({"rows": count, "done": True}) + "\\n"',
            ),
            Right("as text", EXPORT),
        ],
        5: [
            Wrong(
                "a parrot of its own",
                'def parrot(prompt):\n    return [f"{word} " for word in prompt.split()]\n\n\n'
                + PARROT.replace("document(words),", "list(document(words)),"),
                "POST /generate takes 0 tokens from parrot(prompt), expected 4",
            ),
            Wrong("a GET", PARROT.replace("app.post", "app.get"), "the status of POST /generate is 405"),
            Wrong("one path only", PARROT.replace('@app.post("/chat")\n', ""), "the status of POST /chat is 404"),
            Wrong(
                "a list for a generator",
                PARROT.replace("document(words),", "list(document(words)),"),
                "POST /generate holds tokens back",
            ),
            Wrong(
                "events in one text",
                PARROT.replace("data(words),", '"".join(data(words)),'),
                "POST /chat holds tokens back",
            ),
            Wrong(
                "no end",
                PARROT.replace("""    yield '{"token": "", "done": true}\\n'\n""", ""),
                "{'token': 'nöt ', 'done': False}], expected",
            ),
            Wrong(
                "a Python text",
                PARROT.replace("json.dumps({'token': token})", "{'token': token}"),
                "the data \"{'token': token}\" is no JSON",
            ),
            Wrong(
                "[DONE] as JSON",
                PARROT.replace('"data: [DONE]\\n\\n"', "'data: \"[DONE]\"\\n\\n'"),
                "the data of the last is not [DONE]",
            ),
            Wrong(
                "one line end", PARROT.replace("})}\\n\\n", "})}\\n"), "[DONE]']: the data of the last is not [DONE]"
            ),
            Wrong(
                "an empty text is none",
                PARROT.replace('["prompt"]\n', '["prompt"] or None\n'),
                '400, expected 200 for {"prompt": ""}: an empty text is a text',
            ),
            Wrong(
                "tokens without their blank",
                PARROT.replace("{'token': token}", "{'token': token.strip()}"),
                "expected the tokens ['to ', 'be, '",
            ),
            Wrong(
                "another type",
                PARROT.replace("text/event-stream", "txt/event-stream"),
                "Content-Type of POST /chat is txt/event-stream, expected text/event-stream",
            ),
            Wrong(
                "no blank line after the last",
                PARROT.replace("[DONE]\\n\\n", "[DONE]\\n"),
                "the event with [DONE] never ended: its blank line is missing",
            ),
            Wrong("events as text", PARROT.replace("text/event-stream", "text/plain"), "/chat is text/plain"),
            Wrong("another name", PARROT.replace("{'token'", "{'text'"), "the tokens ['to ', 'be, '"),
            Wrong(
                "the request in the generator",
                PARROT.replace("for token in words:", 'for token in parrot(request.json["prompt"]):'),
                "Working outside of request context",
            ),
            Wrong(
                "a body as it should be",
                PARROT.replace("except (ValueError, KeyError, TypeError)", "except ZeroDivisionError"),
                "the status is 500, expected 400",
            ),
            Wrong(
                "any prompt", PARROT.replace('prompt + ""', "str(prompt)"), """'{"prompt": 7}': the status is 200"""
            ),
            Wrong(
                "an end without end",
                PARROT.replace("""    yield '{""", """    while True:\n        yield '{"""),
                " in all], expected",
            ),
            Wrong(
                "a loop that never looks again",
                PARROT.replace("    yield '{", "    done = False\n    while not done:\n        pass\n    yield '{"),
                "of your cell: ",
            ),
            Right("both in one view", PARROT),
        ],
    }
