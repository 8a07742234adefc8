"""What the project declares beside its models: what its own comparison asks for, and how the catalog changes.

The operations of alembic_utils, of another plug-in or of a comparator of the project's own ran on a copy of
the replayed database. What differs there from the replayed one is what the project wants and nothing makes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from collections.abc import Sequence as ImmutableSequence
from dataclasses import replace

from migration_gate.drift.changed_objects import (
    ChangedObject,
    find_changed_origin,
    find_changes,
    noun_of,
    table_of,
    text_of,
)
from migration_gate.facts import (
    DeclaredOperation,
    Difference,
    Replay,
    Snapshot,
)


def find_declared_differences(replay: Replay, known: Iterable[Difference]) -> tuple[Difference, ...]:
    """The differences that only the project's own comparison finds.

    `known`: those between the migrations and the models, which are not reported once more.
    """
    declared = replay.models.declared_snapshot
    if declared is None:
        return ()
    known_objects = {item.object for item in known if item.kind != "unmanaged"}
    changes = list(find_changes(replay.catalog, declared))
    changed = [item for item in changes if str(item.item) not in known_objects]
    operations = _list_operations(replay)
    explained = _explain_changes(changed, operations, declared, replay)
    names = [name.rpartition(".")[2] for name in known_objects] + [_name_of(item) for item in changed]
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
        naming = (operation for operation in operations if _has_word(operation, _name_of(item)))
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


def _name_of(changed: ChangedObject) -> str:
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
