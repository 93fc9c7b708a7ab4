"""Hints, predictions, and program lines to put in order."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from ..client import SECONDS
from ..notebook_cells import add_source
from .bounded import call
from .locations import class_and_message
from .response import NotYet, check


def hints(exercise: str, *texts: str) -> Callable[..., None]:
    """Return the hints of the exercise with this number, as a function called `hint` in its notebook.

    `hint(1)`, or `hint()`, prints the first hint. Later hints explain more.
    """

    def hint(number: int = 1) -> None:
        if number not in range(1, len(texts) + 1):
            print(f"Exercise {exercise} has the hints 1 to {len(texts)}, no hint {number!r}.")
        else:
            print(f"Exercise {exercise}, hint {number} of {len(texts)}: {texts[number - 1]}")

    return hint


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
        raise NotYet(f"you predict {outcome!r}. {reason}\n\nThe measured outcome is different. Choose again.")
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
        check(letters.count(letter) == 1, f"the line {letter} is used twice.")
    check(len(letters) <= len(lines) - out, f"{len(letters)} of {len(lines)} lines are used: leave out {out}.")
    program = "\n".join(lines[letter] for letter in letters) + "\n"
    name = f"<your lines {order}>"
    add_source(name, program)
    names: dict[str, Any] = {"time": time, **given}
    _, error = call(SECONDS, lambda: exec(compile(program, name, "exec"), names))
    if error is not None:
        raise NotYet(f"in this order these lines are not a valid program ({class_and_message(error)}):\n\n{program}")
    return names
