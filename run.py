"""Opens the course and checks it: `python3 run.py lab`, `python3 run.py test`; `--help` tells the rest.

It needs nothing but Python 3.10 or later. The first run makes `.venv` beside this file and installs into it
what pyproject.toml asks for, in the versions of constraints.txt; later runs reuse it and work offline.
"""

import sys

# An older Python must come as far as this line, so the whole file keeps to the syntax of Python 3.6.
if sys.version_info < (3, 10):  # noqa: UP036
    sys.exit(
        f"run.py needs Python 3.10 or later, and this is Python {sys.version_info[0]}.{sys.version_info[1]}.\n"
        "Install a newer one beside it and call that by its name, for example: python3.12 run.py lab"
    )

import argparse
import contextlib
import errno
import hashlib
import json
import os
import platform
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
BIN = VENV / ("Scripts" if os.name == "nt" else "bin")
PYTHON = str(BIN / ("python.exe" if os.name == "nt" else "python"))
STAMP = VENV / "installed.json"
# Within a virtual environment, even within this .venv, that is the Python beneath it.
BASE: str = getattr(sys, "_base_executable", sys.executable)
CACHES = (".mypy_cache", ".pytest_cache", ".ruff_cache", ".hypothesis")
LAB = VENV / "share" / "jupyter" / "lab"
SHIPPED = ROOT / "notebooks" / "course.jupyterlab-workspace"
# JupyterLab looks for the workspace "course" under this name; its end are digits of the name's SHA-256.
WORKSPACE = LAB / "workspaces" / "course-a908.jupyterlab-workspace"
QUIET = {"@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": False}}
# How the tests are spread: over more workers than cores, since they wait much; tests/conftest.py orders them.
# nbval runs in a process of its own: to load it everywhere would take each worker a second.
SPREAD = ["-n", "4", "--dist", "loadscope", "--no-loadscope-reorder", "-p", "no:nbval"]
# What must be importable, by extra. The probe stops where a Python has lost its folder of packages, and -I
# keeps this folder from being taken for an installed one.
NEEDED = {
    "": ["server", "flask", "jupyterlab", "matplotlib", "requests", "sseclient"],
    "classroom": ["nbgrader"],
    "test": ["pytest", "xdist"],
}
PROBE = (
    "import importlib.util as u, os, sys, sysconfig; os.stat(sysconfig.get_path('purelib'));"
    "print('%d.%d' % sys.version_info[:2], *filter(u.find_spec, sys.argv[1:]))"
)
# Beside a copy that `bundle` has made: all packages that it needs, and which machine they are for.
WHEELS = ROOT / "wheels"
MACHINE = "machine.txt"
BUNDLED = (
    *("run.py", "pyproject.toml", "constraints.txt", "environment.yml", "README.md", "CHANGELOG.md", "LICENSE"),
    *("TEACHING.md", "server", "static", "notebooks"),
)
# What a failed installer says, what it means, what helps. The first that fits counts, so the index comes
# before impossible versions: of those both installers complain too when they reach no index at all.
REASONS = (
    (r"No space left|not enough space|[Qq]uota", "the disk is full", "free about 500 MB and run it again"),
    (
        r"Permission denied|Access is denied|Read-only file",
        "a file or folder may not be written",
        "make this folder your own, or work in a copy of it, and run it again",
    ),
    (
        r"ensurepip|No module named '?(venv|pip)\b",
        "this Python came without its venv module",
        "on Debian or Ubuntu: apt install python3-venv; elsewhere: a Python with pip, or uv",
    ),
    (
        r"(?i)dns error|error sending request|failed to fetch|connection|timed out|certificate|proxy"
        r"|network (was|is) disabled|from versions: none",
        "the package index could not be reached",
        "connect this machine (behind a proxy: set HTTPS_PROXY) and run it again; once installed, all works offline",
    ),
    (
        r"No solution found|ResolutionImpossible|No matching distribution|different Python",
        "these versions do not go together on this Python",
        "try --latest, or another Python: python3.12 run.py lab",
    ),
    (r"", "this step failed", "mend what is said here; else: python3 run.py clean, and run it again"),
)
# The same where the packages come from the folder wheels.
LACKING = (
    r"No solution found|ResolutionImpossible|No matching distribution|different Python",
    "the folder wheels does not hold all that this needs; it is made for lab, serve and blank",
    "remove that folder where there is a network; else take a bundle that was made on a machine like this one",
)


