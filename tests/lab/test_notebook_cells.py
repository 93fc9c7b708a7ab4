"""The cells of a notebook that are needed to define some names."""

from __future__ import annotations

import pytest

from server.lab.notebook_cells import Cell, select


def numbers(names: list[str], *sources: str, first: bool = False) -> list[int]:
    """Return the positions of the selected cells."""
    return [cell.number for cell in select([Cell(n, each) for n, each in enumerate(sources)], names, first)]


def test_the_last_cell_that_binds_a_name_defines_it() -> None:
    assert numbers(["a"], "a = 1", "a = 2", "b = 3") == [1]
    assert numbers(["a"], "a = 1", "a = 2", first=True) == [0]


def test_the_cells_that_a_definition_needs_are_selected() -> None:
    cells = "import time", "def g():\n    time.sleep(1)", "x = 1", "def f():\n    return g()"
    assert numbers(["f"], *cells) == [0, 1, 3]


@pytest.mark.parametrize(
    "source",
    ["@app.get('/')\ndef view(): pass", "app.add_url_rule('/', 'x', print)", "app.config['A'] = 1", "extend(app)"],
)
def test_a_later_cell_that_extends_an_object_is_selected(source: str) -> None:
    assert numbers(["app"], source, "def extend(app): pass", "app = Flask('x')", source)[-1] == 3
    assert 0 not in numbers(["app"], source, "def extend(app): pass", "app = Flask('x')", source)


def test_cells_that_only_read_an_object_are_not_selected() -> None:
    cells = ["from server.lab.exercises import fetch", "app = 1", "print(app)", "fetch(app)", "x = app", "not python"]
    assert numbers(["app"], *cells) == [1]
