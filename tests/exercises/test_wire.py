"""Answers to the exercises of 01_wire."""

from typing import ClassVar

from exercise_cases import Right, Trials, Wrong

LINES = """
lines = {
    "A": 'send(b"0\\\\r\\\\n\\\\r\\\\n")',
    "B": 'send(b"\\\\r\\\\n")',
    "C": 'send(b"HTTP/1.1 200 OK\\\\r\\\\n")',
    "D": 'send(b"e\\\\r\\\\nfrom the wire\\\\n\\\\r\\\\n")',
    "E": 'send(b"14\\\\r\\\\nfrom the wire\\\\n\\\\r\\\\n")',
    "F": 'send(b"Transfer-Encoding: chunked\\\\r\\\\n")',
    "G": 'send(b"6\\\\r\\\\nhello \\\\r\\\\n")',
    "H": 'send(b"Content-Length: 20\\\\r\\\\n")',
}
"""
REPORT = """
def report(query):
    yield "day,sum\\n"
    for row in query():
        yield ",".join(row) + "\\n"
"""
HEADLINES = """
def headlines(url):
    response = requests.get(url, stream=True)
    for event in SSEClient({}).events():
        yield event.data
"""
READ_LINES = """
def headlines(url):
    for line in requests.get(url, stream=True).iter_lines(chunk_size={}):
        if line.startswith(b"data: "):
            yield line[6:].decode()
"""
UNCHUNKED = """
import io


def unchunked(body):
    stream, data = io.BytesIO(body), b""
    while True:
        line = stream.readline()
        size = int(line, 16)
        piece, end = stream.read(size), stream.read(2)
        if len(piece) < size or end != b"\\r\\n":
            raise ValueError("cut")
        if size == 0:
            return data
        data += piece
"""


