"""Names files as findings do: relative to the repository."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path


class RepositoryPaths:
    """The files of one repository."""

    def __init__(self, root: Path) -> None:
        # The worker sends real paths, so the root has to be one as well.
        self._root = root.resolve()
        self._prefix = f"{self._root.as_posix()}/"

    def shorten(self, file: str) -> str:
        """Relative to the root, with slashes; an absolute path outside of it as it is."""
        rest = file.removeprefix(self._prefix)
        if rest != file and os.path.normpath(rest) == rest:  # nearly all: a `Path` takes ten times as long
            return rest
        path = Path(file)
        if not path.is_relative_to(self._root):
            return str(path)
        return path.relative_to(self._root).as_posix()


def name_changed_files(repository: Path, files: Iterable[str]) -> tuple[str, ...]:
    """Absolute paths as findings name them; none of those outside of the repository."""
    top = repository.resolve()
    paths = map(Path, files)
    return tuple(path.relative_to(top).as_posix() for path in paths if path.is_relative_to(top))
