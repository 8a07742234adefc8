"""What the project declares beside its models: what its own comparison asks for, and how the catalog changes.

The operations of alembic_utils, of another plug-in or of a comparator of the project's own ran on a copy of
the replayed database. What differs there from the replayed one is what the project wants and nothing makes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from collections.abc import Sequence as ImmutableSequence
from dataclasses import replace
from typing import NamedTuple

from migration_gate.drift.changed_objects import (
    ChangedObject,
    find_changed_origin,
    find_changes,
    noun_of,
    table_of,
    text_of,
)
from migration_gate.facts import (
    AttachedObject,
    Column,
    Constraint,
    DeclaredOperation,
    Difference,
    Replay,
    Snapshot,
)


class _ObjectName(NamedTuple):
    """How an operation names an object."""

    name: str
    """without its schema and table"""
    table: str
    """of a column, a constraint or a trigger, which many tables have; else ''"""


def find_declared_differences(replay: Replay, known: Iterable[Difference]) -> tuple[Difference, ...]:
    """The differences that only the project's own comparison finds.

    `known`: those between the migrations and the models, which are not reported once more.
    """
    declared = replay.models.declared_snapshot
    if declared is None:
        return ()
    known = [item for item in known if item.kind != "unmanaged"]
    known_objects = {item.object for item in known}
    changes = list(find_changes(replay.catalog, declared))
    changed = [item for item in changes if str(item.item) not in known_objects]
    operations = _list_operations(replay)
    explained = _explain_changes(changed, operations, declared, replay)
    names = [_read_name(item.object, item.table) for item in known] + [_name_of(item) for item in changed]
    rest = (_describe_alone(operation) for operation in _list_unexplained(operations, names))
    return (*explained, *rest)


def find_undeclared_objects(replay: Replay, catalog: Snapshot) -> frozenset[str]:
    """The objects that are not in a catalog as they would be after the project's operations."""
    declared = replay.models.declared_snapshot
    return frozenset(str(item.item) for item in find_changes(catalog, declared)) if declared else frozenset()


def _list_operations(replay: Replay) -> ImmutableSequence[DeclaredOperation]:
    """The operations; without their downgrades if these did not restore what they changed."""
    operations = replay.models.declared_operations
    restored = replay.models.restored_snapshot
    without_way_back = [item for item in operations if not item.downgrade]
    changes = find_changes(replay.catalog, restored) if restored is not None else ()
    if all(any(_is_named(_name_of(change), item) for item in without_way_back) for change in changes):
        return operations
    return [replace(operation, downgrade="") for operation in operations]


def _list_unexplained(
    operations: Iterable[DeclaredOperation], names: ImmutableSequence[_ObjectName]
) -> list[DeclaredOperation]:
    """The operations that name none of the objects which differ; one label may stand for several.

    One that failed is among them, whatever it names: a difference of the same name is not its error.
    """
    operations = list(operations)
    explained = {item.label for item in operations if any(_is_named(name, item) for name in names)}
    return [item for item in operations if item.error is not None or item.label not in explained]


def _explain_changes(
    changed: Iterable[ChangedObject],
    operations: Iterable[DeclaredOperation],
    declared: Snapshot,
    replay: Replay,
) -> Iterator[Difference]:
    """A difference for each object, with the lines of the first operation that names it."""
    used: set[str] = set()
    for item in changed:
        difference = _describe_change(item, declared, replay)
        naming = (operation for operation in operations if _is_named(_name_of(item), operation))
        operation = next(naming, None)
        if operation is not None and operation.label not in used:
            used.add(operation.label)
            difference = replace(difference, upgrade=operation.upgrade, downgrade=operation.downgrade)
        yield difference


def _describe_change(changed: ChangedObject, declared: Snapshot, replay: Replay) -> Difference:
    origin = find_changed_origin(replay, changed)
    return Difference(
        kind="declared",
        object=str(changed.item),
        database=None if changed.database is None else text_of(changed.database, replay.catalog),
        models=None if changed.other is None else text_of(changed.other, declared),
        table=table_of(changed.item),
        object_noun=noun_of(changed.item),
        revision=origin.revision,
        location=origin.location,
    )


def _name_of(changed: ChangedObject) -> _ObjectName:
    table = table_of(changed.item) or ""
    is_part = isinstance(changed.item, Column | Constraint | AttachedObject)
    return _ObjectName(str(getattr(changed.item, "name", "")), table.rpartition(".")[2] if is_part else "")


def _read_name(object_name: str, table: str | None) -> _ObjectName:
    """From the text of a difference: `users.id`."""
    owner, _, name = object_name.rpartition(".")
    is_part = bool(table) and (owner == table or owner == (table or "").rpartition(".")[2])
    return _ObjectName(name, owner.rpartition(".")[2] if is_part else "")


def _is_named(name: _ObjectName, operation: DeclaredOperation) -> bool:
    """Whether the operation's label or lines hold the name, and that of its table."""
    text = f"{operation.label}\n{operation.upgrade}"
    return _has_word(text, name.name) and (not name.table or _has_word(text, name.table))


def _has_word(text: str, word: str) -> bool:
    return bool(word) and re.search(rf"(?<![\w$]){re.escape(word)}(?![\w$])", text) is not None


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
