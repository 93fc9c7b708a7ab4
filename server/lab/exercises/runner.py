"""Run a check in a process of its own, so that an endless loop or a crash cannot harm the notebook."""

from __future__ import annotations

import ast
import inspect
import re
import sys
import traceback
from collections.abc import Callable, Sequence
from typing import Any

from ..child_process import Limits, preload, run_in_child
from ..notebook_cells import Cell, add_source, run_cells, select
from .bounded import at
from .locations import describe, line_of_dump
from .response import NotYet

CHECK = re.compile(r"^run_check\(", re.MULTILINE)  # a cell with a check defines nothing for other checks
PRELOADED = [__name__, "flask_sock", "PIL.ImageDraw", "requests", "server.techniques", "sseclient"]
LIMITS = Limits()
preload(PRELOADED)  # modules that the exercises use


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
    outcome = run_in_child(_verdict, chosen, given, check_cell, limits=LIMITS)
    kind, text = outcome.value or ("ended", f"ends Python itself (exit code {outcome.exit_code}).")
    if outcome.dump:
        for cell in chosen:
            add_source(f"<cell {cell.number}>", cell.source)
        text = f"is still running after {outcome.seconds:.0f} s.{at(line_of_dump(outcome.dump))}"
    if kind == "ended":
        raise NotYet(f"your code {text}")
    if kind == "not yet":
        raise NotYet(text)
    if kind == "error":
        raise RuntimeError(f"The check itself fails. Please report this with your code.\n\n{text}")


def _function_in(check_cell: str) -> ast.FunctionDef:
    (function,) = (node for node in ast.parse(check_cell).body if isinstance(node, ast.FunctionDef))
    return function


# In the process of the check


def _verdict(
    watch: Callable[[], None], cells: Sequence[Cell], given: Sequence[Cell], check_cell: str
) -> tuple[str, str]:
    """Run the cells and the check; return "right", "not yet" or "error", and the text of the exception."""
    try:
        check = _check(check_cell)
        values = _values(given, inspect.getfullargspec(check).kwonlyargs)
        values |= _values(cells, inspect.getfullargspec(check).args)
        watch()
        check(**values)
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
    """Run cells and return the values of these names."""
    try:
        defined = run_cells(cells)
    except BaseException as error:
        raise NotYet(f"your cell raises {describe(error)}") from error
    for name in names:
        if name not in defined:
            raise NotYet(f"the name {name} is not defined. Run the cells above first, from the top of the notebook.")
    return {name: defined[name] for name in names}
