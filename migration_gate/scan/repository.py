"""Reads the repository as text: its `.sql` files, and code beside the migrations that changes a schema."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path, PurePosixPath

from migration_gate.config.settings import Settings
from migration_gate.facts import Location, SchemaChange, SqlFile, Tree, Unchecked
from migration_gate.git.tracked_files import list_tracked_files
from migration_gate.lazy_dataclass import dataclass
from migration_gate.scan.code_change import CodeChange
from migration_gate.scan.file_content import MAX_FILE_BYTES, FileContent, read_file
from migration_gate.scan.migration_files import MigrationFiles
from migration_gate.scan.model_classes import ModelReader, mentions_model
from migration_gate.scan.op_suggestion import suggest_operation
from migration_gate.scan.other_environments import find_other_environments, is_revision
from migration_gate.scan.revision_references import RevisionReferences, read_references
from migration_gate.scan.source_files import SourceChanges, SourceKind, find_schema_changes, find_source_kind
from migration_gate.scan.sql_classifier import shorten
from migration_gate.scan.sql_files import AllowedSqlFiles, SqlReader, is_sql_path
from migration_gate.wording import count_noun

_MIB = 2**20
_MAX_STATEMENT = 300
"""characters of a statement in a report"""
_MAX_NAMED_FILES = 3
"""missing files that are named"""
_NOT_READ = SourceChanges()


@dataclass(frozen=True, slots=True)
class _ScannedFile:
    """What one tracked file gave."""

    path: str
    """relative to the project's folder"""
    display_path: str
    content: FileContent
    sql: SqlFile | None = None
    source: SourceChanges = _NOT_READ
    mentions_model: bool = False
    """it is Python, and may define a mapped class or a Table"""


def _list_initial_files(settings: Settings) -> Iterator[str]:
    """Patterns for the files that the gate runs: of `start_from`, `prepare`, and `rehearsal.sql_file`."""
    files = [Path(step.text) for step in settings.prepare if step.kind == "sql_file"]
    if settings.rehearsal_sql is not None:
        files.append(settings.rehearsal_sql)
    if settings.start_from is not None and settings.start_from.dump is not None:
        files.append(settings.start_from.dump)
    for file in files:
        path = os.path.relpath(settings.root / file, settings.root)
        yield "/" + re.sub(r"([\\\[\]*?!# ])", r"\\\1", path)


def read_repository(settings: Settings, migration_files: Sequence[str]) -> Tree:
    """The tracked files of the project that change, or could change, a schema beside its migrations.

    `migration_files` are absolute paths of what belongs to the migrations: revision files, `env.py`, and
    folders. Nothing is executed or imported. Where git cannot list the files, all files of the folder are
    read, and `notes` says so.
    """
    tracked = list_tracked_files(settings.root)
    prefix = find_prefix(settings.root, tracked.top)
    others = find_other_environments(settings.root, tracked.paths, migration_files)
    migration_files = (*migration_files, *others.files)
    migrations = MigrationFiles(settings.root, migration_files)
    sql_reader = SqlReader(AllowedSqlFiles((*_list_initial_files(settings), *settings.raw_sql_allow), prefix))
    # In the order of their paths: the .sql files share one limit of characters.
    files = tuple(_scan_files(settings.root, tracked.paths, prefix, migrations, sql_reader))
    references = read_references(settings.root, tracked.top, migration_files)
    python_files = [path for path in tracked.paths if path.endswith(".py")]
    reader = ModelReader(settings.root, python_files, partial(display_path, prefix))
    models = reader.read(
        {file.path: file.content.data for file in files if file.content.data and file.mentions_model}
    )
    return Tree(
        root=str(tracked.top),
        prefix=prefix,
        file_count=len(tracked.paths),
        sql_files=_complete_sql_files(files, references),
        schema_changes=tuple(_make_schema_changes(files, references, reader)),
        model_definitions=models.definitions,
        model_sequences=models.sequences,
        other_tables=others.tables,
        notes=(*tracked.notes, *_make_notes(files)),
        unchecked=tuple(_find_unchecked(files)),
    )


