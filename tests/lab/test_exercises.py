"""What the exercises share: bounded, whatever a learner's code does; it leaves no thread, and its words fit."""

from __future__ import annotations

import contextlib
import itertools
import linecache
import re
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any

import pytest
from flask import Flask, Response, render_template_string, request
from flask_sock import Sock

from server.lab import BackgroundServer
from server.lab.exercises import (
    NotYet,
    Watcher,
    WebSockets,
    arranged,
    check,
    expect_documents,
    expect_events,
    expect_parts,
    fail,
    fetch,
    hints,
    predict,
    raised,
    serving,
    streamed,
    within,
)
from server.wire.multipart import Part
from server.wire.sse import Event

NUMBERS = itertools.count()
MASK = b"\x01\x02\x03\x04"
BOUND = 5  # seconds, for what is over after one or two


def cell(code: str, **given: Any) -> dict[str, Any]:
    """Run code as a notebook's cell is run, so that its lines are known and stand in no file."""
    name, code = f"<cell {next(NUMBERS)}>", f"import queue, threading, time\n{code}"
    linecache.cache[name] = (len(code), None, code.splitlines(keepends=True), name)
    names: dict[str, Any] = {**given}
    exec(compile(code, name, "exec"), names)
    return names


def wsgi(head: list[tuple[str, str]], *body: bytes) -> Callable[..., Iterable[bytes]]:
    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        start_response("200 OK", head)
        return iter(body)

    return app


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
        ("C", r"your code is still running after 2.0 s. It is at line \d of your lines: "),
    ],
)
def test_an_order_that_is_no_program_is_told_why(order: Any, says: str) -> None:
    with pytest.raises(NotYet, match=says):
        arranged(LINES, order)


def test_of_lines_some_must_stay_out() -> None:
    assert arranged(LINES, "AB", out=2, one=1)["two"]() == 2
    with pytest.raises(NotYet, match=r"^3 of 4 lines are used: leave out 2\.$"):
        arranged(LINES, "ABC", out=2)


# Calls that are bounded


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


# One answer


def test_an_answer_is_seen_whole_with_its_chunks_and_times() -> None:
    seen = fetch(streamed(lambda: iter(["one", "two"])))
    assert (seen.status, seen.type, seen.end, seen.text) == (200, "text/plain", "complete", "onetwo")
    assert seen.chunks == [b"one", b"two"]
    assert seen.times == sorted(seen.times)
    assert (seen.error, seen.still_running) == ("", "")
    assert "GET / HTTP/1.1" in str(seen)


def test_it_asks_a_server_that_runs() -> None:
    with BackgroundServer(streamed(lambda: iter(["here"]))) as server:
        assert fetch(server.url).text == "here"


def test_what_a_view_raises_is_told() -> None:
    app = Flask("exercise")
    app.add_url_rule("/", "broken", lambda: dict[str, str]()["key"])
    with pytest.raises(NotYet, match=r"^your code raises KeyError: 'key'\n\nOn the wire:\n"):
        fetch(app)
    assert fetch(app, may_fail=True).status == 500


def test_what_a_generator_raises_is_told() -> None:
    with pytest.raises(NotYet, match=r"^your code raises ZeroDivisionError: division by zero"):
        fetch(streamed(lambda: (f"{1 / number}" for number in (1, 0))))


@pytest.mark.parametrize("app", [None, 7, [], {"app": 1}])
def test_what_is_no_app_is_told_what_an_app_is(app: Any) -> None:
    for call in (lambda: fetch(app), lambda: WebSockets(app).__enter__()):
        with pytest.raises(NotYet, match=r"is not an application. Write Flask"):
            call()


@pytest.mark.parametrize("app", [lambda: 1, lambda environ, start: 5, lambda environ, start: [b"x"], Flask])
def test_what_can_be_called_and_is_no_app_is_told_its_error(app: Any) -> None:
    with pytest.raises(NotYet, match=r"^your code raises [A-Z][A-Za-z]*Error: "):
        fetch(app)


def test_a_check_says_its_message_and_shows_the_frames() -> None:
    check(True, "never said")
    with pytest.raises(NotYet, match=r"^only this$"):
        check([], "only this")
    with pytest.raises(NotYet, match=r"^this\n\nOn the wire:\n.* GET / HTTP/1.1"):
        check(0, "this", fetch(streamed(lambda: iter(["x"]))))


