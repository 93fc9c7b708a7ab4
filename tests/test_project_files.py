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


# Checks on the hosting site and before a commit

WORKFLOW = read_yaml(".github/workflows/tests.yml")
FORMS = ["exercise", "notebook", "stream"]


def jobs() -> list[dict[str, str]]:
    """Return the variables of each job of the workflow: its system, its Python and its versions."""
    matrix = WORKFLOW["jobs"]["test"]["strategy"]["matrix"]
    product = [
        {"os": system, "python": python, "versions": versions}
        for system in matrix["os"]
        for python in matrix["python"]
        for versions in matrix["versions"]
    ]
    return [*product, *matrix["include"]]


def test_workflow_tests_every_supported_python_on_linux() -> None:
    pinned = [job["python"] for job in jobs() if job["os"] == "ubuntu-latest" and job["versions"] == "pinned"]
    assert pinned == supported_pythons()


def test_workflow_tests_windows_and_macos_with_a_browser() -> None:
    assert {job["os"] for job in jobs() if job.get("browser")} == {"windows-latest", "macos-latest"}
    assert {job["os"] for job in jobs() if not job.get("browser")} == {"ubuntu-latest"}


def test_workflow_tests_the_newest_versions_on_the_oldest_and_newest_python() -> None:
    newest = [job["python"] for job in jobs() if job["versions"] == "newest"]
    assert newest == [supported_pythons()[0], supported_pythons()[-1]]


def test_workflow_runs_the_tests_and_makes_the_course_for_nbgrader() -> None:
    command, course = (step for step in WORKFLOW["jobs"]["test"]["steps"] if "run.py" in step.get("run", ""))
    assert command["run"].startswith("python run.py test ")
    assert "--latest" in command["run"]
    assert command["env"]["CHROMIUM"] == "${{ matrix.browser }}"
    assert course["run"] == "python run.py course ../course"


def test_pre_commit_runs_the_linters_and_keeps_outputs_of_notebooks() -> None:
    (local,) = read_yaml(".pre-commit-config.yaml")["repos"]
    assert local["repo"] == "local"
    assert [hook["id"] for hook in local["hooks"]] == ["ruff", "ruff-format", "codespell"]
    assert "nbstripout" not in read(".pre-commit-config.yaml")


def test_issue_forms_are_complete() -> None:
    assert sorted(path.stem for path in (ROOT / ".github/ISSUE_TEMPLATE").glob("*.yml")) == sorted([*FORMS, "config"])
    for name in FORMS:
        form = read_yaml(f".github/ISSUE_TEMPLATE/{name}.yml")
        assert form["name"]
        assert form["description"]
        questions = [part for part in form["body"] if part["type"] != "markdown"]
        identifiers = [part["id"] for part in questions]
        assert len(set(identifiers)) == len(identifiers) >= 4
        assert [part for part in questions if not part["attributes"]["label"]] == []
        assert [part for part in questions if part.get("validations") == {"required": True}]


def test_code_of_conduct_names_its_source_and_the_contact() -> None:
    text = read("CODE_OF_CONDUCT.md")
    assert "Contributor Covenant" in text
    assert "maintainers of this repository" in text
    assert "@" not in text


# Versions


def test_version_and_date_agree_in_pyproject_changelog_and_citation() -> None:
    citation = read_yaml("CITATION.cff")
    heading = re.search(r"^## (\S+) \((\S+)\)$", read("CHANGELOG.md"), re.MULTILINE)
    assert heading
    assert heading.groups() == (PROJECT["version"], citation["date-released"])
    assert citation["version"] == PROJECT["version"]


def test_citation_has_the_keys_that_its_format_requires() -> None:
    citation = read_yaml("CITATION.cff")
    assert citation["cff-version"] == "1.2.0"
    assert all(citation[key] for key in ("message", "title", "authors"))
    assert citation["license"] in PROJECT["license"].split(" AND ")


def test_changelog_lists_added_changed_and_fixed_once_for_each_version() -> None:
    releases = re.split(r"^## ", read("CHANGELOG.md"), flags=re.MULTILINE)[1:]
    assert len(releases) >= 2
    for release in releases:
        assert re.findall(r"^### (.+)$", release, re.MULTILINE) == ["Added", "Changed", "Fixed"]
