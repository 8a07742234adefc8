"""Tables and columns that differ."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from migration_gate.drift.difference import Drift, columns_text, describe, found, type_of, value_of
from migration_gate.drift.normalize import plain, plain_default
from migration_gate.drift.scope import Scope
from migration_gate.drift.snapshot_diff import pairs
from migration_gate.facts.catalog import Column, Snapshot, Table


def tables(scope: Scope) -> Iterator[Drift]:
    """Tables that one side lacks, and options of those that both have."""
    for before, after in pairs(scope.before.tables, scope.after.tables):
        if before is None or after is None:
            yield found("table", before, after, (_text(scope.before, before), _text(scope.after, after)))
            continue
        for says in ("persistence", "partition_key", "partition_bound", "inherits", "options", "kind"):
            left, right = _option(before, says), _option(after, says)
            if left != right:
                # With this one option changed and no other: each difference is mended alone.
                alone = replace(before, **{says: getattr(after, says)})
                yield found("table option", before, alone, (left, right))
        if before.comment != after.comment:
            yield found("comment", before, after, (before.comment, after.comment))
        for what, left, right in (
            ("row security", _security(before), _security(after)),
            ("replica identity", before.replica_identity, after.replica_identity),
        ):
            if left != right:
                yield found("unmanaged", before, after, (left, right), what=what)


def _text(snapshot: Snapshot, table: Table | None) -> str | None:
    return columns_text(snapshot.columns_of(table)) if table else None


def _option(table: Table, which: str) -> str:
    match which:
        case "persistence":
            return table.persistence
        case "partition_key":
            return f"PARTITION BY {table.partition_key}" if table.partition_key else "not partitioned"
        case "partition_bound":
            return table.partition_bound or "no partition"
        case "inherits":
            return f"INHERITS ({', '.join(table.inherits)})"
        case "options":
            return f"WITH ({', '.join(table.options)})" if table.options else "no storage parameters"
        case _:
            return "foreign table" if table.kind == "foreign table" else "table"


def _security(table: Table) -> str:
    return {
        (False, False): "no row security",
        (True, False): "ENABLE ROW LEVEL SECURITY",
        (False, True): "FORCE ROW LEVEL SECURITY",
        (True, True): "ENABLE, FORCE ROW LEVEL SECURITY",
    }[table.row_security, table.force_row_security]


def columns(scope: Scope) -> Iterator[Drift]:
    """Columns that one side lacks, and those that are not the same on both."""
    shared = scope.shared
    mine = [c for c in scope.before.columns if f"{c.schema}.{c.table}" in shared]
    theirs = [c for c in scope.after.columns if f"{c.schema}.{c.table}" in shared]
    facts = _Facts(scope)
    for before, after in pairs(mine, theirs):
        if before is None or after is None:
            sides = (describe(before) if before else None, describe(after) if after else None)
            yield found("column", before, after, sides)
        else:
            yield from _column(before, after, facts)


class _Facts:
    """What a column's comparison must know of its neighbours."""

    def __init__(self, scope: Scope) -> None:
        self.keys = tuple(
            {
                f"{c.schema}.{c.table}.{column}"
                for c in side.constraints
                if c.kind == "primary key"
                for column in c.columns
            }
            for side in (scope.before, scope.after)
        )
        self.sequences = tuple(
            {s.owner: f"{s.schema}.{s.name}" for s in side.sequences if s.owner}
            for side in (scope.before, scope.after)
        )
        self.types: tuple[dict[str, dict[str, str]], ...] = ({}, {})
        for side, types in zip((scope.before, scope.after), self.types, strict=True):
            for column in side.columns:
                types.setdefault(f"{column.schema}.{column.table}", {})[column.name] = column.type


def _column(before: Column, after: Column, facts: _Facts) -> Iterator[Drift]:
    key = f"{before.schema}.{before.table}.{before.name}"
    if type_of(before) != type_of(after):
        yield found("type", before, after, (type_of(before), type_of(after)))
    # A column of a primary key is NOT NULL by it: where the key is missing, that one difference says so.
    by_key = (key in facts.keys[0]) != (key in facts.keys[1])
    if before.nullable != after.nullable and not (by_key and before.nullable == (key not in facts.keys[0])):
        sides = tuple("NULL" if side.nullable else "NOT NULL" for side in (before, after))
        yield found("nullability", before, after, (sides[0], sides[1]))
    if not _same_value(before, after, key, facts):
        yield found("default", before, after, (value_of(before), value_of(after)))
    if before.comment != after.comment:
        yield found("comment", before, after, (before.comment, after.comment))
    if before.storage != after.storage and before.type == after.type:
        yield found("unmanaged", before, after, (before.storage, after.storage), what="column storage")


def _same_value(before: Column, after: Column, key: str, facts: _Facts) -> bool:
    if before.identity or after.identity:
        return before.identity == after.identity
    table = key.removesuffix(f".{before.name}")
    if before.generated or after.generated:
        if before.generated is None or after.generated is None:
            return False
        return _plain_generated(before, facts.types[0].get(table, {})) == _plain_generated(
            after, facts.types[1].get(table, {})
        )
    if before.default == after.default:
        return True
    if all(_takes(side, key, owned) for side, owned in zip((before, after), facts.sequences, strict=True)):
        return True
    return plain_default(before.default, before.type) == plain_default(after.default, after.type)


def _plain_generated(column: Column, types: Mapping[str, str]) -> str:
    how, _, expression = (column.generated or "").partition(": ")
    return f"{how} {plain(expression, types)}"


def _takes(column: Column, key: str, owned: Mapping[str, str]) -> bool:
    """Whether the default is the next value of the column's own sequence: a serial column."""
    sequence = owned.get(key)
    if sequence is None or column.default is None or not column.default.startswith("nextval('"):
        return False
    return column.default.replace('"', "").startswith(f"nextval('{sequence.replace(chr(39), chr(39) * 2)}'")
