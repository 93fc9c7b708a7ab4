"""Run a function in a process of its own, so that an endless loop or a crash cannot harm this process."""

from __future__ import annotations

import contextlib
import faulthandler
import multiprocessing
import os
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NamedTuple, TextIO

METHOD = "forkserver" if "forkserver" in multiprocessing.get_all_start_methods() else "spawn"
MOST_OUTPUT = 100_000  # characters
_processes: Any = multiprocessing.get_context(METHOD)


class Limits(NamedTuple):
    """Limits in seconds.

    Attributes:
        first: until the function calls `watch`.
        run: from then on.
        stuck: for a call that holds Python's lock, so that no other thread can run.
    """

    first: float = 10.0
    run: float = 60.0
    stuck: float = 5.0


class Outcome(NamedTuple):
    """The end of a child process.

    Attributes:
        value: the value that the function returned, None if the process ended before.
        seconds: how long the process took, with its start.
        exit_code: the exit code of the process.
        dump: the tracebacks of all threads, as `faulthandler` writes them, if a limit ended the process; else "".
    """

    value: Any
    seconds: float
    exit_code: int
    dump: str


def preload(modules: Sequence[str]) -> None:
    """Let the server that forks the processes import these modules once, before it starts."""
    if METHOD == "forkserver":
        _processes.set_forkserver_preload(list(modules))


def run_in_child(function: Callable[..., Any], *arguments: Any, limits: Limits) -> Outcome:
    """Call `function(watch, *arguments)` in a new process, print what it prints, and return the outcome.

    The function, its arguments and its value must be picklable, and it must not raise an exception. It calls
    `watch()` when the first limit ends and the others begin. If this function is interrupted, the process ends, too.
    """
    receiver, sender = _processes.Pipe(duplex=False)
    with tempfile.TemporaryDirectory() as folder, receiver:
        dump, output = Path(folder, "dump.txt"), Path(folder, "output.txt")
        options = sender, str(dump), str(output), limits, function, arguments
        process = _processes.Process(target=_run, args=options, daemon=True)
        process.start()
        sender.close()
        began, value = time.monotonic(), None
        try:
            if receiver.poll(2 * sum(limits)):
                with contextlib.suppress(EOFError):
                    value = receiver.recv()
        finally:
            seconds = time.monotonic() - began
            process.kill()
            process.join()
            code = process.exitcode
            process.close()
            _print_file(output)
        return Outcome(value, seconds, code, dump.read_text(encoding="utf-8") if dump.exists() else "")


def _print_file(path: Path) -> None:
    """Print the beginning of a text file, if it exists."""
    if path.exists():
        with path.open(encoding="utf-8", errors="replace") as file:
            text = file.read(MOST_OUTPUT)
            more = "\n... (the rest of the output is not shown)\n" if file.read(1) else ""
        print(text, end=more)


# In the child process


def _run(
    sender: Connection, dump: str, output: str, limits: Limits, function: Callable[..., Any], arguments: Sequence[Any]
) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent ends this process if it is interrupted
    with open(dump, "w", encoding="utf-8") as dumped, open(output, "w", 1, "utf-8", "backslashreplace") as printed:
        sys.stdout = sys.stderr = printed
        faulthandler.dump_traceback_later(limits.first, exit=True, file=dumped)
        watchdog = threading.Thread(target=_postpone_the_end, args=(dumped, limits), daemon=True)
        value = function(watchdog.start, *arguments)
        printed.flush()
        sender.send(value)
        os._exit(0)  # do not wait for other threads


def _postpone_the_end(dumped: TextIO, limits: Limits) -> None:
    """Postpone the end of this process again and again, until the limit.

    This thread cannot run during a call that holds Python's lock. Such a call therefore ends the process.
    """
    never, last = threading.Event(), time.monotonic() + limits.run
    while time.monotonic() < last:
        faulthandler.dump_traceback_later(limits.stuck, exit=True, file=dumped)
        never.wait(limits.stuck / 10)
