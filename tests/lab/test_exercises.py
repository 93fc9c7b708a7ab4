"""What the exercises share: bounded, whatever a learner's code does; it leaves no thread, and its words fit."""

from __future__ import annotations

import contextlib
import functools
import itertools
import linecache
import re
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any

import pytest
from flask import Flask, Response, redirect, render_template_string, request
from flask_sock import Sock
from raw_client import wait_for

from server.lab import background
from server.lab.background import LAYERS, BackgroundServer, quietly
from server.lab.exercises import (
    NotYet,
    Seen,
    Steps,
    Watcher,
    WebSockets,
    arranged,
    ask,
    check,
    ending,
    expect_documents,
    expect_events,
    expect_parts,
    fail,
    hints,
    predict,
    raised,
    scripts,
    serving,
    streamed,
    throwing,
    within,
)
from server.wire import http
from server.wire.multipart import Part
from server.wire.sse import Event
from server.wire.websocket import CLOSE, CONTINUATION, PING, PONG, TEXT, Frame, close_payload

NUMBERS = itertools.count()
BOUND = 5  # seconds, for what is over after one or two
SLEEP = time.sleep
ENDLESS = {  # what a function of the learner's does
    "in view": "while True: pass",
    "asleep": "time.sleep(600)",
    "asleep in a loop": """
    while True:
        time.sleep(0.01)""",
    "waits for an event": "threading.Event().wait()",
    "waits for a queue": "queue.Queue().get()",
    "a bare except": """
    while True:
        try:
            time.sleep(0.01)
        except:
            pass""",
    "a bare except that counts": """
    while True:
        try:
            sum(range(10))
        except:
            pass""",
    "a bare except in another": """
    while True:
        try:
            try:
                time.sleep(0.01)
            except:
                time.sleep(0.01)
        except:
            pass""",
    "a loop in a bare except": """
    while True:
        try:
            while True:
                time.sleep(0.01)
        except:
            continue""",
}


def cell(code: str, **given: Any) -> dict[str, Any]:
    """Run code as a notebook's cell is run, so that its lines are known and stand in no file."""
    name, code = f"<a cell {next(NUMBERS)}>", f"import queue, threading, time\n{code}"
    linecache.cache[name] = (len(code), None, code.splitlines(keepends=True), name)
    names: dict[str, Any] = {**given}
    exec(compile(code, name, "exec"), names)
    return names


def endless(body: str) -> Callable[[], Any]:
    made: Callable[[], Any] = cell(f"\ndef stuck():\n    {body}\n")["stuck"]
    return made


def wsgi(head: list[tuple[str, str]], *body: bytes) -> Callable[..., Iterable[bytes]]:
    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        start_response("200 OK", head)
        return iter(body)

    return app


@pytest.fixture(autouse=True)
def nothing_left() -> Iterator[None]:
    """After each test: no thread more than before, and time.sleep is Python's own."""
    before = set(threading.enumerate())
    yield
    assert time.sleep is SLEEP
    wait_for(lambda: set(threading.enumerate()) <= before, f"no thread left: {threading.enumerate()}")


@pytest.fixture
def clock() -> Iterator[None]:
    """The test is over within a bound."""
    began = time.monotonic()
    yield
    assert time.monotonic() - began < BOUND


# NotYet, hints, predictions


def test_a_notebook_shows_the_text_and_no_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(NotYet) as failure:
        fail("the status is 404")
    assert failure.value._render_traceback_() == ["Not yet: the status is 404"]
    assert isinstance(failure.value, AssertionError)


def test_a_kernel_shows_the_text_and_no_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    from IPython.core import history, interactiveshell

    manager: Any = history.HistoryManager
    manager.enabled = False  # it would begin a thread
    shell: Any = interactiveshell.InteractiveShell
    shell().run_cell('from server.lab.exercises import check\ncheck(False, "two\\nlines")')
    out, err = capsys.readouterr()
    assert out.strip() == "Not yet: two\nlines"
    assert err == ""


@pytest.mark.parametrize("number", [0, 3, -1, "1", None, 1.5, []])
def test_a_hint_that_is_none_names_those_there_are(number: Any, capsys: pytest.CaptureFixture[str]) -> None:
    hints("2.1", "one", "two")(number)
    assert capsys.readouterr().out == f"Exercise 2.1 has the hints 1 to 2, no hint {number!r}.\n"


