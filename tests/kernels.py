"""Connect to kernels through files instead of ports: for nbval's pytest, and for tests that start kernels themselves.

Jupyter chooses the five ports of a kernel a moment before it binds them. A server that a test starts meanwhile may
take such a port. The kernel then ends, or never responds. No other program uses a file in a temporary directory.
"""

from __future__ import annotations

import itertools
import os
import tempfile
from typing import Any

from jupyter_client.manager import KernelManager

_directory = tempfile.TemporaryDirectory(prefix="kernels-")
_numbers = itertools.count()
_init = KernelManager.__init__


def _init_with_files(self: KernelManager, *args: Any, **options: Any) -> None:
    files = {"transport": "ipc", "ip": f"{_directory.name}/{next(_numbers)}"}
    _init(self, *args, **{**files, **options})


if os.name == "posix":  # elsewhere ZeroMQ has no such sockets
    KernelManager.__init__ = _init_with_files  # type: ignore[method-assign]
