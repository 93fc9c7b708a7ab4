"""The workbench of the notebooks: start servers, record connections, draw the recorded bytes.

The server does not need this package. The notebooks and the tests use it.
"""

from .background import BackgroundServer
from .live import live_server
from .pieces import Piece
from .prediction import compare
from .reader import Arrivals, arrivals
from .recording import Recording
from .show import Page, Source, page, source
from .tap import Tap

__all__ = [
    "Arrivals",
    "BackgroundServer",
    "Page",
    "Piece",
    "Recording",
    "Source",
    "Tap",
    "arrivals",
    "compare",
    "live_server",
    "page",
    "source",
]