def test_hints_come_one_by_one(capsys: pytest.CaptureFixture[str]) -> None:
    hint = hints("2.1", "one", "two")
    hint()
    hint(2)
    assert capsys.readouterr().out == "Exercise 2.1, hint 1 of 2: one\nExercise 2.1, hint 2 of 2: two\n"


OPTIONS = {"a": (1, "Because."), "b": (2, "That counts lines.")}


@pytest.mark.parametrize("answer", ["a", "A", " a\n"])
def test_a_right_prediction_is_told_why(answer: str, capsys: pytest.CaptureFixture[str]) -> None:
    predict(answer, OPTIONS, 1)
    assert capsys.readouterr().out == "Yes: 1. Because.\n"


def test_a_wrong_prediction_hears_its_reason_and_not_the_right_answer() -> None:
    with pytest.raises(NotYet, match=r"you predict 2\. That counts lines\.") as failure:
        predict("b", OPTIONS, 1)
    assert "1" not in str(failure.value)


@pytest.mark.parametrize("answer", ["c", "", None, 1, ["a"], {}, "ab"])
def test_a_letter_that_is_none_is_told_the_letters(answer: Any) -> None:
    with pytest.raises(NotYet, match="answer is one of 'a', 'b', not "):
        predict(answer, OPTIONS, 1)


def test_an_outcome_that_no_option_has_is_the_exercise_s_own_fault() -> None:
    with pytest.raises(ValueError, match="no option predicts 3"):
        predict("a", OPTIONS, 3)


# Lines in order

LINES = {"A": "def two():", "B": "    return 1 + one", "C": "while True:\n    pass", "D": "    return 3 +"}


def test_lines_in_order_are_a_program() -> None:
    assert arranged(LINES, "a, b", one=1)["two"]() == 2


@pytest.mark.parametrize(
    ("order", "says"),
    [
        ("", "order is a text of letters"),
        (None, "order is a text of letters"),
        ("AX", "no line has the letter 'X'"),
        ("BA", "IndentationError"),
        ("AD", "SyntaxError"),
        (7, "no line has the letter '7'"),
        ("C", r"your code is not done after 2.0 s: it is at line \d of your lines: "),
    ],
)
def test_an_order_that_is_no_program_is_told_why(order: Any, says: str) -> None:
    with pytest.raises(NotYet, match=says):
        arranged(LINES, order)


def test_of_lines_some_must_stay_out() -> None:
    assert arranged(LINES, "AB", out=2, one=1)["two"]() == 2
    with pytest.raises(NotYet, match=r"^these are 3 of 4 lines, and 2 must stay out\.$"):
        arranged(LINES, "ABC", out=2)


# Calls that are bounded


@pytest.mark.usefixtures("clock")
@pytest.mark.parametrize("body", ENDLESS.values(), ids=ENDLESS)
def test_a_call_without_end_is_ended_and_named_with_its_line(body: str) -> None:
    with pytest.raises(NotYet, match=r"^stuck is not done after 0.2 s: it is at line \d+ of your cell: "):
        within(0.2, endless(body))


def test_a_thread_ends_quietly_however_often_it_is_told_to(capfd: pytest.CaptureFixture[str]) -> None:
    thread = threading.Thread(target=quietly, args=(endless("while True: pass"),))
    thread.start()
    last = list[str]()
    throwing._throw(thread, LAYERS, functools.partial(last.append, "reached"))
    thread.join(BOUND)
    assert not thread.is_alive()
    assert last == ["reached"]
    assert capfd.readouterr().err == ""


def test_no_more_is_thrown_into_a_thread_than_has_reached_it(monkeypatch: pytest.MonkeyPatch) -> None:
    throw, thrown = throwing.throw, list[int]()

    def counted(thread: threading.Thread, caught: int, reached: Callable[[], None]) -> None:
        thrown.append(caught)
        throw(thread, caught, reached)

    monkeypatch.setattr(ending, "throw", counted)
    asleep = cell("\ndef asleep(sleep):\n    sleep(0.25)  # Python's own: nothing ends it\n")["asleep"]
    thread = threading.Thread(target=quietly, args=(lambda: asleep(SLEEP),))
    thread.start()
    ending._end([thread])
    thread.join(BOUND)
    assert thrown == [0]


def test_threads_that_wait_at_one_place_end_and_raise_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    errors = list[BaseException | None]()
    monkeypatch.setattr(threading, "excepthook", lambda hook: errors.append(hook.exc_value))
    for _ in range(10):
        wait = cell("\nqueue = queue.Queue()\ndef wait():\n    queue.get()\n")["wait"]
        threads = [threading.Thread(target=quietly, args=(wait,), daemon=True) for _ in range(3)]
        for thread in threads:
            thread.start()
        ending._end(threads)
        for thread in threads:
            thread.join(BOUND)
        assert [thread for thread in threads if thread.is_alive()] == []
    assert errors == []


