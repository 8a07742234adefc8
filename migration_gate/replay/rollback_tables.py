"""Which tables the revisions of a change are about: those get rows before the downgrades."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator

from migration_gate.catalog.candidate_values import CandidateValues
from migration_gate.catalog.old_shape import OldShape
from migration_gate.facts import Constraint, Snapshot, Table

_WORD = re.compile(r"\w+")


def list_touched_tables(
    snapshot: Snapshot, touched: Collection[tuple[str, str]], statements: Iterable[str]
) -> tuple[Table, ...]:
    """Tables whose catalog the revisions changed, and those that their statements name.

    Not partitions: their rows come through the table that they are a part of. Nor foreign tables, and what
    has some among its heirs: to read them is to connect to another server.
    """
    distant = _list_distant_tables(snapshot)
    words = {word.lower() for sql in statements for word in _WORD.findall(sql)}
    return tuple(
        table
        for table in snapshot.tables
        if table.partition_bound is None
        and table.full_name not in distant
        and ((table.schema, table.name) in touched or table.name.lower() in words)
    )


def _list_distant_tables(snapshot: Snapshot) -> Collection[str]:
    """`schema.name` of the foreign tables, and of the tables of which they are partitions or heirs."""
    distant = {table.full_name for table in snapshot.tables if table.kind == "foreign table"}
    waiting = list(distant)
    parents = {table.full_name: table.inherits for table in snapshot.tables}
    while waiting:
        new = set(parents.get(waiting.pop(), ())) - distant
        distant |= new
        waiting += new
    return distant


def list_reached_tables(snapshot: Snapshot, tables: Iterable[Table], old: OldShape) -> tuple[Table, ...]:
    """The tables, and all that their foreign keys lead to: what may get rows with them."""

    def list_keys(table: Table) -> Iterator[Constraint]:
        yield from snapshot.foreign_keys_of(table)
        yield from old.list_rules(table.schema, table.name)

    return _follow_keys(snapshot, tables, list_keys)


def add_single_parents(snapshot: Snapshot, tables: Iterable[Table]) -> tuple[Table, ...]:
    """The tables, and parents of which each row needs one of its own."""
    values = CandidateValues(snapshot)

    def list_keys(table: Table) -> Iterator[Constraint]:
        return (key for key in snapshot.foreign_keys_of(table) if values.is_unique_key(table, key))

    return _follow_keys(snapshot, tables, list_keys)


def _follow_keys(
    snapshot: Snapshot, tables: Iterable[Table], list_keys: Callable[[Table], Iterable[Constraint]]
) -> tuple[Table, ...]:
    """The tables, and all that the keys of each lead to."""
    found: dict[int, Table] = {}
    waiting = list(tables)
    while waiting:
        table = waiting.pop()
        if table.oid in found:
            continue
        found[table.oid] = table
        for key in list_keys(table):
            schema, _, name = (key.references or "").partition(".")
            referenced = snapshot.find_table(schema, name)
            if referenced is not None:
                waiting.append(referenced)
    return tuple(found.values())
