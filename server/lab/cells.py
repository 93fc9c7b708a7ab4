"""What a notebook cell has started ends when the cell runs again, so that running it twice leaves one."""

from __future__ import annotations

import sys
import weakref
from typing import Any, Protocol


class Stoppable(Protocol):
    """Something with a `stop()` that may be called more than once."""

    def stop(self) -> None:
        """End it."""


_started: list[tuple[object, int, weakref.ref[Any]]] = []  # cell, run, thing


def replace_earlier(thing: Stoppable) -> None:
    """Stop what an earlier run of the present cell has started, and remember `thing`. Outside IPython: nothing."""
    here = present_cell()
    if here is None:
        return
    cell, run = here
    for other_cell, other_run, other in list(_started):
        if other_cell == cell and other_run != run and (old := other()) is not None:
            old.stop()
    _started[:] = [entry for entry in _started if entry[2]() is not None]
    _started.append((cell, run, weakref.ref(thing)))


def present_cell() -> tuple[object, int] | None:
    """Return what names the running cell (the id that JupyterLab sends, else its text), and the number of its run."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    if shell is None:
        return None
    parent = shell.get_parent() if hasattr(shell, "get_parent") else {}
    cell_id = (parent.get("metadata") or {}).get("cellId")
    return cell_id or shell.user_ns["In"][-1], shell.execution_count
