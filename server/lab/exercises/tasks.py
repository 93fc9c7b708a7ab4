"""Hints, predictions, and program lines to put in order."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from ..client import SECONDS
from ..notebook_cells import add_source
from .bounded import call
from .locations import class_and_message
from .response import NotYet, check


class Hints:
    """The hints of an exercise. Call it with 1 for the first hint; later hints explain more."""

    def __init__(self, exercise: str, *texts: str) -> None:
        self.exercise, self.texts = exercise, texts

    def __call__(self, number: int = 1) -> None:
        """Print a hint."""
        if number not in range(1, len(self.texts) + 1):
            print(f"Exercise {self.exercise} has the hints 1 to {len(self.texts)}, no hint {number!r}.")
        else:
            print(f"Exercise {self.exercise}, hint {number} of {len(self.texts)}: {self.texts[number - 1]}")


def hints(exercise: str, *texts: str) -> Hints:
    """Return the hints of the exercise with this number, to be called `hint` in its notebook."""
    return Hints(exercise, *texts)


def predict(answer: Any, options: Mapping[str, tuple[object, str]], measured: object) -> None:
    """Compare a prediction with the measured outcome.

    `options` maps each letter to the outcome that it predicts and to a sentence with the reason for choosing it.
    Prints the reason if the prediction is right. Raises NotYet with the reason if another outcome was measured, and
    ValueError if no option predicts the measured outcome.
    """
    if measured not in [outcome for outcome, _ in options.values()]:
        raise ValueError(f"no option predicts {measured!r}, which was measured")
    letter = answer.strip().lower() if isinstance(answer, str) else answer
    if letter not in list(options):  # an answer may be no key at all, such as a list
        raise NotYet(f"answer is one of {', '.join(map(repr, options))}, not {answer!r}.")
    outcome, reason = options[letter]
    if outcome != measured:
        raise NotYet(
            f"you predict {outcome!r}. {reason}\n\nA run just now says something else. Look again, then choose."
        )
    print(f"Yes: {measured!r}. {reason}")


def arranged(lines: Mapping[str, str], order: Any, *, out: int = 0, **given: Any) -> dict[str, Any]:
    """Run lines of Python in the order of their letters in `order`, and return the names that they define.

    At least `out` of the lines must not be used. The lines may use the names `given` and the module `time`.
    Raises NotYet if a letter has no line, if a letter is repeated, if there are too many letters, and if the lines
    raise an exception in this order.
    """
    letters = [letter for letter in str(order or "").upper() if letter.isalnum()]
    check(letters, f'order is a text of letters, such as "{"".join(sorted(lines)[:3])}", not {order!r}.')
    for letter in letters:
        check(letter in lines, f"no line has the letter {letter!r}.")
        check(letters.count(letter) == 1, f"the line {letter} is there twice.")
    check(
        len(letters) <= len(lines) - out, f"these are {len(letters)} of {len(lines)} lines, and {out} must stay out."
    )
    program = "\n".join(lines[letter] for letter in letters) + "\n"
    name = f"<your lines {order}>"
    add_source(name, program)
    names: dict[str, Any] = {"time": time, **given}
    _, error = call(SECONDS, lambda: exec(compile(program, name, "exec"), names))
    if error is not None:
        raise NotYet(f"in this order these lines are no program ({class_and_message(error)}):\n\n{program}")
    return names
