"""Which columns of a row on trial need a value, and the simplest one for each."""

from __future__ import annotations

from migration_gate.catalog.simple_values import collect_named_types, make_simple_value
from migration_gate.catalog.trial_row import PendingRow
from migration_gate.facts import Column, Snapshot


class NeededValues:
    """What rows of one database need."""

    def __init__(self, catalog: Snapshot) -> None:
        self.named = collect_named_types(catalog.enums, catalog.types)
        self.domains = {item.full_name: item for item in catalog.types if item.kind == "domain"}
        """by `schema.name`"""
        self._referenced = {
            (key.references, name) for key in catalog.constraints for name in key.referenced_columns
        }

    def wants_value(self, pending: PendingRow, column: Column) -> bool:
        """Whether the row needs a value in the column that Postgres does not give it by itself."""
        if column.generated or column.identity or _has_sequence(column):
            return False
        if column.default is not None or self._has_domain_default(column):
            return False
        is_referenced = (column.full_table_name, column.name) in self._referenced
        return not column.nullable or is_referenced or pending.is_full

    def make_value(self, column: Column, number: int) -> str | None:
        """The value of a row's number (from 1), as text; None if none is known."""
        return make_simple_value(column.type, number, self.named)

    def _has_domain_default(self, column: Column) -> bool:
        domain = self.domains.get(column.type.replace('"', ""))
        return domain is not None and " DEFAULT " in domain.definition


def _has_sequence(column: Column) -> bool:
    return column.default is not None and column.default.startswith("nextval(")
