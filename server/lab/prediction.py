"""Compare a prediction of the learner with a measured value."""

from __future__ import annotations


def compare(prediction: object, measured: object, unit: str = "") -> None:
    """Print whether a prediction is right, then the prediction and the measured value.

    `prediction` is None if the learner has made none. `unit` is a noun in the plural that belongs to a number, such
    as "bytes". Text is compared without regard to case and surrounding blanks. The first line never contains the
    measured value, because a folded output in JupyterLab shows its first line.

    >>> compare(8, 16, "bytes")
    Not yet.
    You predicted 8 bytes. Measured: 16 bytes.
    >>> compare("Generator", "generator")
    Right.
    You predicted 'Generator'. Measured: 'generator'.
    >>> compare(None, 3, "chunks")
    You have not made a prediction yet.
    Measured: 3 chunks.
    """
    if prediction is None:
        print(f"You have not made a prediction yet.\nMeasured: {_with(unit, measured)}.")
        return
    right = _comparable(prediction) == _comparable(measured)
    print("Right." if right else "Not yet.")
    print(f"You predicted {_with(unit, prediction)}. Measured: {_with(unit, measured)}.")


def _comparable(value: object) -> object:
    if isinstance(value, str):
        return value.strip().casefold()
    if isinstance(value, list | tuple):
        return [_comparable(each) for each in value]
    return value


def _with(unit: str, value: object) -> str:
    if not unit:
        return repr(value)
    return f"{value!r} {unit.removesuffix('s') if value == 1 else unit}"
