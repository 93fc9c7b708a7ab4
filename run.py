"""Install the course into .venv, then run one of its commands: `python3 run.py --help` lists them.

It needs only Python 3.10 or later. The first run creates `.venv` beside this file and installs the dependencies of
pyproject.toml in the versions of constraints.txt. Later runs reuse it, without a network.
"""

import sys

# This file uses only syntax that Python 3.6 can parse, so that an older Python reaches this message.
if sys.version_info < (3, 10):  # noqa: UP036
    sys.exit(
        f"run.py needs Python 3.10 or later, and this is Python {sys.version_info[0]}.{sys.version_info[1]}.\n"
        "Install a newer one beside it and call it by its name, for example: python3.12 run.py lab"
    )

import argparse
import contextlib
import hashlib
import json
import os
import platform
import re
import shutil
import socket
import subprocess
import tempfile
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
BIN = VENV / ("Scripts" if os.name == "nt" else "bin")
PYTHON = str(BIN / ("python.exe" if os.name == "nt" else "python"))
STAMP = VENV / "installed.json"
# In a virtual environment, even in this .venv, this is the Python that created it.
BASE: str = getattr(sys, "_base_executable", sys.executable)
CACHES = (".mypy_cache", ".pytest_cache", ".ruff_cache", ".hypothesis")
WHEELS = ROOT / "wheels"  # in a copy made by `bundle`: all packages, and a file that names their machines
# Modules that must be importable, by extra. The probe fails if the folder of packages is missing. With -I it cannot
# mistake this folder for an installed package.
NEEDED = {
    "": ["server", "flask", "jupyterlab", "matplotlib", "requests", "sseclient"],
    "classroom": ["nbgrader"],
    "test": ["pytest", "xdist"],
}
PROBE = (
    "import importlib.util as u, os, sys, sysconfig; os.stat(sysconfig.get_path('purelib'));"
    "print('%d.%d' % sys.version_info[:2], *filter(u.find_spec, sys.argv[1:]))"
)
# Output of a failed installer, its cause, a remedy. The first match counts, because several may match.
VERSIONS = r"No solution found|ResolutionImpossible|No matching distribution|different Python"
OFFLINE = "network was disabled|index lookups were disabled|from versions: none"  # settings of uv; of pip
NETWORK = f"Failed to fetch|error sending|dns error|peer certificate|timed out|connection broken by|{OFFLINE}"
PYTHON3_VENV = "on Debian or Ubuntu: apt install python3-venv; elsewhere: install a Python with pip, or uv"
ONLINE = "connect this machine (behind a proxy: set HTTPS_PROXY) and run it again; later runs need no network"
REASONS = (
    (r"No space left|not enough space|[Qq]uota", "the disk is full", "free about 500 MB and run it again"),
    (r"Permission denied|Access is denied|Read-only file", "a file is not writable", "change the permissions"),
    (r"ensurepip|No module named '?(venv|pip)\b", "this Python has no venv module", PYTHON3_VENV),
    (NETWORK, "the package index could not be reached", ONLINE),
    (VERSIONS, "these versions do not fit this Python", "try --latest, or another Python: python3.12 run.py lab"),
    (r"", "this step failed", "fix the error above; or run python3 run.py clean, and start again"),
)
OTHER_BUNDLE = "connect to a network and remove that folder, or use a bundle that was made on a machine like this one"
INCOMPLETE = (VERSIONS, "the folder wheels lacks packages; it is made for lab, serve and blank", OTHER_BUNDLE)


class ExpectedError(Exception):
    """An error with a known cause and remedy; run.py prints it without a traceback."""

    def __init__(self, cause: str, remedy: str) -> None:
        super().__init__(f"run.py stopped: {cause}.\nTo fix it: {remedy}.")


