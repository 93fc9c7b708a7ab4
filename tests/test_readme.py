"""The README: its table, its links, its commands."""

from __future__ import annotations

import re
import subprocess
import sys

import requests

from server import create_app
from server.lab import BackgroundServer
from server.lab.classroom import notebooks, tables

ROOT = notebooks.ROOT
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_table_is_the_one_that_the_rooms_make() -> None:
    assert tables.TABLE.search(TEXT)
    assert tables.with_table(TEXT, tables.readme_table()) == TEXT


def test_every_link_leads_to_a_file() -> None:
    targets = re.findall(r"\]\(([^)#:]+)\)", TEXT)
    assert len(targets) > 10
    assert [target for target in targets if not (ROOT / target).exists()] == []


def test_every_command_of_run_py_is_one() -> None:
    named = set(re.findall(r"python3 run\.py ([a-z]+)", TEXT))
    shown = run("run.py", "--help")
    assert named == {"lab", "test", "serve", "write"}
    assert all(re.search(rf"\b{command}\b", shown) for command in [*named, "clean"])


def test_the_environment_of_conda_has_the_name_that_its_file_gives() -> None:
    (name,) = re.findall(r"^name: (\S+)$", (ROOT / "environment.yml").read_text(encoding="utf-8"), re.MULTILINE)
    assert f"`conda activate {name}`" in TEXT


def test_the_program_for_a_late_stream_shows_what_passes() -> None:
    (program,) = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
    with BackgroundServer(create_app()) as server:
        before, after = program.replace("http://localhost:5000", server.url).split("\n\n", 1)[1].split("\n\n")
        ask = "import requests; requests.get(tap.url + '/sse?count=2')"
        whole = "\n".join(["from server.lab import Tap", before, ask, after, "tap.stop()"])
        ran = subprocess.run([sys.executable, "-c", whole], cwd=ROOT, capture_output=True, text=True, timeout=30)
    assert ran.stderr == ""
    assert ran.stdout.count('dispatches event "message"') == 2


def test_the_server_listens_at_the_url_in_the_readme() -> None:
    assert "<http://localhost:23423>" in TEXT
    helped = subprocess.run(
        [sys.executable, "-m", "server", "--help"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert "23423" in helped.stdout
    with BackgroundServer(create_app()) as server:
        assert requests.get(f"{server.url}/").headers["Content-Type"].startswith("text/html")


def run(*arguments: str) -> str:
    return subprocess.run([sys.executable, *arguments], cwd=ROOT, capture_output=True, text=True, check=True).stdout
