"""Columns: added and dropped, and each property changed by one function.

Where a value comes from when none is given (default, serial, identity, expression) has a module of its own,
`default_fixes`. The differences are found in `drift/column_differences.py`.
"""

from __future__ import annotations

from migration_gate.autofix.alembic_renderer import (
    render_alter_column,
    render_type_change,
)
from migration_gate.autofix.autofix_state import AutofixState, find_serial_sequence
from migration_gate.autofix.column_add_and_drop import add_column, drop_column
from migration_gate.autofix.comment_fixes import set_column_comment
from migration_gate.autofix.conversions import write_conversion
from migration_gate.autofix.ddl_clauses import alter_column_clause
from migration_gate.autofix.default_fixes import (
    change_default,
    changes_default_with_type,
    changes_nullability_with_identity,
    drop_default,
    set_default,
)
from migration_gate.autofix.enum_labels import FOLLOWS_BY_ITSELF
from migration_gate.autofix.enum_with_column import create_enum_of, drop_enum_of
from migration_gate.autofix.execute_call import execute_call
from migration_gate.autofix.generated_columns import around_generated_columns
from migration_gate.autofix.key_types import add_keys_after, drop_keys_before
from migration_gate.autofix.sqlalchemy_types import make_sqlalchemy_type
from migration_gate.autofix.view_warnings import warn_of_views
from migration_gate.facts import Column, DifferenceKind
from migration_gate.sql.identifiers import qualified_name


def fix_column(
    kind: DifferenceKind, current: Column | None, target: Column | None, state: AutofixState
) -> list[str]:
    """The lines that turn the one column into the other; None means that there is no such object."""
    if current is None:
        return [] if target is None or _belongs_to_view(target, state) else add_column(target, state)
    if target is None:
        return [*warn_of_views(current, state), *drop_column(current)]
    return [] if _belongs_to_view(target, state) else _change_column(kind, current, target, state)


def _change_column(kind: DifferenceKind, current: Column, target: Column, state: AutofixState) -> list[str]:
    """The lines that change the one property that differs."""
    match kind:
        case "type":
            return change_type(current, target, state)
        case "nullability":
            return change_nullability(current, target, state)
        case "default":
            return change_default(current, target, state)
        case "comment":
            return set_column_comment(target)
        case _:
            return []


def _belongs_to_view(column: Column, state: AutofixState) -> bool:
    """Whether the table is a view in the replayed database: a column is added to its query, not here."""
    return any((view.schema, view.name) == (column.schema, column.table) for view in state.replayed.views)


def change_type(current: Column, target: Column, state: AutofixState) -> list[str]:
    """The lines that change its type, with its default and its sequence, if they depend on the type."""
    lines = [
        *warn_of_views(current, state),
        *drop_keys_before(current, state),
        *create_enum_of(target, state),
    ]
    if not changes_default_with_type(current, target, state):
        lines += _alter_type(current, target, state) + _change_serial_type(current, target, state)
    else:
        # USING converts the rows only: a default that Postgres cannot cast by itself makes the change fail.
        if current.default is not None:
            lines += drop_default(current, state)
        lines += _alter_type(current, target, state) + set_default(None, target, state)
    lines += [*drop_enum_of(current, state), *add_keys_after(current, state)]
    return around_generated_columns(lines, current, state)


def _alter_type(current: Column, target: Column, state: AutofixState) -> list[str]:
    """The line that changes the type and converts the values; those of an expression are computed again."""
    current_type = make_sqlalchemy_type(current, state.current)
    target_type = make_sqlalchemy_type(target, state.target)
    using = write_conversion(current, target, state)
    # Alembic writes USING as it is, and psycopg takes a percent sign there for a parameter.
    is_plain = not current.generated and "%" not in using
    if current_type is not None and target_type is not None and is_plain:
        return render_type_change(current, state.current, target_type, using)
    change = f"TYPE {target.type}"
    if target.collation:
        change += f" COLLATE {target.collation}"
    if not current.generated:
        change += f" USING {using}"
    return [execute_call(alter_column_clause(target, change))]


def _change_serial_type(current: Column, target: Column, state: AutofixState) -> list[str]:
    """The line that lets the sequence of a serial column count as far as the column's new type reaches."""
    sequences = [
        find_serial_sequence(snapshot, column)
        for snapshot, column in ((state.current, current), (state.target, target))
    ]
    if None in sequences:
        return []
    current_sequence, target_sequence = (sequence for sequence in sequences if sequence is not None)
    if current_sequence.type == target_sequence.type:
        return []
    # It is renamed last in an upgrade, and first in a downgrade: here it has the database's name.
    named = target_sequence if state.is_downgrade else current_sequence
    name = qualified_name(named.schema, named.name)
    return [execute_call(f"ALTER SEQUENCE {name} AS {target_sequence.type}")]


def change_nullability(current: Column, target: Column, state: AutofixState) -> list[str]:
    """The lines that let it be NULL, or forbid it."""
    if changes_nullability_with_identity(current, target):
        return [FOLLOWS_BY_ITSELF]
    lines = render_alter_column(current, state.current, nullable=target.nullable)
    if target.nullable:
        return lines
    subject = f"{current.table}.{current.name}"
    return [f"# This fails while rows have no value: fill {subject} with an UPDATE first.", *lines]
