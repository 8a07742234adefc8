"""Rows with the edges that break downgrades, beside the simplest ones: what a rollback is proven with."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from migration_gate.catalog.generated_rows import GeneratedRows
from migration_gate.catalog.old_rules import (
    OldRule,
    add_to_catalog,
    leave_out_new_partitions,
    list_old_rules,
)
from migration_gate.catalog.old_shape import OldShape
from migration_gate.catalog.row_source import FilledTable, RowVariety
from migration_gate.catalog.simple_rows import SimpleRows
from migration_gate.catalog.trial_statements import RowRefused, TrialStatements
from migration_gate.facts import Snapshot, Table
from migration_gate.lazy_dataclass import dataclass

if TYPE_CHECKING:
    import psycopg

CHECK_NOW = "set constraints all immediate"


class FullRows(SimpleRows):
    """The simple rows, or plain ones where those are refused; and the rehearsal's unusual ones."""

    def fill_tables(
        self,
        connection: psycopg.Connection[Any],
        catalog: Snapshot,
        tables: Sequence[Table],
        old: OldShape,
    ) -> tuple[FilledTable, ...]:
        """As `RowSource` says."""
        filled = super().fill_tables(connection, catalog, tables, old)
        refused = [table for table in filled if not table.is_filled]
        if not refused:
            return filled

        def fill(rows: GeneratedRows, ready: Sequence[Table]) -> Sequence[FilledTable]:
            wanted = {table.full_name: RowVariety.PLAIN for table in ready}
            return rows.fill_tables(wanted, RowVariety.NONE)

        made = {table.oid: table for table in _Filling(connection, catalog, old).run(refused, fill)}
        return tuple(
            made[table.oid] if table.oid in made and made[table.oid].is_filled else table for table in filled
        )

    def add_unusual(
        self,
        connection: psycopg.Connection[Any],
        catalog: Snapshot,
        tables: Sequence[FilledTable],
        old: OldShape,
        variety: RowVariety,
    ) -> tuple[FilledTable, ...]:
        """As `RowSource` says."""
        numbers = {table.oid: table.rows for table in tables}

        def fill(rows: GeneratedRows, ready: Sequence[Table]) -> Sequence[FilledTable]:
            return [rows.add_unusual(table, numbers[table.oid], variety) for table in rows.sort_tables(ready)]

        return _Filling(connection, catalog, old).run(tables, fill)


@dataclass(frozen=True, slots=True)
class _Filling:
    """Rows of one database, that fit its older shape as well."""

    connection: psycopg.Connection[Any]
    catalog: Snapshot
    old: OldShape

    def run(
        self,
        tables: Sequence[FilledTable],
        fill: Callable[[GeneratedRows, Sequence[Table]], Sequence[FilledTable]],
    ) -> tuple[FilledTable, ...]:
        """Have rows made, and commit them; what a deferred rule refuses is tried with the rule at once."""
        wanted = {table.oid for table in tables}
        found = [table for table in self.catalog.tables if table.oid in wanted]
        refusal = ""
        for mode in ("deferred", "immediate"):
            try:
                with self.connection.transaction():
                    self.connection.execute(f"set constraints all {mode}".encode())
                    return self._run(found, fill)
            except RowRefused as refused:
                refusal = str(refused)
        return tuple(replace(table, rows=0, refusal=refusal) for table in tables)

    def _run(
        self,
        tables: Sequence[Table],
        fill: Callable[[GeneratedRows, Sequence[Table]], Sequence[FilledTable]],
    ) -> tuple[FilledTable, ...]:
        """Raises RowRefused if a deferred rule refuses rows."""
        statements = TrialStatements(self.connection)
        rules: list[OldRule] = []
        refusals: dict[int, str] = {}
        for rule in list_old_rules(self.catalog, tables, self.old):
            try:
                statements.run(rule.create)
            except RowRefused as refused:
                refusals[rule.table.oid] = f"{rule.about}: {refused.refusal.message}"
            else:
                rules.append(rule)
        ready = [table for table in tables if table.oid not in refusals]
        catalog = leave_out_new_partitions(add_to_catalog(self.catalog, rules), self.old)
        filled = fill(GeneratedRows(self.connection, catalog), ready)
        statements.run(CHECK_NOW)  # a table whose rows are still to be checked cannot be altered
        for rule in rules:
            statements.run(rule.drop)
        return (*filled, *_describe_refused(tables, refusals))


def _describe_refused(tables: Sequence[Table], refusals: Mapping[int, str]) -> tuple[FilledTable, ...]:
    return tuple(
        FilledTable(table.schema, table.name, table.oid, 0, refusals[table.oid])
        for table in tables
        if table.oid in refusals
    )