class ExpectedError(Exception):
    """A failure that was to be expected: its cause and its remedy, in plain words."""

    def __init__(self, cause: str, remedy: str) -> None:
        super().__init__(f"run.py stops: {cause}.\nWhat helps: {remedy}.")


@contextlib.contextmanager
def step(what: str) -> Iterator[None]:
    """Say what is being done and, once it is done, how long it took."""
    print(f"{what} ...", end=" ", flush=True)
    begun = time.monotonic()
    try:
        yield
    except BaseException:
        print()
        raise
    print(f"{time.monotonic() - begun:.1f} s", flush=True)


def surroundings(**more: str) -> dict[str, str]:
    """The environment variables of all that is started here, as an activated .venv would have them."""
    kept = {key: value for key, value in os.environ.items() if key not in ("PYTHONHOME", "PYTHONDONTWRITEBYTECODE")}
    kept["PATH"] = os.pathsep.join([str(BIN), kept.get("PATH", os.defpath)])
    # What Python compiles is kept, which halves the start of a kernel, and it is kept in .venv.
    kept.setdefault("PYTHONPYCACHEPREFIX", str(VENV / "compiled"))
    # The kernel is this environment's, also where the user has one of the same name.
    more.update(VIRTUAL_ENV=str(VENV), JUPYTER_PREFER_ENV_PATH="1", PIP_UPGRADE_STRATEGY="eager")
    return {**kept, **more}


def quietly(*command: str) -> tuple[bool, str]:
    """Run a command to its end; whether it went well, and all it said."""
    pipe: dict[str, Any] = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    try:
        done = subprocess.run(command, cwd=ROOT, env=surroundings(), text=True, errors="replace", **pipe)
    except OSError as error:
        return False, str(error)
    return done.returncode == 0, done.stdout


def trouble(said: str) -> ExpectedError:
    """What a failed installer means, with its own last words."""
    reasons = (LACKING, *REASONS) if WHEELS.is_dir() else REASONS
    cause, remedy = next((cause, remedy) for pattern, cause, remedy in reasons if re.search(pattern, said))
    return ExpectedError(cause + tail(said), remedy)


def tail(said: str) -> str:
    """The last words of a program that failed, to be put behind a cause."""
    words = [line.strip()[:160] for line in said.splitlines() if line.strip()]
    return "".join(f"\n  | {line}" for line in words[-4:])


# One process at a time changes the environment


@contextlib.contextmanager
def alone() -> Iterator[None]:
    """Wait until no other run.py prepares this folder; the system frees the lock of a process that dies."""
    name = "course-" + hashlib.sha256(os.fsencode(ROOT)).hexdigest()[:16] + ".lock"
    with open(os.path.join(tempfile.gettempdir(), name), "a+b") as file:
        if not locked(file):
            print("Another run.py prepares the environment .venv; waiting for it.", flush=True)
            while not locked(file):
                time.sleep(0.1)
        yield


def locked(file: IO[bytes]) -> bool:
    """Take the lock on an open file; False where another process holds it."""
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


# The environment: made once, looked at on every run


def digest(version: str) -> str:
    """A fingerprint of all that decides what is installed; the folder too, for a moved .venv points back."""
    texts = [(ROOT / name).read_bytes() for name in ("pyproject.toml", "constraints.txt")]
    return hashlib.sha256(b"\0".join([*texts, version.encode(), os.fsencode(ROOT)])).hexdigest()


