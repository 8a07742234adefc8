"""The objects that differ between two databases, as text for people."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields

from migration_gate.analysis.origin import find_origin, find_removal
from migration_gate.drift.difference_text import column_text, columns_text, labels_text, sequence_text
from migration_gate.drift.object_pairs import object_identity, pair_objects, without_identifiers
from migration_gate.facts import (
    AttachedObject,
    CatalogObject,
    Column,
    Constraint,
    EnumType,
    Extension,
    Grant,
    Index,
    NamedType,
    Origin,
    OtherObject,
    Replay,
    Routine,
    Sequence,
    Snapshot,
    Table,
    View,
)
from migration_gate.lazy_dataclass import dataclass

_FIELDS = (
    "schemas", "extensions", "enums", "types", "sequences", "tables", "columns", "constraints", "indexes",
    "views", "routines", "triggers", "policies", "rules", "others", "grants",
)  # fmt: skip
"""of `Snapshot`, in the order in which differences are reported"""
_NOUNS = {EnumType: "enum", NamedType: "type", Table: "table", Column: "column", Index: "index"}

_PART_TEXTS: Mapping[type[CatalogObject], Callable[..., str]] = {
    EnumType: labels_text,
    Sequence: sequence_text,
    Column: column_text,
}


@dataclass(frozen=True, slots=True)
class ChangedObject:
    """An object on both sides, as they differ; None if a side lacks it."""

    database: CatalogObject | None
    other: CatalogObject | None

    @property
    def item(self) -> CatalogObject:
        """The object as the database has it, else as the other one has it."""
        item = self.database if self.database is not None else self.other
        assert item is not None  # noqa: S101  (one side has it)
        return item


def find_changes(database: Snapshot, other: Snapshot) -> Iterator[ChangedObject]:
    """Every object that differs, without those that belong to a table which one side lacks."""
    missing = {object_identity(table) for table in database.tables}
    missing ^= {object_identity(table) for table in other.tables}
    for field in _FIELDS:
        for before, after in pair_objects(getattr(database, field), getattr(other, field)):
            changed = ChangedObject(before, after)
            if not _are_equal(before, after) and not _belongs_to(changed.item, missing):
                yield changed


def _are_equal(before: CatalogObject | None, after: CatalogObject | None) -> bool:
    if before is None or after is None:
        return False
    return without_identifiers(before) == without_identifiers(after)


def _belongs_to(item: CatalogObject, tables: set[tuple[str, ...]]) -> bool:
    if not isinstance(item, Column | Constraint | Index | AttachedObject):
        return False
    return (item.schema, item.table) in tables


def find_changed_origin(replay: Replay, changed: ChangedObject) -> Origin:
    """The revision and line that made the object as it is, or that dropped it."""
    if changed.database is not None:
        return find_origin(replay, changed.database)
    return find_removal(replay, changed.item)


def table_of(item: CatalogObject) -> str | None:
    """The table that it is or belongs to, with its schema; None for other objects."""
    match item:
        case Column() | Constraint() | Index() | AttachedObject():
            return item.full_table_name
        case Table():
            return item.full_name
        case _:
            return None


def noun_of(item: CatalogObject) -> str:
    """What it is: `table`, `view`, `check`..."""
    match item:
        case AttachedObject() | View() | Routine() | OtherObject() | Constraint():
            return str(item.kind)
        case _:
            return _NOUNS.get(type(item), type(item).__name__.lower())


def text_of(item: CatalogObject, snapshot: Snapshot) -> str:
    """What a reader sees of the object."""
    match item:
        case View() | Routine() | OtherObject() | Index() | Constraint() | NamedType() | AttachedObject():
            return item.definition.strip()
        case EnumType() | Sequence() | Column():
            return _PART_TEXTS[type(item)](item)
        case Grant():
            return ", ".join(item.acl)
        case Table():
            return _table_text(item, snapshot)
        case _:
            return f"{item.version} in schema {item.schema}" if isinstance(item, Extension) else str(item)


def texts_of(changed: ChangedObject, before: Snapshot, after: Snapshot) -> tuple[str | None, str | None]:
    """What a reader sees of the object on both sides; the parts that differ if that is the same text."""
    old, new = changed.database, changed.other
    old_text = None if old is None else text_of(old, before)
    new_text = None if new is None else text_of(new, after)
    if old is None or new is None or old_text != new_text:
        return old_text, new_text
    return _other_parts_text(old, new), _other_parts_text(new, old)


def _other_parts_text(item: CatalogObject, other: CatalogObject) -> str:
    """The fields that are other ones on the other side: `comment 'the name'`."""
    item, other = without_identifiers(item), without_identifiers(other)
    values = ((field.name, getattr(item, field.name), getattr(other, field.name)) for field in fields(item))
    return ", ".join(f"{name} {value!r}" for name, value, other_value in values if value != other_value)


def _table_text(table: Table, snapshot: Snapshot) -> str:
    """Its columns, and what else an operation may have changed."""
    words = [columns_text(snapshot.columns_of(table)), table.persistence]
    if table.options:
        words.append(f"WITH ({', '.join(table.options)})")
    if table.row_security:
        words.append("FORCE ROW LEVEL SECURITY" if table.force_row_security else "ROW LEVEL SECURITY")
    if table.comment:
        words.append(f"COMMENT {table.comment}")
    return " ".join(words)
