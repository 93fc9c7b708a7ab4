"""Query parameters: valid values, and the 400 response for any other value."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from werkzeug.exceptions import BadRequest

from server import create_app
from server.query import MAX_COUNT, MAX_SECONDS, read_count, read_interval
from server.techniques import TECHNIQUES

app = create_app()


def read(query: str | dict[str, str]) -> tuple[int | None, float]:
    with app.test_request_context("/", query_string=query):
        return read_count(7), read_interval(0.25)


def rejection(query: str) -> str:
    with pytest.raises(BadRequest) as caught:
        read(query)
    response = caught.value.get_response()
    assert response.status_code == 400
    assert response.content_type == "text/plain; charset=utf-8"
    return str(response.get_data(as_text=True))


def test_missing_parameters_have_their_default() -> None:
    assert read("") == (7, 0.25)


@pytest.mark.parametrize(("text", "count"), [("0", 0), ("1", 1), ("007", 7), (str(MAX_COUNT), MAX_COUNT)])
def test_count_is_a_whole_number(text: str, count: int) -> None:
    assert read(f"count={text}")[0] == count


@pytest.mark.parametrize(
    ("text", "interval"), [("0", 0), ("1", 1), ("0.5", 0.5), (".5", 0.5), ("2.", 2), ("3600", MAX_SECONDS)]
)
def test_interval_is_a_number_of_seconds(text: str, interval: float) -> None:
    assert read(f"interval={text}")[1] == interval


BAD_COUNTS = [
    *["-1", "x", "", "%20", "1.5", "1e3", "1_0", "0x10", "%2B1", "nan", "inf", "None", "1000001", "9" * 400],
    *["%D9%A1", "%C2%B2", "1%00", "1%0A", "%0A1", "1,2"],
]
BAD_INTERVALS = [
    *["-1", "-0.1", "x", "", ".", "1e9", "1e1", "nan", "NaN", "inf", "Infinity", "-inf", "3600.1", "3601", "9" * 400],
    *["1_0", "%2B1", "%D9%A1", "0.5%0A", "0,5"],
]


@pytest.mark.parametrize("text", BAD_COUNTS)
def test_any_other_count_is_a_bad_request(text: str) -> None:
    message = rejection(f"count={text}")
    assert message.startswith("count must be a whole number from 0 to 1000000, not '")
    assert message.count("\n") == 1
    assert len(message) < 200


@pytest.mark.parametrize("text", BAD_INTERVALS)
def test_any_other_interval_is_a_bad_request(text: str) -> None:
    message = rejection(f"interval={text}")
    assert message.startswith("interval must be a number of seconds from 0 to 3600, such as 0.5, not '")
    assert message.count("\n") == 1
    assert len(message) < 200


def test_message_quotes_the_bad_value() -> None:
    assert rejection("count=-1") == "count must be a whole number from 0 to 1000000, not '-1'\n"
    assert (
        rejection("interval=1e9") == "interval must be a number of seconds from 0 to 3600, such as 0.5, not '1e9'\n"
    )


@given(st.text(max_size=20))
@example("1\n")
@example("\u0661")
def test_any_text_is_a_number_in_range_or_a_bad_request(text: str) -> None:
    try:
        count, interval = read({"count": text, "interval": text})
    except BadRequest:
        return
    assert count == int(text)
    assert interval == float(text) <= MAX_SECONDS
    assert text.isascii()


def test_first_value_of_a_repeated_parameter_counts() -> None:
    assert read("count=1&count=2&interval=1&interval=x") == (1, 1)
    assert rejection("count=x&count=1").endswith("not 'x'\n")


@pytest.mark.parametrize("stem", [technique.blueprint.name for technique in TECHNIQUES])
@pytest.mark.parametrize("query", ["count=-1", "interval=x"])
def test_every_technique_validates_its_parameters_before_it_responds(stem: str, query: str) -> None:
    response = app.test_client().get(f"/{stem}?{query}")
    assert (response.status_code, response.mimetype) == (400, "text/plain")
    assert " must be a " in response.text
