r"""Script snippets: a page that goes on and runs one script at a time, by itself or in a hidden frame.

>>> script("h 0")
'<script>show("h 0")</script>\n'

A browser runs a script element when its `</script>` has come, long before the page ends. So
data must never hold that end tag: JSON makes a string of the data, and its `<`, `>`, `&` and
`'` go as `\u` escapes, the same characters to JavaScript and no tag to the HTML parser.

>>> script("</script><script>alert(1)//")
'<script>show("\\u003c/script\\u003e\\u003cscript\\u003ealert(1)//")</script>\n'
"""

from collections.abc import Iterable, Iterator, Sequence

from flask import Blueprint, Response, request
from jinja2.utils import htmlsafe_json_dumps

from server.pace import pace, refuse
from server.ticks import Tick, ticks

blueprint = Blueprint("snippets", __name__)

MOST_WORD = 200  # characters

TOP = """\
<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Script snippets</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="static/base.css">
<h1>Script snippets</h1>
<p id="data" role="log">nothing received yet</p>
<script>
  const show = text => { document.getElementById("data").textContent = text }
</script>
"""

# The same stream inside a hidden iframe: its scripts call a function of the page around it.
FRAME = """\
<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Script snippets for the page around</title>
<script>const show = text => parent.show(text)</script>
"""


@blueprint.get("/snippets")
def stream() -> Response:
    """Stream a page, then a script a tick: "hello" letter by letter, or `word` each time.

    With `frame=1` the scripts call `show` of the parent page.
    """
    top = FRAME if request.args.get("frame") == "1" else TOP
    body = page(top, ticks(story_chars(), *pace(count=5, interval=1)))
    headers = {"Cache-Control": "no-store"}
    return Response(body, content_type="text/html; charset=utf-8", headers=headers)


def story_chars() -> Sequence[str]:
    """Return what the ticks show: the letters of "hello", or the query's `word` as one piece."""
    word = request.args.get("word")
    if word is not None and not 1 <= len(word) <= MOST_WORD:
        refuse(f"word is a text of 1 to {MOST_WORD} characters, not of {len(word)}")
    return [word] if word else "hello"


def page(top: str, story: Iterable[Tick]) -> Iterator[str]:
    """Yield the top of a page at once, then one script a tick."""
    yield top
    for tick in story:
        yield script(str(tick))


def script(text: str) -> str:
    """Return a script element that shows a text, whatever the text is."""
    return f"<script>show({htmlsafe_json_dumps(text)})</script>\n"
