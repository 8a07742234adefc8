"""Names files as findings do: relative to the repository."""

from __future__ import annotations

from pathlib import Path


class RepositoryPaths:
    """The files of one repository."""

    def __init__(self, root: Path) -> None:
        # The worker sends real paths, so the root has to be one as well.
        self._root = root.resolve()

    def shorten(self, file: str) -> str:
        """Relative to the root, with slashes; an absolute path outside of it as it is."""
        path = Path(file)
        if not path.is_relative_to(self._root):
            return str(path)
        return path.relative_to(self._root).as_posix()
