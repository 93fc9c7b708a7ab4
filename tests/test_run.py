"""run.py: each decision, its error messages, and all of it in a copy of this folder."""

import ast
import contextlib
import importlib.util
import json
import os
import platform
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import psutil
import pytest
from free_port import free_port

ROOT = Path(__file__).resolve().parent.parent
META = ("run.py", "pyproject.toml", "constraints.txt")
HOUSE = (*META, "README.md", "LICENSE", "LICENSE-CC-BY-4.0", "server", "static", "notebooks")
COMMANDS = ("lab", "test", "serve", "write", "course", "blank", "bundle", "clean")


def load(folder: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("run", folder / "run.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(autouse=True, scope="module")
def locks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep the locks of all the copies here out of the system's temporary folder."""
    folder = str(tmp_path_factory.mktemp("locks"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TMPDIR", folder)
        patch.setattr(tempfile, "tempdir", folder)
        yield


@pytest.fixture
def run(tmp_path: Path) -> ModuleType:
    """run.py with the files that it reads, in a folder of their own."""
    for name in META:
        shutil.copy(ROOT / name, tmp_path)
    return load(tmp_path)


def started(folder: Path, *arguments: str, **variables: str) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONUNBUFFERED": "1", **variables}
    command = [sys.executable, str(folder / "run.py"), *arguments]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, env=environment, stdout=pipe, stderr=subprocess.STDOUT, text=True)


def finished(folder: Path, *arguments: str, **variables: str) -> tuple[int, str]:
    with started(folder, *arguments, **variables) as process:
        said = process.communicate(timeout=120)[0]
    assert "Traceback" not in said
    return process.returncode, said


# What it installs, and when


class Recorder:
    """Stands in for the installer and for the Python of .venv, and notes what was asked of them."""

    def __init__(self, run: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
        self.run, self.installed, self.made = run, list[tuple[list[str], bool]](), 0
        self.version, self.failure = "", None
        self.names = {name for names in run.NEEDED.values() for name in names}
        monkeypatch.setattr(run, "probe", lambda: (self.version, self.names))
        monkeypatch.setattr(run, "install", self.install)
        monkeypatch.setattr(run, "create_venv", self.create_venv)

    version: str
    failure: BaseException | None

    def create_venv(self) -> None:
        shutil.rmtree(self.run.VENV, ignore_errors=True)
        self.run.VENV.mkdir()
        self.made += 1
        self.version = "3.12"

    def install(self, extras: list[str], latest: bool) -> None:
        if self.failure:
            raise self.failure
        self.installed.append((extras, latest))

    def prepare(self, *extras: str, latest: bool = False) -> None:
        self.run.prepare(set(extras), latest)


@pytest.fixture
def recorder(run: ModuleType, monkeypatch: pytest.MonkeyPatch) -> Recorder:
    return Recorder(run, monkeypatch)


def test_the_first_run_makes_and_installs_and_the_second_reuses(
    recorder: Recorder, capsys: pytest.CaptureFixture[str]
) -> None:
    recorder.prepare()
    assert "again" not in capsys.readouterr().out
    recorder.prepare()
    assert (recorder.made, recorder.installed) == (1, [([], False)])
    assert capsys.readouterr().out == "The environment .venv is ready.\n"


@pytest.mark.parametrize("name", ["pyproject.toml", "constraints.txt"])
def test_changed_dependencies_are_noticed(recorder: Recorder, name: str) -> None:
    recorder.prepare()
    with (recorder.run.ROOT / name).open("a") as file:
        file.write("# changed\n")
    recorder.prepare()
    assert (recorder.made, len(recorder.installed)) == (1, 2)


def test_tests_add_their_extra_and_the_lab_keeps_it(recorder: Recorder) -> None:
    recorder.prepare()
    recorder.prepare("test")
    recorder.prepare()
    assert recorder.installed == [([], False), (["test"], False)]


def test_what_an_extra_brings_is_missed_only_where_it_was_installed(recorder: Recorder) -> None:
    recorder.names -= {"nbgrader"}
    recorder.prepare()
    recorder.prepare()
    assert recorder.made == 1
    recorder.prepare("classroom")
    recorder.prepare()
    assert recorder.made == 2


def test_latest_looks_every_time_and_going_back_restores_the_pins(recorder: Recorder) -> None:
    recorder.prepare(latest=True)
    recorder.prepare(latest=True)
    recorder.prepare()
    recorder.prepare()
    assert recorder.installed == [([], True), ([], True), ([], False)]


def test_latest_without_a_network_stays_with_what_is_there(
    recorder: Recorder, capsys: pytest.CaptureFixture[str]
) -> None:
    recorder.prepare(latest=True)
    recorder.failure = recorder.run.explain("dns error")
    recorder.prepare(latest=True)
    assert "The installed versions stay." in capsys.readouterr().out


def test_a_failed_installation_leaves_the_note_of_the_one_before(recorder: Recorder) -> None:
    recorder.prepare()
    before = recorder.run.read_stamp()
    recorder.failure = recorder.run.explain("dns error")
    with pytest.raises(recorder.run.ExpectedError, match="could not be reached"):
        recorder.prepare("test")
    assert recorder.run.read_stamp() == before
    recorder.prepare()


def test_an_interrupted_installation_is_made_anew(recorder: Recorder, capsys: pytest.CaptureFixture[str]) -> None:
    recorder.failure = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        recorder.prepare()
    recorder.failure = None
    recorder.prepare()
    assert "Creating .venv again: its last installation was interrupted." in capsys.readouterr().out
    assert recorder.made == 2


@pytest.mark.parametrize(
    ("version", "lost", "reason"),
    [
        ("", "", "its Python does not run"),
        ("3.9", "", "its Python is 3.9, and 3.10 or later is needed"),
        ("3.12", "jupyterlab", "some of its packages are missing"),
    ],
)
def test_an_environment_that_went_bad_is_made_anew(
    recorder: Recorder, capsys: pytest.CaptureFixture[str], version: str, lost: str, reason: str
) -> None:
    recorder.prepare()
    recorder.version = version
    recorder.names.discard(lost)
    recorder.prepare()
    assert f"Creating .venv again: {reason}." in capsys.readouterr().out
    assert (recorder.made, len(recorder.installed)) == (2, 2)


def test_an_environment_of_somebody_else_is_installed_into_not_replaced(recorder: Recorder) -> None:
    recorder.run.VENV.mkdir()
    recorder.version, recorder.names = "3.11", set()
    recorder.prepare()
    assert (recorder.made, recorder.installed) == (0, [([], False)])


def test_a_moved_folder_installs_anew(run: ModuleType, tmp_path: Path) -> None:
    before = run.digest("3.12")
    moved = tmp_path / "moved"
    moved.mkdir()
    for name in META:
        shutil.copy(ROOT / name, moved)
    assert load(moved).digest("3.12") != before
    assert run.digest("3.13") != before


def test_a_missing_python_is_replaced(run: ModuleType) -> None:
    run.create_venv()
    assert run.probe()[0] == "{}.{}".format(*sys.version_info)
    os.remove(run.PYTHON)
    assert run.probe() == ("", set())


def test_the_pins_hold_unless_the_latest_are_wanted(run: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, ...]] = []
    monkeypatch.setattr(run, "installers", lambda: iter([("a stand-in", ["tool"])]))
    monkeypatch.setattr(run, "run_command", lambda *command: (not asked.append(command), ""))  # type: ignore[func-returns-value]
    run.install([], latest=False)
    run.install(["test"], latest=True)
    assert asked == [
        ("tool", "-e", ".", "pip", "-c", "constraints.txt"),
        ("tool", "-e", ".[test]", "pip", "--upgrade"),
    ]


# What it says


# Outputs of uv 0.13 and pip 23 without a network, recorded and shortened.
UV_FETCH = """error: Failed to fetch: https://index.example/simple/flask/
  cause: error sending request for url (https://index.example/simple/flask/)
"""
PIP_RETRY = """WARNING: Retrying (Retry(total=0, connect=None, read=None, redirect=None, status=None)) after \
connection broken by '{}': /simple/flask/
ERROR: Could not find a version that satisfies the requirement flask (from versions: none)
ERROR: No matching distribution found for flask"""
PIP_NO_CONNECTION = "NewConnectionError('<HTTPSConnection at 0x7f>: Failed to establish a new connection: {}')"
UV_NO_SOLUTION = (
    "error: No solution found when resolving dependencies\n  cause: Because flask was not found in the {}.\n"
)
UNREACHABLE = [
    f"{UV_FETCH}  cause: client error (Connect)\n  cause: Connection refused (os error 111)",
    f"{UV_FETCH}  cause: client error (Connect)\n  cause: dns error\n  cause: error resolving DNS",
    f"{UV_FETCH}  cause: client error (Connect)\n  cause: invalid peer certificate: UnknownIssuer",
    f"{UV_FETCH}  cause: client error (Connect)\n  cause: tunnel error: failed to create underlying connection",
    f"{UV_FETCH}  cause: operation timed out",
    UV_NO_SOLUTION.format("cache")
    + "hint: Packages were unavailable because the network was disabled. When the network is disabled, registry "
    "packages may only be read from the cache.",
    UV_NO_SOLUTION.format("provided package locations")
    + "hint: Packages were unavailable because index lookups were disabled and no additional package locations were "
    "provided (try: `--find-links <uri>`)",
    PIP_RETRY.format(PIP_NO_CONNECTION.format("[Errno 111] Connection refused")),
    PIP_RETRY.format(PIP_NO_CONNECTION.format("[Errno -2] Name or service not known")),
    PIP_RETRY.format("SSLError(SSLCertVerificationError(1, 'certificate verify failed: self-signed certificate'))"),
    PIP_RETRY.format("ProxyError('Cannot connect to proxy.', OSError('Tunnel connection failed'))"),
    PIP_RETRY.format("ReadTimeoutError('Read timed out. (read timeout=2.0)')"),
    "ERROR: Could not find a version that satisfies the requirement flask (from versions: none)\n"
    "ERROR: No matching distribution found for flask",
]
# Outputs with words about networks that are not about the network of this machine
REACHABLE = [
    ("error: No solution found\n  cause: Because jupyter-server-proxy==4.6.0 depends on aiohttp", "do not fit"),
    ("error: No solution found\n  cause: Because certificate-tool requires Python >=3.14", "do not fit"),
    ("error: Failed to build psutil==7.2.2\n  cause: checking the compiler ... disabled", "this step failed"),
    ("error: Failed to build valkey-connection==1.0\n  cause: error: command 'cc' failed", "this step failed"),
]


@pytest.mark.parametrize("output", UNREACHABLE)
def test_an_unreachable_index_is_named_with_a_remedy(run: ModuleType, output: str) -> None:
    message = str(run.explain(output))
    assert "the package index could not be reached" in message.splitlines()[0]
    assert "set HTTPS_PROXY" in message.splitlines()[-1]


@pytest.mark.parametrize(("output", "cause"), REACHABLE)
def test_other_failures_are_not_blamed_on_the_network(run: ModuleType, output: str, cause: str) -> None:
    assert cause in str(run.explain(output)).splitlines()[0]


@pytest.mark.parametrize(
    ("output", "cause", "remedy"),
    [
        ("OSError: [Errno 28] No space left on device", "disk is full", "free about"),
        ("error: failed to create file: Permission denied (os error 13)", "not writable", "permissions"),
        ("No module named venv", "has no venv module", "apt install python3-venv"),
        ("No module named ensurepip", "has no venv module", "apt install python3-venv"),
        ("No solution found when resolving dependencies", "do not fit this Python", "--latest"),
        ("an unknown error", "this step failed", "clean"),
    ],
)
def test_failures_name_cause_and_remedy(run: ModuleType, output: str, cause: str, remedy: str) -> None:
    message = str(run.explain(output))
    assert cause in message.splitlines()[0]
    assert remedy in message.splitlines()[-1]
    assert output.splitlines()[-1] in message


def test_an_old_python_is_an_error(tmp_path: Path) -> None:
    pretend = "import runpy, sys; sys.version_info = (3, 8, 1); runpy.run_path(sys.argv[1], run_name='__main__')"
    command = [sys.executable, "-c", pretend, str(ROOT / "run.py")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert done.stderr.startswith("run.py needs Python 3.10 or later, and this is Python 3.8.\n")
    assert "python3.12 run.py lab" in done.stderr


def test_an_old_python_can_read_so_far() -> None:
    tree = ast.parse((ROOT / "run.py").read_text(), feature_version=(3, 6))
    kinds = [type(node) for node in tree.body[:3]]
    assert kinds == [ast.Expr, ast.Import, ast.If], "the version is checked first, after `import sys` alone"
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.NamedExpr | ast.Match)]


def shadow(folder: Path, *modules: str) -> dict[str, str]:
    """Variables that hide these modules from the Pythons to be started, and any uv."""
    hidden = folder / "shadow"
    hidden.mkdir()
    for module in modules:
        (hidden / f"{module}.py").write_text(f"raise ImportError('No module named {module}')")
    return {"PYTHONPATH": str(hidden), "PATH": str(hidden)}


@pytest.mark.parametrize("modules", [("venv",), ("ensurepip", "pip")])
def test_an_error_names_the_package_of_a_missing_venv_module(
    run: ModuleType, tmp_path: Path, modules: tuple[str, ...]
) -> None:
    code, said = finished(tmp_path, "lab", "--port", str(free_port()), **shadow(tmp_path, *modules))
    assert code == 1
    assert "apt install python3-venv" in said


def test_without_a_network_it_says_so(run: ModuleType, tmp_path: Path) -> None:
    """The uv on PATH reaches no index, as its own words tell, and there is no pip to try instead."""
    hidden = shadow(tmp_path, "ensurepip", "pip")
    name, words = ("uv.bat", "@echo off\n") if os.name == "nt" else ("uv", "#!/bin/sh\n")
    tool = tmp_path / "shadow" / name
    tool.write_text(f"{words}echo cause: dns error\nexit 2\n")
    tool.chmod(0o755)
    code, said = finished(tmp_path, "lab", "--no-browser", **hidden)
    assert code == 1
    assert "the package index could not be reached\n  | cause: dns error" in said
    assert "later runs need no network" in said


@pytest.mark.parametrize("command", ["lab", "serve"])
def test_a_port_in_use_is_named_before_anything_is_installed(run: ModuleType, tmp_path: Path, command: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        code, said = finished(tmp_path, command, "--port", str(port))
    assert code == 1
    assert said.startswith(
        f"run.py stopped: port {port} cannot be used (Address already in use).\nTo fix it: choose another"
    )
    assert not run.VENV.exists()


def test_a_free_port_is_left_free(run: ModuleType) -> None:
    port = free_port()
    run.check_port(str(port))
    run.check_port(str(port))


@pytest.mark.parametrize("text", ["http", "65536", "-1", ""])
def test_an_impossible_port_is_refused_in_one_line(run: ModuleType, tmp_path: Path, text: str) -> None:
    status, said = finished(tmp_path, "lab", f"--port={text}")
    assert status == 1
    cause = f"port {text} cannot be used (it must be a number from 0 to 65535)"
    assert said == f"run.py stopped: {cause}.\nTo fix it: choose another: --port 8890.\n"
    assert not run.VENV.exists()


def copy_arguments(folder: Path) -> None:
    """Copy the files that check the arguments of a command."""
    for name in ("server/arguments.py", "server/lab/classroom/arguments.py"):
        (folder / name).parent.mkdir(parents=True)
        shutil.copy(ROOT / name, folder / name)


@pytest.mark.parametrize("command", ["course", "blank", "bundle"])
@pytest.mark.parametrize("name", ["full", "full/file"])
def test_a_folder_with_content_is_refused_before_anything_is_installed(
    run: ModuleType, tmp_path: Path, command: str, name: str
) -> None:
    copy_arguments(tmp_path)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").touch()
    status, said = finished(tmp_path, command, str(tmp_path / name))
    assert status == 2
    assert f"{tmp_path / name} exists and is not an empty folder. Name a new folder" in said
    assert not run.VENV.exists()


@pytest.mark.parametrize(
    "arguments",
    [
        ["blank", "new", "--learners"],
        ["bundle", "new", "--teacher"],
        ["write", "--fast"],
        ["serve", "--prot=8000"],
        ["serve", "--port=0", "all"],
    ],
)
def test_an_unknown_argument_is_refused_before_anything_is_installed(
    run: ModuleType, tmp_path: Path, arguments: list[str]
) -> None:
    copy_arguments(tmp_path)
    status, said = finished(tmp_path, *arguments)
    assert status == 2
    assert said.endswith(f"error: unrecognized arguments: {arguments[-1]}\n")
    assert not run.VENV.exists()


@pytest.mark.parametrize("argument", ["--dry-run", "--latest", "notebooks"])
def test_an_unknown_argument_of_clean_is_refused_before_anything_is_removed(
    run: ModuleType, tmp_path: Path, argument: str
) -> None:
    run.VENV.mkdir()
    status, said = finished(tmp_path, "clean", argument)
    assert status == 2
    assert said.endswith(f"error: unrecognized arguments: {argument}\n")
    assert run.VENV.exists()


def test_a_notebook_to_run_must_exist(run: ModuleType, tmp_path: Path) -> None:
    copy_arguments(tmp_path)
    status, said = finished(tmp_path, "write", "notebooks/99_none.ipynb")
    assert status == 2
    assert "99_none.ipynb does not exist. Name an existing notebook, such as notebooks/01_wire.ipynb" in said
    assert not run.VENV.exists()


def test_options_of_serve_are_passed_to_the_server(
    run: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy_arguments(tmp_path)
    started: list[tuple[str, ...]] = []
    monkeypatch.setattr(run, "prepare", lambda *_: None)
    monkeypatch.setattr(run, "become", lambda *command: started.append(command))
    options = ["--host", "0.0.0.0", "--trusted-host", "a.example", "--trusted-host", "b.example"]
    monkeypatch.setattr(sys, "argv", ["run.py", "serve", "--latest", "--port", "0", *options])
    run.main()
    assert started == [(run.PYTHON, "-m", "server", "--port=0", *options)]


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_help_reads_well(run: ModuleType, capsys: pytest.CaptureFixture[str], command: str) -> None:
    with pytest.raises(SystemExit) as end:
        run.command_line().parse_args([*filter(None, [command]), "--help"])
    said = capsys.readouterr().out
    assert end.value.code == 0
    assert all(name in said for name in (COMMANDS if not command else [f"usage: run.py {command}"]))
    assert max(map(len, said.splitlines())) <= 80


@pytest.mark.parametrize("arguments", [["learn"], ["--latest"], []])
def test_an_unknown_command_is_refused(run: ModuleType, tmp_path: Path, arguments: list[str]) -> None:
    code, said = finished(tmp_path, *arguments)
    assert code == 2
    assert said.startswith("usage: run.py")


def test_two_at_once_take_turns(run: ModuleType, tmp_path: Path) -> None:
    wait = "import sys; sys.path.insert(0, sys.argv[1]); import run\nwith run.exclusive(): print('mine', flush=True)"
    command = [sys.executable, "-c", wait, str(tmp_path)]
    with run.exclusive():
        other = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert other.stdout is not None
        assert other.stdout.readline() == "Another run.py is preparing the environment .venv; waiting for it.\n"
    assert other.communicate(timeout=30)[0] == "mine\n"


@pytest.mark.parametrize("place", ["", "elsewhere"], ids=["by default", "where the user wants it"])
def test_what_python_compiles_is_kept_and_not_beside_the_sources(
    run: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    monkeypatch.setenv("PYTHONPYCACHEPREFIX", str(tmp_path / place))
    if not place:
        monkeypatch.delenv("PYTHONPYCACHEPREFIX")
    (tmp_path / "own.py").touch()
    assert run.run_command(sys.executable, "-c", f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import own")[0]
    (compiled,) = tmp_path.rglob("own.*.pyc")
    assert compiled.is_relative_to(tmp_path / (place or run.VENV / "compiled"))


def test_clean_removes_what_it_made_and_nothing_else(run: ModuleType, tmp_path: Path) -> None:
    made = [".venv/bin", ".ruff_cache", ".mypy_cache", ".pytest_cache", ".hypothesis", "server/__pycache__"]
    for name in [*made, ".venv/bin/__pycache__", "mine", "notebooks/.ipynb_checkpoints"]:
        (tmp_path / name).mkdir(parents=True, exist_ok=True)
    code, said = finished(tmp_path, "clean")
    assert code == 0
    left = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*")}
    assert left == {*META, "mine", "notebooks", str(Path("notebooks/.ipynb_checkpoints")), "server"}
    assert all(f"removed {Path(name.replace('/bin', ''))}" in said for name in made)
    assert finished(tmp_path, "clean") == (0, "There was nothing to remove.\n")


# What it makes for classrooms


@pytest.mark.parametrize(
    ("arguments", "extras", "wanted"),
    [
        (["course", "class"], {"classroom"}, ["course", "{}/class"]),
        (["blank", "class"], set(), ["blank", "{}/class"]),
        (["bundle", "class", "--learners"], set(), ["bundle", "{}/class", "--learners"]),
        (["write", "--run"], {"classroom"}, ["write", "--run"]),
    ],
)
def test_classroom_commands_get_paths_from_the_users_folder(
    run: ModuleType,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    extras: set[str],
    wanted: list[str],
) -> None:
    done: list[Any] = []
    monkeypatch.setattr(run, "prepare", lambda *asked: done.append(asked))
    monkeypatch.setattr(run, "become", lambda *asked: done.append(asked))
    monkeypatch.setattr(sys, "argv", ["run.py", *arguments])
    copy_arguments(tmp_path)
    (tmp_path / "desk").mkdir()
    monkeypatch.chdir(tmp_path / "desk")
    run.main()
    words = [word.format(tmp_path / "desk") for word in wanted]
    assert done == [(extras, False), (run.PYTHON, "-m", "server.lab.classroom", *words)]


def bundled(run: ModuleType, machine: str) -> None:
    run.WHEELS.mkdir()
    (run.WHEELS / "machine.txt").write_text(machine)


def test_packages_for_another_machine_are_refused(recorder: Recorder) -> None:
    bundled(recorder.run, "Python 3.9 on Plan9 mips")
    with pytest.raises(
        recorder.run.ExpectedError, match=r"for Python 3\.9 on Plan9 mips, and this is Python 3\.12 on"
    ):
        recorder.prepare()
    assert recorder.installed == []


def test_packages_for_this_machine_are_taken(recorder: Recorder) -> None:
    bundled(recorder.run, f"Python 3.12 on {platform.system()} {platform.machine()}")
    recorder.prepare()
    assert recorder.installed == [([], False)]


def test_with_a_folder_of_packages_no_index_is_asked(run: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, ...]] = []
    monkeypatch.setattr(run, "installers", lambda: iter([("a stand-in", ["tool"])]))
    monkeypatch.setattr(run, "run_command", lambda *command: (not asked.append(command), ""))  # type: ignore[func-returns-value]
    run.WHEELS.mkdir()
    run.install([], latest=False)
    assert asked == [("tool", "--no-index", "-e", ".", "pip", "-c", "constraints.txt")]
    variables = run.environment()
    assert variables["UV_FIND_LINKS"] == variables["PIP_FIND_LINKS"] == run.WHEELS.as_uri()
    assert variables["PIP_NO_INDEX"] == "1"


def test_what_a_folder_of_packages_lacks_is_no_fault_of_the_network(run: ModuleType) -> None:
    said = "ERROR: ... (from versions: none)\nNo matching distribution found for nbgrader"
    assert "could not be reached" in str(run.explain(said))
    run.WHEELS.mkdir()
    assert "the folder wheels lacks packages" in str(run.explain(said))
    assert "the disk is full" in str(run.explain("No space left on device"))


# The whole of it. These tests share one installation; --dist loadscope keeps them in one worker.


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of this folder with its environment, in which sseclient-py is pinned to the oldest allowed."""
    folder = tmp_path_factory.mktemp("copy with a blank")
    leave = shutil.ignore_patterns("__pycache__", ".ipynb_checkpoints")
    for source in (ROOT / name for name in HOUSE):
        if source.is_dir():
            shutil.copytree(source, folder / source.name, ignore=leave)
        else:
            shutil.copy(source, folder)
    pins = folder / "constraints.txt"
    pins.write_text(re.sub(r"sseclient-py==\S+", "sseclient-py==1.8.0", pins.read_text()))
    prepare(folder)
    return folder


def prepare(folder: Path, latest: bool = False) -> None:
    """Have the copy's environment prepared by the copy's run.py; skip where there is no network."""
    run = load(folder)
    try:
        run.prepare(set(), latest)
    except run.ExpectedError as failed:
        if "could not be reached" not in str(failed) or os.environ.get("CI") == "true":
            raise
        pytest.skip(f"installs from the package index: {failed}")


def version(folder: Path, name: str) -> str:
    ask = f"import importlib.metadata as m; print(m.version({name!r}))"
    return subprocess.check_output([load(folder).PYTHON, "-I", "-c", ask], text=True).strip()


def test_pins_hold_and_latest_leaves_them_and_back(installed: Path) -> None:
    assert version(installed, "sseclient-py") == "1.8.0"
    prepare(installed, latest=True)
    assert version(installed, "sseclient-py") != "1.8.0"
    prepare(installed)
    assert version(installed, "sseclient-py") == "1.8.0"


def test_a_package_that_got_lost_is_brought_back(installed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = load(installed)
    assert run.probe()[1] >= {*run.NEEDED[""]}
    lost = subprocess.check_output([run.PYTHON, "-I", "-c", "import sseclient; print(sseclient.__file__)"], text=True)
    shutil.rmtree(Path(lost.strip()).parent)
    prepare(installed)
    assert "Creating .venv again: some of its packages are missing." in capsys.readouterr().out
    assert run.probe()[1] >= {*run.NEEDED[""]}


@pytest.fixture(scope="module")
def bundle(installed: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What run.py makes of the copy for a machine without a network."""
    folder = tmp_path_factory.mktemp("a classroom") / "course"
    code, said = finished(installed, "bundle", str(folder))
    assert code == 0, said
    return folder


def test_a_bundle_is_installed_from_itself_alone(bundle: Path, tmp_path: Path) -> None:
    """No index, no cache, no uv on PATH and none of this machine's settings: all comes from its folder wheels."""
    (nothing := tmp_path / "nothing").mkdir()
    nowhere = {"HTTP_PROXY": "http://127.0.0.1:9", "HTTPS_PROXY": "http://127.0.0.1:9", "UV_OFFLINE": "1"}
    bare = {"PIP_CONFIG_FILE": os.devnull, "PIP_FIND_LINKS": "", "UV_NO_CONFIG": "1", "UV_NO_CACHE": "1"}
    code, said = finished(
        bundle, "blank", str(tmp_path / "live"), PATH=str(nothing), PIP_NO_CACHE_DIR="1", **nowhere, **bare
    )
    assert code == 0, said
    assert "Installing the pinned packages with uv" in said
    assert [path.name for path in sorted((tmp_path / "live").glob("0*"))][:2] == ["00_start.ipynb", "01_wire.ipynb"]
    assert load(bundle).probe()[1] >= {*load(bundle).NEEDED[""]}
    assert version(bundle, "sseclient-py") == "1.8.0"


def test_a_bundle_holds_the_course_and_not_what_was_made_beside_it(bundle: Path) -> None:
    assert {path.name for path in bundle.iterdir()} - {".venv"} == {*HOUSE, "wheels"}
    assert not [path for path in (bundle / "wheels").iterdir() if path.name.startswith("streaming_data")]
    machine = "Python {}.{} on".format(*sys.version_info)
    assert (bundle / "wheels" / "machine.txt").read_text() == f"{machine} {platform.system()} {platform.machine()}"


def address(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    for line in process.stdout:
        if "JupyterLab is at " in line:
            return line.split("JupyterLab is at ")[1].strip()
    raise AssertionError("JupyterLab ended before it said where it is")


def ask(url: str, path: str, method: str = "GET") -> Any:
    base, _, token = url.partition("lab/workspaces/course?token=")
    request = urllib.request.Request(base + path, method=method, headers={"Authorization": f"token {token}"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return answer.read()


@contextlib.contextmanager
def lab(folder: Path, port: int) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """JupyterLab in the copy, without any network."""
    offline = {"PIP_NO_INDEX": "1", "UV_OFFLINE": "1"}
    with started(folder, "lab", "--no-browser", "--port", str(port), **offline) as process:
        try:
            yield address(process), process
        finally:
            process.terminate()
            process.communicate(timeout=30)


def end(process: subprocess.Popen[str], how: signal.Signals) -> str:
    """Ctrl-C, with what is said then; or a request to end when nobody reads any more what is said."""
    if how == signal.SIGINT:
        process.send_signal(how)
        said = process.communicate(timeout=30)[0]
        assert process.returncode == 0
        return said
    assert process.stdout is not None
    process.stdout.close()
    process.stdout = None
    process.send_signal(how)
    process.wait(timeout=30)
    return ""


@pytest.mark.skipif(
    os.name == "nt", reason="os.kill on Windows ends a process at once instead of sending it SIGINT or SIGTERM"
)
@pytest.mark.parametrize("request_to_end", [signal.SIGINT, signal.SIGTERM])
def test_the_lab_answers_offline_and_ends_with_all_that_it_started(
    installed: Path, request_to_end: signal.Signals
) -> None:
    port = free_port()
    with lab(installed, port) as (url, process):
        assert url.startswith(f"http://localhost:{port}/lab/workspaces/course?token=")
        assert b"00_start.ipynb" in ask(url, "lab/api/workspaces/course")
        assert b"waiting for the server" in ask(url, "static/waiting.html")
        assert json.loads(ask(url, "api/kernels", "POST"))["name"] == "python3"
        family = psutil.Process(process.pid).children(recursive=True)
        assert len(family) >= 2, "JupyterLab and a kernel"
        said = end(process, request_to_end)
        assert said == "" or "Ending JupyterLab and its kernels." in said
        # At once: a kernel that nobody ends notices a second later that it is alone, and ends then.
        assert [member for member in family if member.is_running()] == []


def test_serve_serves(installed: Path) -> None:
    port = free_port()
    with started(installed, "serve", "--port", str(port), PIP_NO_INDEX="1", UV_OFFLINE="1") as process:
        try:
            assert process.stdout is not None
            assert any(f":{port}" in line for line in process.stdout)
            with urllib.request.urlopen(f"http://localhost:{port}/sse?count=1", timeout=30) as answer:
                assert answer.read().startswith(b"data: ")
        finally:
            process.terminate()
            process.communicate(timeout=30)
