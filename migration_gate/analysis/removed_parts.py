"""What the schema of the change lacks, although no model of the live release need say so."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Literal, get_args

from migration_gate.analysis.index_definitions import remove_index_name
from migration_gate.analysis.renamed_parts import RenamedNames, compare_names
from migration_gate.analysis.schema_pair import SchemaPair
from migration_gate.analysis.stricter_schema import find_renames
from migration_gate.facts import (
    AttachedObject,
    CatalogObject,
    Column,
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
    "referential-action",
    "not-null",
    "default",
]
KINDS: tuple[RemovalKind, ...] = get_args(RemovalKind)
ACTIONS = frozenset({"cascade", "set null", "set default"})
"""of a foreign key: what it does itself, where others refuse"""
UNIQUE_KINDS = ("unique", "primary key")
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
        yield from _compare_actions(pair, before, after)
    yield from _compare_standalone(pair)
    yield from _compare_triggers(pair)
    yield from _compare_columns(pair)


def _compare_table(pair: SchemaPair, before: Table, after: Table) -> Iterator[RemovedPart]:
    key = pair.earlier.primary_key_of(before)
    if key is not None and pair.later.primary_key_of(after) is None:
        yield RemovedPart("primary-key", key, "primary key")
    columns = pair.later.columns_of(after)
    constraints = [item for item in pair.earlier.constraints_of(before) if item.kind != "not null"]
    indexes = [item for item in pair.earlier.indexes_of(before) if item.constraint is None]
    remaining: list[Part] = [*pair.later.constraints_of(after), *pair.later.indexes_of(after)]
    later = {_definition(item) for item in remaining}
    renames = find_renames(pair, before, after)
    parts: list[Part] = [*constraints, *indexes]
    if before.partition_bound is not None:
        return  # its parent's parts: they go, with names of their own, when the parent's do
    for item in parts:
        is_key = isinstance(item, Constraint) and item.kind == "primary key"
        part = _rename_columns(item, renames)
        if is_key or _definition(item) in later or _is_replaced(part, remaining):
            continue
        is_whole = any(part.columns) and {column.name for column in columns}.isdisjoint(part.columns)
        if not pair.is_named(item.name):
            yield RemovedPart("implicit-drop", item, _name_kind(item), is_whole)
        elif not is_whole and not _is_kept(part, remaining, columns):
            yield RemovedPart("constraint", item, _name_kind(item))


def _rename_columns(part: Part, renames: Mapping[str, str]) -> Part:
    names = tuple(renames.get(name, name) if name else name for name in part.columns)
    return replace(part, columns=names)  # type: ignore[arg-type]  # (those of a constraint have no None)


def _name_kind(part: Part) -> str:
    if isinstance(part, Index):
        return "unique index" if part.unique else "index"
    return part.kind if part.kind.endswith("key") else f"{part.kind} constraint"


def _is_rule(part: Part) -> bool:
    return isinstance(part, Constraint) or part.unique


def _is_replaced(part: Part, remaining: Sequence[Part]) -> bool:
    """Whether another part has its name now, and lets no more pass as far as columns tell."""
    return any(other.name == part.name and not _is_weaker(other, part) for other in remaining)


def _is_kept(part: Part, remaining: Sequence[Part], columns: Sequence[Column]) -> bool:
    """Whether it is no rule, or another one, of whatever name, is of the same kind for the same columns."""
    required = part.required_column if isinstance(part, Constraint) else None
    is_required = any(column.name == required and not column.nullable for column in columns)
    return not _is_rule(part) or is_required or any(_is_like(part, other) for other in remaining)


def _is_like(part: Part, other: Part) -> bool:
    kinds = [item.kind if isinstance(item, Constraint) else "unique" for item in (part, other)]
    is_of_columns = _is_rule(other) and set(part.columns) == set(other.columns)
    return kinds[0] == kinds[1] and is_of_columns and not _is_weaker(other, part)


def _is_weaker(part: Part, other: Part) -> bool:
    """Whether rows may be alike that the other one, which is unique, refuses."""
    if not _is_unique(other):
        return False
    is_partial = isinstance(part, Index) and part.partial and not (isinstance(other, Index) and other.partial)
    return is_partial or not _is_unique(part) or not set(part.columns) <= set(other.columns)


def _is_unique(part: Part) -> bool:
    return part.kind in UNIQUE_KINDS if isinstance(part, Constraint) else part.unique


def _compare_actions(pair: SchemaPair, before: Table, after: Table) -> Iterator[RemovedPart]:
    """Foreign keys that do not delete or update rows any more, or otherwise; those of now."""
    if before.partition_bound is not None:
        return
    renames = find_renames(pair, before, after)
    for key in pair.earlier.constraints_of(before):
        keys = [
            other
            for other in pair.later.constraints_of(after)
            if other.kind == key.kind == "foreign key"
            and {renames.get(name, name) for name in key.columns} == set(other.columns)
            and (other.name == key.name or other.references == key.references)
        ]
        if keys and key.on_delete in ACTIONS and all(other.on_delete != key.on_delete for other in keys):
            yield RemovedPart("referential-action", keys[0], f"ON DELETE {key.on_delete.upper()}")
        if keys and key.on_update in ACTIONS and all(other.on_update != key.on_update for other in keys):
            yield RemovedPart("referential-action", keys[0], f"ON UPDATE {key.on_update.upper()}")


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
    columns = list(pair.list_columns())
    for column in pair.list_origins([new for old, new in columns if new.nullable and not old.nullable]):
        yield RemovedPart("not-null", column, "NOT NULL")
    names = compare_names(pair.earlier, pair.later)
    changed = {new: old for old, new in columns if _has_other_default(names, old, new)}
    for column in pair.list_origins([*changed]):
        before = changed[column]
        if not pair.is_reported(before, RefusalCause.REQUIRED_COLUMN):
            yield RemovedPart("default", column, f"DEFAULT {before.default}")


def _has_other_default(names: RenamedNames, before: Column, after: Column) -> bool:
    if before.default is None or after.generated or after.identity:
        return False
    # (Postgres writes a default anew when it casts it to another type.)
    if before.type != after.type or before.default == after.default:
        return False
    return not names.explain(before.default, after.default or "")


def _key(trigger: AttachedObject) -> tuple[str, str, str]:
    return trigger.schema, trigger.table, trigger.name


def _fires(trigger: AttachedObject) -> bool:
    """Whether it does so in a session of the application's."""
    return trigger.enabled in ("origin", "always")