def test_a_call_returns_what_the_function_returns() -> None:
    assert within(1, int, "12", base=8) == 10


@pytest.mark.parametrize("error", ["ValueError('no')", "SystemExit(3)", "KeyboardInterrupt()"])
def test_what_a_function_raises_is_told_with_its_line(error: str) -> None:
    function = cell(f"\ndef broken():\n    raise {error}\n")["broken"]
    with pytest.raises(NotYet, match=rf"^broken raises {error.partition('(')[0]}.*, at line 4 of your cell: raise "):
        within(1, function)
    assert raised(function).startswith(error.partition("(")[0])


def test_a_function_of_the_check_is_not_named() -> None:
    def helper() -> None:
        yours()

    yours = cell("\ndef yours():\n    int('x')\n")["yours"]
    with pytest.raises(NotYet, match=r"^your code raises ValueError: .*, at line 4 of your cell: int\('x'\)$"):
        within(1, helper)
    with pytest.raises(NotYet, match=r"^yours raises ValueError: "):
        within(1, yours)


def test_what_a_check_says_within_a_call_is_said_as_it_is() -> None:
    with pytest.raises(NotYet, match=r"^as it is$"):
        within(1, fail, "as it is")
    with pytest.raises(NotYet, match=r"^as it is$"):
        raised(fail, "as it is")


def test_what_raises_nothing_raises_nothing() -> None:
    assert raised(int, "1") == ""


@pytest.mark.parametrize(("seconds", "error"), [(-1, "ValueError"), (None, "TypeError"), ("1", "TypeError")])
def test_a_sleep_refuses_what_python_s_own_refuses(seconds: Any, error: str) -> None:
    assert raised(lambda: time.sleep(seconds)).startswith(error)


# One answer


def test_an_answer_is_seen_whole_with_its_chunks_and_times() -> None:
    seen = ask(streamed(lambda: iter(["one", "two"])))
    assert (seen.status, seen.type, seen.end, seen.text) == (200, "text/plain", "whole", "onetwo")
    assert seen.chunks == [b"one", b"two"]
    assert seen.times == sorted(seen.times)
    assert (seen.error, seen.stuck) == ("", "")
    assert "GET / HTTP/1.1" in str(seen)


def test_method_headers_body_and_path_arrive() -> None:
    app = Flask("exercise")

    @app.post("/echo")
    def echo() -> str:
        return f"{request.args['q']} {request.headers['X-Word']} {request.get_data(as_text=True)}"

    seen = ask(app, "/echo?q=1", method="POST", headers={"X-Word": "two"}, body=b"three")
    assert seen.text == "1 two three"
    assert seen.field("X-None") == ""


def test_it_asks_a_server_that_runs() -> None:
    with BackgroundServer(streamed(lambda: iter(["here"]))) as server:
        assert ask(server.url).text == "here"


def test_an_answer_to_head_has_no_body_and_is_whole() -> None:
    seen = ask(wsgi([("Content-Length", "5")], b"hello"), method="HEAD")
    assert (seen.status, seen.end, seen.body) == (200, "whole", b"")


def test_a_redirect_is_seen_and_not_followed() -> None:
    app = Flask("exercise")
    app.add_url_rule("/", "away", lambda: redirect("/elsewhere"))
    seen = ask(app)
    assert (seen.status, seen.field("Location"), seen.end) == (302, "/elsewhere", "whole")


def test_an_answer_that_the_close_ends_is_whole() -> None:
    with BackgroundServer(wsgi([("Content-Type", "text/plain")], b"old"), protocol="HTTP/1.0") as server:
        seen = ask(server.url)
    assert (seen.end, seen.body) == ("whole", b"old")


def test_a_body_that_is_cut_is_cut() -> None:
    seen = ask(wsgi([("Content-Length", "10")], b"half"))
    assert (seen.end, seen.body) == ("cut", b"half")


@pytest.mark.usefixtures("clock")
def test_of_a_big_body_it_reads_the_beginning() -> None:
    seen = ask(streamed(lambda: iter([bytes(5 << 20)])))
    assert seen.end == "open"
    assert 0 < len(seen.body) <= 1 << 20