@pytest.mark.parametrize(
    ("body", "content_type", "says"),
    [
        ("data: one\n\n", "text/plain", "Content-Type is text/plain: an EventSource accepts only"),
        ("data: one\n", "text/event-stream", "There is no blank line"),
        ("data: one\n\ndata: two\n", "text/event-stream", r"the events are \['one'\].* so it is never dispatched"),
        ("one\n\n", "text/event-stream", "The line 'one' does not begin with the name of a field"),
        ("data: two\n\n", "text/event-stream", r"the events are \['two'\], expected \['one'"),
    ],
)
def test_events_that_are_missing_are_told_why(body: str, content_type: str, says: str) -> None:
    seen = fetch(streamed(lambda: iter([body]), content_type))
    with pytest.raises(NotYet, match=says):
        expect_events(seen, "one", "two")


def test_events_are_expected_by_their_type() -> None:
    seen = fetch(streamed(lambda: iter(["event: a\ndata: 1\n\ndata: 2\n\n"]), "text/event-stream; charset=utf-8"))
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
        expect_documents(fetch(streamed(lambda: iter([body]), content_type)), {"a": 1})


def test_documents_and_parts_that_are_there_are_right() -> None:
    expect_documents(fetch(streamed(lambda: iter(['{"a": 1}\n', "[]\n"]), "application/x-ndjson")), {"a": 1}, [])
    body, kind = "--x\r\n\r\none\r\n--x\r\n\r\ntwo\r\n--x--\r\n", "multipart/x-mixed-replace; boundary=x"
    seen = fetch(streamed(lambda: iter([body]), kind))
    expect_parts(seen, b"one", b"two")
    with pytest.raises(NotYet, match="expected"):
        expect_parts(seen, b"one")


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("--x\r\n\r\none--x--\r\n", "--x-- is not at the beginning of a line, so it counts as data"),
        ("--x\r\n\r\none\r\n", "the last boundary is missing"),
        ("--y\r\n\r\none\r\n--y--\r\n", "no line of the body is the boundary of the Content-Type"),
        ("--x\r\nA: b\r\n", "the body ends in the headers of a part"),
    ],
)
def test_parts_that_are_missing_are_told_why(body: str, says: str) -> None:
    with pytest.raises(NotYet, match=rf"^the parts are \[\], expected \[b'one'\]; {says}"):
        expect_parts(fetch(streamed(lambda: iter([body]), "multipart/x-mixed-replace; boundary=x")), b"one")


def test_parts_that_have_no_boundary_are_told() -> None:
    with pytest.raises(NotYet, match="boundary"):
        expect_parts(fetch(streamed(lambda: iter(["x"]), "multipart/x-mixed-replace")), b"one")


def test_a_path_that_no_view_answers_is_told_so() -> None:
    with pytest.raises(NotYet, match=r"^it is 404\. No view has this path\n\nOn the wire:"):
        check(False, "it is 404", fetch(Flask("exercise"), "/nowhere"))


BOUNDARY = "return Response(iter([Part(b'\\r\\n--x').encode('x')]))"


