"""The files about the project agree with each other: licenses, versions, workflow, editors and Binder."""

from __future__ import annotations

import importlib
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