@pytest.mark.usefixtures("clock")
def test_however_many_pieces_come_each_byte_is_parsed_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    """Once as it comes, and once for what was seen: reading slows no stream down."""
    feed, parsed = http.Parser.feed, list[int]()

    def counted(parser: http.Parser, data: bytes) -> Any:
        if parser.role == "response":
            parsed.append(len(data))
        return feed(parser, data)

    def pieces() -> Iterator[str]:
        for _ in range(100):
            time.sleep(0.001)
            yield "piece\n"

    monkeypatch.setattr(http.Parser, "feed", counted)
    seen = ask(streamed(pieces))
    assert seen.end == "whole"
    assert sum(parsed) == 2 * len(seen.recording.bytes("<-"))


@pytest.mark.usefixtures("clock")
def test_it_reads_until_a_condition_holds() -> None:
    seen = ask(streamed(lambda: iter(lambda: "tick\n", "")), until=lambda seen: len(seen.chunks) >= 3)
    assert len(seen.chunks) >= 3
    assert seen.end == "open"


@pytest.mark.usefixtures("clock")
@pytest.mark.parametrize("body", ENDLESS.values(), ids=ENDLESS)
def test_a_view_without_end_is_ended_and_named_with_its_line(body: str) -> None:
    app = Flask("exercise")
    app.add_url_rule("/", "stuck", endless(body))
    with pytest.raises(NotYet, match=r"^no answer to GET / within 0.2 s: it is at line \d+ of your cell: "):
        ask(app, seconds=0.2)


@pytest.mark.usefixtures("clock")
@pytest.mark.parametrize("body", ENDLESS.values(), ids=ENDLESS)
def test_a_generator_without_end_is_ended_and_named_with_its_line(body: str) -> None:
    stuck = endless(body)

    def generate() -> Iterator[str]:
        yield "first"
        stuck()

    seen = ask(streamed(generate), seconds=0.2)
    assert (seen.text, seen.end) == ("first", "open")
    assert "of your cell: " in seen.stuck
    assert f"The server goes on{seen.stuck}" in str(seen)


def test_what_a_view_raises_as_it_is_ended_is_no_error_of_its_own() -> None:
    stuck = endless("""
    try:
        yield "first"
        time.sleep(5)
    finally:
        1 // 0""")
    seen = ask(streamed(stuck), until=lambda seen: seen.text)
    assert (seen.text, seen.error) == ("first", "")
    assert ": time.sleep(5)" in seen.stuck


def test_what_a_view_raises_is_told() -> None:
    app = Flask("exercise")
    app.add_url_rule("/", "broken", lambda: dict[str, str]()["key"])
    with pytest.raises(NotYet, match=r"^your code raises KeyError: 'key'\n\nOn the wire:\n"):
        ask(app)
    assert ask(app, may_fail=True).status == 500


def test_what_a_generator_raises_is_told() -> None:
    with pytest.raises(NotYet, match=r"^your code raises ZeroDivisionError: division by zero"):
        ask(streamed(lambda: (f"{1 / number}" for number in (1, 0))))


@pytest.mark.parametrize("app", [None, 7, [], {"app": 1}])
def test_what_is_no_app_is_told_what_an_app_is(app: Any) -> None:
    for call in (lambda: ask(app), lambda: WebSockets(app)):
        with pytest.raises(NotYet, match=r"is no application: write Flask"):
            call()


@pytest.mark.parametrize("app", [lambda: 1, lambda environ, start: 5, lambda environ, start: [b"x"], Flask])
def test_what_can_be_called_and_is_no_app_is_told_its_error(app: Any) -> None:
    with pytest.raises(NotYet, match=r"^your code raises [A-Z][A-Za-z]*Error: "):
        ask(app)


def test_a_check_that_raises_leaves_python_s_own_sleep() -> None:
    def until(seen: Seen) -> bool:
        assert time.sleep is not SLEEP
        raise NotYet("no")

    with pytest.raises(NotYet, match=r"^no$"):
        ask(streamed(lambda: iter(lambda: "tick\n", "")), until=until)
    assert time.sleep is SLEEP


def test_a_check_says_its_message_and_shows_the_frames() -> None:
    check(True, "never said")
    with pytest.raises(NotYet, match=r"^only this$"):
        check([], "only this")
    with pytest.raises(NotYet, match=r"^this\n\nOn the wire:\n.* GET / HTTP/1.1"):
        check(0, "this", ask(streamed(lambda: iter(["x"]))))


