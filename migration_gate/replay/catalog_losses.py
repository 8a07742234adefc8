"""What a revision removed or changed in a catalog although no difference was about it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from migration_gate.analysis.evaluated_defaults import is_evaluated_default
from migration_gate.drift.frozen_defaults import FrozenDefaults
from migration_gate.drift.model_comparison import compare_after_trial
from migration_gate.drift.object_pairs import object_identity, without_identifiers
from migration_gate.facts import (
    AttachedObject,
    CatalogObject,
    Difference,
    Grant,
    Models,
    OtherObject,
    Replay,
    Routine,
    Snapshot,
    View,
)

UNMANAGED_FIELDS = ("schemas", "extensions", "views", "routines", "triggers", "policies", "rules", "others")
"""fields of `Snapshot` with what models cannot express"""
_SNAPSHOT_FIELDS = (
    *UNMANAGED_FIELDS, "tables", "columns", "constraints", "indexes", "enums", "types", "sequences", "grants",
)  # fmt: skip


def find_lost_objects(before: Snapshot, after: Snapshot) -> Iterator[str]:
    """What models cannot express and the catalog no longer has; what went with its table is left out."""
    for field in UNMANAGED_FIELDS:
        remaining = {object_identity(item) for item in getattr(after, field)}
        for item in getattr(before, field):
            if object_identity(item) not in remaining and not _went_with_table(item, after):
                yield _name_with_noun(item)
    yield from _find_lost_view_indexes(before, after)
    yield from _find_lost_grants(before, after)
    yield from _find_lost_storage(before, after)


def _went_with_table(item: CatalogObject, after: Snapshot) -> bool:
    """Whether it belonged to a table or view that is there no more, or is a view whose name a table has."""
    if isinstance(item, View):
        return after.find_table(item.schema, item.name) is not None
    if not isinstance(item, AttachedObject):
        return False
    relations = {(table.schema, table.name) for table in after.tables}
    relations |= {(view.schema, view.name) for view in after.views}
    return (item.schema, item.table) not in relations


def _name_with_noun(item: CatalogObject) -> str:
    noun = (
        item.kind if isinstance(item, AttachedObject | View | Routine | OtherObject) else type(item).__name__
    )
    return f"{noun.lower()} `{item}`"


def _find_lost_view_indexes(before: Snapshot, after: Snapshot) -> Iterator[str]:
    remaining = {object_identity(index) for index in after.indexes}
    views = {view.full_name for view in after.views}
    for index in before.indexes:
        if index.on_view and object_identity(index) not in remaining and index.full_table_name in views:
            yield f"index `{index}`"


def _find_lost_grants(before: Snapshot, after: Snapshot) -> Iterator[str]:
    """Privileges on what is still there."""
    remaining = {object_identity(grant): grant.acl for grant in after.grants}
    names = _names_in(after)
    for grant in before.grants:
        is_there = grant.name in names.get(grant.kind, frozenset())
        if is_there and remaining.get(object_identity(grant)) != grant.acl:
            yield f"the privileges on {grant.kind} `{_short_name(grant)}`"


def _short_name(grant: Grant) -> str:
    return grant.name.removeprefix("public.")


def _names_in(snapshot: Snapshot) -> dict[str, frozenset[str]]:
    """The names of what may have privileges, by the kind that a grant names."""
    relations: Iterable[CatalogObject] = (*snapshot.tables, *snapshot.views)
    return {
        "table": frozenset(".".join(object_identity(item)) for item in relations),
        "column": frozenset(".".join(object_identity(column)) for column in snapshot.columns),
        "sequence": frozenset(".".join(object_identity(sequence)) for sequence in snapshot.sequences),
    }


def _find_lost_storage(before: Snapshot, after: Snapshot) -> Iterator[str]:
    """How long values of a column are stored, if its type is the same."""
    columns = {object_identity(column): column for column in after.columns}
    for column in before.columns:
        other = columns.get(object_identity(column))
        if other and other.type == column.type and column.storage and other.storage != column.storage:
            yield f"the storage {column.storage.upper()} of column `{column}`"


def describe_changes(replayed: Replay, after: Snapshot) -> tuple[str, ...]:
    """In what a catalog is not as the replay left it, each change in a few words; the names come first.

    A default that was evaluated once need not come back.
    """
    before = replayed.catalog
    alike_after = _without_identifiers(after)
    if _holds_the_same(alike_after, _without_identifiers(before)):
        return ()
    frozen = tuple(FrozenDefaults.from_replay(replayed).database)
    models = Models(metadatas=1, snapshot=before, frozen_defaults=frozen)
    replay = Replay(catalog=alike_after, models=models)
    differences = (
        item
        for item in compare_after_trial(replay)
        if item.kind != "unmanaged" and not is_evaluated_default(item.models)
    )
    return (
        *map(_describe_change, differences),
        *find_lost_objects(before, after),
        *_find_changed_objects(before, after),
    )


def _find_changed_objects(before: Snapshot, after: Snapshot) -> Iterator[str]:
    """Views and triggers that are there, but not as they were."""
    for field in ("views", "triggers", "rules"):
        remaining = {object_identity(item): without_identifiers(item) for item in getattr(after, field)}
        for item in getattr(before, field):
            if remaining.get(object_identity(item), without_identifiers(item)) != without_identifiers(item):
                yield f"{_name_with_noun(item)}: another definition"


def _describe_change(difference: Difference) -> str:
    before, after = difference.models, difference.database
    return (
        f"{difference.kind} of `{difference.object}`: {after or 'nothing'} instead of {before or 'nothing'}"
    )


def _holds_the_same(one: Snapshot, other: Snapshot) -> bool:
    """Whether both hold the same objects, in any order."""
    return all(Counter(getattr(one, name)) == Counter(getattr(other, name)) for name in _SNAPSHOT_FIELDS)


def _without_identifiers(snapshot: Snapshot) -> Snapshot:
    """The snapshot without oids: what has the same in two readings would count as copied by the models."""
    fields: dict[str, Any] = {
        name: tuple(without_identifiers(item) for item in getattr(snapshot, name))
        for name in _SNAPSHOT_FIELDS
    }
    return replace(snapshot, **fields)