def environment() -> dict[str, str]:
    """Return environment variables for child processes, as in an activated .venv."""
    variables = {k: v for k, v in os.environ.items() if k not in ("PYTHONHOME", "PYTHONDONTWRITEBYTECODE")}
    # Keep compiled modules, which halves the start time of a kernel, and keep them in .venv.
    variables.setdefault("PYTHONPYCACHEPREFIX", str(VENV / "compiled"))
    # Prefer the kernel of this environment to a kernel of the user with the same name.
    variables |= {"VIRTUAL_ENV": str(VENV), "JUPYTER_PREFER_ENV_PATH": "1", "PIP_UPGRADE_STRATEGY": "eager"}
    if WHEELS.is_dir():  # then both installers use it alone, and no network
        variables |= {"PIP_NO_INDEX": "1", **dict.fromkeys(("PIP_FIND_LINKS", "UV_FIND_LINKS"), WHEELS.as_uri())}
    return {**variables, "PATH": os.pathsep.join([str(BIN), variables.get("PATH", os.defpath)])}


def run_command(*command: str) -> tuple[bool, str]:
    """Run a command to its end; return whether it succeeded, and its output."""
    pipe: dict[str, Any] = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    try:
        done = subprocess.run(command, cwd=ROOT, env=environment(), text=True, errors="replace", **pipe)
    except OSError as error:
        return False, str(error)
    return done.returncode == 0, done.stdout


def explain(output: str) -> ExpectedError:
    """Return the error that explains the output of a failed installer, with its last lines."""
    reasons = (INCOMPLETE, *REASONS) if WHEELS.is_dir() else REASONS
    cause, remedy = next(reason for pattern, *reason in reasons if re.search(pattern, output))
    lines = [line.strip()[:160] for line in output.splitlines() if line.strip()]
    return ExpectedError(cause + "".join(f"\n  | {line}" for line in lines[-4:]), remedy)


@contextlib.contextmanager
def exclusive() -> Iterator[None]:
    """Wait until no other run.py changes this folder. The system releases the lock of a process that dies."""
    name = "course-" + hashlib.sha256(os.fsencode(ROOT)).hexdigest()[:16] + ".lock"
    with open(os.path.join(tempfile.gettempdir(), name), "a+b") as file:
        if not lock(file):
            print("Another run.py is preparing the environment .venv; waiting for it.", flush=True)
            while not lock(file):
                time.sleep(0.1)
        yield


def lock(file: IO[bytes]) -> bool:
    """Lock an open file; return False if another process has locked it."""
    with contextlib.suppress(OSError):
        if sys.platform == "win32":
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    return False


def digest(version: str) -> str:
    """Return a hash of everything that decides what is installed. A .venv that was moved does not work either."""
    texts = [(ROOT / name).read_bytes() for name in ("pyproject.toml", "constraints.txt")]
    return hashlib.sha256(b"\0".join([*texts, version.encode(), os.fsencode(ROOT)])).hexdigest()


def probe() -> tuple[str, set[str]]:
    """Return the version of the Python in .venv, or "" if it does not run, and the needed modules that it finds."""
    succeeded, output = run_command(PYTHON, "-I", "-c", PROBE, *(name for names in NEEDED.values() for name in names))
    version, *names = output.split() if succeeded else [""]
    return version, set(names)


def read_stamp() -> dict[str, Any]:
    """Return the data that the last installation stored, or {} if there is none."""
    try:
        return dict(json.loads(STAMP.read_text())) if STAMP.exists() else {}
    except ValueError:
        return {"unfinished": True}


def defect(version: str, names: set[str], stamp: dict[str, Any]) -> str:
    """Return why .venv must be created again, or "" if it is usable."""
    if not version:
        return "its Python does not run"
    if tuple(map(int, version.split("."))) < (3, 10):
        return f"its Python is {version}, and 3.10 or later is needed"
    if "unfinished" in stamp:
        return "its last installation was interrupted"
    complete = not stamp or all(names.issuperset(NEEDED[extra]) for extra in ["", *stamp["extras"]])
    return "" if complete else "some of its packages are missing"


def create_venv() -> None:
    """Create an empty .venv; remove an existing one first."""
    if VENV.exists():
        shutil.rmtree(VENV)
    print("Creating .venv with Python {}.{} ...".format(*sys.version_info), flush=True)
    succeeded, output = run_command(BASE, "-m", "venv", "--without-pip", str(VENV))
    if not succeeded:
        raise explain(output)


