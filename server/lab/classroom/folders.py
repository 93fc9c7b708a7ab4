"""The folder of an edition, and the error of an edition that cannot be made."""

from __future__ import annotations

from pathlib import Path


class EditionError(Exception):
    """An edition cannot be made. The message gives the cause and a remedy."""

    def __init__(self, cause: str, remedy: str) -> None:
        super().__init__(f"{cause}.\nTo fix it: {remedy}.")


def create_empty(folder: Path) -> None:
    """Create a folder, unless it exists and is empty.

    Raises:
        EditionError: the folder has content, or the path is a file.
    """
    if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
        problem = "is not empty" if folder.is_dir() else "is not a folder"
        raise EditionError(
            f"{folder} {problem}", "name a new or an empty folder; existing files are never overwritten"
        )
    folder.mkdir(parents=True, exist_ok=True)
