"""Which files old revisions depend on, as far as their text tells: modules that they import, files they name.

If one of these changes, the SQL of a revision may be another one, though its own text is the same.
"""

from __future__ import annotations

import posixpath
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path

from migration_gate.analysis.revision_code import list_imported_paths

REVISION_MARK = b"down_revision"
"""stands in every revision file"""
NAMING_MARK = b"naming_convention"
"""of a MetaData: it gives names to the constraints of revisions, which need not import it"""
MAX_MODULES = 3000
"""modules that are followed; a project whose revisions import more is taken for one that depends on all"""
_IMPORT = re.compile(rb"^[ \t]*(?:from|import)[ \t]+(\.*)([\w.]*)", re.MULTILINE)


def depends_on_changes(tree: Path, paths: Iterable[str], changed_paths: Iterable[str]) -> bool:
    """Whether a revision of a tree depends on one of the changed files.

    tree: a folder with the files `paths`, which are relative to it, as `changed_paths` are.
    """
    changed = frozenset(changed_paths)
    if not changed:
        return False
    sources = _Sources(tree, [path for path in paths if path.endswith(".py")])
    if any(NAMING_MARK in sources.read(path) for path in changed if path.endswith(".py")):
        return True
    revisions = [path for path in sources.paths if REVISION_MARK in sources.read(path)]
    data_names = {posixpath.basename(path).encode() for path in changed if not path.endswith(".py")}
    if any(name in sources.read(path) for path in revisions for name in data_names):
        return True
    return _reaches(sources, revisions, changed)


class _Sources:
    """The Python files of a tree."""

    def __init__(self, tree: Path, paths: list[str]) -> None:
        self._tree = tree
        self.paths = paths
        self._modules: Mapping[str, list[str]] = _index_modules(paths)
        self._words = {part.encode() for path in paths for part in path.removesuffix(".py").split("/")}

    def read(self, path: str) -> bytes:
        """The content; empty if there is none."""
        try:
            return (self._tree / path).read_bytes()
        except OSError:
            return b""

    def list_imports(self, path: str) -> list[str]:
        """The files that a file imports, packages of its modules among them."""
        data = self.read(path)
        if not any(dots or name.split(b".")[0] in self._words for dots, name in _IMPORT.findall(data)):
            return []
        imported = list_imported_paths(data.decode("utf-8", "replace"), path)
        return [file for name in imported for file in self._find_files(name)]

    def _find_files(self, name: str) -> list[str]:
        """The files of a module and of the packages around it."""
        files = []
        while name:
            candidates = self._modules.get(posixpath.basename(name), [])
            files += [file for file in candidates if f"/{_name_module(file)}".endswith(f"/{name}")]
            name = posixpath.dirname(name)
        return files


def _name_module(path: str) -> str:
    return path.removesuffix(".py").removesuffix("/__init__")


def _index_modules(paths: Iterable[str]) -> Mapping[str, list[str]]:
    modules: dict[str, list[str]] = defaultdict(list)
    for path in paths:
        modules[posixpath.basename(_name_module(path))].append(path)
    return modules


def _reaches(sources: _Sources, revisions: list[str], changed: frozenset[str]) -> bool:
    """Whether imports lead from a revision to a changed file."""
    visited = {*revisions}
    waiting = [*revisions]
    while waiting:
        path = waiting.pop()
        for file in sources.list_imports(path):
            if file in changed:
                return True
            if file not in visited:
                visited.add(file)
                waiting.append(file)
        if len(visited) - len(revisions) > MAX_MODULES:
            return True
    return False