def prepare(extras: set[str], latest: bool) -> None:
    """Install what is missing or has changed or, with `latest`, may have a newer version. Earlier extras stay."""
    with exclusive():
        (version, names), stamp = probe(), read_stamp()
        reason = defect(version, names, stamp)
        if reason:
            if os.path.lexists(VENV):
                print(f"Creating .venv again: {reason}.")
            create_venv()
            version, stamp = probe()[0], {}
        extras = extras.union(stamp.get("extras", []))
        wanted = {"digest": digest(version), "extras": sorted(extras), "latest": latest}
        if stamp == wanted and not latest:
            return print("The environment .venv is ready.")
        note, here = WHEELS / "machine.txt", f"Python {version} on {platform.system()} {platform.machine()}"
        made_for = note.read_text(encoding="utf-8") if note.exists() else here
        if made_for != here:
            raise ExpectedError(f"the packages in wheels are for {made_for}, and this is {here}", OTHER_BUNDLE)
        STAMP.write_text(json.dumps({"unfinished": True}))
        try:
            install(sorted(extras), latest)
        except ExpectedError as failed:
            STAMP.write_text(json.dumps(stamp))  # an installer that fails restores the old packages
            if stamp != wanted:
                raise
            print(f"The installed versions stay.\n{failed}")
        else:
            STAMP.write_text(json.dumps(wanted))


def install(extras: list[str], latest: bool) -> None:
    """Install the project in place with its extras: in the pinned versions, or in the newest allowed ones."""
    packages = ["-e", ".[{}]".format(",".join(extras)) if extras else ".", "pip"]  # pip is for %pip in a notebook
    versions = ["--upgrade"] if latest else ["-c", "constraints.txt"]
    offline, outputs = ["--no-index"] if WHEELS.is_dir() else [], []
    for name, command in installers():
        print(f"Installing {'the newest' if latest else 'the pinned'} packages with {name} ...", flush=True)
        succeeded, output = run_command(*command, *offline, *packages, *versions)
        if succeeded:
            return
        outputs.append(output)
    raise explain("\n".join(outputs) or ensure_pip()[1])


def installers() -> Iterator[tuple[str, list[str]]]:
    """Yield the name and the command of each installer, the fast one first."""
    uv = shutil.which("uv", path=environment()["PATH"]) or download_uv()
    if uv:
        yield "uv", [uv, "pip", "install", "--python", PYTHON]
    if ensure_pip()[0]:
        yield "pip", [PYTHON, "-m", "pip", "install", "--retries", "2"]


