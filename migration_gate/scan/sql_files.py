"""What a tracked `.sql` file holds, and which of the files the configuration allows."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

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
_KIND_NAMES: tuple[tuple[StatementKind, SqlKind], ...] = (
    (StatementKind.SCHEMA, "schema"),
    (StatementKind.DATA, "data"),
    (StatementKind.QUERY, "query"),
)


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
    known = [found for found in _classify_within(text, seconds) if found.kind is not StatementKind.OTHER]
    if not known:
        return SqlFile(path)
    schema = [statement for statement in known if statement.kind is StatementKind.SCHEMA]
    first = (schema or known)[0]
    tables = dict.fromkeys(itertools.chain.from_iterable(statement.relations for statement in schema))
    return SqlFile(
        path,
        statement_kinds=_name_kinds({statement.kind for statement in known}),
        first_statement=first.text,
        line=first.line,
        tables=tuple(tables)[:_MAX_TABLES],
    )


def _name_kinds(kinds: set[StatementKind]) -> tuple[SqlKind, ...]:
    """The kinds as facts have them, in their order."""
    return tuple(name for kind, name in _KIND_NAMES if kind in kinds)


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
