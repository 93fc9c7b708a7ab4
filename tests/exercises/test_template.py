"""Answers to the exercises of 04_template."""

from typing import ClassVar

from exercise_cases import Right, Trials, Wrong, exercises

LINES = """
lines = {
    "A": '        yield f"<li>{escape(song)}</li>"',
    "B": '    yield "</ol>"',
    "C": "    for song in sorted(songs):",
    "D": '        yield f"<li>{song}</li>"',
    "E": "    for song in songs:",
    "F": '    yield "<ol>"',
    "G": "def page(songs):",
}
"""
SENSOR = """
PAGE = "<ul>{% for reading in readings %}<li>{{ reading }}</li>{% endfor %}</ul>"
app = Flask("weather")
"""
WRAPPED = (
    SENSOR
    + """

def careful():
    given = readings()
    while True:
        try:
            yield next(given)
        except StopIteration:
            return
        except Lost:
            yield "the sensor is lost"
            return


@app.get("/")
def weather():
    return stream_template_string(PAGE, readings=careful())
"""
)
SALES = """
app = Flask("report")
"""
REPORT = (
    SALES
    + '''
TEXT = """
<h1>{{ city }}</h1><table>{% for item, price in rows %}<tr><td>{{ item }}</td>
<td>{{ price }}</td></tr>{% endfor %}</table>
"""


@app.get("/report")
def report():
    rows = sales(int(request.args["count"]))
    stream = app.jinja_env.from_string(TEXT).stream(city=request.args["city"], rows=rows)
    if size := request.args.get("buffering", type=int):
        stream.enable_buffering(size)
    return Response(stream, mimetype="text/html")
'''
)
BY_HAND = (
    SALES
    + '''
TEXT = """
<h1>{{ request.args.city }}</h1><table>{% for item, price in sales(count) %}
  <tr>
    <td>{{ item }}</td> <td>{{ price }}</td>
  </tr>
{%- endfor %}</table>
"""


@app.route("/report")
def report():
    def joined(pieces, size):
        held = []
        for piece in pieces:
            held.append(piece)
            if len(held) == size:
                yield "".join(held)
                held = []
        yield "".join(held)

    pieces = stream_template_string(TEXT, sales=sales, count=request.args.get("count", type=int))
    return joined(pieces, request.args.get("buffering", 1, type=int))
'''
)


def board(template: str) -> str:
    """Return the answer with this template."""
    return f'BOARD = """{template}"""'


