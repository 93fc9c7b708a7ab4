"""What the exercises share: to ask a learner's server, bounded in time, and to say what its bytes did.

A check is plain code in a notebook: it asks, it looks at what was seen, and where something is missing it raises
NotYet, whose text says what was sent, what was expected, and shows the frames. Nothing here hangs: an endless loop is
ended, and named with its line.
"""

from .asking import Served, Steps, Watcher, ask, serving, streamed
from .ending import raised, within
from .expecting import expect_documents, expect_events, expect_parts, scripts
from .seen import NotYet, Seen, check, fail
from .tasks import Hints, arranged, hints, predict
from .websockets import WebSocketClient, WebSockets

__all__ = [
    "Hints",
    "NotYet",
    "Seen",
    "Served",
    "Steps",
    "Watcher",
    "WebSocketClient",
    "WebSockets",
    "arranged",
    "ask",
    "check",
    "expect_documents",
    "expect_events",
    "expect_parts",
    "fail",
    "hints",
    "predict",
    "raised",
    "scripts",
    "serving",
    "streamed",
    "within",
]
