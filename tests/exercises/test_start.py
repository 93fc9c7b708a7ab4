"""Answers to the exercises of 00_start."""

from typing import ClassVar

from exercise_cases import Right, Trials, Wrong

LINES = """
lines = {
    "A": '    if bus == b"7":',
    "B": "response.close()",
    "C": "response = requests.get(url, stream=True)",
    "D": "        break",
    "E": "for bus in buses:",
    "F": "response = requests.get(url)",
    "G": "    came.append(bus)",
    "H": "buses = response.iter_lines(chunk_size=None)",
}
"""
DINNER = 'def dinner(cook):\n    dishes = ("soup", "pasta", "ice cream")\n'
TIMER = """
app = Flask("timer")


def countdown(left):
    while left > 0:
        yield f"{left}\\n".encode()
        second()
        left -= 1
    yield b"ding\\n"


@app.get("/timer")
def timer():
    try:
        left = int(request.args.get("seconds", "3"))
    except ValueError:
        return "seconds is a whole number", 400
    if left < 1 or left > 60:
        return "seconds is a number from 1 to 60", 400
    return Response(countdown(left), content_type="text/plain; charset=utf-8")
"""


class TestStart(Trials):
    stem = "start"
    trials: ClassVar = {
        1: [
            Wrong("nothing has run", 'answer = "a"', "before anything leaves"),
            Wrong("a client that streams", 'answer = "b"', "if it asks for that"),
            Wrong("one step ahead", 'answer = "c"', "Does this client do so"),
            Wrong("the number itself", "answer = 3", "answer is one of"),
        ],
        2: [
            Wrong("without stream", f'{LINES}\norder = "FHEGADB"', "is still running after 2.0 s. It is at line 1"),
            Wrong("never leaves", f'{LINES}\norder = "CHEGB"', "is still running after 2.0 s"),
            Wrong("never closes", f'{LINES}\norder = "CHEGAD"', "nobody has closed the response"),
            Wrong("leaves before it notes", f'{LINES}\norder = "CHEADGB"', "came is [b'3', b'17'], expected"),
            Wrong("reads what is closed", f'{LINES}\norder = "CHBEGAD"', "came is [], expected [b'3', b'17', b'7']"),
            Wrong(
                "a loop over nothing",
                f'{LINES}\norder = "HCEGADB"',
                "are not a valid program (NameError: name 'response' is not defined)",
            ),
            Right("in small letters", f'{LINES}\norder = "c h e g a d b"'),
        ],
        3: [
            Wrong("the text alone", 'answer = "a"', "The chunk carries the event"),
            Wrong("one line end", 'answer = "b"', "the one that makes the blank line"),
            Wrong("in decimal", 'answer = "d"', "In which base"),
            Wrong("the size itself", 'answer = "10"', "answer is one of"),
        ],
        4: [
            Wrong(
                "joined",
                f'{DINNER}    yield "".join(f"{{cook(dish)}}\\n" for dish in dishes)',
                "when 'pasta' is begun, the reader has '', expected 'soup\\n': a dish waits for others",
            ),
            Wrong(
                "a list in a generator's clothes",
                f'{DINNER}    yield from [f"{{cook(dish)}}\\n" for dish in dishes]',
                "when 'pasta' is begun, the reader has ''",
            ),
            Wrong(
                "a return for a yield",
                f'{DINNER}    for dish in dishes:\n        return f"{{cook(dish)}}\\n"',
                "the body is 'soup\\n'",
            ),
            Wrong(
                "letter by letter",
                f'{DINNER}    for dish in dishes:\n        yield from f"{{cook(dish)}}\\n"',
                "yield each as one",
            ),
            Wrong(
                "no line ends", f"{DINNER}    for dish in dishes:\n        yield cook(dish)", "the body is 'souppasta"
            ),
            Wrong(
                "after the loop",
                f'{DINNER}    for dish in dishes:\n        plate = cook(dish)\n    yield f"{{plate}}\\n"',
                "the body is 'ice cream\\n'",
            ),
            Wrong(
                "printed, not sent",
                f"{DINNER}    for dish in dishes:\n        print(cook(dish))",
                "the function returns None. Yield each item",
            ),
            Wrong(
                "cooked twice",
                f'{DINNER}    for dish in dishes:\n        cook(dish)\n        yield f"{{cook(dish)}}\\n"',
                "6 dishes are cooked, expected 3",
            ),
            Wrong(
                "a loop without end",
                f"{DINNER}    for dish in dishes:\n        while dish:\n            pass\n        yield cook(dish)",
                "no response to GET / within 2.0 s. It is at line ",
            ),
            Wrong(
                "nothing is cooked",
                f'{DINNER}    for dish in dishes:\n        yield f"{{dish}}\\n"',
                "0 dishes are cooked, expected 3: call cook(dish)",
            ),
            Right(
                "the dishes above the function",
                'dishes = ("soup", "pasta", "ice cream")\ndef dinner(cook):\n'
                '    for dish in dishes:\n        yield f"{cook(dish)}\\n"',
            ),
            Right("a generator expression", f'{DINNER}    return (cook(dish) + "\\n" for dish in dishes)'),
            Right("in bytes, by map", f'{DINNER}    return map(lambda dish: f"{{cook(dish)}}\\n".encode(), dishes)'),
        ],
        5: [
            Wrong(
                "a list for a generator",
                TIMER.replace("countdown(left),", "list(countdown(left)),"),
                "when second 1 begins, the reader has ''",
            ),
            Wrong(
                "the second first",
                TIMER.replace(
                    '        yield f"{left}\\n".encode()\n        second()',
                    "        second()\n        yield b'%d\\n' % left",
                ),
                "when second 1 begins, the reader has ''",
            ),
            Wrong("at the root", TIMER.replace('"/timer"', '"/"'), "the status of /timer?seconds=4 is 404"),
            Wrong("no ding", TIMER.replace('    yield b"ding\\n"', ""), "the body is '4\\n3\\n2\\n1\\n'"),
            Wrong("down to zero", TIMER.replace("left > 0", "left >= 0"), "1\\n0\\nding\\n', expected"),
            Wrong("it never counts", TIMER.replace("        left -= 1\n", ""), "the body is '4\\n4\\n4\\n"),
            Wrong("seconds of its own", TIMER.replace("        second()", "        time.sleep(1)"), "wait with it"),
            Wrong("no pause", TIMER.replace("        second()\n", ""), "second() is called 0 times"),
            Wrong(
                "no content type",
                TIMER.replace(', content_type="text/plain; charset=utf-8"', ""),
                "the content type is 'text/html'",
            ),
            Wrong(
                "nonsense becomes the default",
                TIMER.replace('int(request.args.get("seconds", "3"))', 'request.args.get("seconds", 3, type=int)'),
                "?seconds=soon has the status 200, expected 400",
            ),
            Wrong(
                "nonsense raises",
                TIMER.replace("except ValueError", "except KeyError"),
                "your code raises ValueError: invalid literal for int() with base 10: 'soon'",
            ),
            Wrong("no upper bound", TIMER.replace(" or left > 60", ""), "?seconds=61 has the status 200"),
            Wrong(
                "the request in the generator",
                TIMER.replace("    while left", '    left = int(request.args.get("seconds", "3"))\n    while left'),
                "Working outside of request context",
            ),
            Wrong("a flood", TIMER.replace("        second()\n        left -= 1\n", ""), "the stream does not end"),
            Wrong(
                "a status alone", TIMER.replace('"seconds is a whole number", 400', '"", 400'), "without a sentence"
            ),
            Wrong(
                "a second of its own",
                TIMER.replace("def countdown", "def second():\n    time.sleep(0.02)\n\n\ndef countdown"),
                "is not what the cell above the task defines",
            ),
            Right("by hand, in bytes", TIMER),
            Right(
                "the second as a default",
                TIMER.replace("countdown(left):", "countdown(left, wait=second):").replace(
                    "        second()", "        wait()"
                ),
            ),
        ],
    }
