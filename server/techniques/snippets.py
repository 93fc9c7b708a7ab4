r"""Script snippets: an endless page that runs one script at a time, by itself or in a hidden frame.

>>> script("h 0")
'<script>show("h 0")</script>\n'

A browser runs a script element as soon as its `</script>` has arrived, long before the page ends. The data must
therefore never contain that end tag. `htmlsafe_json_dumps` makes a JSON string of the data and writes `<`, `>`, `&`
and `'` as `\u` escapes. To JavaScript they are the same characters, and the HTML parser sees no tag.

>>> script("</script><script>alert(1)//")
'<script>show("\\u003c/script\\u003e\\u003cscript\\u003ealert(1)//")</script>\n'
"""

from collections.abc import Iterable, Iterator, Sequence

from flask import Blueprint, Response, request
from jinja2.utils import htmlsafe_json_dumps

from server.disconnect import pause
from server.query import bad_request, read_count, read_interval
from server.ticks import Tick, ticks

blueprint = Blueprint("snippets", __name__)

TICK_END = rb"show\(.*</script>\n"  # the bytes that end a tick, as a regular expression

MAX_WORD = 200  # characters

PADDING = "\n".join(5 * [104 * "."])

# WebKit shows nothing before it has received about 500 bytes. Without a long comment the first letters are late.
BEGIN = f"""\
<!doctype html>
<!-- Padding: WebKit shows nothing before it has received about 500 bytes.
{PADDING}
-->
<html lang="en">
<meta charset="utf-8">
"""

TOP = f"""\
{BEGIN}\
<meta name="viewport" content="width=device-width">
<title>Script snippets</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="static/base.css">
<main class="streamed">
<h1>Script snippets</h1>
<p id="data" role="log">nothing received yet</p>
</main>
<script>
  const show = text => {{ document.getElementById("data").textContent = text }}
</script>
"""

# The same stream for a hidden iframe: its scripts call a function of the parent page.
FRAME = f"""\
{BEGIN}\
<title>Script snippets for the page around</title>
<script>const show = text => parent.show(text)</script>
"""


@blueprint.get("/snippets")
def stream() -> Response:
    """Stream a page, then one script per tick: "hello" letter by letter, or `word` each time.

    With `frame=1` the scripts call `show` of the parent page.
    """
    top = FRAME if request.args.get("frame") == "1" else TOP
    letters = ticks(requested_chars(), count=read_count(5), interval=read_interval(1), pause=pause(request.environ))
    headers = {"Cache-Control": "no-store"}
    return Response(page(top, letters), content_type="text/html; charset=utf-8", headers=headers)


def requested_chars() -> Sequence[str]:
    """Return the texts that the ticks show: the letters of "hello", or the query parameter `word` as one text."""
    word = request.args.get("word")
    if word is not None and not 1 <= len(word) <= MAX_WORD:
        bad_request(f"word must have 1 to {MAX_WORD} characters, not {len(word)}")
    return [word] if word else "hello"


def page(top: str, letters: Iterable[Tick]) -> Iterator[str]:
    """Yield the top of a page at once, then one script per tick."""
    yield top
    for tick in letters:
        yield script(str(tick))


def script(text: str) -> str:
    """Return a script element that shows a text. Every text is safe."""
    return f"<script>show({htmlsafe_json_dumps(text)})</script>\n"
