"""tests/check.py: the programs that `run.py test` starts."""

from __future__ import annotations

import os
import sys

import check
import pytest


@pytest.mark.parametrize("minor", range(10, 15))
def test_coverage_chooses_its_core_on_every_python(monkeypatch: pytest.MonkeyPatch, minor: int) -> None:
    """COVERAGE_CORE=sysmon is an error on Python 3.12 and 3.13 (no branches), and the default from 3.14 on."""
    started: list[dict[str, str]] = []
    monkeypatch.setattr(check, "run", lambda *_, **variables: started.append({**os.environ, **variables}))
    monkeypatch.setattr(sys, "version_info", (3, minor, 0, "final", 0))
    monkeypatch.setattr(sys, "argv", ["check.py"])
    monkeypatch.delenv("COVERAGE_CORE", raising=False)
    check.main()
    assert [variables for variables in started if "COVERAGE_CORE" in variables] == []
    assert [variables for variables in started if "COVERAGE_PROCESS_START" in variables] != []
