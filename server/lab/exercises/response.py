"""The response of a learner's app, and the result of a check."""

from __future__ import annotations

from typing import Any, NoReturn

from ..response import RecordedResponse
from .locations import describe


class NotYet(AssertionError):  # noqa: N818 - it is not an error, it is the result of a check
    """The exercise is not solved yet: why, and what was on the wire. A notebook shows no traceback."""

    def _render_traceback_(self) -> list[str]:
        return [f"Not yet: {self}"]


class AppResponse(RecordedResponse):
    """A recorded response of a learner's app.

    Attributes, besides those of RecordedResponse:
        errors: exceptions that the app raised.
        still_running: the line at which the app still was after the client had disconnected, "" if it had ended.
    """

    def __init__(self, response: RecordedResponse) -> None:
        vars(self).update(vars(response))
        self.errors, self.still_running = list[BaseException](), ""

    @property
    def error(self) -> str:
        """The last exception that the app raised, with its line; "" if there was none."""
        return describe(self.errors[-1]) if self.errors else ""

    def __str__(self) -> str:
        running = f"\nThe server's code is still running at {self.still_running}" if self.still_running else ""
        return super().__str__() + running


def check(condition: object, message: str, shown: Any = None) -> None:
    """Raise NotYet with the message, and with the frames of `shown`, unless the condition holds."""
    if not condition:
        fail(message, shown)


def fail(message: str, shown: Any = None) -> NoReturn:
    """Raise NotYet with the message, the exception of the app if there was one, and the frames of `shown`."""
    if isinstance(shown, AppResponse) and shown.error and shown.error not in message:
        message += f". Your code raises {shown.error}"
    if isinstance(shown, RecordedResponse):
        if shown.status == 404 and b"was not found on the server" in shown.body:
            message += ". No view has this path"
        if shown.status == 405:
            message += f". The view of this path allows only {shown.header('Allow')}"
    raise NotYet(message if shown is None else f"{message}\n\nOn the wire:\n{shown}")
