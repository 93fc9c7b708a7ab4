"""Starting JupyterLab with the workspace of the course: its settings, its files, its command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from server.lab import jupyter


def test_the_workspace_file_has_the_name_that_jupyterlab_looks_for(tmp_path: Path) -> None:
    from jupyterlab_server.workspaces_handler import WORKSPACE_EXTENSION, slugify

    assert jupyter.workspace_file(tmp_path).name == slugify("course") + WORKSPACE_EXTENSION


def test_the_workspace_shows_files_that_exist() -> None:
    workspace = json.loads((jupyter.ROOT / "notebooks" / "course.jupyterlab-workspace").read_text())
    data: dict[str, Any] = workspace["data"]
    left, right = data["layout-restorer:data"]["main"]["dock"]["children"]
    assert workspace["metadata"]["id"] == "course"
    assert (jupyter.ROOT / data[left["widgets"][0]]["data"]["path"]).is_file()
    assert (jupyter.ROOT / data[right["widgets"][0]]["data"]["url"].split("#")[0].lstrip("/")).is_file()


def test_a_learners_workspace_stays_until_the_course_has_a_new_one(tmp_path: Path) -> None:
    shipped = tmp_path / "notebooks" / "course.jupyterlab-workspace"
    workspace = jupyter.workspace_file(tmp_path / "lab")
    shipped.parent.mkdir()
    shipped.write_text("first")
    jupyter.write_settings(tmp_path / "lab", tmp_path)
    workspace.write_text("changed by the learner")
    jupyter.write_settings(tmp_path / "lab", tmp_path)
    assert workspace.read_text() == "changed by the learner"
    shipped.write_text("second")
    jupyter.write_settings(tmp_path / "lab", tmp_path)
    assert workspace.read_text() == "second"


def test_the_command_keeps_to_a_given_port_and_passes_other_options_on(tmp_path: Path) -> None:
    command = jupyter.command(tmp_path, tmp_path, browser=False, port=8890, more=["--ip=0.0.0.0"])
    assert {"--ServerApp.port=8890", "--ServerApp.port_retries=0", "--ServerApp.open_browser=False"} <= {*command}
    assert command[-1] == "--ip=0.0.0.0"
    assert not [
        word for word in jupyter.command(tmp_path, tmp_path, True, None, []) if word.startswith("--ServerApp.port")
    ]
