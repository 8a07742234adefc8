"""The revision graph as Alembic reads it, and the revision files as text."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field
from enum import StrEnum
from functools import cached_property

from migration_gate.facts.failure import Failure
from migration_gate.facts.location import Location
from migration_gate.facts.rollback import DowngradeText
from migration_gate.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Revision:
    """One revision as Alembic reads it."""

    id: str
    parents: tuple[str, ...]
    """down_revision; none for a base"""
    message: str
    location: Location
    """the file, and the line of its `upgrade()`"""
    depends_on: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    """branch labels, inherited ones too"""

    def __str__(self) -> str:
        return self.id


@dataclass(frozen=True, slots=True)
class SourceCall:
    """A call in the text of a revision, a `with` block, or a literal that holds SQL."""

    name: str
    """of the function, without what it belongs to: `create_table`, `Column`; `with`; empty for a literal"""
    line: int
    end_line: int
    strings: tuple[str, ...] = ()
    """its literal arguments, those in lists among them, in their order"""
    keywords: tuple[str, ...] = ()
    """names of its keyword arguments"""


class FileDefect(StrEnum):
    """Why a file tells nothing."""

    SYNTAX = "syntax"
    """it is no valid Python"""
    ACCESS = "access"
    """it could not be read"""
    NESTING = "nesting"
    """it may be valid, and no parser gets through it"""


@dataclass(frozen=True, slots=True)
class RevisionFile:
    """A Python file that looks like a revision, read as text."""

    path: str
    revision: str | None
    parents: tuple[str, ...] = ()
    is_loaded: bool = True
    """whether Alembic loads it"""
    error: str | None = None
    """why Python could not parse it"""
    defect: FileDefect = FileDefect.SYNTAX
    """the kind of `error`, if there is one"""
    line: int | None = None
    """of `revision = `"""
    parents_line: int | None = None
    """of `down_revision = `"""
    not_loaded_because: str | None = None
    created_tables: tuple[str, ...] = ()
    """tables that its text creates (`op.create_table("users"`), as written"""
    added_columns: tuple[str, ...] = ()
    """`table.column` of the columns that its text adds, as far as it is plain"""
    text: str = ""
    """all of it"""
    downgrade: DowngradeText = field(default_factory=DowngradeText)
    read_calls: Callable[[str], tuple[SourceCall, ...]] | None = field(default=None, compare=False)
    """what finds the calls in its text: few files of a long history are ever asked for them"""

    def find_calls(self) -> tuple[SourceCall, ...]:
        """The calls in its text that Alembic's operations are made of, in their order."""
        return self.read_calls(self.text) if self.read_calls is not None else ()


@dataclass(frozen=True, slots=True)
class MissingParent:
    """A revision whose parent or dependency is in no file."""

    revision: str
    parent: str


@dataclass(frozen=True)
class History:
    """The revision graph."""

    revisions: tuple[Revision, ...] = ()
    """in the order of the replay if there is one"""
    heads: tuple[str, ...] = ()
    bases: tuple[str, ...] = ()
    files: tuple[RevisionFile, ...] = ()
    locations: tuple[str, ...] = ()
    """folders with revisions"""
    target: tuple[str, ...] = ("heads",)
    error: Failure | None = None
    """why Alembic could not read it"""
    missing_parents: tuple[MissingParent, ...] = ()

    def find_revision(self, identifier: str | None) -> Revision | None:
        """The revision of that id, if Alembic knows it."""
        return self._revisions_by_id.get(identifier) if identifier is not None else None

    def find_downgrade(self, revision: str) -> DowngradeText | None:
        """The text of a revision's `downgrade()`; None if its file was not read."""
        return self._downgrades_by_revision.get(revision)

    def find_calls(self, path: str) -> tuple[SourceCall, ...]:
        """The calls in the text of a revision's file; none if the text was not read."""
        if path not in self._calls_by_file:
            file = next((file for file in self.files if file.path == path), None)
            self._calls_by_file[path] = file.find_calls() if file is not None else ()
        return self._calls_by_file[path]

    @cached_property
    def _downgrades_by_revision(self) -> Mapping[str, DowngradeText]:
        return {file.revision: file.downgrade for file in self.files if file.revision and not file.error}

    @cached_property
    def _calls_by_file(self) -> dict[str, tuple[SourceCall, ...]]:
        """Of the files that were asked for."""
        return {}

    @cached_property
    def _revisions_by_id(self) -> Mapping[str, Revision]:
        return {revision.id: revision for revision in reversed(self.revisions)}
