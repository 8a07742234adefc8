"""Reads the repository as text: its `.sql` files, and code beside the migrations that changes a schema."""

from __future__ import annotations

import os
import re
import stat
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import cast

from migration_gate import git
from migration_gate.config.settings import Settings
from migration_gate.facts import (
    Location,
    SchemaChange,
    SchemaChangeKind,
    SqlFile,
    SqlKind,
    Tree,
    Unchecked,
)
from migration_gate.scan.files import Changes, find_source_kind
from migration_gate.scan.op_suggestion import suggest_operation
from migration_gate.scan.sql_classifier import SqlStatement, StatementKind, classify_statements, shorten
from migration_gate.scan.sql_references import Readers
from migration_gate.wording import count_noun

MAX_FILE_BYTES = 2 * 1024 * 1024
"""bytes of a file that are read"""
_MIGRATIONS = re.compile(r"alembic|migrat|revision", re.IGNORECASE)
_SECONDS = 6.0
"""for all .sql files together; three or four large dumps"""


@dataclass(slots=True)
class _Reader:
    root: Path
    top: Path
    notes: list[str]
    missing: list[str] = field(default_factory=list)
    """tracked, but not in the work tree: deleted, or left out by a sparse checkout"""
    until: float = 0.0

    def shown(self, path: str) -> str:
        """`path` as a reviewer names it: from the top of the repository."""
        whole = (PurePosixPath(self.prefix) / path).as_posix()
        return os.fsencode(whole).decode("utf-8", "backslashreplace")

    @property
    def prefix(self) -> str:
        """The project's folder inside the repository; empty for the top."""
        try:
            inside = self.root.resolve().relative_to(self.top.resolve()).as_posix()
        except ValueError:
            return ""
        return "" if inside == "." else inside

    def content(self, path: str) -> bytes | str | None:
        """The first part of a file; a sentence when it cannot be read; None when there is none to read."""
        file = self.root / path
        try:
            mode = file.lstat().st_mode
            if stat.S_ISLNK(mode):
                if not file.resolve().is_relative_to(self.root.resolve()):
                    self.notes.append(f"`{self.shown(path)}` links to outside of the project: not read")
                    return None
                mode = file.stat().st_mode
            if not stat.S_ISREG(mode):
                return None
            with file.open("rb") as opened:
                data = opened.read(MAX_FILE_BYTES + 1)
        except (FileNotFoundError, NotADirectoryError):
            self.missing.append(self.shown(path))
            return None
        except (OSError, RuntimeError) as error:
            return f"it could not be opened ({getattr(error, 'strerror', None) or error})"
        if len(data) > MAX_FILE_BYTES:
            self.notes.append(
                f"`{self.shown(path)}` has {file.stat().st_size / 2**20:.1f} MiB: only its first"
                f" {MAX_FILE_BYTES // 2**20} MiB were read"
            )
            data = data[:MAX_FILE_BYTES]
        return data

    def sql(self, path: str) -> SqlFile | None:
        """What a .sql file holds; None for a link that leads nowhere, and for a deleted file."""
        data = self.content(path)
        if data is None:
            return None
        known = SqlFile(self.shown(path))
        if isinstance(data, str):
            return replace(known, unreadable=data)
        if data.startswith(b"version https://git-lfs.github.com/spec/"):
            return replace(known, unreadable="it is a pointer of Git LFS, whose content was not fetched")
        text = decode_text(data)
        if text is None:
            return replace(known, unreadable="it is no text")
        left = self.until - time.monotonic()
        if left <= 0:
            return replace(known, unreadable=f"the {_SECONDS:.0f} s for .sql files were used up")
        described = _described(known, text, min(2.0, left))
        if time.monotonic() > self.until:
            self.notes.append(
                f"`{known.path}` was read in part: the {_SECONDS:.0f} s for .sql files were used up"
            )
        return described


def read_repository(settings: Settings, revision_files: Sequence[str]) -> Tree:
    """The tracked files of the project that change, or could change, a schema beside its migrations.

    `revision_files` are absolute paths of what belongs to the migrations: revision files, `env.py`, and
    folders. Nothing is executed or imported. Where git cannot list the files, the folder is walked and
    `notes` says so.
    """
    found = git.list_tracked_files(settings.root)
    reader = _Reader(settings.root, found.top, list(found.notes), until=time.monotonic() + _SECONDS)
    own = _Own(settings.root, revision_files)
    changes = Changes()
    files: dict[str, SqlFile] = {}
    for path in found.paths:
        if path.lower().endswith(".sql"):
            if (file := reader.sql(path)) is not None:
                files[path] = file
        elif (kind := find_source_kind(path)) and not own.holds(path):
            data = reader.content(path)
            if isinstance(data, bytes):
                changes.look(reader.shown(path), path, kind, data)
            elif data:
                changes.unchecked.append((reader.shown(path), data))
    readers = Readers(settings.root, found.top, revision_files)
    allowed = _Allowed(settings.raw_sql_allow, reader.prefix)
    if reader.missing:
        first = ", ".join(f"`{path}`" for path in reader.missing[:3])
        reader.notes.append(
            f"{count_noun(len(reader.missing), 'tracked file')} not in the work tree: {first}"
        )
    executed = readers.of(list(files))
    sql = (replace(f, executed_by=executed.get(p), allowed_by=allowed.by(p)) for p, f in files.items())
    return Tree(
        root=str(found.top),
        prefix=reader.prefix,
        sql_files=tuple(sorted(sql, key=lambda file: file.path)),
        schema_changes=tuple(_placed(changes, readers)),
        notes=tuple(reader.notes),
        unchecked=tuple(Unchecked(path, why) for path, why in changes.unchecked),
    )


