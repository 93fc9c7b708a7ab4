from __future__ import annotations

import pytest

from server.lab import compare


@pytest.mark.parametrize(
    ("prediction", "measured"),
    [(16, 16), (2.0, 2), ("B", "b"), (" no ", "no"), ([1, "A"], (1, "a")), (True, True), ({1, 2}, {2, 1})],
)
def test_an_equal_prediction_is_right(
    prediction: object, measured: object, capsys: pytest.CaptureFixture[str]
) -> None:
    compare(prediction, measured)
    assert capsys.readouterr().out.startswith("Right.\n")


@pytest.mark.parametrize(
    ("prediction", "measured"), [(8, 16), ("16", 16), ("a", "b"), ([1], [1, 2]), (False, True), ([2, 1], [1, 2])]
)
def test_another_prediction_is_not_right(
    prediction: object, measured: object, capsys: pytest.CaptureFixture[str]
) -> None:
    compare(prediction, measured)
    assert capsys.readouterr().out == f"Not yet.\nYou predicted {prediction!r}. Measured: {measured!r}.\n"


def test_without_a_prediction_the_first_line_does_not_contain_the_value(capsys: pytest.CaptureFixture[str]) -> None:
    compare(None, 16, "bytes")
    first, second = capsys.readouterr().out.splitlines()
    assert "16" not in first
    assert second == "Measured: 16 bytes."


@pytest.mark.parametrize(("number", "text"), [(0, "0 chunks"), (1, "1 chunk"), (2, "2 chunks")])
def test_a_unit_agrees_with_its_number(number: int, text: str, capsys: pytest.CaptureFixture[str]) -> None:
    compare(number, number, "chunks")
    assert capsys.readouterr().out == f"Right.\nYou predicted {text}. Measured: {text}.\n"
