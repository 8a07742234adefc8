"""Enums that have another name on the other side: one difference, and none for each column of the type."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

from migration_gate.drift.comparison_scope import ComparisonScope
from migration_gate.drift.difference import CatalogDifference, make_described_difference
from migration_gate.drift.object_pairs import pair_objects
from migration_gate.facts import EnumType, Snapshot
from migration_gate.lazy_dataclass import dataclass
from migration_gate.sql.identifiers import qualified_name


def find_renamed_enums(scope: ComparisonScope) -> Iterator[CatalogDifference]:
    """One difference for each enum whose labels exist under another name, and under one other name only."""
    unpaired = [pair for pair in pair_objects(scope.database.enums, scope.models.enums) if None in pair]
    removed = [pair.database for pair in unpaired if pair.database is not None]
    added = [pair.models for pair in unpaired if pair.models is not None]
    for new in added:
        old = _only_enum_with_labels(removed, new.labels)
        if old is not None and _only_enum_with_labels(added, new.labels) is new:
            yield make_described_difference("enum", old, new, _printed_name)


def _only_enum_with_labels(enums: Iterable[EnumType], labels: tuple[str, ...]) -> EnumType | None:
    """The enum of exactly these labels; None if there are several or none, or no labels."""
    candidates = [enum for enum in enums if enum.labels == labels]
    return candidates[0] if labels and len(candidates) == 1 else None


def apply_enum_renames(scope: ComparisonScope, renamed: Iterable[CatalogDifference]) -> ComparisonScope:
    """The scope with these enums under their new names on both sides."""
    database = scope.database
    for difference in renamed:
        if isinstance(difference.database, EnumType) and isinstance(difference.models, EnumType):
            rename = _EnumRename.between(difference.database, difference.models)
            database = _rename_enum(database, rename)
    return replace(scope, database=database)


def _printed_name(enum: EnumType) -> str:
    return qualified_name(enum.schema, enum.name)


@dataclass(frozen=True, slots=True)
class _EnumRename:
    """An enum and what it is called from now on."""

    old: EnumType
    new: EnumType
    old_name: re.Pattern[str]
    """finds the old name in a type, an expression or a definition"""

    @classmethod
    def between(cls, old: EnumType, new: EnumType) -> _EnumRename:
        """The renaming of one enum."""
        return cls(old, new, re.compile(rf"(?<![\w.\"]){re.escape(_printed_name(old))}(?![\w\"])"))

    def rename_enum(self, enum: EnumType) -> EnumType:
        """The enum under its new name, if it is this one."""
        return replace(enum, schema=self.new.schema, name=self.new.name) if enum == self.old else enum

    def rename_in(self, text: str) -> str:
        """A type, an expression or a definition that mentions it."""
        return self.old_name.sub(lambda _: _printed_name(self.new), text)

    def rename_in_optional(self, text: str | None) -> str | None:
        """The same for what a column may lack."""
        return None if text is None else self.rename_in(text)


def _rename_enum(snapshot: Snapshot, rename: _EnumRename) -> Snapshot:
    """The snapshot with the enum under its new name, also if types, expressions and definitions use it."""
    return replace(
        snapshot,
        enums=tuple(rename.rename_enum(enum) for enum in snapshot.enums),
        columns=tuple(
            replace(
                column,
                type=rename.rename_in(column.type),
                default=rename.rename_in_optional(column.default),
                generated=rename.rename_in_optional(column.generated),
            )
            for column in snapshot.columns
        ),
        constraints=tuple(
            replace(constraint, definition=rename.rename_in(constraint.definition))
            for constraint in snapshot.constraints
        ),
        indexes=tuple(
            replace(index, definition=rename.rename_in(index.definition)) for index in snapshot.indexes
        ),
    )