def _placed(changes: Changes, readers: Readers) -> list[SchemaChange]:
    """The changes as facts, without those whose function a revision imports."""
    return [
        SchemaChange(
            Location(hit.file, hit.line),
            shorten(hit.statement, 300),
            cast("SchemaChangeKind", hit.how),
            hit.tables,
            suggest_operation(hit.statement),
        )
        for hit in changes.hits
        if not readers.import_from(hit.file, hit.scopes)
    ]


def decode_text(data: bytes) -> str | None:
    """The text of a file in the encoding that is clear from its bytes; None when it is no text."""
    for mark, encoding in ((b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"), (b"\xef\xbb\xbf", "utf-8-sig")):
        if data.startswith(mark):
            return data[: len(data) // 2 * 2 if encoding == "utf-16" else None].decode(encoding, "replace")
    if b"\0" in data[:8192]:
        return None
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        if len(data) == MAX_FILE_BYTES and error.start > MAX_FILE_BYTES - 4:
            return data[: error.start].decode()
    odd = sum(byte < 32 and byte not in b"\t\n\r\f\x1b" for byte in data[:8192])
    return None if odd > len(data[:8192]) / 100 else data.decode("latin-1")


def _described(file: SqlFile, text: str, seconds: float) -> SqlFile:
    classified = _classify_within(text, seconds)
    found = [statement for statement in classified if statement.kind is not StatementKind.OTHER]
    kinds = {statement.kind for statement in found}
    schema = [statement for statement in found if statement.kind is StatementKind.SCHEMA]
    first = next(iter(schema or found), None)
    return replace(
        file,
        statement_kinds=tuple(cast("SqlKind", kind.value) for kind in StatementKind if kind in kinds),
        first_statement=first.text if first else None,
        line=first.line if first else 1,
        tables=tuple(dict.fromkeys(name for statement in schema for name in statement.relations))[:50],
    )


def _classify_within(text: str, seconds: float) -> Iterator[SqlStatement]:
    """The statements of `text` that can be classified within this time."""
    until = time.monotonic() + seconds
    for statement in classify_statements(text):
        yield statement
        if time.monotonic() > until:
            return


class _Own:
    """The files that belong to the migrations: listed ones, their folder, and the folder of env.py."""

    def __init__(self, root: Path, given: Sequence[str]) -> None:
        self.root = os.path.realpath(root)
        self.files: set[str] = set()
        self.folders: set[str] = set()
        for name in given:
            path = os.path.realpath(name)
            if os.path.isdir(path):  # noqa: PTH112
                self._add(path)
            else:
                self.files.add(path)
                self._add(os.path.dirname(path))  # noqa: PTH120

    def _add(self, folder: str) -> None:
        if folder in self.folders or folder == self.root or self.root.startswith(folder + os.sep):
            return
        self.folders.add(folder)
        above = os.path.dirname(folder)  # noqa: PTH120
        env = os.path.join(above, "env.py")  # noqa: PTH118
        if os.path.exists(env):  # noqa: PTH110
            self.files.add(env)
            if _MIGRATIONS.search(os.path.basename(above)):  # noqa: PTH119 - it may be the application's `db`
                self._add(above)

    def holds(self, path: str) -> bool:
        """Whether the tracked file `path` belongs to the migrations."""
        place = os.path.join(self.root, path)  # noqa: PTH118
        if place in self.files:
            return True
        while len(place) > len(self.root):
            place = os.path.dirname(place)  # noqa: PTH120
            if place in self.folders:
                return True
        return False


class _Allowed:
    """`raw_sql.allow`: gitignore patterns, the last that fits decides, `!` takes back."""

    def __init__(self, patterns: Sequence[str], prefix: str) -> None:
        from pathspec import GitIgnoreSpec  # noqa: PLC0415 - only where there is something to match

        self.patterns = [(p, GitIgnoreSpec.from_lines([p.removeprefix("!")])) for p in patterns if p.strip()]
        self.spec = GitIgnoreSpec.from_lines(patterns)
        self.prefix = prefix

    def by(self, path: str) -> str | None:
        """The pattern that allows `path`, counted from the project's folder or the repository's top."""
        for name in dict.fromkeys((path, f"{self.prefix}/{path}" if self.prefix else path)):
            if self.spec.match_file(name):
                fits = (p for p, s in reversed(self.patterns) if not p.startswith("!") and s.match_file(name))
                return next(fits, None)
        return None
