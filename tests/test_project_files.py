"""The files about the project agree with each other: licenses, versions, workflow, editors and Binder."""

from __future__ import annotations

import importlib
import json
import re
import sys
from pathlib import Path
from typing import Any

import yaml

tomllib = importlib.import_module("tomllib" if sys.version_info >= (3, 11) else "tomli")
ROOT = Path(__file__).resolve().parent.parent


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def read_yaml(name: str) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load(read(name))
    return content


PROJECT: dict[str, Any] = tomllib.loads(read("pyproject.toml"))["project"]


def supported_pythons() -> list[str]:
    """Return the versions of Python that the classifiers name."""
    found = (re.fullmatch(r"Programming Language :: Python :: (3\.\d+)", name) for name in PROJECT["classifiers"])
    return [match[1] for match in found if match]


# Licenses


def test_pyproject_and_readme_name_both_licenses() -> None:
    assert PROJECT["license"] == "MIT AND CC-BY-4.0"
    assert PROJECT["license-files"] == sorted(path.name for path in ROOT.glob("LICENSE*"))
    section = read("README.md").split("\n## License\n")[1]
    assert [name for name in PROJECT["license-files"] if f"]({name})" not in section] == []


def test_license_files_are_complete() -> None:
    assert read("LICENSE").startswith("MIT License")
    prose = read("LICENSE-CC-BY-4.0")
    assert prose.startswith("Attribution 4.0 International")
    assert re.findall(r"^Section (\d) --", prose, re.MULTILINE) == list("12345678")


# Versions of Python


def test_the_oldest_supported_python_is_the_required_one() -> None:
    assert PROJECT["requires-python"] == f">={supported_pythons()[0]}"


# Binder and the development container


def test_binder_installs_the_pinned_course_with_the_proxy_of_its_hub() -> None:
    lines = [line for line in read(".binder/requirements.txt").splitlines() if not line.startswith("#")]
    assert lines == ["-c ../constraints.txt", "-e .[hub]"]
    assert (ROOT / ".binder" / lines[0].removeprefix("-c ")).resolve() == ROOT / "constraints.txt"
    (proxy,) = PROJECT["optional-dependencies"]["hub"]
    assert proxy.startswith("jupyter-server-proxy")
    assert re.search(r"^jupyter-server-proxy==", read("constraints.txt"), re.MULTILINE)


def test_binder_uses_a_supported_python_and_no_other_configuration() -> None:
    assert {path.name for path in (ROOT / ".binder").iterdir()} == {"requirements.txt", "runtime.txt"}
    assert read(".binder/runtime.txt").strip().removeprefix("python-") in supported_pythons()


def test_development_container_installs_the_course_and_forwards_its_ports() -> None:
    container = json.loads(read(".devcontainer/devcontainer.json"))
    image, _, version = container["image"].partition(":")
    assert image == "python"
    assert version in supported_pythons()
    assert "python3 run.py test" in container["postCreateCommand"]
    assert container["forwardPorts"] == [8888, 23423]
    assert {int(port) for port in container["portsAttributes"]} == set(container["forwardPorts"])
