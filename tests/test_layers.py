"""Who may import whom, read from the sources: nothing is run."""

from __future__ import annotations

import ast
import json
import sys
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
STDLIB = set(sys.stdlib_module_names)
FORMAT_LIBRARIES = {"h11", "wsproto"}
FLASK = {"flask", "werkzeug"}
LAB_LIBRARIES = {"werkzeug", "matplotlib", "requests", "IPython"}

# Of each room: the modules of the server that it may know, and the libraries besides Python's own.
MAY_KNOW: dict[str, tuple[set[str], set[str]]] = {
    "server/wire": ({"server.wire"}, FORMAT_LIBRARIES),
    "server/ticks.py": (set(), set()),
    "server/query.py": (set(), FLASK),
    "server/disconnect.py": (set(), set()),
    "server/feed.py": ({"server.query", "server.ticks"}, set()),
    "server/techniques": (
        {"server.disconnect", "server.feed", "server.query", "server.ticks", "server.wire", "server.techniques"},
        {*FLASK, "jinja2", "PIL", "flask_sock", "requests", "simple_websocket"},
    ),
    "server/serving.py": (set(), FLASK),
    "server/app.py": ({"server.query", "server.techniques"}, FLASK),
    "server/__init__.py": ({"server.app", "server.disconnect"}, FLASK),
    "server/arguments.py": (set(), set()),
    "server/__main__.py": ({"server", "server.arguments", "server.serving"}, set()),
    "server/lab": ({"server.lab", "server.serving", "server.wire"}, {*FORMAT_LIBRARIES, *LAB_LIBRARIES}),
    "server/lab/exercises": (
        {"server.lab", "server.wire"},
        {*FLASK, *FORMAT_LIBRARIES, *LAB_LIBRARIES, "simple_websocket"},
    ),
    "server/lab/classroom": ({"server.lab.classroom"}, {"mistune", "nbclient", "nbformat", "nbgrader", "traitlets"}),
}
MODULES = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "server").rglob("*.py"))


def imports(source: str, module: str) -> Iterator[str]:
    """Yield the full name of everything that a source imports: of `from a import b`, a.b."""
    package = module.removesuffix(".py").removesuffix("/__init__").split("/")
    if not module.endswith("__init__.py"):
        package = package[:-1]
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            names = [*base, *([node.module] if node.module else [])]
            yield from (".".join([*names, alias.name]) for alias in node.names)


def room(module: str) -> str:
    """Return the rule that holds for a module: the longest that its path begins with."""
    return max((name for name in MAY_KNOW if module == name or module.startswith(f"{name}/")), key=len)


def allowed(name: str, own: set[str], libraries: set[str]) -> bool:
    first = name.partition(".")[0]
    if first != "server":
        return first in STDLIB | libraries
    # `from server import wire` names server.wire; of the package itself only names that a rule lists are known.
    return any(name == known or name.startswith(f"{known}.") for known in own - {"server"}) or (
        "server" in own and name in {"server.PORT", "server.create_app"}
    )


@pytest.mark.parametrize("module", MODULES)
def test_a_module_knows_only_the_rooms_below_it(module: str) -> None:
    own, libraries = MAY_KNOW[room(module)]
    found = set(imports((ROOT / module).read_text(encoding="utf-8"), module))
    assert {name for name in found if not allowed(name, own, libraries)} == set()


@pytest.mark.parametrize("module", [module for module in MODULES if not module.startswith("server/lab/")])
def test_nothing_of_the_server_knows_the_lab(module: str) -> None:
    source = (ROOT / module).read_text(encoding="utf-8")
    assert not [name for name in imports(source, module) if name.startswith("server.lab")]


def test_no_module_imports_by_a_name_that_this_test_cannot_read() -> None:
    """Only the drawing looks for modules by name, and only for those of the wire."""
    found = {module for module in MODULES if "import_module" in (ROOT / module).read_text(encoding="utf-8")}
    assert found <= {"server/lab/formats.py"}
    assert not [module for module in MODULES if "__import__" in (ROOT / module).read_text(encoding="utf-8")]


def name_of(module: str) -> str:
    """Return the dotted name of a module's file."""
    return module.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def test_no_modules_import_each_other_in_a_cycle() -> None:
    """Imports inside functions count, so that they cannot hide a cycle."""
    names = {name_of(module) for module in MODULES}
    graph = {}
    for module in MODULES:
        found = set(imports((ROOT / module).read_text(encoding="utf-8"), module))
        used = {name if name in names else name.rpartition(".")[0] for name in found}
        graph[name_of(module)] = (used & names) - {name_of(module)}
    TopologicalSorter(graph).prepare()  # raises CycleError


@pytest.mark.parametrize("path", sorted((ROOT / "notebooks").rglob("*.ipynb")), ids=lambda path: path.name)
def test_a_notebook_imports_without_touching_the_path(path: Path) -> None:
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    code = "".join("".join(cell["source"]) + "\n" for cell in cells if cell["cell_type"] == "code")
    assert "sys.path" not in code


@pytest.mark.parametrize(
    ("module", "source", "name"),
    [
        ("server/wire/sse.py", "from flask import Flask", "flask.Flask"),
        ("server/wire/sse.py", "from ..ticks import ticks", "server.ticks.ticks"),
        ("server/wire/sse.py", "def f():\n    import server.lab", "server.lab"),
        ("server/ticks.py", "from server import wire", "server.wire"),
        ("server/query.py", "from server.ticks import ticks", "server.ticks.ticks"),
        ("server/techniques/sse.py", "from server import lab", "server.lab"),
        ("server/techniques/sse.py", "from server import create_app", "server.create_app"),
        ("server/__init__.py", "from .lab import Tap", "server.lab.Tap"),
        ("server/lab/tap.py", "from ..techniques import sse", "server.techniques.sse"),
        ("server/lab/tap.py", "from server import create_app", "server.create_app"),
    ],
)
def test_the_rules_see_what_they_forbid(module: str, source: str, name: str) -> None:
    assert list(imports(source, module)) == [name]
    assert not allowed(name, *MAY_KNOW[room(module)])
