"""The techniques, one module each, in the order in which the course teaches them. This is the only list of them.

Each module has these names:

- `blueprint`: its views. The blueprint and the URL have the name of the module.
- `TICK_END`: the bytes that end a tick in the body of its one response, as a regular expression. It is None if no
  bytes mark the end of a tick. The module then has `receive_ticks`.
- `receive_ticks(url, query)`: yields the number of each tick when a client receives it, and raises OSError if a
  request fails. `server.lab.comparison` calls it.
"""

from . import sse, snippets, template, polling, longpoll, ndjson, multipart, websocket  # isort: skip

TECHNIQUES = (sse, snippets, template, polling, longpoll, ndjson, multipart, websocket)
