"""The workbench of the notebooks: start the server, tap the wire, draw what it carried.

Nothing of the server needs this package; the notebooks and the tests do.
"""

from .background import BackgroundServer
from .live import live_server
from .pieces import Piece
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
    "live_server",
    "page",
    "source",
]
