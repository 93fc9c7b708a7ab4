"""Run the linters, then all tests with their coverage; with arguments, run pytest with them only. run.py calls it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LINTERS = (["ruff", "check"], ["ruff", "format", "--check"], ["mypy"], ["codespell_lib"], ["tests.language"])
# More workers than cores, because many tests wait: for a page, or for code that never ends. conftest.py orders them.
# nbval runs in its own process, because loading it costs each worker a second.
WORKERS = str(min(4, 2 * (os.cpu_count() or 1)))
PYTEST = ["-n", WORKERS, "--dist", "loadscope", "--no-loadscope-reorder", "-p", "no:nbval"]


def main() -> int:
    """Run the checks; return the exit code of the first that fails, or 0."""
    if sys.argv[1:]:
        return run(["pytest", *sys.argv[1:]])
    for linter in LINTERS:
        print(*linter, "...", end=" ", flush=True)
        began = time.monotonic()
        if code := run(linter, quiet=True):
            print("Correct the errors above. `ruff format`, `ruff check --fix` or `codespell -w` may help.")
            return code
        print(f"{time.monotonic() - began:.1f} s", flush=True)
    run(["coverage", "erase"])
    code = run(["pytest", *PYTEST], COVERAGE_PROCESS_START=str(ROOT / "pyproject.toml"))
    run(["coverage", "combine", "--quiet"])
    run(["coverage", "report", "--skip-covered", "--skip-empty"])
    return code


def run(module: list[str], quiet: bool = False, **variables: str) -> int:
    """Run a module with its arguments; return its exit code. If `quiet`, print its output only if it fails.

    `variables` are additional environment variables.
    """
    command, environment = [sys.executable, "-m", *module], {**os.environ, **variables}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=quiet, text=True)
    if quiet and done.returncode:
        print(f"\n{done.stdout}{done.stderr}")
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