def probe() -> tuple[str, set[str]]:
    """The version of the Python in .venv, "" where none runs, and which needed packages it can import."""
    fine, said = quietly(PYTHON, "-I", "-c", PROBE, *(name for names in NEEDED.values() for name in names))
    version, *names = said.split() if fine else [""]
    return version, set(names)


def read_stamp() -> dict[str, Any]:
    """What the last installation left as its note: {} where there is none."""
    try:
        return dict(json.loads(STAMP.read_text()))
    except FileNotFoundError:
        return {}
    except ValueError:
        return {"unfinished": True}


def flaw(version: str, names: set[str], stamp: dict[str, Any]) -> str:
    """Why .venv cannot stay as it is and must be made anew; "" where it can."""
    if not version:
        return "its Python does not run"
    if tuple(map(int, version.split("."))) < (3, 10):
        return f"its Python is {version}, and 3.10 or later is needed"
    if "unfinished" in stamp:
        return "its last installation was interrupted"
    whole = not stamp or all(names.issuperset(NEEDED[extra]) for extra in ["", *stamp["extras"]])
    return "" if whole else "some of its packages are missing"


def make() -> None:
    """Put an empty .venv in the place of whatever was there."""
    if VENV.exists():
        shutil.rmtree(VENV)
    with step("Making .venv with Python {}.{}".format(*sys.version_info)):
        fine, said = quietly(BASE, "-m", "venv", "--without-pip", str(VENV))
    if not fine:
        raise trouble(said)


def look() -> tuple[str, dict[str, Any]]:
    """The Python version and the note in .venv, which is made first where it is missing or flawed."""
    (version, names), stamp = probe(), read_stamp()
    reason = flaw(version, names, stamp)
    if not reason:
        return version, stamp
    if os.path.lexists(VENV):
        print(f"Making .venv anew: {reason}.")
    make()
    return probe()[0], {}


def prepare(extras: set[str], latest: bool) -> None:
    """Have an environment with these extras, and with those that it had before."""
    with alone():
        renew(extras, latest)


def renew(extras: set[str], latest: bool) -> None:
    """Install what is missing, has changed or, with `latest`, may have become newer."""
    version, stamp = look()
    extras = extras.union(stamp.get("extras", []))
    wanted = {"digest": digest(version), "extras": sorted(extras), "latest": latest}
    if stamp == wanted and not latest:
        return print("The environment .venv is ready.")
    check_wheels(version)
    STAMP.write_text(json.dumps({"unfinished": True}))
    try:
        install(sorted(extras), latest)
    except ExpectedError as failed:
        # An installer that fails has put back what it found; one that is interrupted has not.
        STAMP.write_text(json.dumps(stamp))
        if stamp != wanted:
            raise
        print(f"Staying with the versions that are here.\n{failed}")
    else:
        STAMP.write_text(json.dumps(wanted))


def installers() -> Iterator[tuple[str, list[str]]]:
    """Ways to install, the fast one first; pip also fetches uv where there is none on PATH."""
    if not find_uv():
        with step("Fetching the installer uv"):
            fetch_uv()
    if find_uv():
        yield "uv", [find_uv(), "pip", "install", "--python", PYTHON]
    if ensure_pip()[0]:
        yield "pip", [PYTHON, "-m", "pip", "install", "--retries", "2"]


def find_uv() -> str:
    """The uv on PATH or in .venv; "" where there is none."""
    return shutil.which("uv", path=surroundings()["PATH"]) or ""


def fetch_uv() -> None:
    """Install uv into .venv with the pip of a bundle, which runs as it lies there, or with the pip beneath .venv.

    Or else with a pip of its own, which takes seconds to make.
    """
    what = ["install", "--retries", "2", *wheels(), "-c", "constraints.txt", "uv"]
    if any(quietly(PYTHON, str(bundled / "pip"), *what)[0] for bundled in WHEELS.glob("pip-*.whl")):
        return
    if not quietly(BASE, "-m", "pip", "--python", PYTHON, *what)[0] and ensure_pip()[0]:
        quietly(PYTHON, "-m", "pip", *what)


