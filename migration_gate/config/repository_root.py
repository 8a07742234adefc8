"""The top folder of the repository that a folder is in. Asks the file system, not git; follows no link."""

from __future__ import annotations

from pathlib import Path


def folders_up_to_repository_root(folder: Path) -> list[Path]:
    """The folder and its parents up to the repository's top; the folder alone outside a repository."""
    folders = [folder, *folder.parents]
    for number, parent in enumerate(folders):
        if (parent / ".git").exists():
            return folders[: number + 1]
    return [folder]


def find_repository_root(folder: Path) -> Path:
    """The top of the repository that a folder is in; the folder itself outside of one."""
    return folders_up_to_repository_root(folder)[-1]
