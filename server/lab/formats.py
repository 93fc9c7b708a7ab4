"""Find the module of server.wire that knows the format of a body."""

from __future__ import annotations

import functools
import importlib
import pkgutil
from typing import Protocol, cast

from server import wire
from server.wire import Explainer, LineExplainer, Meaning
from server.wire.http import Head


class Format(Protocol):
    """The names of a module in server.wire that a drawing uses."""

    def matches(self, head: Head) -> bool:
        """Return True if a message has a body of this format."""

    def Explainer(self, head: Head) -> Explainer:  # noqa: N802  # a class of the module
        """Return an explainer for one body."""

    def describe(self, meaning: Meaning, raw: bytes) -> str:
        """Return a short text for a meaning."""


class Unknown(LineExplainer):
    """Splits a body of an unknown format into lines, which have no meaning."""

    def _explain(self, fragment: bytes) -> Meaning:
        return Meaning(kind="line")


@functools.cache
def formats() -> dict[str, Format]:
    """Return the formats by the names of their modules: all modules of server.wire except http."""
    names = [module.name for module in pkgutil.iter_modules(wire.__path__) if module.name != "http"]
    return {name: cast(Format, importlib.import_module(f"{wire.__name__}.{name}")) for name in names}


def find(head: Head) -> str:
    """Return the name of the format of a message's body; "" if it is unknown."""
    return next((name for name, module in formats().items() if module.matches(head)), "")


def explainer(name: str, head: Head) -> Explainer:
    """Return an explainer for a body of the format `name` ("" if it is unknown)."""
    return formats()[name].Explainer(head) if name else Unknown()


def describe(name: str, meaning: Meaning, raw: bytes) -> str:
    """Return a short text for a meaning; "" for an unknown format."""
    return formats()[name].describe(meaning, raw) if name else ""
