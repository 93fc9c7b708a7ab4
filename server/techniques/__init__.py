"""The techniques, one module each, in the order in which the course teaches them. This is the only list of them."""

from . import sse, snippets, template, polling, longpoll, ndjson, multipart, websocket  # isort: skip

TECHNIQUES = (sse, snippets, template, polling, longpoll, ndjson, multipart, websocket)
