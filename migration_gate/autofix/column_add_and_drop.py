"""Columns: added with the constraints and indexes that they complete, and dropped."""

from __future__ import annotations

from alembic.operations import ops

from migration_gate.autofix.alembic_renderer import render_operation, schema_argument
from migration_gate.autofix.autofix_state import AutofixState
from migration_gate.autofix.comment_fixes import set_column_comment
from migration_gate.autofix.ddl_clauses import column_clause, table_name
from migration_gate.autofix.execute_call import execute_call
from migration_gate.autofix.part_add_and_drop import add_part
from migration_gate.autofix.sqlalchemy_columns import make_sqlalchemy_column
from migration_gate.drift.column_dependence import depends_on_columns
from migration_gate.drift.object_pairs import ConstraintOrIndex
from migration_gate.facts import Column, Constraint, Snapshot


def add_column(column: Column, state: AutofixState) -> list[str]:
    """The lines that add it with all that depends on it."""
    return [
        *_warn_of_rows(column),
        *_add_column_alone(column, state.target),
        *_create_completed_parts(column, state),
    ]


def drop_column(column: Column) -> list[str]:
    """The lines that drop it; Postgres drops with it what depends on it."""
    schema = schema_argument(column.schema)
    return render_operation(ops.DropColumnOp(column.table, column.name, schema=schema))


def _warn_of_rows(column: Column) -> list[str]:
    """A comment for a column that the rows of the table have no value for."""
    if column.nullable or column.default or column.generated or column.identity:
        return []
    return [
        f"# {column.table} may hold rows already: add the column with nullable=True, fill it,",
        "# then set NOT NULL with op.alter_column(..., nullable=False).",
    ]


def _add_column_alone(column: Column, snapshot: Snapshot) -> list[str]:
    """The lines for the column with its comment: by Alembic's operation if that can express it."""
    model = make_sqlalchemy_column(column, snapshot)
    if model is not None:
        schema = schema_argument(column.schema)
        return render_operation(ops.AddColumnOp(column.table, model, schema=schema))
    statement = f"ALTER TABLE {table_name(column)} ADD COLUMN {column_clause(column, snapshot)}"
    lines = [execute_call(statement)]
    return lines if column.comment is None else [*lines, *set_column_comment(column)]


def _create_completed_parts(column: Column, state: AutofixState) -> list[str]:
    """The constraints and indexes of which this is the last missing column."""
    lines: list[str] = []
    for part in parts_of_table(state.target, column):
        if _completes_part(column, part, state) and not _is_replaced_elsewhere(part, column, state):
            lines += add_part(part)
    return lines


def parts_of_table(snapshot: Snapshot, column: Column) -> list[ConstraintOrIndex]:
    """The constraints of the column's table, and the indexes that belong to none of them."""
    indexes = (index for index in snapshot.indexes if index.constraint is None)
    parts: list[ConstraintOrIndex] = [*snapshot.constraints, *indexes]
    return [part for part in parts if (part.schema, part.table) == (column.schema, column.table)]


def _completes_part(column: Column, part: ConstraintOrIndex, state: AutofixState) -> bool:
    """Whether the part depends on the column, and on no column that is added after it.

    Columns are added in the order of their names, in a downgrade in the reverse order.
    """
    needed = {name for name in state.new_columns(column) if depends_on_columns(part, frozenset({name}))}
    if column.name not in needed:
        return False
    return column.name == (min(needed) if state.is_downgrade else max(needed))


def _is_replaced_elsewhere(part: ConstraintOrIndex, column: Column, state: AutofixState) -> bool:
    """Whether an upgrade has another fix that puts the part in the place of one that is there now."""
    if state.is_downgrade:
        return False
    return any(_is_same_part(part, other) for other in parts_of_table(state.current, column))


def _is_same_part(part: ConstraintOrIndex, other: ConstraintOrIndex) -> bool:
    """Whether they have one name and kind; a table has only one primary key, whatever its name."""
    kind, other_kind = (item.kind if isinstance(item, Constraint) else "index" for item in (part, other))
    return kind == other_kind and (part.name == other.name or kind == "primary key")