def ensure_pip() -> tuple[bool, str]:
    """Put pip into .venv where it is missing; whether it is there now, and what was said."""
    fine, said = quietly(PYTHON, "-m", "pip", "--version")
    return (fine, said) if fine else quietly(PYTHON, "-m", "ensurepip", "--default-pip")


def wheels() -> list[str]:
    """Options that make an installer use the folder of packages, where there is one, and no network."""
    return ["--no-index", "--find-links", str(WHEELS)] if WHEELS.is_dir() else []


def machine(version: str) -> str:
    """For which machines packages fit: the version of Python, such as "3.12", the system, the processor."""
    return f"Python {version} on {platform.system()} {platform.machine()}"


def check_wheels(version: str) -> None:
    """Raise ExpectedError where the packages beside this file are for another machine, or for another Python."""
    note = WHEELS / MACHINE
    if note.exists() and note.read_text(encoding="utf-8") != machine(version):
        made = note.read_text(encoding="utf-8")
        raise ExpectedError(
            f"the packages in the folder wheels are for {made}, and this is {machine(version)}",
            f"remove that folder where there is a network; else take a bundle that was made with {machine(version)}",
        )


def install(extras: list[str], latest: bool) -> None:
    """Install the project in place with its extras: pinned, or the newest that its ranges allow."""
    what = ["-e", ".[{}]".format(",".join(extras)) if extras else ".", "pip"]  # pip, for %pip in a notebook
    said = []
    for name, command in installers():
        with step(f"Installing {'the newest' if latest else 'the pinned'} packages with {name}"):
            fine, words = quietly(
                *command, *wheels(), *what, *(["--upgrade"] if latest else ["-c", "constraints.txt"])
            )
        if fine:
            return
        said.append(words)
    raise trouble("\n".join(said) or ensure_pip()[1])


# JupyterLab


def check_port(port: int) -> None:
    """Raise ExpectedError unless a server could listen on this port of this machine."""
    with socket.socket() as trial:
        if os.name == "posix":
            # As servers do it: the port of a server that has just ended counts as free.
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind(("127.0.0.1", port))
        except OSError as error:
            cause = "is in use" if error.errno == errno.EADDRINUSE else f"cannot be used ({error.strerror})"
            raise ExpectedError(
                f"port {port} {cause}", f"choose another, for example --port {port % 60000 + 1024}"
            ) from None


def furnish() -> None:
    """Switch the news pop-up off, and lay out the course's workspace where the learner has none of this version."""
    (LAB / "settings").mkdir(parents=True, exist_ok=True)
    (LAB / "settings" / "overrides.json").write_text(json.dumps(QUIET))
    WORKSPACE.parent.mkdir(exist_ok=True)
    template = WORKSPACE.with_name("shipped.json")
    if not (WORKSPACE.exists() and template.exists() and template.read_bytes() == SHIPPED.read_bytes()):
        shutil.copyfile(SHIPPED, WORKSPACE)
        shutil.copyfile(SHIPPED, template)


def lab_command(options: argparse.Namespace, live: Path) -> list[str]:
    """The command line of JupyterLab: this folder, the course's workspace, no question at its end."""
    traits = {
        "ServerApp.root_dir": ROOT,
        "ServerApp.open_browser": options.browser,
        # A browser in a sandbox (snap, flatpak) cannot read the hidden file that Jupyter would hand to it.
        "ServerApp.use_redirect_file": False,
        "ServerApp.allow_root": True,  # containers know no other user; it listens on this machine only
        # The page beside the notebook: /files asks for a referrer, which JupyterLab's frames do not send.
        "ServerApp.extra_static_paths": [str(ROOT / "static"), str(live)],
        "LabApp.default_url": "/lab/workspaces/course",
        "LabServerApp.workspaces_dir": WORKSPACE.parent,
    }
    if options.port:
        traits.update({"ServerApp.port": options.port, "ServerApp.port_retries": 0})
    return [PYTHON, "-m", "jupyterlab", *(f"--{key}={value}" for key, value in traits.items()), *options.extra]