@pytest.mark.parametrize(
    ("body", "content_type", "says"),
    [
        ("data: one\n\n", "text/plain", "Content-Type is text/plain: an EventSource"),
        ("data: one\n", "text/event-stream", "There is no blank line"),
        ("data: one\n\ndata: two\n", "text/event-stream", r"the events are \['one'\].* so it is never sent"),
        ("one\n\n", "text/event-stream", "The line 'one' begins with no name of a field"),
        ("data: two\n\n", "text/event-stream", r"the events are \['two'\], expected \['one'"),
    ],
)
def test_events_that_are_missing_are_told_why(body: str, content_type: str, says: str) -> None:
    seen = ask(streamed(lambda: iter([body]), content_type))
    with pytest.raises(NotYet, match=says):
        expect_events(seen, "one", "two")


def test_events_are_expected_by_their_type() -> None:
    seen = ask(streamed(lambda: iter(["event: a\ndata: 1\n\ndata: 2\n\n"]), "text/event-stream; charset=utf-8"))
    expect_events(seen, "1", event="a")
    expect_events(seen, "2")


@pytest.mark.parametrize(
    ("body", "content_type", "says"),
    [
        ('{"a": 1}\n', "application/json", "Content-Type is application/json, expected application/x-ndjson"),
        ('{"a": 2}\n', "application/x-ndjson", "expected"),
        ("{'a': 1}\n", "application/x-ndjson", "expected"),
        ('{"a": 1}\n', "", "Content-Type is "),
    ],
)
def test_documents_that_are_missing_are_told(body: str, content_type: str, says: str) -> None:
    with pytest.raises(NotYet, match=says):
        expect_documents(ask(streamed(lambda: iter([body]), content_type)), {"a": 1})


def test_documents_and_parts_that_are_there_are_right() -> None:
    expect_documents(ask(streamed(lambda: iter(['{"a": 1}\n', "[]\n"]), "application/x-ndjson")), {"a": 1}, [])
    body, kind = "--x\r\n\r\none\r\n--x\r\n\r\ntwo\r\n--x--\r\n", "multipart/x-mixed-replace; boundary=x"
    seen = ask(streamed(lambda: iter([body]), kind))
    expect_parts(seen, b"one", b"two")
    with pytest.raises(NotYet, match="expected"):
        expect_parts(seen, b"one")


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("--x\r\n\r\none--x--\r\n", "--x-- begins no line, so it counts as data"),
        ("--x\r\n\r\none\r\n", "the last boundary never came"),
        ("--y\r\n\r\none\r\n--y--\r\n", "the boundary of the Content-Type stands on no line of its own"),
        ("--x\r\nA: b\r\n", "the bytes end in the head of a part"),
    ],
)
def test_parts_that_are_missing_are_told_why(body: str, says: str) -> None:
    with pytest.raises(NotYet, match=rf"^the parts are \[\], expected \[b'one'\]; {says}"):
        expect_parts(ask(streamed(lambda: iter([body]), "multipart/x-mixed-replace; boundary=x")), b"one")


def test_parts_that_have_no_boundary_are_told() -> None:
    with pytest.raises(NotYet, match="boundary"):
        expect_parts(ask(streamed(lambda: iter(["x"]), "multipart/x-mixed-replace")), b"one")


@pytest.mark.parametrize(
    ("page", "found"),
    [
        ("<script>one()</script><SCRIPT type=module>two()</script >", ["one()", "two()"]),
        ("<script>one()</script><script>two()", ["one()"]),
        ("<script>one()</script", []),
        ("<script>one()</script ", []),
        ("<!-- > <script>one()</script> --><p><scripty>two()</scripty>", []),
        ("<script>a('</script>')</script>", ["a('"]),
        ("<script>a('<!--')</script>", ["a('<!--')"]),
        ("<script>a('<!-- <script>')</script>b()</script>", ["a('<!-- <script>')</script>b()"]),
        ("<script>a('<!-- <script>')", []),
        ("<script>a('<!-- <script> -->')</script>b()", ["a('<!-- <script> -->')"]),
    ],
)
def test_the_scripts_of_a_page_are_those_that_a_browser_runs(page: str, found: list[str]) -> None:
    assert scripts(page) == found


def test_the_body_is_json_or_none() -> None:
    assert ask(streamed(lambda: iter(['{"a":', "[1]}"]))).json == {"a": [1]}
    assert ask(streamed(lambda: iter(["{'a': 1}"]))).json is None


def test_a_path_that_no_view_answers_is_told_so() -> None:
    with pytest.raises(NotYet, match=r"^it is 404\. No view answers this path\n\nOn the wire:"):
        check(False, "it is 404", ask(Flask("exercise"), "/nowhere"))


