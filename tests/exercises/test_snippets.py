"""Answers to the exercises of 03_snippets."""

from typing import ClassVar

from exercise_cases import Right, Trials, Wrong

LINES = """
lines = {
    "A": \"\"\"        yield f'<script>show("{minutes}")\\\\n'\"\"\",
    "B": "    for minutes in (3, 2, 1):",
    "C": "        time.sleep(0.02)",
    "D": \"\"\"    yield '<script>show("ding")</script>\\\\n'\"\"\",
    "E": \"\"\"        yield f'<script>show("{minutes}")</script>\\\\n'\"\"\",
    "F": "def timer():",
    "G": "    yield TOP",
}
"""
MESSAGE = """
def message(name, text):
    name, text = json.dumps(name), json.dumps(text)
    return f"<script>say({name}, {text})</script>\\n"
"""
WATCH = """
def watch(job):
    yield TOP
    shown = ""
    while True:
        state = job()
        if state != shown:
            yield f'<script>show("{state}")</script>'
        shown = state
        if state == "done":
            break
        time.sleep(0.01)
"""
COPY = """
copied = []


def copy(name):
    time.sleep(0.01)
    copied.append(name)


app = Flask("copy")


@app.get("/copy")
def copying():
    names = request.args.getlist("file")

    def generate():
        yield f'<progress id="bar" value="0" max="{len(names)}"></progress>'
        yield "<script>const move = to => { document.getElementById('bar').value = to }</script>"
        for done, name in enumerate(names):
            copy(name)
            yield "<li>" + str(escape(name))
            yield f"<script>move({done + 1});</script>"
        yield "<p>done</p>"

    return generate()
"""


