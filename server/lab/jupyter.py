"""Start JupyterLab with the workspace of the course: `python -m server.lab.jupyter`.

It opens the first notebook with the live page beside it, keeps its settings in the environment of this Python, and
does not contact the network. run.py runs this file by its path, so it imports only the standard library.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
SETTINGS = {"@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": False}}
# nbgrader adds menus for teachers. TEACHING.md uses its command line only.
PAGE_CONFIG = {"disabledExtensions": {"@jupyter/nbgrader": True}}


def start(browser: bool, port: int | None, more: list[str]) -> int:
    """Start JupyterLab, print its address, and wait until it ends; return the exit code.

    Args:
        browser: open a browser.
        port: the port to listen on; None takes 8888 or the next free one.
        more: further arguments for JupyterLab.
    """
    folder = Path(sys.prefix) / "share" / "jupyter" / "lab"
    write_settings(folder)
    handle_signals()
    with tempfile.TemporaryDirectory(prefix="course-") as temporary, open(Path(temporary, "log"), "wb") as log:
        live = Path(temporary, "live")
        variables = {**os.environ, "JUPYTER_RUNTIME_DIR": temporary, **live_page(live)}
        output: dict[str, Any] = {"stdin": subprocess.DEVNULL, "stdout": log, "stderr": log}
        # In its own session, Ctrl-C reaches only this process, which passes it on once and waits.
        child = subprocess.Popen(
            command(folder, live, browser, port, more), cwd=ROOT, env=variables, start_new_session=True, **output
        )
        return wait(child, Path(temporary))


def write_settings(folder: Path, root: Path = ROOT) -> None:
    """Write JupyterLab's settings into a folder. The learner's workspace stays until the course has a new one."""
    settings, workspace = folder / "settings", workspace_file(folder)
    shipped, installed = root / "notebooks" / "course.jupyterlab-workspace", workspace.with_name("shipped.json")
    settings.mkdir(parents=True, exist_ok=True)
    (settings / "overrides.json").write_text(json.dumps(SETTINGS))
    (settings / "page_config.json").write_text(json.dumps(PAGE_CONFIG))
    workspace.parent.mkdir(exist_ok=True)
    if not (workspace.exists() and installed.exists() and installed.read_bytes() == shipped.read_bytes()):
        shutil.copyfile(shipped, workspace)
        shutil.copyfile(shipped, installed)


def workspace_file(folder: Path) -> Path:
    """Return the file in which JupyterLab looks for the workspace "course"; its name ends in digits of a SHA-256."""
    return folder / "workspaces" / "course-a908.jupyterlab-workspace"


def live_page(folder: Path) -> dict[str, str]:
    """Create the file for the address of the first notebook's server; return the variable that names it.

    JupyterLab serves this file to the page beside the notebook (static/waiting.html). See server/lab/live.py.
    """
    folder.mkdir()
    (folder / "live.js").touch()
    return {"STREAMING_LIVE_PAGE": str(folder / "live.js")}


def command(
    folder: Path, live: Path, browser: bool, port: int | None, more: list[str], root: Path = ROOT
) -> list[str]:
    """Return the command line that starts JupyterLab.

    Args:
        folder: the folder with its settings.
        live: the folder with the address of the live page.
        browser: open a browser.
        port: the port to listen on, or None.
        more: further arguments for JupyterLab.
        root: the folder of the course.
    """
    options: dict[str, object] = {
        "ServerApp.root_dir": root,
        "ServerApp.open_browser": browser,
        # A browser in a sandbox (snap, flatpak) cannot read the hidden file that Jupyter would give to it.
        "ServerApp.use_redirect_file": False,
        "ServerApp.allow_root": True,  # containers often have no other user; JupyterLab listens on this machine only
        # For the page beside the notebook: /files needs a referrer, which JupyterLab's frames do not send.
        "ServerApp.extra_static_paths": [str(root / "static"), str(live)],
        "LabApp.default_url": "/lab/workspaces/course",
        "LabApp.app_settings_dir": folder / "settings",
        "LabApp.extension_manager": "readonly",  # the other one contacts the package index
        "LabServerApp.workspaces_dir": workspace_file(folder).parent,
    }
    if port:
        options |= {"ServerApp.port": port, "ServerApp.port_retries": 0}
    return [sys.executable, "-m", "jupyterlab", *(f"--{name}={value}" for name, value in options.items()), *more]


def address(child: subprocess.Popen[bytes], folder: Path) -> str:
    """Wait until JupyterLab accepts connections, and return the URL of the course; "" if it has ended.

    Args:
        child: the process of JupyterLab.
        folder: its runtime folder, in which it writes its address.
    """
    while child.poll() is None:
        for file in folder.glob("jpserver-*.json"):
            # The file may be incomplete, and JupyterLab writes it a moment before it listens.
            with contextlib.suppress(ValueError, OSError):
                info = json.loads(file.read_text())
                host = "localhost" if info["hostname"] in ("", "*", "0.0.0.0", "::") else info["hostname"]
                socket.create_connection((host, info["port"]), timeout=5).close()
                return f"{info['url']}lab/workspaces/course?token={info['token']}"
        time.sleep(0.02)
    return ""


def handle_signals() -> None:
    """Treat SIGTERM and SIGHUP like Ctrl-C."""
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        if number and not (name == "SIGHUP" and signal.getsignal(number) == signal.SIG_IGN):  # nohup
            signal.signal(number, signal.default_int_handler)


def wait(child: subprocess.Popen[bytes], folder: Path) -> int:
    """Print the address of JupyterLab and wait until it ends. Ctrl-C ends it and its kernels."""
    try:
        print("Starting JupyterLab ...", flush=True)
        if url := address(child, folder):
            print(f"JupyterLab is at {url}\nCtrl-C ends it.", flush=True)
        if child.wait():
            lines = (folder / "log").read_text(errors="replace").strip().splitlines()
            print("JupyterLab has failed:", *lines[-4:], sep="\n  | ", file=sys.stderr)
            print("To fix it: correct the error above, or run python3 run.py clean and start again.", file=sys.stderr)
        return int(child.returncode != 0)
    except KeyboardInterrupt:
        print("\nEnding JupyterLab and its kernels.", flush=True)
        return 0
    finally:
        # Even if the terminal is closed. On Windows, Ctrl-C has reached JupyterLab too; to terminate it would leave
        # its kernels running.
        if os.name == "posix":
            child.terminate()
        child.wait()


def main() -> int:
    """Read the command line and start JupyterLab."""
    parser = argparse.ArgumentParser(
        prog="python -m server.lab.jupyter", description="Open the course in JupyterLab.", allow_abbrev=False
    )
    parser.add_argument("--no-browser", dest="browser", action="store_false", help="only print the address")
    parser.add_argument("--port", type=int, metavar="N", help="the port (default: 8888, or the next free one)")
    options, more = parser.parse_known_args()
    return start(options.browser, options.port, more)


if __name__ == "__main__":
    sys.exit(main())
