"""The revision files of a change whose code is that of the base: layout, comments and docstrings differ.

Whoever formats the whole folder, or moves a file and corrects its docstring, has edited no migration: what
these revisions did to a database before is none of the change's.
"""

from __future__ import annotations

import ast
import os
import warnings
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

from migration_gate.git.file_versions import read_versions
from migration_gate.git.git_command import find_repository_root
from migration_gate.python_parser import parse_module, walk_nodes

REVISION_MARK = b"down_revision"
MAX_BYTES = 1_000_000
"""a longer file counts as edited"""
READS_DOCSTRING = b"__doc__"


def find_reworded(
    folder: Path, commit: str, edited: Iterable[str], added: Iterable[str], removed: Iterable[str]
) -> frozenset[str]:
    """Of the edited and added files those whose code stood at the commit: there, or in a removed one.

    Paths are from the top of the repository. What git or Python cannot read counts as edited.
    """
    removed = [path for path in removed if path.endswith(".py")]
    edited = frozenset(edited)
    candidates = _read_revisions(folder, edited if not removed else edited.union(added))
    if not candidates:
        return frozenset()
    earlier = read_versions(folder, commit, [*sorted(edited.intersection(candidates)), *removed])
    moved = frozenset(filter(None, (_read_code(earlier[path]) for path in removed if path in earlier)))
    return frozenset(_list_same(candidates, earlier, moved))


def _list_same(
    candidates: dict[str, bytes], earlier: dict[str, bytes], moved: Collection[str]
) -> Iterator[str]:
    """The files whose code is the one of their earlier contents, or, of new files, one that was moved."""
    for path, content in candidates.items():
        code = _read_code(content)
        known = (_read_code(earlier[path]),) if path in earlier else moved
        if code and code in known:
            yield path


def _read_revisions(folder: Path, paths: Iterable[str]) -> dict[str, bytes]:
    """The contents of the revisions among the files, by path, as they are checked out."""
    top = find_repository_root(folder)
    contents = {}
    for path in sorted(paths):
        if path.endswith(".py") and (content := _read_file(top / path)) is not None:
            contents[path] = content
    return contents


def _read_file(file: Path) -> bytes | None:
    """What a plain file has in it, if that looks like a revision."""
    try:
        if os.path.islink(file) or file.stat().st_size > MAX_BYTES:  # noqa: PTH114 - it may be no valid text
            return None
        content = file.read_bytes()
    except OSError:
        return None
    return content if REVISION_MARK in content else None


def _read_code(content: bytes) -> str:
    """The same for two files that do the same for Python; nothing if it cannot be parsed."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            tree = parse_module(content)
            if READS_DOCSTRING not in content:
                _drop_docstrings(tree)
            return ast.dump(tree)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return ""


def _drop_docstrings(tree: ast.Module) -> None:
    for node in walk_nodes(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            node.body = [statement for statement in node.body if not _is_text(statement)]


def _is_text(statement: ast.stmt) -> bool:
    match statement:
        case ast.Expr(value=ast.Constant(value=str())):
            return True
        case _:
            return False
