"""What the revision files refer to: the `.sql` files that they read, and the names that they import."""

from __future__ import annotations

import ast
import contextlib
import os
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath

from migration_gate.lazy_dataclass import dataclass
from migration_gate.scan.file_content import read_regular_file
from migration_gate.scan.python_strings import constant_text, find_texts
from migration_gate.scan.python_syntax import parse_python
from migration_gate.scan.sql_files import is_sql_path

_READS_SQL = re.compile(rb"\.(?:sql|psql|ddl|j2|jinja2?)['\"]", re.IGNORECASE)
_IMPORT = re.compile(rb"^[ \t]*from[ \t]+(\.*[\w.]*)[ \t]+import[ \t]+(\([^)]*\)|[^\n#]+)", re.MULTILINE)
_COMMENT = re.compile(r"#.*")
_OWN_FOLDER = re.compile(r"\{[^{}]*__file__[^{}]*\}/")
_OWN_NAME = re.compile(r"\{[^{}]*__file__[^{}]*\}")
_PLACEHOLDER = re.compile(r"\{[^{}]*\}")
_MAX_PATH = 300
"""characters of a text that may be the path of a file"""

# The score of a file: how many parts of its path the revision names counts most, then whether the file lies
# near the revision, then how many of its folders the revision mentions, then how deep their shared folder is.
_NAMED_PART = 1000
_NEAR = 100
_MENTIONED_FOLDER = 10


@dataclass(frozen=True, slots=True)
class Import:
    """`from module import name` in a revision file."""

    module: str
    name: str


@dataclass(frozen=True, slots=True)
class _SqlPattern:
    """A `.sql` file that a revision names."""

    revision: str
    """real path of the revision file"""
    pattern: str
    """the end of the file's path, `*` for what only the running program knows"""
    mentioned: frozenset[str]
    """every other text of the revision: folders among them"""


@dataclass(frozen=True, slots=True)
class RevisionReferences:
    """What the revision files of a project refer to."""

    project: str
    """real path of the project's folder"""
    repository: str
    """real path of the repository"""
    patterns: tuple[_SqlPattern, ...]
    imports: frozenset[Import]

    def find_readers(self, paths: Sequence[str]) -> dict[str, str]:
        """The revision that reads each of the tracked files `paths`; the nearest if several could."""
        readers: dict[str, str] = {}
        best: dict[str, int] = {}
        for pattern in self.patterns:
            scores = {path: _score_file(pattern, PurePosixPath(self.project, path)) for path in paths}
            highest = max(scores.values(), default=0)
            for path, score in scores.items():
                is_named = score == highest or "*" in pattern.pattern
                if is_named and score > best.get(path, 0):
                    best[path] = score
                    readers[path] = self._display_path(pattern.revision)
        return readers

    def _display_path(self, revision: str) -> str:
        relative = os.path.relpath(revision, self.repository)
        return revision if relative.startswith("..") else relative

    def imports_from(self, file: str, names: Collection[str]) -> bool:
        """Whether a revision imports one of these names (functions, constants) from `file`."""
        module = file.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        return any(
            imported.name in names and (module == imported.module or module.endswith(f".{imported.module}"))
            for imported in self.imports
        )


def read_references(project: Path, repository: Path, revision_files: Sequence[str]) -> RevisionReferences:
    """What these revision files read and import; a file that cannot be read refers to nothing."""
    patterns: list[_SqlPattern] = []
    imports: set[Import] = set()
    for path in sorted(set(revision_files)):
        if not path.endswith(".py"):
            continue
        try:
            data = read_regular_file(Path(path))
        except OSError:
            continue
        imports.update(_find_imports(data))
        if _READS_SQL.search(data):
            with contextlib.suppress(RecursionError):  # a sum of thousands of strings names no file
                patterns += _find_patterns(os.path.realpath(path), data)
    return RevisionReferences(
        os.path.realpath(project), os.path.realpath(repository), tuple(patterns), frozenset(imports)
    )


def _find_imports(data: bytes) -> Iterator[Import]:
    for statement in _IMPORT.finditer(data):
        module = statement[1].decode("latin-1").lstrip(".")
        names = _COMMENT.sub("", statement[2].decode("latin-1")).strip("()")
        for name in names.split(","):
            words = name.split()
            if module and words:
                yield Import(module, words[0])


def _find_patterns(revision: str, data: bytes) -> Iterator[_SqlPattern]:
    """The `.sql` files that the revision's strings name."""
    tree = parse_python(data)
    if tree is None:
        return
    constants = {constant_text(node) for node in ast.walk(tree)} - {None}
    mentioned = frozenset(_split_paths(constants))
    stem = PurePosixPath(revision).stem
    for text in find_texts(tree):
        if _is_sql_path(text):
            path = _OWN_NAME.sub(stem, _OWN_FOLDER.sub("", text))
            yield _SqlPattern(revision, _PLACEHOLDER.sub("*", path), mentioned)
    if b"__file__" in data and ".sql" in constants:  # Path(__file__).with_suffix(".sql")
        yield _SqlPattern(revision, f"{PurePosixPath(revision).parent}/{stem}.sql", mentioned)


def _split_paths(texts: Iterable[str | None]) -> Iterator[str]:
    """The parts of every text on one line, as if it were a path."""
    for text in texts:
        if text is not None and "\n" not in text:
            yield from filter(None, text.split("/"))


def _is_sql_path(text: str) -> bool:
    return is_sql_path(text) and "\n" not in text and len(text) < _MAX_PATH


def _score_file(pattern: _SqlPattern, file: PurePosixPath) -> int:
    """How well the file fits what the revision names; 0 if it does not."""
    parts = [part for part in pattern.pattern.split("/") if part not in ("", ".", "..")]
    if not parts or not _matches_end(parts, file.parts):
        return 0
    folders = file.parts[: -len(parts)]
    mentioned = [folder for folder in folders if folder in pattern.mentioned]
    revision_folder = PurePosixPath(pattern.revision).parent
    is_near = file.is_relative_to(revision_folder) or mentioned[-1:] == list(folders[-1:])
    if _is_any_file(parts) and not is_near:
        return 0
    shared = os.path.commonpath([revision_folder, file])
    return (
        _NAMED_PART * len(parts)
        + _NEAR * is_near
        + _MENTIONED_FOLDER * len(mentioned)
        + len(shared.split("/"))
    )


def _is_any_file(parts: Sequence[str]) -> bool:
    """Whether the pattern is `*.sql` or `*`, without a folder."""
    return len(parts) == 1 and "*" in parts[0] and not parts[0].strip("*").removesuffix(".sql")


def _matches_end(patterns: Sequence[str], parts: Sequence[str]) -> bool:
    end = parts[-len(patterns) :]
    return len(end) == len(patterns) and all(map(fnmatchcase, end, patterns))
