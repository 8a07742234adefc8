"""A new table as Alembic's operation, or as SQL if only SQL can express it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic.operations import ops

from migration_gate.autofix.alembic_renderer import (
    exact_name,
    is_rendered_unchanged,
    render_operation,
    schema_argument,
)
from migration_gate.autofix.comment_fixes import set_column_comment, set_table_comment
from migration_gate.autofix.constraint_creation import deferrable_options, is_plain_constraint
from migration_gate.autofix.ddl_clauses import create_table_statement
from migration_gate.autofix.execute_call import execute_call
from migration_gate.autofix.sqlalchemy_columns import make_serial_key_column, make_sqlalchemy_column
from migration_gate.facts import Constraint, Snapshot, Table
from migration_gate.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class TableCreation:
    """The lines that create a table with its columns, and which of its constraints they create."""

    lines: tuple[str, ...]
    constraints: tuple[Constraint, ...]
    other_constraints: tuple[Constraint, ...]
    """those that still have to be created, foreign keys last"""


def create_table_alone(table: Table, snapshot: Snapshot) -> TableCreation:
    """The lines for the table, without its indexes and the foreign keys."""
    constraints = snapshot.constraints_of(table)
    created = tuple(c for c in constraints if is_plain_constraint(c) and c.kind != "foreign key")
    model = _make_sqlalchemy_table(table, snapshot, created)
    if model is None:
        lines, created = _create_by_sql(table, snapshot), ()
    else:
        lines = render_operation(ops.CreateTableOp.from_table(model))
    others = [constraint for constraint in constraints if constraint not in created]
    others.sort(key=lambda constraint: (constraint.kind == "foreign key", constraint.name))
    return TableCreation(tuple(lines), created, tuple(others))


def _create_by_sql(table: Table, snapshot: Snapshot) -> list[str]:
    """The lines for the table with its columns and their comments, without any constraint."""
    lines = [execute_call(create_table_statement(table, snapshot))]
    if table.comment is not None:
        lines += set_table_comment(table)
    for column in snapshot.columns_of(table):
        if column.comment is not None:
            lines += set_column_comment(column)
    return lines


def _make_sqlalchemy_table(
    table: Table, snapshot: Snapshot, constraints: tuple[Constraint, ...]
) -> sa.Table | None:
    """The table with its columns and these constraints, or None if only SQL can express it."""
    is_special = table.kind != "table" or table.inherits or table.options or table.persistence != "permanent"
    if is_special or not is_rendered_unchanged(table.comment):
        return None
    columns = _make_columns(table, snapshot)
    if columns is None:
        return None
    return sa.Table(
        table.name,
        sa.MetaData(),
        *columns,
        *map(_make_sqlalchemy_constraint, constraints),
        schema=schema_argument(table.schema),
        comment=table.comment,
    )


def _make_columns(table: Table, snapshot: Snapshot) -> list[sa.Column[object]] | None:
    """All columns of the table, or None if only SQL can express one of them."""
    key = snapshot.primary_key_of(table)
    key_columns = key.columns if key else ()
    columns: list[sa.Column[object]] = []
    for column in snapshot.columns_of(table):
        model = make_sqlalchemy_column(column, snapshot, is_key=column.name in key_columns)
        if model is None and key_columns == (column.name,):
            model = make_serial_key_column(column, snapshot)
        if model is None:
            return None
        columns.append(model)
    return columns


def _make_sqlalchemy_constraint(constraint: Constraint) -> sa.PrimaryKeyConstraint | sa.UniqueConstraint:
    constraint_class = sa.PrimaryKeyConstraint if constraint.kind == "primary key" else sa.UniqueConstraint
    return constraint_class(
        *constraint.columns, name=exact_name(constraint.name), **deferrable_options(constraint)
    )
