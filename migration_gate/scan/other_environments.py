"""The Alembic environments of the repository beside the one that is replayed, found by their text."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from migration_gate.lazy_dataclass import dataclass
from migration_gate.scan.file_content import read_file
from migration_gate.scan.revision_files import find_created_tables

_REVISION = re.compile(rb"(?:^|;[ \t]*)revision\b[^\n=]*=", re.MULTILINE)
_DOWN_REVISION = re.compile(rb"(?:^|;[ \t]*)down_revision\b[^\n=]*=", re.MULTILINE)
_UPGRADE = re.compile(rb"^(?:async[ \t]+)?def[ \t]+upgrade\b", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class OtherEnvironments:
    """What belongs to the other environments."""

    files: tuple[str, ...] = ()
    """absolute paths of their revision files"""
    tables: tuple[str, ...] = ()
    """tables that these revisions create, as written"""


def is_revision(data: bytes) -> bool:
    """Whether the text of a Python file is that of a revision."""
    if b"down_revision" not in data:
        return False
    return all(pattern.search(data) is not None for pattern in (_DOWN_REVISION, _REVISION, _UPGRADE))


def find_other_environments(
    project: Path, paths: Sequence[str], known_files: Iterable[str]
) -> OtherEnvironments:
    """The revisions in and below the folder of each `env.py` of Alembic's that are not known yet.

    `paths` are the tracked files, relative to the project's folder; `known_files` are absolute paths.
    """
    known = {os.path.realpath(file) for file in known_files}
    files: list[str] = []
    tables: dict[str, None] = {}
    for path in _list_candidates(project, paths):
        file = os.path.realpath(project / path)
        data = read_file(project, path).data if file not in known else None
        if data is not None and is_revision(data):
            files.append(file)
            tables |= dict.fromkeys(find_created_tables(data))
    return OtherEnvironments(tuple(files), tuple(tables))


def _list_candidates(project: Path, paths: Sequence[str]) -> Iterator[str]:
    """The Python files in and below the folders of environments."""
    folders = tuple(_find_environment_folders(project, paths))
    if folders:
        yield from (path for path in paths if path.endswith(".py") and path.startswith(folders))


def _find_environment_folders(project: Path, paths: Sequence[str]) -> Iterator[str]:
    """The folders that hold an `env.py` of Alembic's, with a slash at the end; empty for the top."""
    for path in paths:
        folder, slash, name = path.rpartition("/")
        if name == "env.py" and _is_alembic_environment(read_file(project, path).data):
            yield folder + slash


def _is_alembic_environment(data: bytes | None) -> bool:
    return data is not None and b"alembic" in data and b"run_migrations" in data
