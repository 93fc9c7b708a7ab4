"""Select the cells of a notebook that are needed to define some names, and run them."""

from __future__ import annotations

import ast
import builtins
import linecache
import symtable
import sys
import types
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple
from unittest.mock import MagicMock


class Cell(NamedTuple):
    """The source of a notebook cell, and the number under which it was run."""

    number: int
    source: str


class _Names(NamedTuple):
    bound: set[str]  # at the top level of the cell
    imported: set[str]
    used: set[str]  # anywhere in the cell, as globals
    statements: list[ast.stmt]


def select(cells: Sequence[Cell], names: Iterable[str], first: bool = False) -> list[Cell]:
    """Return the cells that define `names`, the cells that those need, and the cells that extend these objects.

    The last cell that binds a name defines it, or the `first` one. A cell extends an object with a decorator
    (`@app.get("/")`), a call (`app.add_url_rule(...)`) or an assignment (`dishes["soup"] = 4`). Cells that are not
    valid Python are ignored.
    """
    known = [(cell, found) for cell in cells if (found := _names(cell.source))]
    order = reversed(range(len(known))) if first else range(len(known))
    latest = {name: index for index in order for name in known[index][1].bound}
    imported = {name for _, found in known for name in found.imported}
    extended = [{name for each in found.statements for name in _extended(each, imported)} for _, found in known]
    needed, chosen, pending = set[str](), set[int](), list(names)
    while pending:
        while pending:
            name = pending.pop()
            if name not in needed:
                needed.add(name)
                if name in latest:
                    chosen.add(latest[name])
                    pending += known[latest[name]][1].used
        own = {name: latest[name] for name in needed - imported if name in latest}
        for index, names_of_cell in enumerate(extended):
            if index not in chosen and any(own.get(name, index) < index for name in names_of_cell):
                chosen.add(index)
                pending += known[index][1].used
    return [known[index][0] for index in sorted(chosen)]


def _names(source: str) -> _Names | None:
    try:
        tree, table = ast.parse(source), symtable.symtable(source, "cell", "exec")
    except (SyntaxError, ValueError):  # ValueError: a NUL character
        return None
    symbols = table.get_symbols()
    bound = {symbol.get_name() for symbol in symbols if symbol.is_assigned() or symbol.is_imported()}
    imported = {symbol.get_name() for symbol in symbols if symbol.is_imported()}
    used = {symbol.get_name() for symbol in symbols if symbol.is_referenced()}
    used |= {symbol.get_name() for each in _inner(table) for symbol in each.get_symbols() if symbol.is_global()}
    return _Names(bound, imported, used, tree.body)


def _inner(table: symtable.SymbolTable) -> Iterator[symtable.SymbolTable]:
    for child in table.get_children():
        yield child
        yield from _inner(child)


def _extended(statement: ast.stmt, imported: set[str]) -> set[str]:
    """Return the names of the objects that a statement may extend."""
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return {node.id for each in statement.decorator_list for node in ast.walk(each) if isinstance(node, ast.Name)}
    if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call):
        call = statement.value
        root = _root(call.func)
        if root in imported or hasattr(builtins, root):  # such as print(app)
            return set()
        return {root, *(each.id for each in call.args if isinstance(each, ast.Name))}
    if isinstance(statement, ast.Assign | ast.AugAssign):
        targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
        return {_root(target) for target in targets if not isinstance(target, ast.Name)}
    return set()


def _root(node: ast.expr) -> str:
    """Return the name that an expression such as `app.config["X"]` begins with, "" if there is none."""
    while isinstance(node, ast.Attribute | ast.Subscript | ast.Call):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.id if isinstance(node, ast.Name) else ""


def run_cells(cells: Iterable[Cell]) -> dict[str, Any]:
    """Run cells as a fresh notebook does, and return the names that they define. Magics do nothing.

    In tracebacks the file name of a cell is `<cell NUMBER>`. Raises what the cells raise.
    """
    main = types.ModuleType("__main__")
    sys.modules["__main__"] = main
    vars(main)["get_ipython"] = MagicMock()
    for number, source in cells:
        add_source(f"<cell {number}>", source)
        exec(compile(source, f"<cell {number}>", "exec"), vars(main))
    return vars(main)


def add_source(name: str, source: str) -> None:
    """Let tracebacks find the lines of code that is in no file. `name` is the file name given to `compile`."""
    linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
