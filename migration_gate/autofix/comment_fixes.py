"""Comments of tables, columns, constraints and indexes."""

from __future__ import annotations

from migration_gate.autofix.ddl_clauses import table_name
from migration_gate.autofix.execute_call import execute_call
from migration_gate.drift.object_pairs import ConstraintOrIndex
from migration_gate.facts import Column, Index, Table
from migration_gate.sql.identifiers import qualified_name, quote_identifier
from migration_gate.sql.literals import quote_literal


def set_table_comment(table: Table) -> list[str]:
    """The line that gives the table its comment, or takes it away."""
    return _set_comment(f"TABLE {qualified_name(table.schema, table.name)}", table.comment)


def set_column_comment(column: Column) -> list[str]:
    """The line that gives the column its comment, or takes it away."""
    name = f"{table_name(column)}.{quote_identifier(column.name)}"
    return _set_comment(f"COLUMN {name}", column.comment)


def set_part_comment(part: ConstraintOrIndex, comment: str | None) -> list[str]:
    """The line that gives a constraint or an index this comment, or takes it away."""
    if isinstance(part, Index):
        return _set_comment(f"INDEX {qualified_name(part.schema, part.name)}", comment)
    return _set_comment(f"CONSTRAINT {quote_identifier(part.name)} ON {table_name(part)}", comment)


def _set_comment(subject: str, comment: str | None) -> list[str]:
    literal = "NULL" if comment is None else quote_literal(comment)
    return [execute_call(f"COMMENT ON {subject} IS {literal}")]
