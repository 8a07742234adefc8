"""A table that was renamed and left a view under its old name, which a model still maps to a table."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import TypeVar

from migration_gate.drift.comparison_scope import ComparisonScope
from migration_gate.drift.difference import CatalogDifference, make_difference
from migration_gate.drift.difference_text import columns_text
from migration_gate.facts import AttachedObject, Column, Constraint, Index, Snapshot, Table, View
from migration_gate.lazy_dataclass import dataclass
from migration_gate.sql.identifiers import qualified_name, quote_identifier

_PLAIN_QUERY = re.compile(r"SELECT (?P<columns>[^()]+?)\s+FROM (?P<table>[^\s;()]+);?", re.DOTALL)
PartT = TypeVar("PartT", Column, Constraint, Index, AttachedObject)


@dataclass(frozen=True, slots=True)
class TableBehindView:
    """The table of the database, and the view that has the name which the models give to it."""

    table: Table
    view: View
    model: Table

    def make_difference(self, scope: ComparisonScope) -> CatalogDifference:
        """One difference: the view and the table of the models, and the table that takes its name."""
        difference = make_difference(
            "table",
            self.view,
            self.model,
            database_text=f"view: {self.view.definition.strip()}",
            models_text=columns_text(scope.models.columns_of(self.model)),
        )
        name = self.model.full_name
        named = replace(difference.difference, table=name)
        return replace(difference, difference=named, renamed_table=self.table)

    def apply_to(self, scope: ComparisonScope) -> ComparisonScope:
        """The scope in which the table has the name of the view already."""
        return replace(
            scope,
            database=self._rename_in(scope.database),
            shared_tables=scope.shared_tables | {self.model.full_name},
        )

    def _rename_in(self, database: Snapshot) -> Snapshot:
        return replace(
            database,
            tables=tuple(self._rename_table(table) for table in database.tables),
            columns=self._rename_parts(database.columns),
            constraints=tuple(
                replace(
                    constraint,
                    definition=self._rename_text(constraint.definition),
                    references=self._rename_reference(constraint.references),
                )
                for constraint in self._rename_parts(database.constraints)
            ),
            indexes=tuple(
                replace(index, definition=self._rename_text(index.definition))
                for index in self._rename_parts(database.indexes)
            ),
            sequences=tuple(
                replace(sequence, owner=self._rename_owner(sequence.owner)) for sequence in database.sequences
            ),
            views=tuple(view for view in database.views if view != self.view),
            triggers=self._rename_parts(database.triggers),
            policies=self._rename_parts(database.policies),
            rules=self._rename_parts(database.rules),
        )

    def _rename_table(self, table: Table) -> Table:
        return replace(table, schema=self.view.schema, name=self.view.name) if table == self.table else table

    def _rename_parts(self, parts: tuple[PartT, ...]) -> tuple[PartT, ...]:
        old = (self.table.schema, self.table.name)
        return tuple(
            replace(part, schema=self.view.schema, table=self.view.name)
            if (part.schema, part.table) == old
            else part
            for part in parts
        )

    def _rename_text(self, text: str) -> str:
        old = re.escape(qualified_name(self.table.schema, self.table.name))
        new = qualified_name(self.view.schema, self.view.name)
        return re.sub(rf'(?<![\w.$"]){old}(?![\w.$"])', lambda _: new, text)

    def _rename_reference(self, references: str | None) -> str | None:
        is_table = references == self.table.full_name
        return self.view.full_name if is_table else references

    def _rename_owner(self, owner: str | None) -> str | None:
        prefix = f"{self.table.full_name}."
        if owner is None or not owner.startswith(prefix):
            return owner
        return f"{self.view.full_name}.{owner.removeprefix(prefix)}"


def find_tables_behind_views(scope: ComparisonScope) -> Iterator[TableBehindView]:
    """Views that select every column of one table which no model has, if a model maps a table instead."""
    models = {(table.schema, table.name): table for table in scope.models.tables}
    unmodelled = {
        qualified_name(table.schema, table.name): table
        for table in scope.database.tables
        if (table.schema, table.name) not in models
    }
    for view in scope.database.views:
        model = models.get((view.schema, view.name))
        query = _PLAIN_QUERY.fullmatch(view.definition.strip())
        if model is None or query is None or view.kind != "view":
            continue
        table = unmodelled.get(query["table"])
        if table is not None and _selects_every_column(query["columns"], table, scope.database):
            yield TableBehindView(unmodelled.pop(query["table"]), view, model)


def _selects_every_column(columns: str, table: Table, database: Snapshot) -> bool:
    prefix = quote_identifier(table.name)
    every_column = {f"{prefix}.{quote_identifier(column.name)}" for column in database.columns_of(table)}
    return {column.strip() for column in columns.split(",")} == every_column


def apply_to_scope(scope: ComparisonScope, tables: Iterable[TableBehindView]) -> ComparisonScope:
    """The scope in which all of them have the names of their views."""
    for table in tables:
        scope = table.apply_to(scope)
    return scope