def live_page(folder: Path) -> dict[str, str]:
    """Make the file in which the first notebook notes the address of its server, and return its variable.

    JupyterLab serves this file to the page beside the notebook (static/waiting.html). See server/lab/live.py.
    """
    folder.mkdir()
    (folder / "live.js").touch()
    return {"STREAMING_LIVE_PAGE": str(folder / "live.js")}


def address(child: "subprocess.Popen[bytes]", folder: Path) -> str:
    """Wait until the server answers that notes its address in `folder`; the course's URL there, "" if it ended."""
    while child.poll() is None:
        for note in folder.glob("jpserver-*.json"):
            # The note may be half written, and it comes a moment before the server listens.
            with contextlib.suppress(ValueError, OSError):
                info = json.loads(note.read_text())
                host = "localhost" if info["hostname"] in ("", "*", "0.0.0.0", "::") else info["hostname"]
                socket.create_connection((host, info["port"]), timeout=5).close()
                return f"{info['url']}lab/workspaces/course?token={info['token']}"
        time.sleep(0.05)
    return ""


def lab(options: argparse.Namespace) -> int:
    """Open JupyterLab and stay until it ends."""
    if options.port:
        check_port(options.port)
    prepare(set(), options.latest)
    furnish()
    hear_signals()
    with tempfile.TemporaryDirectory(prefix="course-") as folder, open(os.path.join(folder, "log"), "wb") as log:
        live = Path(folder) / "live"
        own = surroundings(JUPYTER_RUNTIME_DIR=folder, **live_page(live))
        output: dict[str, Any] = {"stdin": subprocess.DEVNULL, "stdout": log, "stderr": log}
        # In a session of its own Ctrl-C reaches only this process, which passes it on once and waits.
        child = subprocess.Popen(lab_command(options, live), env=own, start_new_session=True, **output)
        return stay(child, Path(folder))


def hear_signals() -> None:
    """End as with Ctrl-C also when the terminal is closed or the process is asked to end."""
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        if number and not (name == "SIGHUP" and signal.getsignal(number) == signal.SIG_IGN):  # nohup
            signal.signal(number, signal.default_int_handler)


def stay(child: "subprocess.Popen[bytes]", folder: Path) -> int:
    """Say where JupyterLab is and wait for its end, or for Ctrl-C, which ends it and its kernels."""
    try:
        with step("Starting JupyterLab"):
            url = address(child, folder)
        if url:
            print(f"JupyterLab is at {url}\nCtrl-C ends it.", flush=True)
        if child.wait():
            words = tail((folder / "log").read_text(errors="replace"))
            raise ExpectedError(
                f"JupyterLab ended by itself{words}", "what it says there; else run.py clean, and again"
            )
        return 0
    except KeyboardInterrupt:
        print("\nEnding JupyterLab and its kernels.", flush=True)
    finally:
        # Even if the terminal is gone. On Windows Ctrl-C has reached it too, and this would leave its kernels behind.
        if os.name == "posix":
            child.terminate()
        child.wait()
    return 0


# The other commands


def become(*command: str) -> int:
    """Go on as another program, which then gets Ctrl-C itself; on Windows, wait for it."""
    sys.stdout.flush()
    os.chdir(ROOT)
    if os.name == "posix":
        os.execve(command[0], command, surroundings())
    with subprocess.Popen(command, env=surroundings()) as child:
        while True:
            with contextlib.suppress(KeyboardInterrupt):
                return child.wait()