BOUNDARY = "return Response(iter([Part(b'\\r\\n--x').encode('x')]))"


@pytest.mark.parametrize(
    ("view", "says"),
    [
        (
            "return Response(request.path for _ in 'a')",
            r"the request is over when .*, at line 6 of your cell: return",
        ),
        (BOUNDARY, r"holds the boundary 'x' \(who has read a boundary .*, at line 6 of your cell: return"),
        ("return eval('1 / 0')", r"ZeroDivisionError: .*, at line 6 of your cell: return eval\('1 / 0'\)$"),
        ("return eval('len(map(len, 1))')", r"TypeError: .*, at line 6 of your cell: return eval"),
        ("return render_template_string('\\n{{ none.at.all }}')", r"UndefinedError: .*, at line 2 of your template$"),
    ],
)
def test_an_error_that_does_not_say_what_to_do_is_said_with_it_and_with_its_line(view: str, says: str) -> None:
    given = {"Response": Response, "request": request, "Part": Part, "render_template_string": render_template_string}
    app = Flask("exercise")
    app.add_url_rule("/", "view", cell(f"\n\n\ndef view():\n    {view}\n", **given)["view"])
    with pytest.raises(NotYet) as failure:
        ask(app)
    said = str(failure.value).partition("\n")[0]
    assert re.search(says, said), said


@pytest.mark.parametrize("served", [False, True], ids=["asked", "served"])
@pytest.mark.parametrize(
    ("piece", "says"),
    [
        (["a\n"], r"\['a\\n'\] is yielded, and each piece must be text or bytes$"),
        (7, "7 is yielded, and each piece must be text or bytes$"),
        (Event("a"), r"Event\(data='a'.* is yielded, and each piece must be text or bytes: call its encode\(\)$"),
    ],
)
def test_a_piece_that_is_no_bytes_is_told_what_it_is(piece: Any, says: str, served: bool) -> None:
    app = streamed(lambda: iter([piece]))
    with contextlib.ExitStack() as stack:
        call = stack.enter_context(serving(app)).ask if served else partial(ask, app)
        with pytest.raises(NotYet) as failure:
            call()
    said = str(failure.value).partition("\n")[0]
    assert re.search(f"^your code raises TypeError: {says}", said), said


def test_a_method_that_a_view_does_not_take_is_told_which_it_takes() -> None:
    seen = ask(streamed(lambda: iter("a")), method="POST", body=b"x")
    with pytest.raises(NotYet, match=r"^it is 405\. The view of this path takes only [A-Z, ]*GET"):
        check(False, "it is 405", seen)


def test_what_the_code_has_raised_is_said_with_what_is_missing() -> None:
    seen = ask(streamed(lambda: (f"{1 / number}" for number in (1, 0))), may_fail=True)
    with pytest.raises(NotYet, match=r"^two are missing\. Your code raises ZeroDivisionError"):
        check(False, "two are missing", seen)


# Several requests at once


def test_a_request_may_wait_until_another_comes() -> None:
    app, door = Flask("exercise"), threading.Event()

    def opened() -> str:
        door.set()
        return "opened"

    app.add_url_rule("/wait", "wait", lambda: str(door.wait(BOUND)))
    app.add_url_rule("/open", "open", opened)
    with serving(app) as server:
        assert server.bounds() == []
        waiting = server.begin("/wait")
        assert not waiting.done()
        assert server.bounds() == [BOUND]
        assert server.ask("/open").text == "opened"
        assert waiting.result(BOUND).text == "True"


@pytest.mark.usefixtures("clock")
@pytest.mark.parametrize("body", ENDLESS.values(), ids=ENDLESS)
def test_a_served_view_without_end_is_ended_and_named_with_its_line(body: str) -> None:
    app = Flask("exercise")
    app.add_url_rule("/", "stuck", endless(body))
    says = r"^no answer to GET / within 0.2 s: it is at line \d+ of your cell: "
    with pytest.raises(NotYet, match=says), serving(app) as server:
        server.ask("/", seconds=0.2)


