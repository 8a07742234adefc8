"""Which rows fitted a table's partitions as they were before a change, as CHECKs that Postgres judges."""

from __future__ import annotations

import re
from collections.abc import Iterator

from migration_gate.catalog.old_shape import OldShape
from migration_gate.facts import Constraint, Snapshot, Table
from migration_gate.sql.identifiers import quote_identifier

NAME = "migration_gate_old_partition"
_KEY = re.compile(r'(?:RANGE|LIST) \("?(?P<name>[^"(), ]+)"?\)')
"""a key of one column"""
_LIST = re.compile(r"FOR VALUES IN \((?P<values>.*)\)")
_RANGE = re.compile(r"FOR VALUES FROM \((?P<first>[^,]*)\) TO \((?P<end>[^,]*)\)")
_NULL = re.compile(r"(?:^|, )NULL(?=, |$)")
_NO_ROWS = "false"


def list_new_partitions(catalog: Snapshot, old: OldShape) -> Iterator[Table]:
    """The partitions that tables which were there have got since then: made, or attached."""
    new = {f"{schema}.{name}" for schema, name in old.new_tables}
    for table in catalog.tables:
        if table.partition_bound and new.isdisjoint(table.inherits):
            earlier = old.find_table(table.schema, table.name)
            if table.full_name in new or (earlier is not None and not earlier.partition_bound):
                yield table


def list_partition_checks(catalog: Snapshot, table: Table, old: OldShape) -> Iterator[Constraint]:
    """What keeps rows out of new partitions of a table, and others than its own out of a former partition."""
    for partition in list_new_partitions(catalog, old):
        if table.full_name in partition.inherits:
            yield _build_check(partition, "", _NO_ROWS)
    earlier = old.find_table(table.schema, table.name)
    if earlier is not None and earlier.partition_bound and not table.partition_bound:
        yield _describe_bound(catalog, earlier, old)


def _describe_bound(catalog: Snapshot, partition: Table, old: OldShape) -> Constraint:
    """No row is sure to fit a hash, an expression, several columns, and a default partition."""
    schema, _, name = "".join(partition.inherits[:1]).partition(".")
    parent = old.find_table(schema, name) or catalog.find_table(schema, name)
    key = _KEY.fullmatch((parent.partition_key or "") if parent is not None else "")
    column = catalog.find_column(partition, key["name"]) if key is not None else None
    bound = partition.partition_bound or ""
    if column is None:
        return _build_check(partition, "", _NO_ROWS)
    quoted = quote_identifier(column.name)
    if (values := _LIST.fullmatch(bound)) is not None:
        known = _NULL.sub("", values["values"]).removeprefix(", ")
        conditions = [f"{quoted} IN ({known})"] if known else []
        conditions += [f"{quoted} IS NULL"] if known != values["values"] else []
        return _build_check(partition, column.name, " OR ".join(conditions))
    if (ends := _RANGE.fullmatch(bound)) is not None:
        conditions = [f"{quoted} IS NOT NULL"]
        conditions += [f"{quoted} >= {ends['first']}::{column.type}"] if ends["first"] != "MINVALUE" else []
        conditions += [f"{quoted} < {ends['end']}::{column.type}"] if ends["end"] != "MAXVALUE" else []
        return _build_check(partition, column.name, " AND ".join(conditions))
    return _build_check(partition, "", _NO_ROWS)


def _build_check(table: Table, column: str, condition: str) -> Constraint:
    columns = (column,) if column else ()
    return Constraint(table.schema, table.name, NAME, "check", f"CHECK ({condition})", columns)