def test(options: argparse.Namespace) -> int:
    """Check style, types and behaviour; with arguments of pytest, behaviour only."""
    prepare({"test", "classroom"}, options.latest)  # the tests make editions, and grade one
    if not options.extra:
        check("ruff", "check")
        check("ruff", "format", "--check")
        check("mypy")
    return become(PYTHON, "-m", "pytest", *(options.extra or SPREAD))


def check(tool: str, *arguments: str) -> None:
    """Run one of the checks that come before the tests, and say what it found if it fails."""
    with step(" ".join([tool, *arguments])):
        fine, said = quietly(PYTHON, "-m", tool, *arguments)
    if not fine:
        print(said)
        raise ExpectedError(
            f"{tool} is not content", "mend what it names above; ruff format and ruff check --fix do part of it"
        )


def serve(options: argparse.Namespace) -> int:
    """Run the course's server by itself, without notebooks."""
    check_port(options.port)
    prepare(set(), options.latest)
    return become(PYTHON, "-m", "server", "--port", str(options.port))


def course(options: argparse.Namespace) -> int:
    """Make a course of nbgrader from the exercises."""
    check_empty(options.folder)
    prepare({"classroom"}, options.latest)
    return become(PYTHON, "-m", "server.lab.classroom", "course", str(options.folder))


def blank(options: argparse.Namespace) -> int:
    """Copy the notebooks with empty code cells."""
    check_empty(options.folder)
    prepare(set(), options.latest)
    return become(PYTHON, "-m", "server.lab.classroom", "blank", str(options.folder))


def bundle(options: argparse.Namespace) -> int:
    """Copy the course with all packages that it needs, for machines without a network."""
    folder: Path = options.folder
    check_empty(folder)
    if ROOT in [folder, *folder.parents]:
        raise ExpectedError(
            f"{folder} lies within the course, of which it is to be a copy", "name a folder elsewhere"
        )
    prepare(set(), latest=False)
    with alone(), tempfile.TemporaryDirectory() as made:
        with step("Collecting the packages"):
            collect(made)
        (Path(made) / MACHINE).write_text(machine(probe()[0]), encoding="utf-8")
        with step("Copying"):
            copy(Path(made), folder)
    print(f"{folder} is a course for {machine(probe()[0])}. There, without a network: python3 run.py lab")
    return 0


def collect(folder: str) -> None:
    """Put the packages of the course into a folder, and with them what installs and builds."""
    builder = re.findall(
        r'^requires = \["(.+)"\]$', (ROOT / "pyproject.toml").read_text(encoding="utf-8"), re.MULTILINE
    )
    if not ensure_pip()[0]:
        raise trouble(ensure_pip()[1])
    what = ["--retries", "2", *wheels(), "-c", "constraints.txt", "-w", folder, ".[quick]", *builder]
    fine, said = quietly(PYTHON, "-m", "pip", "wheel", *what)
    if not fine:
        raise trouble(said)
    for own in Path(folder).glob("streaming_data_with_flask-*.whl"):  # the copy is installed from its own files
        own.unlink()


def copy(wheels: Path, folder: Path) -> None:
    """Copy what belongs to the course, and the packages beside it."""
    folder.mkdir(parents=True, exist_ok=True)
    leave = shutil.ignore_patterns("__pycache__", ".ipynb_checkpoints")
    for source in (ROOT / name for name in BUNDLED):
        if source.is_dir():
            shutil.copytree(source, folder / source.name, ignore=leave)
        elif source.exists():
            shutil.copy(source, folder)
    shutil.copytree(wheels, folder / WHEELS.name)


def check_empty(folder: Path) -> None:
    """Raise ExpectedError unless there is nothing at this path, or an empty folder."""
    if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
        cause = f"{folder} {'is not empty' if folder.is_dir() else 'is no folder'}"
        raise ExpectedError(cause, "name a folder that is new or empty; nothing in it is overwritten")


