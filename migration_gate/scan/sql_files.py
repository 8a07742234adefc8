"""What a tracked `.sql` file holds, and which of the files the configuration allows."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from migration_gate.facts import SqlFile, SqlKind
from migration_gate.scan.file_content import FileContent, decode_text
from migration_gate.scan.sql_classifier import StatementKind, classify_statements

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

MAX_SQL_CHARACTERS = 6 * 2**20
"""of all files together that no pattern allows; three or four large dumps"""
_SQL_NAME = re.compile(r"\.(?:sql|psql|ddl)(?:\.(?:j2|jinja2?))?$", re.IGNORECASE)
"""names of files with SQL: `.sql`, and templates of it"""
_MAX_TABLES = 50
"""tables of one file that are kept"""
_LFS_POINTER = b"version https://git-lfs.github.com/spec/"
_KIND_NAMES: tuple[tuple[StatementKind, SqlKind], ...] = (
    (StatementKind.SCHEMA, "schema"),
    (StatementKind.DATA, "data"),
    (StatementKind.QUERY, "query"),
)


def is_sql_path(path: str) -> bool:
    """Whether a file of this name holds SQL."""
    return _SQL_NAME.search(path) is not None


class AllowedSqlFiles:
    """`raw_sql.allow`: gitignore patterns, of which the last that matches decides; `!` takes back."""

    def __init__(self, patterns: Sequence[str], prefix: str) -> None:
        from pathspec import GitIgnoreSpec  # noqa: PLC0415 - only if there is something to match

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


class SqlReader:
    """Describes one `.sql` file after the other, up to a number of characters of all together."""

    def __init__(self, allowed: AllowedSqlFiles, limit: int = MAX_SQL_CHARACTERS) -> None:
        """`limit`: characters of all files together that are read."""
        self._allowed = allowed
        self._limit = limit
        self._characters_left = limit

    def describe(self, path: str, display_path: str, content: FileContent) -> SqlFile | None:
        """What the file holds; None if there is nothing to read. What is allowed is not looked into.

        `path` is relative to the project's folder, `display_path` to the top of the repository.
        """
        if content.unreadable:
            return SqlFile(display_path, unreadable=content.unreadable)
        if content.data is None:
            return None
        pattern = self._allowed.find_pattern(path)
        if pattern is not None:
            return SqlFile(display_path, allowed_by=pattern)
        if content.data.startswith(_LFS_POINTER):
            reason = "it is a pointer of Git LFS, whose content was not fetched"
            return SqlFile(display_path, unreadable=reason)
        text = decode_text(content.data)
        if text is None:
            return SqlFile(display_path, unreadable="it is not text")
        return self._describe_text(display_path, text)

    def _describe_text(self, display_path: str, text: str) -> SqlFile:
        """The text's description, as far as it may be read."""
        readable = text[: self._characters_left]
        self._characters_left -= len(readable)
        file = _describe_statements(display_path, readable)
        if len(readable) == len(text):
            return file
        part = "it was read in part" if readable else "it was not read"
        limit = f"{self._limit:,} characters of SQL are read"
        reason = (
            f"{part}: {limit}, and the files before it hold as much (`raw_sql.allow` names what may stay)"
        )
        return replace(file, unread=reason)


def _describe_statements(path: str, text: str) -> SqlFile:
    known = [item for item in classify_statements(text) if item.kind is not StatementKind.OTHER]
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
