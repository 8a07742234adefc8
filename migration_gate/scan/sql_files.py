"""What a tracked `.sql` file holds, and which of the files the configuration allows."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, cast

from migration_gate.facts import SqlFile, SqlKind
from migration_gate.scan.file_content import FileContent, decode_text
from migration_gate.scan.sql_classifier import SqlStatement, StatementKind, classify_statements

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

SQL_SECONDS = 6.0
"""for all .sql files together; three or four large dumps"""
_FILE_SECONDS = 2.0
"""for one of them"""
_MAX_TABLES = 50
"""tables of one file that are kept"""
_LFS_POINTER = b"version https://git-lfs.github.com/spec/"
_SQL_KINDS = tuple(kind for kind in StatementKind if kind is not StatementKind.OTHER)


def describe_sql_file(path: str, content: FileContent, seconds: float) -> SqlFile | None:
    """What the file holds; None where there is nothing to read.

    `path` is the file's name in reports, relative to the top of the repository; `seconds` is what is left of
    SQL_SECONDS. A file that takes longer is read in part.
    """
    if content.unreadable:
        return SqlFile(path, unreadable=content.unreadable)
    if content.data is None:
        return None
    if content.data.startswith(_LFS_POINTER):
        return SqlFile(path, unreadable="it is a pointer of Git LFS, whose content was not fetched")
    text = decode_text(content.data)
    if text is None:
        return SqlFile(path, unreadable="it is not text")
    if seconds <= 0:
        return SqlFile(path, unreadable=f"the {SQL_SECONDS:.0f} s for .sql files were used up")
    return _describe_text(path, text, min(_FILE_SECONDS, seconds))


def _describe_text(path: str, text: str, seconds: float) -> SqlFile:
    statements = [
        statement
        for statement in _classify_within(text, seconds)
        if statement.kind is not StatementKind.OTHER
    ]
    kinds = {statement.kind for statement in statements}
    schema = [statement for statement in statements if statement.kind is StatementKind.SCHEMA]
    first = next(iter(schema or statements), None)
    tables = dict.fromkeys(name for statement in schema for name in statement.relations)
    return SqlFile(
        path,
        statement_kinds=tuple(cast("SqlKind", kind.value) for kind in _SQL_KINDS if kind in kinds),
        first_statement=first.text if first else None,
        line=first.line if first else 1,
        tables=tuple(tables)[:_MAX_TABLES],
    )


def _classify_within(text: str, seconds: float) -> Iterator[SqlStatement]:
    """The statements of `text` that are classified within `seconds`."""
    until = time.monotonic() + seconds
    for statement in classify_statements(text):
        yield statement
        if time.monotonic() > until:
            return


class AllowedSqlFiles:
    """`raw_sql.allow`: gitignore patterns, of which the last that matches decides; `!` takes back."""

    def __init__(self, patterns: Sequence[str], prefix: str) -> None:
        from pathspec import GitIgnoreSpec  # noqa: PLC0415 - only where there is something to match

        self._all: GitIgnoreSpec = GitIgnoreSpec.from_lines(patterns)
        self._allowing = [
            (pattern, GitIgnoreSpec.from_lines([pattern]))
            for pattern in reversed(patterns)
            if pattern.strip() and not pattern.startswith("!")
        ]
        self._prefix = prefix

    def find_pattern(self, path: str) -> str | None:
        """The pattern that allows `path`; it is matched from the project's folder and from the top."""
        names = (path, f"{self._prefix}/{path}") if self._prefix else (path,)
        for name in names:
            if self._all.match_file(name):
                return next((pattern for pattern, spec in self._allowing if spec.match_file(name)), None)
        return None
