"""Rules that rows keep while they are made, so that they fit the shape that their tables had before.

Postgres judges: what the older schema demanded is added to the tables for as long as rows are made, and
refuses those that would not have fitted.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from migration_gate.catalog.old_partitions import list_new_partitions, list_partition_checks
from migration_gate.catalog.old_shape import OldShape
from migration_gate.facts import Column, Constraint, Index, Snapshot, Table
from migration_gate.lazy_dataclass import dataclass
from migration_gate.sql.identifiers import qualified_name, quote_identifier
from migration_gate.sql.literals import quote_literal

NAME = "migration_gate_old_rule"
_NOT_VALID = " NOT VALID"
_INDEX = re.compile(r"^CREATE UNIQUE INDEX (?:\"(?:[^\"]|\"\")+\"|\S+) ON ")


@dataclass(frozen=True, slots=True)
class OldRule:
    """A rule of the older schema, for a table of today."""

    table: Table
    part: Constraint | Index
    """under the name that it gets for this"""
    about: str
    """what it demands, as a clause"""

    @property
    def create(self) -> str:
        """The statement that adds it."""
        name = quote_identifier(self.part.name)
        if isinstance(self.part, Index):
            return f"create unique index {name} on {_INDEX.sub('', self.part.definition)}"
        # Rows of the migrations may break a CHECK; other rules cannot be added so to every table.
        ending = _NOT_VALID if self.part.kind == "check" else ""
        return f"alter table {self._target} add constraint {name} {self.part.definition}{ending}"

    @property
    def drop(self) -> str:
        """The statement that removes it."""
        if isinstance(self.part, Index):
            return f"drop index {qualified_name(self.part.schema, self.part.name)}"
        return f"alter table {self._target} drop constraint {quote_identifier(self.part.name)}"

    @property
    def _target(self) -> str:
        return qualified_name(self.table.schema, self.table.name)


def list_old_rules(catalog: Snapshot, tables: Sequence[Table], old: OldShape) -> tuple[OldRule, ...]:
    """The rules for these tables. Those about columns that are gone are left out."""
    rules = [rule for table in tables for rule in _list_of_table(catalog, table, old)]
    return tuple(
        replace(rule, part=replace(rule.part, name=f"{NAME}_{place}")) for place, rule in enumerate(rules)
    )


def add_to_catalog(catalog: Snapshot, rules: Sequence[OldRule]) -> Snapshot:
    """The catalog with these rules in force."""
    parts = [rule.part for rule in rules]
    return replace(
        catalog,
        constraints=(*catalog.constraints, *(part for part in parts if isinstance(part, Constraint))),
        indexes=(*catalog.indexes, *(part for part in parts if isinstance(part, Index))),
    )


def leave_out_new_partitions(catalog: Snapshot, old: OldShape) -> Snapshot:
    """The catalog without partitions that tables got since then: rows for them did not fit."""
    new = {table.oid for table in list_new_partitions(catalog, old)}
    return replace(catalog, tables=tuple(item for item in catalog.tables if item.oid not in new))


def _list_of_table(catalog: Snapshot, table: Table, old: OldShape) -> Iterator[OldRule]:
    columns = {column.name: column for column in catalog.columns_of(table)}
    for column in columns.values():
        earlier = old.find_column(column.schema, column.table, column.name)
        if earlier is not None and earlier.nullable < column.nullable:
            condition = f"{quote_identifier(column.name)} IS NOT NULL"
            yield _demand_check(table, column, condition, f"`{column.name}` was NOT NULL")
        if earlier is not None and earlier.type != column.type:
            yield _demand_type(table, column, earlier.type, old)
        labels = old.find_labels(_plain(column.type))
        if labels is not None:
            yield _demand_labels(table, column, labels)
    for rule in old.list_rules(table.schema, table.name):
        if columns.keys() >= set(rule.columns):
            yield _demand_constraint(table, rule)
    for check in list_partition_checks(catalog, table, old):
        owner = catalog.find_table(check.schema, check.table) or table
        yield OldRule(owner, check, "its partitions were others")
    for index in old.list_unique_indexes(table.schema, table.name):
        if columns.keys() >= set(filter(None, index.columns)):
            yield OldRule(table, index, f"`{index.name}` was unique")


def _demand_type(table: Table, column: Column, earlier: str, old: OldShape) -> OldRule:
    """A value has to be the same when it has been one of the earlier type."""
    labels = old.find_labels(_plain(earlier))
    if labels is not None:
        return _demand_labels(table, column, labels)
    name = quote_identifier(column.name)
    there_and_back = f"CAST(CAST({name} AS {earlier}) AS {column.type})"
    condition = f"{name} IS NULL OR CAST({there_and_back} AS text) = CAST({name} AS text)"
    return _demand_check(table, column, condition, f"`{column.name}` was of the type {earlier}")


def _demand_labels(table: Table, column: Column, labels: Sequence[str]) -> OldRule:
    name = quote_identifier(column.name)
    known = f"ARRAY[{', '.join(map(quote_literal, labels))}]::text[]"
    condition = f"CAST({name} AS text) = ANY ({known})"
    if column.type.endswith("[]"):
        condition = f"CAST({name} AS text[]) <@ {known}"
    return _demand_check(table, column, condition, f"the type of `{column.name}` had other labels")


def _demand_check(table: Table, column: Column, condition: str, about: str) -> OldRule:
    check = Constraint(table.schema, table.name, NAME, "check", f"CHECK ({condition})", (column.name,))
    return OldRule(table, check, about)


def _demand_constraint(table: Table, rule: Constraint) -> OldRule:
    """The constraint again; a primary key as a unique constraint, since there may be another key now."""
    if rule.kind == "primary key":
        columns = ", ".join(map(quote_identifier, rule.columns))
        rule = replace(rule, kind="unique", definition=f"UNIQUE ({columns})")
    definition = rule.definition.removesuffix(_NOT_VALID)
    return OldRule(table, replace(rule, definition=definition), f"`{rule.name}` was {definition}")


def _plain(type_text: str) -> str:
    return type_text.replace('"', "").removesuffix("[]")
