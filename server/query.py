"""Read and validate the query parameters of a request.

A bad value is a 400 response. Its text says which value was wrong and which values are allowed.
"""

from __future__ import annotations

import re
from typing import NoReturn

from flask import Response, request
from werkzeug.exceptions import BadRequest

MAX_COUNT = 1_000_000
MAX_SECONDS = 3600


def read_count(default: int | None = None, minimum: int = 0) -> int | None:
    """Return the query parameter `count`, the number of ticks in the stream: a whole number up to 1,000,000."""
    return read_int("count", default, minimum, MAX_COUNT)


def read_interval(default: float, minimum: float = 0) -> float:
    """Return the query parameter `interval`, the seconds between two ticks: a number up to 3,600."""
    return read_seconds("interval", default, MAX_SECONDS, minimum)


def read_int(name: str, default: int | None, minimum: int, maximum: int) -> int | None:
    """Return a whole number from the query, or `default` if the parameter is missing.

    Raises BadRequest (status 400) for any other text and for a number that is out of range.
    """
    text = request.args.get(name)
    if text is None:
        return default
    if not re.fullmatch("[0-9]{1,15}", text) or not minimum <= int(text) <= maximum:
        bad_request(f"{name} must be a whole number from {minimum} to {maximum}, not {text[:40]!r}")
    return int(text)


def read_seconds(name: str, default: float, maximum: float, minimum: float = 0) -> float:
    """Return a number of seconds from the query, or `default` if the parameter is missing.

    Raises BadRequest (status 400) for any other text and for a number that is out of range.
    """
    text = request.args.get(name)
    if text is None:
        return default
    number = float(text) if re.fullmatch(r"[0-9]{1,9}(\.[0-9]{0,9})?|\.[0-9]{1,9}", text) else -1
    if not minimum <= number <= maximum:
        bad_request(f"{name} must be a number of seconds from {minimum} to {maximum}, such as 0.5, not {text[:40]!r}")
    return number


def bad_request(text: str) -> NoReturn:
    """Raise BadRequest: the response has status 400 and one line of plain text."""
    raise BadRequest(response=Response(f"{text}\n", 400, content_type="text/plain; charset=utf-8"))