@pytest.mark.parametrize(
    ("view", "says"),
    [
        (
            "return Response(request.path for _ in 'a')",
            r"the request has ended when .*, at line 6 of your cell: return",
        ),
        (
            BOUNDARY,
            r"contains the boundary 'x' \(a client that knows the .*, at line 6 of your cell: return",
        ),
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
        fetch(app)
    said = str(failure.value).partition("\n")[0]
    assert re.search(says, said), said


@pytest.mark.parametrize("served", [False, True], ids=["asked", "served"])
@pytest.mark.parametrize(
    ("piece", "says"),
    [
        (["a\n"], r"\['a\\n'\] is yielded, but each item must be text or bytes$"),
        (7, "7 is yielded, but each item must be text or bytes$"),
        (Event("a"), r"Event\(data='a'.* is yielded, but each item must be text or bytes: call its encode\(\)$"),
    ],
)
def test_a_piece_that_is_no_bytes_is_told_what_it_is(piece: Any, says: str, served: bool) -> None:
    app = streamed(lambda: iter([piece]))
    with contextlib.ExitStack() as stack:
        call = stack.enter_context(serving(app)).fetch if served else partial(fetch, app)
        with pytest.raises(NotYet) as failure:
            call()
    said = str(failure.value).partition("\n")[0]
    assert re.search(f"^your code raises TypeError: {says}", said), said


def test_a_method_that_a_view_does_not_take_is_told_which_it_takes() -> None:
    seen = fetch(streamed(lambda: iter("a")), method="POST", body=b"x")
    with pytest.raises(NotYet, match=r"^it is 405\. The view of this path allows only [A-Z, ]*GET"):
        check(False, "it is 405", seen)


def test_what_the_code_has_raised_is_said_with_what_is_missing() -> None:
    seen = fetch(streamed(lambda: (f"{1 / number}" for number in (1, 0))), may_fail=True)
    with pytest.raises(NotYet, match=r"^two are missing\. Your code raises ZeroDivisionError"):
        check(False, "two are missing", seen)


# Several requests at once


def test_a_request_may_time_out_until_another_comes() -> None:
    app, door = Flask("exercise"), threading.Event()

    def opened() -> str:
        door.set()
        return "opened"

    app.add_url_rule("/wait", "wait", lambda: str(door.wait(BOUND)))
    app.add_url_rule("/open", "open", opened)
    with serving(app) as server:
        assert server.wait_timeouts() == []
        waiting = server.start_request("/wait")
        assert not waiting.done()
        assert server.wait_timeouts() == [BOUND]
        assert server.fetch("/open").text == "opened"
        assert waiting.result(BOUND).text == "True"


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
    assert fetch(app, until=lambda seen: seen.text).text.startswith("tick")
    assert ticks.closed == 1


def test_what_a_served_view_raises_is_told() -> None:
    app = Flask("exercise")
    app.add_url_rule("/", "broken", lambda: dict[str, str]()["key"])
    with serving(app) as server:
        with pytest.raises(NotYet, match=r"^your code raises KeyError: 'key'"):
            server.fetch("/")
        assert server.fetch("/", may_fail=True).status == 500


# Who is late, told by the order of things


def test_a_watcher_lets_the_server_wait_for_what_its_reader_has_seen() -> None:
    watcher, found = Watcher(BOUND), list[str]()

    def generate() -> Iterator[str]:
        for text in ("one", "onetwo"):
            yield text.removeprefix("one") or text
            found.append(watcher.wait(text))

    assert fetch(streamed(generate), until=watcher).text == "onetwo"
    assert found == ["one", "onetwo"]


@pytest.mark.usefixtures("clock")
def test_a_watcher_waits_in_vain_once() -> None:
    watcher, began = Watcher(0.2), time.monotonic()
    assert [watcher.wait("never") for _ in range(1000)] == [""] * 1000
    assert time.monotonic() - began >= 0.2


@pytest.mark.parametrize(("lazily", "late"), [(True, False), (False, True)], ids=["lazily", "all at once"])
def test_steps_show_whether_a_chunk_is_made_before_the_previous_one_has_arrived(lazily: bool, late: bool) -> None:
    watcher = Watcher(2 if lazily else 0.2)

    def chunks() -> Iterator[str]:
        for number in range(3):
            watcher.step()
            yield f"{number}\n"

    assert fetch(streamed(chunks if lazily else lambda: iter(list(chunks()))), until=watcher).text == "0\n1\n2\n"
    assert (watcher.steps, watcher.late) == (3, late)


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
        one.send_text("one")
        two.send_text("zwö")
        assert (two.receive(), one.receive()) == ("zwö", "one")
        assert one.receive(seconds=0.05) is None
        assert one.end == "open"
    assert one.end == "interrupted"


def test_a_view_that_waits_for_its_client_notices_that_it_leaves() -> None:
    with WebSockets(sockets(echo)) as server:
        assert server.connect().disconnect()


def test_what_a_websocket_view_raises_comes_before_what_the_check_says() -> None:
    app = sockets(lambda ws: int(ws.receive()))

    def talk() -> None:
        with WebSockets(app) as server:
            client = server.connect()
            client.send_text("x")
            check(client.receive() or client.end != "interrupted", "nothing heard")

    with pytest.raises(NotYet, match=r"^your code raises ValueError: invalid literal.*\n\nnothing heard$"):
        talk()


def test_a_view_that_speaks_to_who_has_left_is_not_blamed() -> None:
    def view(ws: Any) -> None:
        while True:
            ws.send("tick")

    with WebSockets(sockets(view)) as server:
        assert server.connect().receive() == "tick"


@pytest.mark.parametrize(
    ("app", "says"),
    [
        (
            streamed(lambda: iter(["x"])),
            "the status of GET / is 400, expected 101",
        ),  # the view is there for GET alone
        (Flask("empty"), "the status of GET / is 404, expected 101"),
    ],
)
def test_a_path_without_websocket_is_told(app: Flask, says: str) -> None:
    with pytest.raises(NotYet, match=says), WebSockets(app) as server:
        server.connect()


@pytest.mark.usefixtures("clock")
def test_a_server_that_sends_without_end_is_bounded() -> None:
    def view(ws: Any) -> None:
        while True:
            ws.send(bytes(1 << 24))

    with WebSockets(sockets(view)) as server:
        assert server.connect().receive() is None  # a message of more than all that is kept