def find_prefix(project: Path, repository: Path) -> str:
    """The project's folder inside the repository, as `a/b`; empty if it is the top."""
    folder, top = project.resolve(), repository.resolve()
    if folder == top or not folder.is_relative_to(top):
        return ""
    return folder.relative_to(top).as_posix()


def _scan_files(
    project: Path, paths: Sequence[str], prefix: str, migrations: MigrationFiles, sql_reader: SqlReader
) -> Iterator[_ScannedFile]:
    for path in paths:
        if is_sql_path(path):
            file = _ScannedFile(path, display_path(prefix, path), read_file(project, path))
            yield replace(file, sql=sql_reader.describe(path, file.display_path, file.content))
            continue
        kind = find_source_kind(path)
        if kind is not None and not migrations.contains(path):
            file = _ScannedFile(path, display_path(prefix, path), read_file(project, path))
            yield from _scan_source(file, kind)


def _scan_source(file: _ScannedFile, kind: SourceKind) -> Iterator[_ScannedFile]:
    """The file with its schema changes; nothing for a revision of an environment that lies elsewhere."""
    data = file.content.data
    if data is None:
        yield file
    elif kind is not SourceKind.PYTHON:
        yield replace(file, source=find_schema_changes(file.path, kind, data))
    elif not is_revision(data):
        source = find_schema_changes(file.path, kind, data)
        yield replace(file, source=source, mentions_model=mentions_model(data))


def display_path(prefix: str, path: str) -> str:
    """The path as reports name it: from the top of the repository, and printable."""
    whole = (PurePosixPath(prefix) / path).as_posix()
    return os.fsencode(whole).decode("utf-8", "backslashreplace")


def _complete_sql_files(files: Sequence[_ScannedFile], references: RevisionReferences) -> tuple[SqlFile, ...]:
    """The .sql files by path, each with the revision that reads it."""
    described = {file.path: file.sql for file in files if file.sql is not None}
    readers = references.find_readers(list(described))
    complete = (replace(sql, executed_by=readers.get(path)) for path, sql in described.items())
    return tuple(sorted(complete, key=lambda sql: sql.path))


def _make_schema_changes(
    files: Sequence[_ScannedFile], references: RevisionReferences, reader: ModelReader
) -> Iterator[SchemaChange]:
    """The changes as facts, without those in functions that a revision imports."""
    for file in files:
        for change in file.source.changes:
            if not references.imports_from(file.display_path, change.scopes):
                metadata = reader.find_metadata(file.path, change.metadata) if change.metadata else ""
                yield _make_schema_change(file.display_path, change, metadata)


def _make_schema_change(path: str, change: CodeChange, metadata: str) -> SchemaChange:
    return SchemaChange(
        Location(path, change.line),
        shorten(change.statement, _MAX_STATEMENT),
        change.kind,
        change.tables,
        suggest_operation(change.statement),
        function=change.function,
        metadata=metadata,
        stamps_head=change.stamps_head,
        engine_url=change.engine_url,
        created=change.created,
    )


def _make_notes(files: Sequence[_ScannedFile]) -> Iterator[str]:
    """What a reader should know about files that were not read, or not to their end."""
    for file in files:
        if file.content.leaves_project:
            yield f"`{file.display_path}` links to outside of the project: not read"
        if file.content.is_cut:
            size, read = file.content.size / _MIB, MAX_FILE_BYTES // _MIB
            yield f"`{file.display_path}` has {size:.1f} MiB: only its first {read} MiB were read"
    missing = [file.display_path for file in files if file.content.is_missing]
    if missing:
        names = ", ".join(f"`{path}`" for path in missing[:_MAX_NAMED_FILES])
        yield f"{count_noun(len(missing), 'tracked file')} not in the work tree: {names}"


def _find_unchecked(files: Sequence[_ScannedFile]) -> Iterator[Unchecked]:
    """Files that were not checked, or not to their end; what is no text at all is the fact of a .sql file."""
    for file in files:
        reason = file.source.unchecked or (file.sql.unread if file.sql else file.content.unreadable)
        if reason:
            yield Unchecked(file.display_path, reason)