class TestTemplate(Trials):
    stem = "template"
    trials: ClassVar = {
        1: [
            Wrong("a generator begins again", 'answer = "a"', "begins again for each who asks"),
            Wrong("the loop is first", 'answer = "c"', "what the loop has made so far"),
            Wrong("a generator has no length", 'answer = "d"', "asked of a generator, which has none"),
            Wrong("no choice", "answer = 'B, I think'", "answer is one of"),
        ],
        2: [
            Wrong(
                "a song as a tag",
                f'{LINES}\norder = "GFEDB"',
                "chunk number 4 is '<li>I <3 you</li>', expected '<li>I &lt;3 you</li>'",
            ),
            Wrong(
                "sorted",
                f'{LINES}\norder = "GFCAB"',
                "chunk number 2 is '<li>Help!</li>', expected '<li>Yesterday</li>'",
            ),
            Wrong(
                "no list around", f'{LINES}\norder = "GEA"', "chunk number 1 is '<li>Yesterday</li>', expected '<ol>'"
            ),
            Wrong(
                "the list ends first",
                f'{LINES}\norder = "GFBEA"',
                "chunk number 2 is '</ol>', expected '<li>Yesterday</li>'",
            ),
            Wrong("a row twice", f'{LINES}\norder = "GFEADB"', "6 of 7 lines are used: leave out 2"),
            Wrong("every line", f'{LINES}\norder = "GFEABCD"', "7 of 7 lines are used: leave out 2"),
            Wrong("the name is missing", f'{LINES}\norder = "FEAB"', "these lines are not a valid program"),
            Right("with blanks and commas", f'{LINES}\norder = "G, F, E, A, B"'),
        ],
        3: [
            Right(
                "with a class", exercises("template")[3].solution.replace("<li>{{ train", '<li class="t">{{ train')
            ),
            Wrong(
                "a list further on",
                board(
                    "{% for train in trains|list %}<li>{{ train }}</li>{% else %}<li>no trains today</li>{% endfor %}"
                ),
                "Oslo was sent when 3 trains were announced, expected 1",
            ),
            Wrong(
                "a generator as a condition",
                board(
                    "{% if trains %}{% for train in trains %}<li>{{ train }}</li>{% endfor %}"
                    "{% else %}<li>no trains today</li>{% endif %}"
                ),
                "without a train the rows are []",
            ),
            Wrong(
                "the length of a generator",
                board(
                    "{% if trains|length %}{% for train in trains %}<li>{{ train }}</li>{% endfor %}"
                    "{% else %}<li>no trains today</li>{% endif %}"
                ),
                "the template raises TypeError",
            ),
            Wrong(
                "a list and then the generator",
                board(
                    "{% if trains|list %}{% for train in trains %}<li>{{ train }}</li>{% endfor %}"
                    "{% else %}<li>no trains today</li>{% endif %}"
                ),
                "the rows are [], expected ['Oslo'",
            ),
            Wrong(
                "a look at the next",
                board(
                    "{% for train in trains %}<li>{% if loop.last %}{% endif %}{{ train }}</li>"
                    "{% else %}<li>no trains today</li>{% endfor %}"
                ),
                "Oslo was sent when 2 trains were announced",
            ),
            Wrong(
                "no loop at its end",
                board("{% for train in trains %}<li>{{ train }}</li>{% else %}<li>no trains today</li>"),
                "the template raises jinja2.exceptions.TemplateSyntaxError",
            ),
            Wrong(
                "said on each day",
                board("{% for train in trains %}<li>{{ train }}</li>{% endfor %}<li>no trains today</li>"),
                "'Wien', 'no trains today'], expected",
            ),
            Wrong(
                "not escaped",
                board(
                    "{% for train in trains %}<li>{{ train|safe }}</li>{% else %}<li>no trains today</li>{% endfor %}"
                ),
                "'Bern & Thun', 'Wien'], expected",
            ),
            Right(
                "with a namespace",
                board(
                    "{% set day = namespace(trains=0) %}<ul>\n{% for train in trains %}\n"
                    "  <li>\n{{ train }}</li>{% set day.trains = loop.index %}\n{% endfor %}\n"
                    "{% if day.trains == 0 %}<li>no trains today</li>{% endif %}</ul>"
                ),
            ),
        ],
        4: [
            Wrong(
                "readings that are written down",
                exercises("template")[4].solution.replace(
                    "yield from readings()", "yield from (12.1, 12.4, 11.9)\n        raise Lost"
                ),
                "call readings() for each request",
            ),
            Wrong(
                "readings of its own",
                "def readings():\n    yield from (12.1, 12.4, 11.9)\n    raise Lost\n\n\n" + WRAPPED,
                "`readings` is not what the cell above the task defines",
            ),
            Wrong(
                "readings of its own with a sensor that is not used",
                "def readings():\n    yield from (12.1, 12.4, 11.9)\n    raise Lost\n\n\nreadings.sensor = list\n"
                + WRAPPED,
                "the page is made from the readings []",
            ),
            Wrong(
                "a handler of errors",
                SENSOR + '\n@app.errorhandler(Lost)\ndef lost(error):\n    return "<li>the sensor is lost</li>"\n\n\n'
                '@app.get("/")\ndef weather():\n    return stream_template_string(PAGE, readings=readings())\n',
                "the page is interrupted, expected complete. Your code raises Lost",
            ),
            Wrong(
                "rendered whole within the try",
                SENSOR + '\n@app.get("/")\ndef weather():\n    try:\n'
                '        return "".join(stream_template_string(PAGE, readings=readings()))\n'
                '    except Lost:\n        return "<ul><li>the sensor is lost</li></ul>"\n',
                "the rows are ['the sensor is lost'], expected ['12.1'",
            ),
            Wrong(
                "the loss is not said",
                WRAPPED.replace('            yield "the sensor is lost"\n', ""),
                "the rows are ['12.1', '12.4', '11.9'], expected",
            ),
            Wrong(
                "another error",
                WRAPPED.replace("except Lost", "except TimeoutError"),
                "the page is interrupted, expected complete. Your code raises Lost, at line",
            ),
            Wrong(
                "a list of all", WRAPPED.replace("=careful()", "=list(careful())"), "when 3 readings were asked for"
            ),
            Wrong(
                "no more readings after the loss",
                WRAPPED.replace("            yield next(given)", "            yield from list(readings())"),
                "the rows are ['the sensor is lost']",
            ),
            Wrong(
                "asked for ever",
                WRAPPED.replace("            return\n", "            pass\n"),
                "the page is open, expected complete",
            ),
            Wrong(
                "a view that is a generator",
                SENSOR + '\n@app.get("/")\ndef weather():\n    try:\n'
                "        yield from stream_template_string(PAGE, readings=readings())\n"
                '    except Lost:\n        yield "<ul><li>the sensor is lost</li></ul>"\n',
                "Your code raises RuntimeError: Working outside of",
            ),
            Right("asked one by one", WRAPPED),
            Right(
                "around the stream",
                SENSOR + "\ndef whole(pieces):\n    try:\n        yield from pieces\n    except Lost:\n"
                '        yield "<li>the sensor is lost</li></ul>"\n\n\n'
                '@app.get("/")\ndef weather():\n    pieces = stream_template_string(PAGE, readings=readings())\n'
                "    return whole(pieces)\n",
            ),
        ],
        5: [
            Wrong(
                "not escaped",
                REPORT.replace("app.jinja_env.from_string(TEXT)", "__import__('jinja2').Template(TEXT)"),
                "the <i> of an item stands in the page as a tag",
            ),
            Wrong(
                "a city as a tag",
                REPORT.replace("{{ city }}", "{{ city|safe }}"),
                "the <b> of a city stands in the page as a tag",
            ),
            Wrong(
                "the request in the stream",
                REPORT.replace("{{ city }}", "{{ request.args.city }}"),
                "the request has ended when the generator runs: read it in the view), at line 2 of your template",
            ),
            Wrong("a list", REPORT.replace("rows=rows", "rows=list(rows)"), "when 20 rows were read, expected 1"),
            Wrong(
                "rendered whole",
                REPORT.replace(").stream(", ").render(")
                .replace("    if size :=", "    if 0 and")
                .replace("        stream.enable", "        print")
                .replace("print_buffering(size)", "pass"),
                "without buffering, chunks sent: 1, expected one for each piece",
            ),
            Wrong(
                "always buffered",
                REPORT.replace('.get("buffering", type=int)', '.get("buffering", 30, type=int)'),
                "without buffering, chunks sent: 1, expected one for each piece",
            ),
            Wrong(
                "never buffered",
                REPORT.replace("enable_buffering(size)", "disable_buffering()"),
                "with buffering=1000, chunks sent: ",
            ),
            Wrong(
                "another number of pieces",
                REPORT.replace("enable_buffering(size)", "enable_buffering(7 if size < 50 else 1000)"),
                "with buffering=5, of 24 pieces, chunks sent: 4, expected 5",
            ),
            Wrong("plain text", REPORT.replace("text/html", "text/plain"), "Content-Type is text/plain"),
            Wrong(
                "a sorted report",
                REPORT.replace("in rows", "in rows|sort(reverse=true)"),
                "the rows are [('<i>box</i> 4'",
            ),
            Wrong(
                "the number as a text",
                REPORT.replace('int(request.args["count"])', 'request.args["count"]'),
                "your code raises TypeError: can only concatenate str",
            ),
            Wrong(
                "sales of its own",
                "def sales(count):\n    for n in range(1, count + 1):\n        yield f'<i>box</i> {n}', n / 4\n"
                + REPORT,
                "`sales` is not what the cell above the task defines",
            ),
            Wrong(
                "sales of its own with a shop that is not used",
                "def sales(count):\n    for n in range(1, count + 1):\n        yield f'<i>box</i> {n}', n / 4\n\n\n"
                "sales.shop = list\n" + REPORT,
                "the first row was sent when 0 rows were read",
            ),
            Wrong("no view", SALES, "no view answers GET /report yet"),
            Right("one view", REPORT),
            Right("joined by hand", BY_HAND),
        ],
    }
