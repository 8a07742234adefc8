"""Tables in the order of their foreign keys."""

from __future__ import annotations

from collections.abc import Iterator

from migration_gate.facts import Constraint, Snapshot, Table


def order_tables(catalog: Snapshot) -> Iterator[Table]:
    """Each table after those that it references, as far as that is possible; no partitions."""
    done: set[int] = set()
    for table in catalog.tables:
        yield from _order_below(catalog, table, done)


def _order_below(catalog: Snapshot, table: Table, done: set[int]) -> Iterator[Table]:
    if table.oid in done or table.partition_bound is not None:
        return
    done.add(table.oid)
    for key in catalog.foreign_keys_of(table):
        referenced = find_referenced(catalog, key)
        if referenced is not None:
            yield from _order_below(catalog, referenced, done)
    yield table


def find_referenced(catalog: Snapshot, key: Constraint) -> Table | None:
    """The table that a foreign key leads to."""
    schema, _, name = (key.references or "").partition(".")
    return catalog.find_table(schema, name)