class TestSnippets(Trials):
    stem = "snippets"
    trials: ClassVar = {
        1: [
            Wrong("a page runs when it is whole", 'answer = "a"', "runs nothing before the whole page has come"),
            Wrong("the last script is lost, too", 'answer = "b"', "takes its latest script back"),
            Wrong("a script runs line by line", 'answer = "d"', "as far as it has come"),
            Wrong("no choice", 'answer = "baking"', "answer is one of"),
        ],
        2: [
            Wrong("no end tag", f'{LINES}\norder = "FGBACD"', "no whole script"),
            Wrong("the minute first", f'{LINES}\norder = "FGBCED"', "['the top', 'a minute', '3'"),
            Wrong("every line", f'{LINES}\norder = "FGBECDA"', "7 of 7 lines are used: leave out 1"),
            Wrong("no top", f'{LINES}\norder = "FBECD"', "it sends ['3', 'a minute'"),
            Wrong("ding before the minutes", f'{LINES}\norder = "FGDBEC"', "['the top', 'ding', '3'"),
            Wrong(
                "ding within the loop",
                f'{LINES}\norder = "FGBDEC"',
                "these lines are not a valid program",
            ),
            Wrong("no function", f'{LINES}\norder = "GBECD"', "these lines are not a valid program"),
            Right("with blanks and commas", f'{LINES}\norder = "f, g, b, e, c, d"'),
        ],
        3: [
            Wrong("json.dumps alone", MESSAGE, "a browser runs 2 scripts"),
            Wrong("no end tag", MESSAGE.replace("</script>", ""), "0 scripts, expected 1: the script does not end"),
            Wrong(
                "only the end tag in lower case",
                MESSAGE.replace("json.dumps(text)", r'json.dumps(text).replace("</script>", "<\\/script>")'),
                """the script is 'say("Ann", "', expected say(NAME, TEXT)""",
            ),
            Wrong(
                "only what ends a tag",
                MESSAGE.replace("json.dumps(text)", r'json.dumps(text).replace("</", "<\\/")'),
                "the name 'Ann' and the text '<!--<script>', a browser runs 0 scripts",
            ),
            Wrong(
                "the text and not the name",
                MESSAGE.replace("json.dumps(text)", r'json.dumps(text).replace("<", "\\u003c")'),
                "the name '</script><script>alert(1)//' and the text 'hello', a browser runs",
            ),
            Wrong(
                "escaped as in a page",
                MESSAGE.replace("json.dumps(name), json.dumps(text)", "json.dumps(name), json.dumps(escape(text))"),
                "she says &#34;hi&#34;\\n'], expected",
            ),
            Wrong(
                "characters taken out",
                MESSAGE.replace("json.dumps(text)", 'json.dumps(text.replace("<", ""))'),
                "say gets ['Ann', '/script>script>alert(1)//']",
            ),
            Wrong("nothing returned", MESSAGE.replace("return", "page ="), "message returns None"),
            Right(
                "replaced by hand",
                MESSAGE.replace("json.dumps(name), json.dumps(text)", "escaped(name), escaped(text)")
                + "\n\ndef escaped(text):\n"
                '    return json.dumps(text, ensure_ascii=False).replace("<", r"\\u003c")\n',
            ),
            Right(
                "through Jinja",
                "def message(name, text):\n"
                "    template = app.jinja_env.from_string('<script>say({{ n|tojson }}, {{ t|tojson }});</script>')\n"
                "    return template.render(n=name, t=text)\n\n\n"
                'app = Flask("chat")\n',
            ),
        ],
        4: [
            Wrong(
                "it never ends",
                WATCH.replace('        if state == "done":\n            break\n', ""),
                "job() has said 'done', and after 2 s the page still loads: your code is at line",
            ),
            Wrong(
                "it never asks",
                "def watch(job):\n    yield TOP\n    while True:\n        time.sleep(0.01)\n",
                "job() was never asked, and after 2 s the page still loads: your code is at line",
            ),
            Wrong(
                "each answer a script",
                WATCH.replace("        if state != shown:\n    ", ""),
                "expected ['kneading', 'res",
            ),
            Wrong(
                "done is not shown",
                WATCH.replace(
                    "        if state != shown:",
                    '        if state == "done":\n            return\n        if state != shown:',
                ),
                "the page shows ['kneading', 'resting', 'kneading', 'baking'], expected",
            ),
            Wrong(
                "a set of what was shown",
                WATCH.replace('""', "set()")
                .replace("!= shown", "not in shown")
                .replace("shown = state", "shown.add(state)"),
                "the page shows ['kneading', 'resting', 'baking', 'done']",
            ),
            Wrong(
                "a busy loop without end",
                "def watch(job):\n    yield TOP\n    while True:\n        job()\n",
                "after 2 s the page still loads: your code is at line ",
            ),
            Wrong(
                "only the end",
                'def watch(job):\n    yield TOP\n    while job() != "done":\n        pass\n'
                '    yield snippets.script("done")\n',
                "the page shows ['done']",
            ),
            Wrong(
                "all at the end",
                WATCH.replace("    yield TOP\n", '    page = ""\n').replace("yield f'", "page += f'")
                + "    return TOP + page\n",
                "job() is asked again, though the script for 'kneading' has not been sent",
            ),
            Wrong(
                "first the whole job",
                "def watch(job):\n    yield TOP\n    states = [*iter(job, 'done'), 'done']\n"
                "    for state, _ in groupby(states):\n        yield snippets.script(state)\n",
                "job() is asked again, though the script for 'kneading' has not been sent",
            ),
            Wrong(
                "one behind",
                "def watch(job):\n    yield TOP\n    state = job()\n    while state != 'done':\n"
                "        after = job()\n        if after != state:\n            yield snippets.script(state)\n"
                "        state = after\n    yield snippets.script('done')\n",
                "job() is asked again, though the script for 'kneading' has not been sent",
            ),
            Right("by hand", WATCH),
            Right(
                "the top with the first script",
                WATCH.replace("    yield TOP\n", "    top = TOP\n")
                .replace("            yield f'", "            yield top + f'")
                .replace("        shown = state", '        shown, top = state, ""'),
            ),
            Right(
                "with iter and groupby",
                "def watch(job):\n    yield TOP\n    for state, _ in groupby(iter(job, 'done')):\n"
                "        yield snippets.script(state)\n    yield snippets.script('done')\n",
            ),
        ],
        5: [
            Wrong(
                "a list for a generator",
                COPY.replace("return generate()", 'return Response(list(generate()), content_type="text/html")'),
                "<progress> stands in the page after 5 copied files, expected 0",
            ),
            Wrong(
                "said before it is done",
                COPY.replace("            copy(name)\n", "").replace(
                    '</script>"\n        y', '</script>"\n            copy(name)\n        y'
                ),
                "<li> number 1 stands in the page after 0 copied files, expected 1",
            ),
            Wrong("a name as a tag", COPY.replace("escape(name)", "name"), "runs as a script"),
            Wrong(
                "only the end tag of a script taken out",
                COPY.replace("escape(name)", 'name.replace("script", "")'),
                "as text the entries are",
            ),
            Wrong(
                "escaped twice",
                COPY.replace("escape(name)", "escape(str(escape(name)))"),
                "as text the entries are ['a.txt', '&lt;b&gt;.txt'",
            ),
            Wrong("counted from nothing", COPY.replace("done + 1", "done"), "move the bar to [0], expected [1]"),
            Wrong(
                "a function that is not defined",
                COPY.replace("move({done + 1})", "nothing({done + 1})"),
                "'nothing(1);' does not move the bar to 1: no earlier script of the page defines a function nothing",
            ),
            Wrong(
                "a function that does nothing",
                COPY.replace("document.getElementById('bar').value = to", ""),
                "'move(1);' does not move the bar to 1: no earlier script of the page defines a function move",
            ),
            Wrong(
                "a bar without its id",
                COPY.replace('<progress id="bar"', "<progress"),
                'the <progress> has no id="bar"',
            ),
            Wrong(
                "one more each time",
                COPY.replace("move({done + 1});", "bar.value++"),
                "the script 'bar.value++' does not move the bar to 1: it does not contain the number of copied files."
                " Expected a script such as bar.value = 1",
            ),
            Wrong("no length of the bar", COPY.replace(' max="{len(names)}"', ""), 'no <progress ... max="1">'),
            Wrong(
                "plain text",
                COPY.replace("return generate()", 'return generate(), {"Content-Type": "text/plain"}'),
                "Content-Type is text/plain",
            ),
            Wrong(
                "the request in the generator",
                COPY.replace("in enumerate(names)", 'in enumerate(request.args.getlist("file"))'),
                "Working outside of request context",
            ),
            Wrong("one name only", COPY.replace('getlist("file")', 'get("file")'), 'no <progress ... max="1">'),
            Wrong("no done", COPY.replace("<p>done</p>", ""), "stands in the page 0 times"),
            Wrong(
                "done after each",
                COPY.replace('        yield "<p>', '            yield "<p>'),
                "stands in the page 4 times, expected once",
            ),
            Wrong(
                "done at the top",
                COPY.replace('        yield "<p>done</p>"\n', "").replace("</progress>", "</progress><p>done</p>"),
                "stands before the last <li>",
            ),
            Wrong(
                "all the scripts at the end",
                COPY.replace(
                    '            yield f"<script>',
                    '        for done, name in enumerate(names):\n            yield f"<script>',
                ),
                "script number 1 stands in the page after 5 copied files, expected 1",
            ),
            Wrong("no view", 'app = Flask("copy")', "the name copied is not defined"),
            Right("a generator for a view", COPY),
            Right(
                "the whole in a comment",
                COPY.replace("move({done + 1});", "bar.value = {done + 1}; // of {len(names)}"),
            ),
            Right(
                "a function that sets an attribute",
                COPY.replace(".value = to }", ".setAttribute('value', to) }"),
            ),
            Right(
                "a helper with numbers of its own",
                COPY.replace("const move = to => { ", "function move(to) { if (to > 99) return; "),
            ),
        ],
    }