class TestWire(Trials):
    stem = "wire"
    trials: ClassVar = {
        1: [
            Wrong("a length in characters", 'answer = "a"', "On the wire there are only bytes"),
            Wrong("a server that counts along", 'answer = "c"', "This one sends what it is given"),
            Wrong("too many is an error", 'answer = "d"', "Do fewer come here"),
            Wrong("the text itself", 'answer = "€ 4, soup"', "answer is one of"),
        ],
        2: [
            Wrong(
                "20 bytes are promised",
                f'{LINES}\norder = "CFBGEA"',
                "what was promised (14 is hexadecimal: 20 bytes are promised)",
            ),
            Wrong("both sizes", f'{LINES}\norder = "CFBGEDA"', "do not fit the sizes"),
            Wrong("a length and chunks", f'{LINES}\norder = "CFHBGDA"', "both a length and chunks"),
            Wrong("chunks under a length", f'{LINES}\norder = "CHBGDA"', "the reader takes '6\\r\\nhello"),
            Wrong(
                "a length for chunks",
                f'{LINES}\norder = "CHBGDA"',
                "from the wire\\n': chunks were sent, and the head promises a length",
            ),
            Wrong("chunks unannounced", f'{LINES}\norder = "CBGDA"', "and the head promises no chunks"),
            Wrong("framed by the close", f'{LINES}\norder = "CBGD"', "the reader takes '6\\r\\nhello"),
            Wrong("no last chunk", f'{LINES}\norder = "CFBGD"', "the reader still waits"),
            Wrong("no blank line", f'{LINES}\norder = "CFGDA"', "no reader finds a head"),
            Wrong("the end in the middle", f'{LINES}\norder = "CFBGAD"', "the reader takes 'hello ' for the body"),
            Wrong("the wire first", f'{LINES}\norder = "CFBDGA"', "the reader takes 'from the wire\\nhello '"),
            Right("with commas", f'{LINES}\norder = "c, f, b, g, d, a"'),
        ],
        3: [
            Wrong(
                "the line first, but the rows in a list",
                REPORT.replace("in query()", "in list(query())"),
                "when the second row is read, the reader has 'day,sum\\n': send the first",
            ),
            Wrong(
                "the line after the question",
                'def report(query):\n    rows = query()\n    first = next(rows)\n    yield "day,sum\\n"\n'
                '    for row in (first, *rows):\n        yield ",".join(row) + "\\n"',
                "when the database is asked, the reader has ''",
            ),
            Wrong(
                "an empty piece for a head",
                'def report(query):\n    yield ""\n    text = "day,sum\\n"\n    for row in query():\n'
                '        text += ",".join(row) + "\\n"\n    yield text',
                "when the database is asked, the reader has ''",
            ),
            Wrong(
                "please wait",
                REPORT.replace('yield "day', 'yield "please wait\\n"\n    yield "day'),
                "the body is 'please wait\\nday,sum",
            ),
            Wrong(
                "one row behind",
                'def report(query):\n    before = "day,sum\\n"\n    for row in query():\n        yield before\n'
                '        before = ",".join(row) + "\\n"\n    yield before',
                "when the database is asked, the reader has ''",
            ),
            Wrong(
                "the first row, then the others",
                'def report(query):\n    yield "day,sum\\n"\n    rows = (",".join(row) + "\\n" for row in query())\n'
                '    yield next(rows)\n    yield "".join(rows)',
                "when the third row is read, the reader has 'day,sum\\nMonday,30\\n': send the second",
            ),
            Wrong(
                "asked to count, then asked again",
                REPORT.replace("    for", "    sum(1 for _ in query())\n    for"),
                "the database is asked for 6 rows",
            ),
            Wrong(
                "rows as Python",
                REPORT.replace('",".join(row) + "\\n"', 'f"{row}\\n"'),
                "the body is \"day,sum\\n('Monday', '30')",
            ),
            Right("row by row", REPORT),
            Right(
                "a chain",
                "import itertools\ndef report(query):\n"
                '    rows = (f"{day},{total}\\n" for day, total in query())\n'
                '    return itertools.chain(["day,sum\\n"], rows)',
            ),
        ],
        4: [
            Wrong(
                "two lines as two headlines",
                "def headlines(url):\n    response = requests.get(url, stream=True)\n"
                '    for event in SSEClient(iter(response.raw.read1, b"")).events():\n'
                "        yield from event.data.splitlines()\n",
                "the headlines are",
            ),
            Wrong("a smaller block", HEADLINES.format("response.iter_content(16)"), "with HTTP/1.0 'Page 1"),
            Wrong(
                "all there is",
                HEADLINES.format("response.iter_content(None)"),
                "with HTTP/1.0 'Page 1: all quiet today' is handed over when 8 of 8",
            ),
            Wrong("line by line", READ_LINES.format("512"), "with HTTP/1.1 the headlines are"),
            Wrong("not streamed", HEADLINES.format("response").replace(", stream=True", ""), "with HTTP/1.1 'Page 1"),
            Wrong(
                "with its field",
                READ_LINES.format("1").replace("line[6:]", "line"),
                "the headlines are ['data: Page 1",
            ),
            Wrong(
                "a loop without end",
                "def headlines(url):\n    raw, text = requests.get(url, stream=True).raw, b''\n    while True:\n"
                "        text += raw.read1()\n        while b'\\n\\n' in text:\n"
                "            event, _, text = text.partition(b'\\n\\n')\n            yield event[6:].decode()",
                "the stream has ended, your generator has not: headlines is still running after 2.5 s",
            ),
            Wrong(
                "a loop without end for a client",
                "def headlines(url):\n    raw = requests.get(url, stream=True).raw\n    def pieces():\n"
                "        while True:\n            yield raw.read1()\n"
                "    for event in SSEClient(pieces()).events():\n        yield event.data",
                "the stream has ended, your generator has not: headlines is still running after 2.5 s",
            ),
            Wrong(
                "read1 called, not given",
                "def headlines(url):\n    with requests.get(url, stream=True) as response:\n"
                '        for event in SSEClient(iter(response.raw.read1(), b"")).events():\n'
                "            yield event.data",
                "headlines raises TypeError: ",
            ),
            Wrong(
                "an error at the end",
                HEADLINES.format("response.iter_content(1)") + "    raise EOFError",
                "headlines raises EOFError",
            ),
            Right(
                "a helper called read",
                "def read(raw):\n    while piece := raw.read1():\n        yield piece\n"
                + HEADLINES.format("read(response.raw)"),
            ),
            Right("byte by byte", HEADLINES.format("response.iter_content(1)")),
            Wrong("each line as a headline", READ_LINES.format("1"), "with HTTP/1.1 the headlines are"),
            Right(
                "http.client",
                "import http.client\nfrom server.wire.sse import Parser\ndef headlines(url):\n"
                '    connection = http.client.HTTPConnection(url.removeprefix("http://"))\n'
                '    connection.request("GET", "/")\n    answer, parser = connection.getresponse(), Parser()\n'
                "    while piece := answer.read1():\n        for event in parser.feed(piece):\n"
                "            yield event.data\n    connection.close()",
            ),
        ],
        5: [
            Wrong(
                "split at line ends",
                'def unchunked(body):\n    return b"".join(body.split(b"\\r\\n")[1::2])',
                "expected b'one\\r\\ntwo'",
            ),
            Wrong("sizes in decimal", UNCHUNKED.replace("int(line, 16)", "int(line)"), "with base 10"),
            Wrong(
                "as text",
                UNCHUNKED.replace("io.BytesIO(body)", "io.BytesIO(body.decode().encode())"),
                "UnicodeDecodeError",
            ),
            Wrong(
                "small letters only",
                UNCHUNKED.replace(
                    "int(line, 16)", "int(line, 16) if line.islower() or line.strip().isdigit() else 0"
                ),
                "unchunked(b'1F\\r\\n",
            ),
            Wrong(
                "until the last chunk is found",
                UNCHUNKED.replace("while True:", "while not body[stream.tell() :].startswith(b'0'):")
                + "    return data\n",
                "is cut, and unchunked raises nothing",
            ),
            Wrong(
                "a cut is an end",
                UNCHUNKED.replace('raise ValueError("cut")', "return data"),
                "is cut, and unchunked raises nothing",
            ),
            Wrong(
                "a cut in a chunk's end",
                UNCHUNKED.replace('or end != b"\\r\\n"', "and end"),
                "is cut, and unchunked raises nothing",
            ),
            Wrong(
                "another error",
                UNCHUNKED.replace('raise ValueError("cut")', 'raise EOFError("cut")'),
                "raises EOFError: cut, expected a ValueError",
            ),
            Wrong(
                "a loop without end",
                'def unchunked(body):\n    data = b""\n    while body != b"0\\r\\n\\r\\n":\n'
                '        size, _, rest = body.partition(b"\\r\\n")\n        count = int(size or b"0", 16)\n'
                "        data += rest[:count]\n        body = rest[count + 2 :]\n    return data",
                "is still running after 1 s. It is at line",
            ),
            Wrong(
                "an error returned",
                UNCHUNKED.replace("raise ValueError", "return ValueError").replace(
                    "int(line, 16)", 'int(line if line.endswith(b"\\n") else b"-1", 16)'
                ),
                "It returns ValueError('cut'): raise it",
            ),
            Wrong(
                "a cut taken for whole",
                UNCHUNKED.replace('raise ValueError("cut")', "return data + piece"),
                "and unchunked raises nothing. It returns b'': raise a ValueError",
            ),
            Wrong(
                "a bytearray",
                UNCHUNKED.replace('b""', "bytearray()"),
                "returns bytearray(b'hello'), expected b'hello'",
            ),
            Right("as a file", UNCHUNKED),
            Right(
                "a helper called chunk",
                UNCHUNKED.replace("        line = stream.readline()\n", "        size, piece, end = chunk(stream)\n")
                .replace("        size = int(line, 16)\n        piece, end = stream.read(size), stream.read(2)\n", "")
                .replace(
                    "def unchunked",
                    "def chunk(body):\n    size = int(body.readline(), 16)\n"
                    "    return size, body.read(size), body.read(2)\n\n\ndef unchunked",
                ),
            ),
            Right(
                "with the parser of the course",
                "from server.wire import http\ndef unchunked(body):\n"
                '    head = http.Head("HTTP/1.1 200 OK", (("Transfer-Encoding", "chunked"),)).encode()\n'
                '    parser = http.Parser("response")\n    parts = parser.feed(head + body) + parser.close()\n'
                '    if not any(isinstance(part, http.End) and part.how == "last chunk" for part in parts):\n'
                '        raise ValueError("cut")\n'
                '    return b"".join(part.raw for part in parts if isinstance(part, http.Data))',
            ),
        ],
    }
