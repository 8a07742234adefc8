"""What the project declares beside its models: what its own comparison asks for, and how the catalog changes.

The operations of alembic_utils, of another plug-in or of a comparator of the project's own ran on a copy of
the replayed database. What differs there from the replayed one is what the project wants and nothing makes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from collections.abc import Sequence as ImmutableSequence
from dataclasses import dataclass, replace

from migration_gate.analysis.origin import find_origin, find_removal
from migration_gate.drift.difference_text import columns_text, labels_text, sequence_text
from migration_gate.drift.object_pairs import object_identity, pair_objects, without_identifiers
from migration_gate.facts import (
    AttachedObject,
    CatalogObject,
    Column,
    Constraint,
    DeclaredOperation,
    Difference,
    EnumType,
    Extension,
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

_FIELDS = (
    "schemas", "extensions", "enums", "types", "sequences", "tables", "columns", "constraints", "indexes",
    "views", "routines", "triggers", "policies", "rules", "others", "grants",
)  # fmt: skip
"""of `Snapshot`, in the order in which differences are reported"""
_NOUNS = {EnumType: "enum", NamedType: "type", Table: "table", Column: "column", Index: "index"}


@dataclass(frozen=True, slots=True)
class _ChangedObject:
    """An object on both sides, as they differ; None if a side lacks it."""

    database: CatalogObject | None
    declared: CatalogObject | None

    @property
    def item(self) -> CatalogObject:
        """The object as the database has it, else as it is declared."""
        item = self.database if self.database is not None else self.declared
        assert item is not None  # noqa: S101  (one side has it)
        return item


def find_declared_differences(replay: Replay, known: Iterable[Difference]) -> tuple[Difference, ...]:
    """The differences that only the project's own comparison finds.

    `known`: those between the migrations and the models, which are not reported once more.
    """
    declared = replay.models.declared_snapshot
    if declared is None:
        return ()
    known_objects = {item.object for item in known if item.kind != "unmanaged"}
    changes = list(_find_changes(replay.catalog, declared))
    changed = [item for item in changes if str(item.item) not in known_objects]
    operations = _list_operations(replay)
    explained = _explain_changes(changed, operations, declared, replay)
    names = [name.rpartition(".")[2] for name in known_objects] + [_name_of(item) for item in changed]
    rest = (_describe_alone(operation) for operation in _list_unexplained(operations, names))
    return (*explained, *rest)


def find_undeclared_objects(replay: Replay, catalog: Snapshot) -> frozenset[str]:
    """The objects that are not in a catalog as they would be after the project's operations."""
    declared = replay.models.declared_snapshot
    return frozenset(str(item.item) for item in _find_changes(catalog, declared)) if declared else frozenset()


def _list_operations(replay: Replay) -> ImmutableSequence[DeclaredOperation]:
    """The operations; without their downgrades if these did not restore what they changed."""
    operations = replay.models.declared_operations
    restored = replay.models.restored_snapshot
    without_way_back = [item for item in operations if not item.downgrade]
    changes = _find_changes(replay.catalog, restored) if restored is not None else ()
    if all(any(_has_word(item, _name_of(change)) for item in without_way_back) for change in changes):
        return operations
    return [replace(operation, downgrade="") for operation in operations]


def _list_unexplained(
    operations: Iterable[DeclaredOperation], names: Iterable[str]
) -> list[DeclaredOperation]:
    """The operations that name none of the objects which differ; one label may stand for several."""
    operations = list(operations)
    explained = {item.label for item in operations if any(_has_word(item, name) for name in names)}
    return [operation for operation in operations if operation.label not in explained]


def _find_changes(database: Snapshot, declared: Snapshot) -> Iterator[_ChangedObject]:
    """Every object that differs, without those that belong to a table which one side lacks."""
    missing = {object_identity(table) for table in database.tables}
    missing ^= {object_identity(table) for table in declared.tables}
    for field in _FIELDS:
        for before, after in pair_objects(getattr(database, field), getattr(declared, field)):
            changed = _ChangedObject(before, after)
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


def _explain_changes(
    changed: Iterable[_ChangedObject],
    operations: Iterable[DeclaredOperation],
    declared: Snapshot,
    replay: Replay,
) -> Iterator[Difference]:
    """A difference for each object, with the lines of the first operation that names it."""
    used: set[str] = set()
    for item in changed:
        difference = _describe_change(item, declared, replay)
        naming = (operation for operation in operations if _has_word(operation, _name_of(item)))
        operation = next(naming, None)
        if operation is not None and operation.label not in used:
            used.add(operation.label)
            difference = replace(difference, upgrade=operation.upgrade, downgrade=operation.downgrade)
        yield difference


def _describe_change(changed: _ChangedObject, declared: Snapshot, replay: Replay) -> Difference:
    origin = _find_origin(replay, changed)
    return Difference(
        kind="declared",
        object=str(changed.item),
        database=None if changed.database is None else _text_of(changed.database, replay.catalog),
        models=None if changed.declared is None else _text_of(changed.declared, declared),
        table=_table_of(changed.item),
        object_noun=_noun_of(changed.item),
        revision=origin.revision,
        location=origin.location,
    )


def _find_origin(replay: Replay, changed: _ChangedObject) -> Origin:
    """The revision and line that made the object as it is, or that dropped it."""
    if changed.database is not None:
        return find_origin(replay, changed.database)
    return find_removal(replay, changed.item)


def _name_of(changed: _ChangedObject) -> str:
    """The object's name, without its schema and table."""
    return str(getattr(changed.item, "name", ""))


def _has_word(operation: DeclaredOperation, name: str) -> bool:
    """Whether the operation's label or lines hold the name as a word."""
    text = f"{operation.label}\n{operation.upgrade}"
    return bool(name) and re.search(rf"(?<![\w$]){re.escape(name)}(?![\w$])", text) is not None


def _describe_alone(operation: DeclaredOperation) -> Difference:
    """The difference of an operation that failed, or that changes nothing which the catalog shows."""
    return Difference(
        kind="declared",
        object=operation.label,
        database=None,
        models=operation.upgrade or operation.label,
        upgrade=operation.upgrade,
        downgrade=operation.downgrade,
        object_noun="operation",
        fix_refused=operation.error or "",
    )


def _table_of(item: CatalogObject) -> str | None:
    match item:
        case Column() | Constraint() | Index() | AttachedObject():
            return f"{item.schema}.{item.table}"
        case Table():
            return f"{item.schema}.{item.name}"
        case _:
            return None


def _noun_of(item: CatalogObject) -> str:
    match item:
        case AttachedObject() | View() | Routine() | OtherObject() | Constraint():
            return str(item.kind)
        case _:
            return _NOUNS.get(type(item), type(item).__name__.lower())


def _text_of(item: CatalogObject, snapshot: Snapshot) -> str:
    """What a reader sees of the object."""
    match item:
        case View() | Routine() | OtherObject() | Index() | Constraint() | NamedType() | AttachedObject():
            return item.definition.strip()
        case EnumType():
            return labels_text(item)
        case Sequence():
            return sequence_text(item)
        case Table():
            return _table_text(item, snapshot)
        case _:
            return f"{item.version} in schema {item.schema}" if isinstance(item, Extension) else str(item)


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
