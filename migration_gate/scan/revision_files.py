"""Revision files read as text, where nothing is imported and nothing runs."""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

from migration_gate.facts import FileDefect, RevisionFile, SourceCall
from migration_gate.lazy_dataclass import dataclass
from migration_gate.python_parser import parse_module
from migration_gate.scan.downgrade_text import read_downgrade
from migration_gate.scan.file_content import read_regular_file
from migration_gate.scan.python_syntax import parse_other_syntax
from migration_gate.scan.revision_calls import find_schema_calls

_CREATES_TABLE = re.compile(
    rb"\bcreate_table\(\s*[\"'](\w+)|\brename_table\(\s*[\"']\w+[\"'],\s*[\"'](\w+)"
    rb"|\bCREATE\s+(?:UNLOGGED\s+)?TABLE\s+(?:IF\s+NOT\s+EXISTS\s+)?(?:\"?\w+\"?\.)?\"?(\w+)",
    re.IGNORECASE,
)
_ADDS_COLUMN = re.compile(
    rb"\badd_column\(\s*[\"'](\w+)[\"']\s*,\s*(?:\w+\.)?Column\(\s*[\"'](\w+)"
    rb"|\bALTER\s+TABLE\s+(?:ONLY\s+)?(?:\"?\w+\"?\.)?\"?(\w+)\"?\s+ADD\s+(?:COLUMN\s+)?"
    rb"(?:IF\s+NOT\s+EXISTS\s+)?(?!CONSTRAINT\b)\"?(\w+)",
    re.IGNORECASE,
)
_DOWNGRADE = re.compile(rb"^(?:async )?def downgrade\b.*?(?=^[^\s#)]|\Z)", re.MULTILINE | re.DOTALL)
_NEWER_SYNTAX = re.compile(
    rb"^\s*(?:type\s+\w+|(?:class|def|async def)\s+\w+\[|except\*?\s+[\w.]+,)", re.MULTILINE
)
"""what a newer Python than ours may understand"""
_PYTHON_FILE = re.compile(r"(?!\.#|__init__).*\.py")
"""without the lock files of Emacs (`.#name.py`)"""
_VARIABLES = ("revision", "down_revision", "depends_on", "branch_labels")
"""the module variables that Alembic reads"""


@dataclass(frozen=True, slots=True)
class RevisionSource:
    """One revision file as it is written."""

    file: RevisionFile
    message: str = ""
    """the first paragraph of its docstring"""
    upgrade_line: int | None = None
    """the line of its `upgrade()`"""
    depends_on: tuple[str, ...] = ()
    branch_labels: tuple[str, ...] = ()
    doubt: str = ""
    """why its place in the history is not certain"""


Parse: TypeAlias = Callable[[bytes, str], RevisionSource | None]
"""of the content of a file and its path, as reports have it"""


@dataclass(frozen=True, slots=True)
class RevisionSources:
    """All revision files of a project."""

    files: tuple[RevisionSource, ...] = ()
    locations: tuple[str, ...] = ()
    """the folders that were read"""

    @property
    def created_tables(self) -> tuple[str, ...]:
        """Names of the tables that are created somewhere, each once."""
        return tuple(dict.fromkeys(name for source in self.files for name in source.file.created_tables))


@dataclass(frozen=True, slots=True)
class _Variable:
    """A module variable as it is assigned."""

    value: ast.expr
    line: int


def read_revision_files(
    locations: Sequence[Path], repository: Path, *, recursive: bool = False
) -> RevisionSources:
    """The revision files of these folders; `recursive` includes the folders in them.

    Paths are relative to `repository`, or absolute for what lies outside of it.
    """
    sources = [
        source
        for folder in locations
        for file in _find_python_files(folder, recursive=recursive)
        if (source := read_revision_file(file, _display_path(file, repository))) is not None
    ]
    return RevisionSources(tuple(sources), tuple(_display_path(folder, repository) for folder in locations))


def is_revision_path(path: str, folders: Collection[str]) -> bool:
    """Whether a path, relative to the repository, is that of a Python file in one of the folders."""
    folder, _, name = path.rpartition("/")
    return folder in folders and _PYTHON_FILE.fullmatch(name) is not None


def read_revision_files_below(
    locations: Sequence[Path], scripts: Path, repository: Path, parse: Parse | None = None
) -> tuple[RevisionSource, ...]:
    """Every revision file in or below these folders and that of env.py, whether Alembic loads it or not.

    A file that is no valid Python is reported in `locations` alone: elsewhere it may be anything. `parse`
    does what `parse_revision_file` does.
    """
    sources = []
    folders = {_display_path(folder, repository) for folder in locations}
    real_folders: dict[Path, Path] = {}
    for file in _find_files_below((*locations, scripts)):
        folder = real_folders.get(file.parent)
        if folder is None:
            folder = real_folders[file.parent] = Path(os.path.realpath(file.parent))
        is_link = file.is_symlink()
        path = _display_path(file, repository) if is_link else _name_path(folder / file.name, repository)
        source = read_revision_file(file, path, parse)
        if source is None:
            continue
        if source.file.revision or os.path.dirname(source.file.path) in folders:  # noqa: PTH120
            sources.append(source)
    return tuple(sources)


def _find_files_below(folders: Sequence[Path]) -> Iterable[Path]:
    """The Python files in and below the folders, each once, without `env.py`."""
    files = (file for folder in folders for file in _find_python_files(folder, recursive=True))
    return dict.fromkeys(file for file in files if file.name != "env.py")


