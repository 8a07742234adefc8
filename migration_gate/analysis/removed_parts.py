"""What the schema of the change lacks, although no model of the live release need say so."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, get_args

from migration_gate.analysis.index_definitions import remove_index_name
from migration_gate.analysis.schema_pair import SchemaPair
from migration_gate.facts import (
    AttachedObject,
    CatalogObject,
    Constraint,
    EnumType,
    Index,
    NamedType,
    RefusalCause,
    Table,
)
from migration_gate.lazy_dataclass import dataclass

RemovalKind = Literal[
    "implicit-drop",
    "primary-key",
    "view",
    "function",
    "type",
    "sequence",
    "trigger",
    "constraint",
    "not-null",
    "default",
]
KINDS: tuple[RemovalKind, ...] = get_args(RemovalKind)
Part = Constraint | Index


@dataclass(frozen=True, slots=True)
class RemovedPart:
    """Something that is gone, or does not act any more."""

    kind: RemovalKind
    item: CatalogObject
    noun: str
    """unique constraint, view..."""
    is_whole: bool = False
    """of an implicit drop: all its columns are gone as well"""


def find_removed_parts(pair: SchemaPair) -> Iterator[RemovedPart]:
    """What is gone; tables and columns are left to trials and rehearsals."""
    for before, after in pair.list_tables():
        yield from _compare_table(pair, before, after)
    yield from _compare_standalone(pair)
    yield from _compare_triggers(pair)
    yield from _compare_columns(pair)


def _compare_table(pair: SchemaPair, before: Table, after: Table) -> Iterator[RemovedPart]:
    key = pair.earlier.primary_key_of(before)
    if key is not None and pair.later.primary_key_of(after) is None:
        yield RemovedPart("primary-key", key, "primary key")
    kept = {column.name for column in pair.later.columns_of(after)}
    constraints = [item for item in pair.earlier.constraints_of(before) if item.kind != "not null"]
    indexes = [item for item in pair.earlier.indexes_of(before) if item.constraint is None]
    remaining: list[Part] = [*pair.later.constraints_of(after), *pair.later.indexes_of(after)]
    later = {_definition(item) for item in remaining}
    names = {item.name for item in remaining}
    parts: list[Part] = [*constraints, *indexes]
    if before.partition_bound is not None:
        return  # its parent's parts: they go, with names of their own, when the parent's do
    for item in parts:
        is_key = isinstance(item, Constraint) and item.kind == "primary key"
        if is_key or _definition(item) in later or item.name in names:
            continue
        noun = _name_kind(item)
        columns = [name for name in item.columns if name]
        if pair.is_named(item.name):
            if _is_rule(item) and not any(_is_like(item, other) for other in remaining):
                yield RemovedPart("constraint", item, noun)
        else:
            is_whole = bool(columns) and kept.isdisjoint(columns)
            yield RemovedPart("implicit-drop", item, noun, is_whole)


def _name_kind(part: Part) -> str:
    if isinstance(part, Index):
        return "unique index" if part.unique else "index"
    return part.kind if part.kind.endswith("key") else f"{part.kind} constraint"


def _is_rule(part: Part) -> bool:
    return isinstance(part, Constraint) or part.unique


def _is_like(part: Part, other: Part) -> bool:
    """Whether another part, of whatever name, is a rule of the same kind for the same columns."""
    kinds = [item.kind if isinstance(item, Constraint) else "unique" for item in (part, other)]
    return kinds[0] == kinds[1] and _is_rule(other) and set(part.columns) == set(other.columns)


def _definition(part: Part) -> str:
    return remove_index_name(part.definition).removesuffix(" NOT VALID")


def _compare_standalone(pair: SchemaPair) -> Iterator[RemovedPart]:
    earlier, later = pair.earlier, pair.later
    views = {(item.schema, item.name) for item in later.views} | {
        (item.schema, item.name) for item in later.tables
    }
    for view in earlier.views:
        if (view.schema, view.name) not in views and not pair.is_table_reported(view.schema, view.name):
            yield _describe(pair, "view", view, view.name, view.kind)
    routines = {(item.schema, item.name, item.signature) for item in later.routines}
    for routine in earlier.routines:
        is_gone = (routine.schema, routine.name, routine.signature) not in routines
        if is_gone and not pair.is_call_reported(routine.name):
            yield _describe(pair, "function", routine, routine.name, routine.kind)
    types = {(item.schema, item.name) for item in (*later.enums, *later.types)}
    named: list[EnumType | NamedType] = [*earlier.enums, *earlier.types]
    for item in named:
        if (item.schema, item.name) not in types:
            yield _describe(pair, "type", item, item.name, "type")
    sequences = {(item.schema, item.name) for item in later.sequences}
    for sequence in earlier.sequences:
        is_gone = sequence.owner is None and (sequence.schema, sequence.name) not in sequences
        if is_gone and not pair.is_call_reported(sequence.name):
            yield _describe(pair, "sequence", sequence, sequence.name, "sequence")


def _describe(pair: SchemaPair, kind: RemovalKind, item: CatalogObject, name: str, noun: str) -> RemovedPart:
    return RemovedPart(kind if pair.is_named(name) else "implicit-drop", item, noun)


def _compare_triggers(pair: SchemaPair) -> Iterator[RemovedPart]:
    """Triggers that are gone or disabled, of tables that are still there.

    Where the change was observed, unfinished-change tells of those that are only disabled.
    """
    tables = {(table.schema, table.name) for table, _ in pair.list_tables()}
    is_observed = bool(pair.replay.observation.revisions)
    left = {_key(item) for item in pair.later.triggers if is_observed or _fires(item)}
    for trigger in pair.earlier.triggers:
        key = _key(trigger)
        if key[:2] in tables and _fires(trigger) and key not in left:
            yield RemovedPart("trigger", trigger, "trigger")


def _compare_columns(pair: SchemaPair) -> Iterator[RemovedPart]:
    """Columns that accept NULL now, or whose default is gone or another one."""
    for before, after in pair.list_columns():
        if after.nullable and not before.nullable:
            yield RemovedPart("not-null", after, "NOT NULL")
        # (Postgres writes a default anew when it casts it to another type.)
        is_other = before.type == after.type and before.default not in (None, after.default)
        is_required = pair.is_reported(before, RefusalCause.REQUIRED_COLUMN)
        if is_other and not is_required and not after.generated and not after.identity:
            yield RemovedPart("default", after, f"DEFAULT {before.default}")


def _key(trigger: AttachedObject) -> tuple[str, str, str]:
    return trigger.schema, trigger.table, trigger.name


def _fires(trigger: AttachedObject) -> bool:
    """Whether it does so in a session of the application's."""
    return trigger.enabled in ("origin", "always")