def download_uv() -> str:
    """Copy uv from its wheel into .venv, which is faster than to install the wheel; return its path, or ""."""
    print("Downloading the installer uv ...", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        options = ["--retries", "2", "--no-deps", "--only-binary=:all:", "-d", folder, "-c", "constraints.txt", "uv"]
        pips = [*([PYTHON, str(wheel / "pip")] for wheel in WHEELS.glob("pip-*.whl")), [BASE, "-m", "pip"]]
        if not any(run_command(*pip, "download", *options)[0] for pip in pips) and ensure_pip()[0]:
            run_command(PYTHON, "-m", "pip", "download", *options)
        for wheel in Path(folder).glob("uv-*.whl"):
            with zipfile.ZipFile(wheel) as archive:
                (name,) = (name for name in archive.namelist() if re.search(r"/scripts/uv(\.exe)?$", name))
                program = BIN / Path(name).name
                program.write_bytes(archive.read(name))
                program.chmod(0o755)
                return str(program)
    return ""


def ensure_pip() -> tuple[bool, str]:
    """Install pip into .venv if it is missing; return whether it is there now, and the output."""
    succeeded, output = run_command(PYTHON, "-m", "pip", "--version")
    return (succeeded, output) if succeeded else run_command(PYTHON, "-m", "ensurepip", "--default-pip")


# The commands: what each one runs in .venv, the extras that it needs, its help
JUPYTER = ["-I", str(ROOT / "server/lab/jupyter.py")]  # as a file, because its package loads slowly
TESTS = [str(ROOT / "tests/check.py")]
CLASSROOM = ["-m", "server.lab.classroom"]
COMMANDS: dict[str, tuple[list[str], set[str], str]] = {
    "lab": (JUPYTER, set(), "Open the course in JupyterLab. Other options go to JupyterLab, such as --ip=0.0.0.0."),
    "test": (TESTS, {"test", "classroom"}, "Run the linters and all tests. Other arguments go to pytest instead."),
    "serve": (["-m", "server"], set(), "Run the Flask server. Ctrl-C ends it. More options: --host, --trusted-host."),
    "write": ([*CLASSROOM, "write"], {"classroom"}, "Update generated files. NOTEBOOK or --run runs notebooks."),
    "course": ([*CLASSROOM, "course"], {"classroom"}, "Make an nbgrader course in the new folder DIR."),
    "blank": ([*CLASSROOM, "blank"], set(), "Copy the notebooks with empty code cells into the new folder DIR."),
    "bundle": ([*CLASSROOM, "bundle"], set(), "Copy the course and its packages into the new folder DIR. "
               "There, lab, serve and blank need no network. --learners leaves out the solutions."),
    "clean": ([], set(), "Remove .venv and the caches. The next run installs again."),
}  # fmt: skip


def become(*command: str) -> int:
    """Replace this process with another program, which then gets Ctrl-C itself. On Windows, wait for the program."""
    sys.stdout.flush()
    os.chdir(ROOT)
    if os.name == "posix":
        os.execve(command[0], command, environment())
    with subprocess.Popen(command, env=environment()) as child:
        while True:
            with contextlib.suppress(KeyboardInterrupt):
                return child.wait()


def clean() -> int:
    """Remove the environment and the caches."""
    compiled = [path for path in ROOT.rglob("__pycache__") if VENV not in path.parents]
    found = [path for path in (VENV, *(ROOT / name for name in CACHES), *compiled) if path.is_dir()]
    with exclusive():
        for path in found:
            shutil.rmtree(path)
            print("removed", path.relative_to(ROOT))
    print("Clean." if found else "There was nothing to remove.")
    return 0


def check_port(port: str) -> None:
    """Raise ExpectedError unless this is the number of a port on which a server can listen."""
    with socket.socket() as trial:
        if os.name == "posix":  # like servers: the port of a server that has just ended is free
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind(("127.0.0.1", int(port)))
        except (OSError, OverflowError, ValueError) as error:
            reason = getattr(error, "strerror", "it must be a number from 0 to 65535")
            raise ExpectedError(f"port {port} cannot be used ({reason})", "choose another: --port 8890") from None


def command_line() -> argparse.ArgumentParser:
    """Return the parser of the commands; the program of a command reads the options that it does not know."""
    parser = argparse.ArgumentParser("run.py", epilog="The first run installs into .venv.", allow_abbrev=False)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", dest="name", required=True)
    for name, (program, _, text) in COMMANDS.items():
        command = commands.add_parser(name, help=text.split(". ")[0], description=text, allow_abbrev=False)
        if program:
            command.add_argument("--latest", action="store_true", help="install the newest allowed versions")
        if name in ("lab", "serve"):
            command.add_argument("--port", metavar="N", help="listen on port N only")
    return parser


def main() -> int:
    """Run the command that the user has named; print expected errors without a traceback."""
    options, more = command_line().parse_known_args()
    program, extras, _ = COMMANDS[options.name]
    if more and not program:
        command_line().error(f"unrecognized arguments: {' '.join(more)}")
    try:
        if not program:
            return clean()
        if getattr(options, "port", None) is not None:
            check_port(options.port)
            more = [f"--port={options.port}", *more]
        if program[:2] == CLASSROOM:  # its paths start at the user's current folder
            more = [word if word.startswith("-") else os.path.abspath(word) for word in more]
        file = ROOT.joinpath(*program[1].split("."), "arguments.py") if program[0] == "-m" else None
        if file and subprocess.call([BASE, "-I", file, *program[2:], *more]):  # check arguments before installing
            return 2
        prepare(extras, options.latest)
        return become(PYTHON, *program, *more)
    except (ExpectedError, OSError) as error:
        print(error if isinstance(error, ExpectedError) else explain(str(error)), file=sys.stderr)
    except KeyboardInterrupt:
        print("Stopped.")
        return 130
    return 1


if __name__ == "__main__":
    sys.exit(main())
