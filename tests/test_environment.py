"""environment.yml and constraints.txt say the same as pyproject.toml."""

import importlib
import re
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement

tomllib = importlib.import_module("tomllib" if sys.version_info >= (3, 11) else "tomli")
ROOT = Path(__file__).resolve().parent.parent
# What conda-forge calls by another name: matplotlib without the Qt that the course does not need, and the
# Python half of Playwright.
CONDA_NAMES = {"matplotlib": "matplotlib-base", "playwright": "playwright-python"}
FOR_CONDA_ONLY = {"pip"}


def project() -> dict[str, Any]:
    table: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return table


def declared() -> list[str]:
    extras: dict[str, list[str]] = project()["optional-dependencies"]
    return [*project()["dependencies"], *extras["test"], *extras["classroom"]]


def name_of(requirement: str) -> str:
    found = re.match(r"[\w.-]+", requirement)
    assert found, f"no name in {requirement!r}"
    return found.group().lower()


def as_conda(requirement: str) -> str:
    name = name_of(requirement)
    return f"{CONDA_NAMES.get(name, name)} {requirement[len(name) :]}"


def environment() -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load((ROOT / "environment.yml").read_text())
    return content


# Checked by hand: conda-forge has a feedstock for each. A new dependency needs the same check, or FROM_PIP.
CONDA_FORGE = {
    *(
        "flask",
        "h11",
        "hypothesis",
        "jupyterlab",
        "matplotlib-base",
        "mistune",
        "mypy",
        "nbclient",
        "nbgrader",
        "nbval",
        "pillow",
    ),
    *("pip", "playwright-python", "pytest", "pytest-xdist", "python", "pyyaml", "requests", "ruff"),
    *("simple-websocket", "sseclient-py", "types-pyyaml", "types-requests", "wsproto", "codespell", "coverage"),
    "jupyter-server-proxy",
}
# conda-forge does not have flask-sock (flask-sockets is another project) or axe-playwright-python.
FROM_PIP = {"flask-sock", "axe-playwright-python"}


def from_conda() -> set[str]:
    return {entry for entry in environment()["dependencies"] if isinstance(entry, str)}


def test_conda_gets_the_same_dependencies_in_the_same_ranges() -> None:
    wanted = {as_conda(each) for each in declared() if name_of(each) not in FROM_PIP}
    assert from_conda() - FOR_CONDA_ONLY == wanted | {f"python {project()['requires-python']}"}


def test_conda_forge_has_every_package_that_conda_installs() -> None:
    assert {name_of(entry) for entry in from_conda()} - CONDA_FORGE == set()


def test_pip_installs_the_project_and_what_conda_forge_lacks() -> None:
    assert environment()["channels"] == ["conda-forge"]
    lacking = [each for each in declared() if name_of(each) in FROM_PIP]
    assert {"pip": [*lacking, "-e ."]} in environment()["dependencies"]


def constraints() -> list[str]:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    return [line for line in lines if not line.startswith("#")]


def test_constraints_are_names_and_versions_alone() -> None:
    """No address of a registry, no file, no hash: what a class may read and any index can serve."""
    pinned = re.compile(r"[a-z0-9-]+==[0-9][\w.]*( ; [\w<>=!. '*()]+)?")
    assert [line for line in constraints() if not pinned.fullmatch(line)] == []


@pytest.mark.parametrize("requirement", [*declared(), *project()["optional-dependencies"]["quick"]])
def test_every_dependency_is_pinned(requirement: str) -> None:
    assert name_of(requirement) in {line.split("==")[0] for line in constraints()}


def test_every_supported_python_gets_one_pin_of_each_name() -> None:
    """A name that is pinned more than once is pinned by markers that shut each other out."""
    for version in ("3.10", "3.11", "3.12", "3.13", "3.14"):
        for system in ("linux", "darwin", "win32"):
            here = {"python_full_version": f"{version}.5", "python_version": version, "sys_platform": system}
            held = [r.name for r in map(Requirement, constraints()) if not r.marker or r.marker.evaluate(here)]
            assert len(held) == len(set(held)), f"two pins for one name on Python {version}, {system}"
