"""Which tracked files belong to the migrations, so that their schema changes are right."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path

_MIGRATIONS_FOLDER = re.compile(r"alembic|migrat|revision", re.IGNORECASE)
"""names of folders that hold nothing but migrations; `db` may hold the application as well"""


class MigrationFiles:
    """The revision files with their folders, `env.py`, and its folder if that is named for migrations."""

    def __init__(self, project: Path, known: Sequence[str]) -> None:
        self._project = os.path.realpath(project)
        self._files: set[str] = set()
        self._folders: set[str] = set()
        for name in known:
            path = os.path.realpath(name)
            if os.path.isdir(path):  # noqa: PTH112 - a string, as are all paths here: there may be thousands
                self._add_folder(path)
            else:
                self._files.add(path)
                self._add_folder(os.path.dirname(path))  # noqa: PTH120

    def _add_folder(self, folder: str) -> None:
        """Add a folder that does not hold the whole project, and `env.py` where it lies above."""
        holds_project = folder == self._project or self._project.startswith(folder + os.sep)
        if holds_project or folder in self._folders:
            return
        self._folders.add(folder)
        parent = os.path.dirname(folder)  # noqa: PTH120
        env_file = os.path.join(parent, "env.py")  # noqa: PTH118
        if os.path.exists(env_file):  # noqa: PTH110
            self._files.add(env_file)
            if _MIGRATIONS_FOLDER.search(os.path.basename(parent)):  # noqa: PTH119 - else it may be the application's `db`
                self._add_folder(parent)

    def contains(self, path: str) -> bool:
        """Whether the tracked file belongs to the migrations; `path` is relative to the project's folder."""
        current = os.path.join(self._project, path)  # noqa: PTH118
        if current in self._files:
            return True
        while len(current) > len(self._project):
            current = os.path.dirname(current)  # noqa: PTH120
            if current in self._folders:
                return True
        return False
