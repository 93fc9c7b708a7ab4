"""Checks for the exercises: serve a learner's app, record its responses, and explain what is missing.

A check is a function in a notebook. It sends requests and looks at the responses. If something is missing it raises
NotYet, whose text says what happened, what was expected, and shows the frames. `run_check` runs it in a process of
its own. An endless loop therefore ends with the check, and the message names its line.
"""

from ..response import RecordedResponse
from ..scripts import scripts
from .bounded import raised, within
from .client import Watcher, fetch, serving, streamed
from .expect import expect_documents, expect_events, expect_parts
from .response import NotYet, check, fail
from .runner import run_check
from .tasks import arranged, hints, predict
from .websockets import WebSockets

__all__ = [
    "NotYet",
    "RecordedResponse",
    "Watcher",
    "WebSockets",
    "arranged",
    "check",
    "expect_documents",
    "expect_events",
    "expect_parts",
    "fail",
    "fetch",
    "hints",
    "predict",
    "raised",
    "run_check",
    "scripts",
    "serving",
    "streamed",
    "within",
]