def clean(_: argparse.Namespace) -> int:
    """Remove the environment and the caches, and nothing else."""
    compiled = [path for path in ROOT.rglob("__pycache__") if VENV not in path.parents]
    found = [path for path in (VENV, *(ROOT / name for name in CACHES), *compiled) if path.is_dir()]
    with alone():
        for path in found:
            shutil.rmtree(path)
            print("removed", path.relative_to(ROOT))
    print("Clean." if found else "There was nothing to remove.")
    return 0


# The command line


def port(text: str) -> int:
    """A port number, as argparse wants it."""
    if not (text.isdecimal() and 1 <= int(text) <= 65535):
        raise argparse.ArgumentTypeError(f"{text!r} is no port: a number from 1 to 65535 is")
    return int(text)


def folder(text: str) -> Path:
    """The path of a folder; a relative one is meant from where the user stands."""
    return Path(os.path.abspath(text))


def command_line() -> argparse.ArgumentParser:
    """All commands and options with their help."""
    parser = argparse.ArgumentParser(
        prog="run.py",
        description="Streaming data with Python and Flask: opens the course, and checks it.",
        epilog="The first run installs into .venv and takes a minute at most; each later one starts at once.",
        allow_abbrev=False,
    )
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)

    def add(command: Callable[[argparse.Namespace], int], short: str, more: str) -> argparse.ArgumentParser:
        name = command.__name__
        made = commands.add_parser(name, help=short, description=f"{short}. {more}", allow_abbrev=False)
        made.set_defaults(command=command)
        return made

    labs = add(lab, "Open the course in JupyterLab", "Further options go to JupyterLab, for example --ip=0.0.0.0.")
    labs.add_argument("--no-browser", dest="browser", action="store_false", help="only print the address")
    labs.add_argument(
        "--port", type=port, metavar="N", help="listen on port N and no other (else 8888 or the next free)"
    )
    tests = add(test, "Check style, types and behaviour", "Further arguments go to pytest, which then runs alone.")
    serves = add(serve, "Run the course's Flask server alone", "Ctrl-C ends it.")
    serves.add_argument(
        "--port",
        type=port,
        metavar="N",
        default=os.environ.get("STREAMING_PORT", "23423"),
        help="listen on port N (else %(default)s)",
    )
    courses = add(
        course,
        "Make a course of nbgrader from the exercises",
        "DIR gets source/, release/, gradebook.db and nbgrader_config.py; every solution is tried first.",
    )
    blanks = add(
        blank, "Copy the notebooks with empty code cells, to code live", "Prose and links stay; exercises come along."
    )
    bundles = add(
        bundle,
        "Copy the course for classrooms without a network",
        "DIR gets the course and, in wheels/, all packages that lab, serve and blank need; there run.py installs "
        "from them. They fit machines with the same system, processor and version of Python as this one. What test "
        "and course need is not among them, nor is Python itself.",
    )
    for made in (courses, blanks, bundles):
        made.add_argument("folder", type=folder, metavar="DIR", help="a folder that is new or empty")
    for made in (labs, tests, serves, courses, blanks):
        made.add_argument(
            "--latest", action="store_true", help="install the newest versions, not those of constraints.txt"
        )
    add(clean, "Remove .venv and the caches", "The next run installs anew.")
    return parser


def main() -> int:
    """Run the command that was asked for; failures that were to be expected end in two lines, not in a traceback."""
    parser = command_line()
    options, extra = parser.parse_known_args()
    options.extra = extra
    if options.extra and options.command not in (lab, test):
        parser.error("unknown: " + " ".join(options.extra))
    try:
        result: int = options.command(options)
    except ExpectedError as failed:
        print(failed, file=sys.stderr)
    except OSError as error:
        print(trouble(str(error)), file=sys.stderr)
    except KeyboardInterrupt:
        print("Stopped.")
        return 130
    else:
        return result
    return 1


if __name__ == "__main__":
    sys.exit(main())