def _find_python_files(folder: Path, *, recursive: bool) -> Iterator[Path]:
    for current, folders, names in os.walk(folder):
        folders[:] = sorted(filter(_is_source_folder, folders)) if recursive else []
        for name in sorted(names):
            if _PYTHON_FILE.fullmatch(name):
                yield Path(current) / name


def _is_source_folder(name: str) -> bool:
    return name != "__pycache__" and not name.startswith(".")


def _display_path(path: Path, repository: Path) -> str:
    real = Path(os.path.realpath(path))
    return _name_path(real, repository) if real.is_relative_to(repository) else str(path)


def _name_path(real: Path, repository: Path) -> str:
    """A path without links: relative to the repository if it is in it."""
    name, root = str(real), f"{str(repository).rstrip(os.sep)}{os.sep}"
    return name.removeprefix(root).replace(os.sep, "/") if name.startswith(root) else name


def read_revision_file(file: Path, display_path: str, parse: Parse | None = None) -> RevisionSource | None:
    """What the file says; None if it is not a revision. `parse` does what `parse_revision_file` does."""
    try:
        data = read_regular_file(file)
    except OSError as error:
        reason = error.strerror or str(error)
        return RevisionSource(RevisionFile(display_path, None, error=reason, defect=FileDefect.ACCESS))
    return (parse or parse_revision_file)(data, display_path)


def parse_revision_file(data: bytes, display_path: str) -> RevisionSource | None:
    """What the content of a file says; None if it is not a revision."""
    try:
        tree = _parse(data, display_path)
    except (SyntaxError, ValueError) as error:
        reason = getattr(error, "msg", None) or str(error)
        line = getattr(error, "lineno", None)
        return RevisionSource(RevisionFile(display_path, None, error=reason, line=line))
    except (RecursionError, MemoryError):
        reason = "an expression is nested too deeply (a sum of thousands of parts?)"
        return RevisionSource(RevisionFile(display_path, None, error=reason, defect=FileDefect.NESTING))
    return _read_tree(tree, data, display_path)


def _parse(data: bytes, display_path: str = "<unknown>") -> ast.Module:
    """The tree of a file; of one for a newer Python, lines may be left out, the docstring among them."""
    try:
        return parse_module(data, display_path)
    except (SyntaxError, ValueError) as error:
        is_newer = "f-string" in str(error) or _NEWER_SYNTAX.search(data)
        rewritten = parse_other_syntax(data, display_path) if is_newer else None
        if rewritten is None:
            raise
        return rewritten


def _read_calls(text: str) -> tuple[SourceCall, ...]:
    """The calls in a file that could be parsed; none if it cannot be from here."""
    try:
        return find_schema_calls(_parse(text.encode()))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ()


def _read_tree(tree: ast.Module, data: bytes, display_path: str) -> RevisionSource | None:
    variables = _find_variables(tree)
    if "revision" not in variables:
        return None
    strings = {name: _read_strings(variables.get(name)) for name in _VARIABLES}
    known = {name: texts or () for name, texts in strings.items()}
    doubts = [f"its `{name}` is not written as text" for name, texts in strings.items() if texts is None]
    file = RevisionFile(
        display_path,
        revision=next(iter(known["revision"]), None),
        parents=known["down_revision"],
        line=variables["revision"].line,
        parents_line=variables["down_revision"].line if "down_revision" in variables else None,
        created_tables=find_created_tables(data),
        added_columns=_find_added_columns(data),
        text=data.decode("utf-8", "replace"),
        downgrade=read_downgrade(tree),
        read_calls=_read_calls,
    )
    docstring = ast.get_docstring(tree) or ""
    return RevisionSource(
        file,
        docstring.split("\n\n")[0].strip(),
        upgrade_line=_find_upgrade_line(tree),
        depends_on=known["depends_on"],
        branch_labels=known["branch_labels"],
        doubt="; ".join(doubts),
    )


def _read_strings(variable: _Variable | None) -> tuple[str, ...] | None:
    """The strings of a variable, which may be none; None if only running the file could tell."""
    if variable is None:
        return ()
    try:
        value = ast.literal_eval(variable.value)
    except (ValueError, TypeError, SyntaxError):
        return None
    if value is None:
        return ()
    if isinstance(value, str):
        return (value,)
    is_list = isinstance(value, tuple | list | set)
    return tuple(value) if is_list and all(isinstance(item, str) for item in value) else None


def find_created_tables(data: bytes) -> tuple[str, ...]:
    """The tables that the text of a revision creates, as written and sorted; not those of its downgrade."""
    names = {
        match[match.lastindex or 0].decode() for match in _CREATES_TABLE.finditer(_DOWNGRADE.sub(b"", data))
    }
    return tuple(sorted(names))


def _find_added_columns(data: bytes) -> tuple[str, ...]:
    pairs = (filter(None, match.groups()) for match in _ADDS_COLUMN.finditer(_DOWNGRADE.sub(b"", data)))
    names = {b".".join(pair).decode() for pair in pairs}
    return tuple(sorted(names))


def _find_variables(tree: ast.Module) -> Mapping[str, _Variable]:
    """Alembic's variables of the module; the last assignment counts."""
    variables = {}
    for statement in tree.body:
        if isinstance(statement, ast.Assign | ast.AnnAssign) and statement.value is not None:
            for target in statement.targets if isinstance(statement, ast.Assign) else [statement.target]:
                if isinstance(target, ast.Name) and target.id in _VARIABLES:
                    variables[target.id] = _Variable(statement.value, statement.lineno)
    return variables


def _find_upgrade_line(tree: ast.Module) -> int | None:
    for statement in tree.body:
        if isinstance(statement, ast.FunctionDef) and statement.name == "upgrade":
            return statement.lineno
    return None
