"""Run a check in a process of its own, so that an endless loop or a crash cannot harm the notebook."""

from __future__ import annotations

import ast
import contextlib
import faulthandler
import inspect
import multiprocessing
import os
import re
import signal
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NamedTuple, TextIO

from ..notebook_cells import Cell, add_source, run_cells, select
from .bounded import at
from .locations import describe, line_of_dump
from .response import NotYet

CHECK = re.compile(r"^run_check\(", re.MULTILINE)  # a cell with a check defines nothing for other checks
MOST_OUTPUT = 100_000  # characters
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


class Limits(NamedTuple):
    """Limits in seconds: for the cells, for the check, and for a call that does not let another thread run."""

    cells: float = 10.0
    check: float = 60.0
    stuck: float = 5.0


LIMITS = Limits()
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
        dump, output = Path(folder, "dump.txt"), Path(folder, "output.txt")
        options = sender, str(dump), str(output), LIMITS, chosen, given, check_cell
        process = _processes.Process(target=_run, args=options, daemon=True)
        process.start()
        sender.close()
        began, kind, text = time.monotonic(), "ended", ""
        try:
            if receiver.poll(2 * sum(LIMITS)):
                with contextlib.suppress(EOFError):
                    kind, text = receiver.recv()
        finally:
            seconds = time.monotonic() - began
            process.kill()
            process.join()
            code = process.exitcode
            process.close()
            _print_file(output)
        if kind == "ended":
            for cell in chosen:
                add_source(f"<cell {cell.number}>", cell.source)
            stuck = dump.read_text(encoding="utf-8") if dump.exists() else ""
            why = f"is still running after {seconds:.0f} s.{at(line_of_dump(stuck))}"
            raise NotYet(f"your code {why if stuck else f'ends Python itself (exit code {code}).'}")
    if kind == "not yet":
        raise NotYet(text)
    if kind == "error":
        raise RuntimeError(f"The check itself fails. Please report this with your code.\n\n{text}")


def _print_file(path: Path) -> None:
    """Print the beginning of a text file, if it exists."""
    if path.exists():
        with path.open(encoding="utf-8", errors="replace") as file:
            text = file.read(MOST_OUTPUT)
            more = "\n... (the rest of the output is not shown)\n" if file.read(1) else ""
        print(text, end=more)


def _function_in(check_cell: str) -> ast.FunctionDef:
    (function,) = (node for node in ast.parse(check_cell).body if isinstance(node, ast.FunctionDef))
    return function


# In the process of the check


def _run(
    sender: Connection,
    dump: str,
    output: str,
    limits: Limits,
    cells: Sequence[Cell],
    given: Sequence[Cell],
    check_cell: str,
) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the notebook ends this process if it is interrupted
    with open(dump, "w", encoding="utf-8") as dumped, open(output, "w", 1, "utf-8", "backslashreplace") as printed:
        sys.stdout = sys.stderr = printed
        faulthandler.dump_traceback_later(limits.cells, exit=True, file=dumped)
        try:
            check = _check(check_cell)
            values = _values(given, inspect.getfullargspec(check).kwonlyargs)
            values |= _values(cells, inspect.getfullargspec(check).args)
            threading.Thread(target=_postpone_the_end, args=(dumped, limits), daemon=True).start()
            check(**values)
            verdict = "right", ""
        except NotYet as error:
            verdict = "not yet", str(error)
        except BaseException:
            verdict = "error", traceback.format_exc()
        printed.flush()
        sender.send(verdict)
        os._exit(0)  # do not wait for threads of the learner


def _postpone_the_end(dumped: TextIO, limits: Limits) -> None:
    """Postpone the end of this process again and again, until the limit of the check.

    This thread cannot run during a call that holds Python's lock. Such a call therefore ends the process.
    """
    never, last = threading.Event(), time.monotonic() + limits.check
    while time.monotonic() < last:
        faulthandler.dump_traceback_later(limits.stuck, exit=True, file=dumped)
        never.wait(limits.stuck / 10)


def _check(check_cell: str) -> Any:
    """Return the check. Its imports run first, so that the answer cannot change them."""
    function = _function_in(check_cell)
    imports = [node for node in function.body if isinstance(node, ast.Import | ast.ImportFrom)]
    function.body = [node for node in function.body if node not in imports]
    space: dict[str, Any] = {"__name__": "check"}
    exec(compile(ast.Module([*imports, function], []), "<check>", "exec"), space)
    return space[function.name]


def _values(cells: Sequence[Cell], names: Sequence[str]) -> dict[str, Any]:
    """Run cells and return the values of these names."""
    try:
        defined = run_cells(cells)
    except BaseException as error:
        raise NotYet(f"your cell raises {describe(error)}") from error
    for name in names:
        if name not in defined:
            raise NotYet(f"the name {name} is not defined. Run the cells above first, from the top of the notebook.")
    return {name: defined[name] for name in names}