def test_what_a_server_tells_after_its_answer_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    log = background._Server.log

    def late(self: Any, type: str, message: str, *args: Any) -> None:  # noqa: A002
        if type == "error":
            time.sleep(0.1)
        log(self, type, message, *args)

    monkeypatch.setattr(background._Server, "log", late)
    app, says = streamed(lambda: (1 // number for number in (0,))), r"^your code raises ZeroDivisionError: "
    with pytest.raises(NotYet, match=says), serving(app) as server:
        server.ask()


def test_an_answer_that_is_left_is_closed() -> None:
    class Ticks:
        closed = 0

        def __iter__(self) -> Iterator[bytes]:
            return iter(lambda: b"tick", b"")

        def close(self) -> None:
            self.closed += 1

    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        start_response("200 OK", [])
        return ticks

    ticks = Ticks()
    assert ask(app, until=lambda seen: seen.text).text.startswith("tick")
    assert ticks.closed == 1


def test_what_a_served_view_raises_is_told() -> None:
    app = Flask("exercise")
    app.add_url_rule("/", "broken", lambda: dict[str, str]()["key"])
    with serving(app) as server:
        with pytest.raises(NotYet, match=r"^your code raises KeyError: 'key'"):
            server.ask("/")
        assert server.ask("/", may_fail=True).status == 500


SLOW_TO_END = """
def generate():
    try:
        while True:
            yield "tick"
            time.sleep(0.01)
    finally:
        threading.Event().wait(0.4)
"""


@pytest.mark.parametrize(("patience", "said"), [(0.05, ": it is at line 9 of your cell: "), (BOUND, "")])
def test_a_view_has_the_patience_of_its_check_to_notice_that_its_client_has_left(patience: float, said: str) -> None:
    seen = ask(streamed(cell(SLOW_TO_END)["generate"]), until=lambda seen: seen.text, patience=patience)
    assert seen.stuck.startswith(said)
    assert bool(seen.stuck) == bool(said)


# Who is late, told by the order of things


def test_a_watcher_lets_the_server_wait_for_what_its_reader_has_seen() -> None:
    watcher, found = Watcher(BOUND), list[str]()

    def generate() -> Iterator[str]:
        for text in ("one", "onetwo"):
            yield text.removeprefix("one") or text
            found.append(watcher.wait(text))

    assert ask(streamed(generate), until=watcher).text == "onetwo"
    assert found == ["one", "onetwo"]


@pytest.mark.usefixtures("clock")
def test_a_watcher_waits_in_vain_once() -> None:
    watcher, began = Watcher(0.2), time.monotonic()
    assert [watcher.wait("never") for _ in range(1000)] == [""] * 1000
    assert time.monotonic() - began >= 0.2


@pytest.mark.parametrize(("lazily", "held"), [(True, False), (False, True)], ids=["lazily", "all at once"])
def test_steps_tell_who_makes_the_next_piece_before_the_last_is_handed_over(lazily: bool, held: bool) -> None:
    steps = Steps(2 if lazily else 0.2)

    def pieces() -> Iterator[str]:
        for number in range(3):
            steps.step()
            yield f"{number}\n"

    assert ask(streamed(pieces if lazily else lambda: iter(list(pieces()))), until=steps.watch).text == "0\n1\n2\n"
    assert (steps.taken, steps.held) == (3, held)


# Time that counts


def test_of_a_moment_in_which_the_machine_is_held_up_little_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    monkeypatch.setattr(time, "thread_time", lambda: 0.0)
    due, slept = ending.Due(1), list[float]()
    while step := due.step():
        slept.append(step)
        now += 60 if len(slept) == 5 else step
    assert max(slept) == ending.STEP
    assert sum(slept) == pytest.approx(1 - ending.MOST_STEP + ending.STEP)


def test_what_this_thread_works_between_two_looks_counts_in_full(monkeypatch: pytest.MonkeyPatch) -> None:
    worked = 0.0
    monkeypatch.setattr(time, "thread_time", lambda: worked)
    due = ending.Due(1)
    worked += 0.6
    assert due.step() == ending.STEP
    worked += 0.6
    assert due.step() == 0


@pytest.mark.usefixtures("clock")
def test_a_flood_of_small_pieces_is_read_no_longer_than_it_may() -> None:
    seen = ask(streamed(lambda: itertools.repeat("1\n")), seconds=0.5)
    assert seen.end == "open"
    assert set(seen.chunks) == {b"1\n"}


def test_a_time_that_is_none_is_over() -> None:
    assert ending.Due(0).step() == ending.Due(-1).step() == 0


# Conversations over WebSocket


def sockets(view: Callable[[Any], object]) -> Flask:
    app = Flask("exercise")
    Sock(app).route("/")(view)
    return app


def echo(ws: Any) -> None:
    while True:
        ws.send(ws.receive())


def test_two_speak_and_each_hears_their_own() -> None:
    with WebSockets(sockets(echo)) as server:
        one, two = server.connect(), server.connect()
        one.say("one")
        two.say("zwö")
        assert (two.hear(), one.hear()) == ("zwö", "one")
        assert one.hear(seconds=0.05) is None
        assert one.end == "open"
    assert one.end == "cut"
    assert 'text message: "one"' in str(one)


def test_bytes_are_heard_as_bytes_and_pieces_as_one_message() -> None:
    with WebSockets(sockets(lambda ws: ws.send(ws.receive().encode()))) as server:
        client = server.connect()
        client.send(Frame(TEXT, b"in two ", fin=False, mask=client.MASK).encode())
        client.send(Frame(CONTINUATION, b"pieces", mask=client.MASK).encode())
        assert client.hear() == b"in two pieces"


def test_a_ping_has_its_pong_in_both_directions() -> None:
    app = sockets(echo)
    app.config["SOCK_SERVER_OPTIONS"] = {"ping_interval": 0.05}
    with WebSockets(app) as server:
        client = server.connect()
        client.send(Frame(PING, b"there?", mask=client.MASK).encode())
        frames = [client.frame(), client.frame(), client.frame()]  # without our pongs there is one ping, then a close
        assert Frame(PONG, b"there?") in frames
        assert [frame.opcode for frame in frames if frame].count(PING) == 2


def test_a_close_has_its_code_and_its_reason() -> None:
    with WebSockets(sockets(lambda ws: ws.close(4000, "enough"))) as server:
        client = server.connect()
        assert client.frame() == Frame(CLOSE, close_payload(4000, "enough"))
        assert client.hear() is None
        assert (client.end, client.code, client.reason) == ("closed", 4000, "enough")


def test_what_is_sent_before_the_close_is_heard_after_it() -> None:
    def view(ws: Any) -> None:
        ws.send("one")
        ws.send("two")
        sent.set()
        ws.receive()

    sent = threading.Event()
    with WebSockets(sockets(view)) as server:
        client = server.connect()
        assert sent.wait(BOUND)
        client.close()
        assert (client.hear(), client.hear(), client.hear()) == ("one", "two", None)


def test_a_view_that_waits_for_its_client_notices_that_it_leaves() -> None:
    with WebSockets(sockets(echo)) as server:
        assert server.connect().leave()


@pytest.mark.usefixtures("clock")
@pytest.mark.parametrize("body", ENDLESS.values(), ids=ENDLESS)
def test_a_view_that_never_notices_is_ended_and_named_with_its_line(body: str) -> None:
    stuck = endless(body)
    says = r"(?s)^it goes on\n.*The server goes on: it is at line \d+ of your cell: "
    with pytest.raises(NotYet, match=says), WebSockets(sockets(lambda ws: stuck())) as server:
        check(server.connect().leave(seconds=0.2), "it goes on", "frames")


def test_what_a_websocket_view_raises_comes_before_what_the_check_says() -> None:
    app = sockets(lambda ws: int(ws.receive()))

    def talk() -> None:
        with WebSockets(app) as server:
            client = server.connect()
            client.say("x")
            check(client.hear() or client.end != "cut", "nothing heard")

    with pytest.raises(NotYet, match=r"^your code raises ValueError: invalid literal.*\n\nnothing heard$"):
        talk()


def test_a_view_that_speaks_to_who_has_left_is_not_blamed() -> None:
    def view(ws: Any) -> None:
        while True:
            ws.send("tick")

    with WebSockets(sockets(view)) as server:
        assert server.connect().hear() == "tick"


@pytest.mark.parametrize(
    ("app", "says"),
    [
        (
            streamed(lambda: iter(["x"])),
            "the answer to GET / is 400, expected 101",
        ),  # the view is there for GET alone
        (Flask("empty"), "the answer to GET / is 404, expected 101"),
    ],
)
def test_a_path_without_websocket_is_told(app: Flask, says: str) -> None:
    with pytest.raises(NotYet, match=says), WebSockets(app) as server:
        server.connect()


def test_an_error_of_the_check_itself_passes_and_leaves_nothing() -> None:
    with pytest.raises(ValueError, match="mask"), WebSockets(sockets(echo)) as server:
        server.connect().send(Frame(TEXT, mask=b"1").encode())
    assert time.sleep is SLEEP


@pytest.mark.usefixtures("clock")
def test_a_server_that_sends_without_end_is_bounded() -> None:
    def view(ws: Any) -> None:
        while True:
            ws.send(bytes(1 << 24))

    with WebSockets(sockets(view)) as server:
        assert server.connect().hear() is None  # a message of more than all that is kept
