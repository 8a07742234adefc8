"""The revision files of a change whose revisions stand at the base: production has run them.

Whoever formats the whole folder, or moves a file and corrects its docstring, has edited no migration: what
these revisions did to a database before is none of the change's. Where the code is another one, the next
deployment still does not run it.
"""

from __future__ import annotations

import ast
import os
import posixpath
import warnings
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from migration_gate.git.file_versions import read_versions
from migration_gate.git.git_command import find_repository_root
from migration_gate.python_parser import parse_module, walk_nodes

REVISION_MARK = b"down_revision"
MAX_BYTES = 1_000_000
"""a longer file counts as edited"""
READS_DOCSTRING = b"__doc__"


class KnownRevisions(NamedTuple):
    """Files of a change whose revision stands at the base."""

    reworded: frozenset[str] = frozenset()
    """whose code is the base's"""
    edited: frozenset[str] = frozenset()
    """whose code is another"""


def find_known_revisions(
    folder: Path, commit: str, edited: Iterable[str], added: Iterable[str], removed: Iterable[str]
) -> KnownRevisions:
    """Those of the edited and added files whose code, or identifier, stood at the commit.

    An edited file is compared with itself, an added one with the removed files: its code with all, its
    identifier with those of the same environment. Paths are from the top of the repository. What git or
    Python cannot read is of neither kind.
    """
    removed = [path for path in removed if path.endswith(".py")]
    edited, added = frozenset(edited), frozenset(added)
    contents = _read_revisions(folder, edited if not removed else edited | added)
    if not contents:
        return KnownRevisions()
    versions = read_versions(folder, commit, [*sorted(edited.intersection(contents)), *removed])
    earlier = {path: _read_code(content) for path, content in versions.items()}
    moved = [path for path in removed if path in earlier]
    environments = _Environments(find_repository_root(folder), added, frozenset(removed))
    reworded, known = set(), set()
    for path, content in contents.items():
        code = _read_code(content)
        candidates = [path] if path in earlier else moved
        if code is not None and any(code == earlier[item] for item in candidates):
            reworded.add(path)
        elif code is not None and any(
            _have_same_identifier(code, earlier[item]) and environments.are_same(path, item)
            for item in candidates
        ):
            known.add(path)
    return KnownRevisions(frozenset(reworded), frozenset(known))


class _Code(NamedTuple):
    """What a file is for Python."""

    dump: str
    """the same for two files that do the same"""
    identifier: str | None
    """of its revision; None if it is not given as a string"""


class _Environments(NamedTuple):
    """Which env.py runs a revision: two of a repository may both have a revision `0006`."""

    top: Path
    added: frozenset[str]
    removed: frozenset[str]

    def are_same(self, path: str, earlier_path: str) -> bool:
        """Whether a file has the environment that another one had, which may have moved with it."""
        if posixpath.dirname(path) == posixpath.dirname(earlier_path):
            return True
        now = self._find_nearest(path)
        before = self._find_nearest(earlier_path)
        if now is None or before is None:
            return False
        return now == before or (now in self.added and before in self.removed)

    def _find_nearest(self, path: str) -> str | None:
        """The env.py beside a file or above it, which may be one that the change removes."""
        folders = map(str, PurePosixPath(path).parents)
        files = (posixpath.normpath(f"{folder}/env.py") for folder in folders)
        return next((file for file in files if file in self.removed or (self.top / file).is_file()), None)


def _have_same_identifier(code: _Code, other: _Code | None) -> bool:
    return other is not None and code.identifier is not None and code.identifier == other.identifier


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


def _read_code(content: bytes) -> _Code | None:
    """None if it cannot be parsed."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            tree = parse_module(content)
            identifier = _read_identifier(tree)
            if READS_DOCSTRING not in content:
                _drop_docstrings(tree)
            return _Code(ast.dump(tree), identifier)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return None


def _read_identifier(tree: ast.Module) -> str | None:
    """What the module assigns to `revision`, if that is a string and happens once, wherever that is."""
    values = [value for value in map(_find_revision_value, tree.body) if value is not None]
    match values:
        case [ast.Constant(value=str() as identifier)] if sum(map(_names_revision, walk_nodes(tree))) == 1:
            return identifier
        case _:
            return None


def _names_revision(node: ast.AST) -> bool:
    """Whether it gives something the name `revision`."""
    match node:
        case ast.Name(id="revision", ctx=ast.Store() | ast.Del()):
            return True
        case ast.alias(name=name, asname=other):
            return (other or name) in ("revision", "*")
        case ast.FunctionDef(name="revision") | ast.ClassDef(name="revision"):
            return True
        case _:
            return False


def _find_revision_value(statement: ast.stmt) -> ast.expr | None:
    match statement:
        case ast.Assign(targets=[ast.Name(id="revision")], value=value):
            return value
        case ast.AnnAssign(target=ast.Name(id="revision"), value=value):
            return value
        case _:
            return None


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
