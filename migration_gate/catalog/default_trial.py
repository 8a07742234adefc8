"""Tries the expressions that the base's models have as defaults, where they name what is gone."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from migration_gate.catalog.mapped_statements import StatementTexts, add_to_search_path, find_error
from migration_gate.catalog.single_rows import SingleRows
from migration_gate.facts import (
    MappedColumn,
    MappedTable,
    RefusalCause,
    RefusedStatement,
    Snapshot,
    StatementKind,
)
from migration_gate.sql.identifiers import qualified_name

UNDEFINED = ("42", "3F")
"""classes of SQLSTATEs: something has no such name"""


class DefaultTrial:
    """The defaults of all mapped tables, which stand in their INSERT and UPDATE."""

    def __init__(self, rows: SingleRows, earlier: Snapshot, later: Snapshot) -> None:
        self._rows = rows
        self._later = later
        self._gone = _find_gone(earlier, later)

    def list_refused(self, tables: Iterable[MappedTable]) -> Iterator[RefusedStatement]:
        """One for each column."""
        for table in tables if self._gone else ():
            found = self._later.find_table(table.schema, table.name)
            names = {column.name for column in self._later.columns_of(found)} if found is not None else set()
            for column in table.columns:
                if column.name in names:
                    yield from self._try_column(table, column)

    def _try_column(self, table: MappedTable, column: MappedColumn) -> Iterator[RefusedStatement]:
        texts = StatementTexts(qualified_name(table.schema, table.name), ())
        tried = (
            (
                StatementKind.INSERT,
                column.inserted_sql,
                texts.write_insert({column.name: column.inserted_sql}),
            ),
            (StatementKind.UPDATE, column.updated_sql, texts.write_setting(column.name, column.updated_sql)),
        )
        for kind, expression, sql in tried:
            if self._gone.isdisjoint(re.findall(r"\w+", expression)):
                continue
            with self._rows.scope():
                self._rows.run(add_to_search_path(table.schema))
                error = find_error(self._rows, sql)
            if error is not None and error.sqlstate.startswith(UNDEFINED):
                yield RefusedStatement(
                    table.schema,
                    table.name,
                    table.classes,
                    RefusalCause.DEFAULT,
                    (kind,),
                    sql,
                    error.message,
                    column.name,
                    expression,
                )
                return


def _find_gone(earlier: Snapshot, later: Snapshot) -> frozenset[str]:
    """Names of the functions and sequences that only the earlier catalog has."""
    routines = {(item.schema, item.name, item.signature) for item in later.routines}
    sequences = {(item.schema, item.name) for item in later.sequences}
    return frozenset(
        [item.name for item in earlier.routines if (item.schema, item.name, item.signature) not in routines]
        + [item.name for item in earlier.sequences if (item.schema, item.name) not in sequences]
    )
