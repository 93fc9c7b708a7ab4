"""Run a check in a process of its own, so that an endless loop or a crash cannot harm the notebook."""

from __future__ import annotations

import ast
import contextlib
import inspect
import io
import multiprocessing
import os
import re
import signal
import sys
import tempfile
import threading
import time
import traceback
import types
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

from ..notebook_cells import Cell, select
from .bounded import WATCHDOG, at
from .locations import add_source, describe, line_of_dump
from .response import NotYet

CHECK = re.compile(r"^run_check\(", re.MULTILINE)  # a cell with a check defines nothing for other checks
LIMIT = 60.0  # seconds for a check
METHOD = "forkserver" if "forkserver" in multiprocessing.get_all_start_methods() else "spawn"
PRELOADED = [  # modules that the exercises use: the fork server imports them once
    __name__,
    "flask_sock",
    "PIL.ImageDraw",
    "requests",
    "server.lab.exercises",
    "server.techniques",
    "sseclient",
    "unittest.mock",
]
_processes: Any = multiprocessing.get_context(METHOD)
if METHOD == "forkserver":
    _processes.set_forkserver_preload(PRELOADED)


def run_check(check: Callable[..., None]) -> None:
    """Run the check of the current notebook cell and print what it prints.

    The parameters of the check are names of the notebook. Those after `*` are given: they keep the value that the
    first cell gave them, so that an answer cannot replace them. Raises NotYet if the exercise is not solved.
    """
    shell = sys.modules["IPython"].get_ipython()
    shell.set_custom_exc((), None)  # an answer may have hidden exceptions
    *cells, own = shell.history_manager.input_hist_parsed
    run_check_cell(cells, own)


def run_check_cell(cells: Sequence[str], check_cell: str) -> None:
    """Run the source of a check cell after the cells of a notebook; it defines one function and calls `run_check`.

    Raises NotYet if the exercise is not solved, RuntimeError if the check itself is wrong.
    """
    known = [Cell(number, source) for number, source in enumerate(cells) if not CHECK.search(source)]
    arguments = _function_in(check_cell).args
    chosen = select(known, [argument.arg for argument in arguments.args])
    given = select(known, [argument.arg for argument in arguments.kwonlyargs], first=True)
    receiver, sender = _processes.Pipe(duplex=False)
    with tempfile.TemporaryDirectory() as folder, receiver:
        dump = Path(folder, "dump.txt")
        process = _processes.Process(target=_run, args=(sender, chosen, given, check_cell, str(dump)), daemon=True)
        process.start()
        sender.close()
        try:
            receiver.poll(LIMIT)  # until the process has started
            began = time.monotonic()
            kind, text = _relay(receiver, began + LIMIT)
            seconds = time.monotonic() - began
        finally:
            process.kill()
            process.join()
        code = process.exitcode
        process.close()
        if kind == "ended":
            for cell in chosen:
                add_source(f"<cell {cell.number}>", cell.source)
            line = at(line_of_dump(dump.read_text(encoding="utf-8"))) if dump.exists() else ""
            why = "still running" if line or seconds > LIMIT else f"ends Python itself (exit code {code})"
            raise NotYet(f"your code {'is ' * (why[0] == 's')}{why} after {seconds:.0f} s.{line}")
    if kind == "not yet":
        raise NotYet(text)
    if kind == "error":
        raise RuntimeError(f"The check itself fails. Please report this with your code.\n\n{text}")


def _function_in(check_cell: str) -> ast.FunctionDef:
    (function,) = (node for node in ast.parse(check_cell).body if isinstance(node, ast.FunctionDef))
    return function


def _relay(receiver: Connection, deadline: float) -> tuple[str, str]:
    """Print what the process prints until it sends its verdict; return that, or ("ended", "") if none comes."""
    while receiver.poll(max(0.0, deadline - time.monotonic())):
        try:
            kind, text = receiver.recv()
        except EOFError:
            break
        if kind == "print":
            print(text, end="")
        elif kind != "started":
            return kind, text
    return "ended", ""


# In the process of the check


class _Output(io.TextIOBase):
    """A text stream that sends its text to the notebook."""

    def __init__(self, sender: Connection) -> None:
        self._sender, self._lock = sender, threading.Lock()

    def write(self, text: str) -> int:
        self.send("print", text)
        return len(text)

    def send(self, kind: str, text: str) -> None:
        """Send text with its kind."""
        with self._lock, contextlib.suppress(BrokenPipeError):
            self._sender.send((kind, text))


def _run(sender: Connection, cells: Sequence[Cell], given: Sequence[Cell], check_cell: str, dump: str) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the notebook ends this process if it is interrupted
    output = sys.stdout = sys.stderr = _Output(sender)
    with open(dump, "w", encoding="utf-8") as file:
        WATCHDOG.start(file)
        output.send("started", "")
        output.send(*_verdict(cells, given, check_cell))
        os._exit(0)  # do not wait for threads of the learner


def _verdict(cells: Sequence[Cell], given: Sequence[Cell], check_cell: str) -> tuple[str, str]:
    try:
        check = _check(check_cell)
        values = _values(given, inspect.getfullargspec(check).kwonlyargs)
        check(**_values(cells, inspect.getfullargspec(check).args), **values)
    except NotYet as error:
        return "not yet", str(error)
    except BaseException:
        return "error", traceback.format_exc()
    return "right", ""


def _check(check_cell: str) -> Any:
    """Return the check. Its imports run first, so that the answer cannot change them."""
    function = _function_in(check_cell)
    imports = [node for node in function.body if isinstance(node, ast.Import | ast.ImportFrom)]
    function.body = [node for node in function.body if node not in imports]
    space: dict[str, Any] = {"__name__": "check"}
    exec(compile(ast.Module([*imports, function], []), "<check>", "exec"), space)
    return space[function.name]


def _values(cells: Sequence[Cell], names: Sequence[str]) -> dict[str, Any]:
    """Run cells as a fresh notebook does, and return the values of these names."""
    main = types.ModuleType("__main__")
    sys.modules["__main__"] = main
    vars(main)["get_ipython"] = MagicMock()  # magics do nothing here
    for number, source in cells:
        add_source(f"<cell {number}>", source)
        try:
            exec(compile(source, f"<cell {number}>", "exec"), vars(main))
        except BaseException as error:
            raise NotYet(f"your cell raises {describe(error)}") from error
    for name in names:
        if not hasattr(main, name):
            raise NotYet(f"the name {name} is not defined. Run the cells above first, from the top of the notebook.")
    return {name: getattr(main, name) for name in names}
