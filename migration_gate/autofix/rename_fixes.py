"""The lines that give a table or a column another name: no row and no value goes."""

from __future__ import annotations

from migration_gate.autofix.alembic_renderer import schema_argument
from migration_gate.autofix.view_fixes import move_table
from migration_gate.facts import Column, Table


def rename_column(current: Column, target: Column) -> list[str]:
    """The line; Alembic's renderer prints no new name (up to 1.20 at least)."""
    schema = schema_argument(current.schema)
    keyword = f", schema={schema!r}" if schema else ""
    names = f"{current.table!r}, {current.name!r}, new_column_name={target.name!r}"
    return [f"op.alter_column({names}{keyword})"]


def rename_table(current: Table, target: Table) -> list[str]:
    """The lines; into another schema too."""
    if current.schema != target.schema:
        return move_table(current, target)
    schema = schema_argument(current.schema)
    keyword = f", schema={schema!r}" if schema else ""
    return [f"op.rename_table({current.name!r}, {target.name!r}{keyword})"]
