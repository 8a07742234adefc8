"""Where a column's value comes from when none is given: default, serial, identity or expression."""

from __future__ import annotations

from dataclasses import replace

import sqlalchemy as sa

from migration_gate.autofix.alembic_renderer import (
    is_rendered_unchanged,
    render_alter_column,
)
from migration_gate.autofix.autofix_state import (
    AutofixState,
    find_owned_sequence,
    find_serial_sequence,
    is_serial,
)
from migration_gate.autofix.column_add_and_drop import add_column, drop_column, parts_of_table
from migration_gate.autofix.ddl_clauses import (
    alter_column_clause,
    identity_clause,
    sequence_options_clause,
    table_name,
)
from migration_gate.autofix.enum_labels import FOLLOWS_BY_ITSELF, follows_label_renames, uses_removed_label
from migration_gate.autofix.execute_call import execute_call
from migration_gate.autofix.part_add_and_drop import add_part
from migration_gate.drift.column_dependence import depends_on_columns
from migration_gate.drift.type_names import type_without_length
from migration_gate.facts import Column, Sequence
from migration_gate.sql.identifiers import qualified_name, quote_identifier
from migration_gate.sql.literals import quote_literal

_WHOLE_NUMBER_TYPES = ("smallint", "integer", "bigint")


def change_default(current: Column, target: Column, state: AutofixState) -> list[str]:
    """The lines that turn the current source of the column's value into the other."""
    if follows_label_renames(current.default, target.default, state):
        return [FOLLOWS_BY_ITSELF]
    if current.type != target.type and changes_default_with_type(current, target, state):
        return [FOLLOWS_BY_ITSELF]
    if current.generated or target.generated:
        return _change_expression(current, target, state)
    if current.identity and target.identity:
        return [execute_call(alter_column_clause(target, f"SET GENERATED {target.identity.upper()}"))]
    return _replace_default(current, target, state)


def changes_default_with_type(current: Column, target: Column, state: AutofixState) -> bool:
    """Whether the lines that change the column's type set its default, too: Postgres would not convert it.

    The same in both directions, so that a downgrade undoes what the upgrade did.
    """
    if type_without_length(current.type) == type_without_length(target.type):
        return False
    if any(column.identity or column.generated for column in (current, target)):
        return False
    if is_serial(state.current, current) or is_serial(state.target, target):
        return False
    return current.default is not None or target.default is not None


def _change_expression(current: Column, target: Column, state: AutofixState) -> list[str]:
    """A stored expression can be dropped; any other change takes a new column."""
    if target.generated or not (current.generated or "").startswith("stored"):
        return [
            "# Postgres cannot change this expression in place; the values are computed again.",
            *drop_column(current),
            *add_column(target, state),
            *_restore_parts(target, state),
        ]
    plain = replace(current, generated=None)
    return [
        execute_call(alter_column_clause(target, "DROP EXPRESSION")),
        *_replace_default(plain, target, state),
    ]


def _restore_parts(column: Column, state: AutofixState) -> list[str]:
    """The constraints and indexes that went with the column; if one differs, its own fix changes it."""
    lines: list[str] = []
    for part in parts_of_table(state.replayed, column):
        if depends_on_columns(part, frozenset({column.name})):
            lines += add_part(part)
    return lines


def _replace_default(current: Column, target: Column, state: AutofixState) -> list[str]:
    """Between defaults, serial columns and identities: the old one is dropped before the new one is set."""
    is_set = target.default is not None and not _cannot_be_set_yet(target, state)
    lines: list[str] = []
    # Postgres refuses a default on an identity column, and an identity on a column with a default.
    if current.identity:
        lines.append(execute_call(alter_column_clause(current, "DROP IDENTITY")))
        lines += _change_nullability_too(current, target)
    elif current.default is not None and not is_set:
        lines += drop_default(current, state)
    if is_set:
        lines += set_default(current, target, state)
    # Only now does no default use the sequence any more.
    lines += _drop_unused_sequence(current, target, state)
    if target.identity:
        lines += _change_nullability_too(current, target)
        clause = identity_clause(target, state.target)
        lines.append(execute_call(alter_column_clause(target, f"ADD {clause}")))
        lines += _continue_numbers(target, find_owned_sequence(state.target, target))
    return lines


def changes_nullability_with_identity(current: Column, target: Column) -> bool:
    """Whether the lines that add or drop the identity change this, too: an identity is always NOT NULL."""
    return (current.identity is None) != (target.identity is None) and current.nullable != target.nullable


def _change_nullability_too(current: Column, target: Column) -> list[str]:
    if not changes_nullability_with_identity(current, target):
        return []
    change = "DROP NOT NULL" if target.nullable else "SET NOT NULL"
    return [execute_call(alter_column_clause(target, change))]


def _cannot_be_set_yet(target: Column, state: AutofixState) -> bool:
    """Whether the default uses a label that only a later line of the downgrade adds, together with it."""
    return state.is_downgrade and uses_removed_label(target.default, state)


def _drop_unused_sequence(current: Column, target: Column, state: AutofixState) -> list[str]:
    """The sequence of a serial column that is none any more; that of an identity is dropped with it."""
    sequence = find_owned_sequence(state.current, current)
    if sequence is None or current.identity or is_serial(state.target, target):
        return []
    return [execute_call(f"DROP SEQUENCE {qualified_name(sequence.schema, sequence.name)}")]


def drop_default(column: Column, state: AutofixState) -> list[str]:
    """The lines that drop its default."""
    return render_alter_column(column, state.current, server_default=None)


def set_default(current: Column | None, target: Column, state: AutofixState) -> list[str]:
    """The lines that set its default; the sequence of a serial column is made with it.

    `current` is None if the column has no sequence that could be used.
    """
    if target.default is None:
        return []
    lines = _create_serial_sequence(current, target, state)
    if not is_rendered_unchanged(target.default):
        return [*lines, execute_call(alter_column_clause(target, f"SET DEFAULT {target.default}"))]
    default = sa.DefaultClause(sa.text(target.default))
    return lines + render_alter_column(target, state.target, server_default=default)


def _create_serial_sequence(current: Column | None, target: Column, state: AutofixState) -> list[str]:
    """The lines that create the sequence of a serial column, if the column has none that can be used."""
    sequence = find_serial_sequence(state.target, target)
    if sequence is None or _has_serial_sequence(current, state):
        return []
    name = qualified_name(sequence.schema, sequence.name)
    owner = f"{table_name(target)}.{quote_identifier(target.name)}"
    options = sequence_options_clause(sequence)
    return [
        execute_call(f"CREATE SEQUENCE {name} {options} OWNED BY {owner}"),
        *_continue_numbers(target, sequence),
    ]


def _has_serial_sequence(current: Column | None, state: AutofixState) -> bool:
    if current is None or current.identity:
        return False
    return find_owned_sequence(state.current, current) is not None


def _continue_numbers(column: Column, sequence: Sequence | None) -> list[str]:
    """The line that lets a new sequence continue after the numbers of the rows that the table holds."""
    if sequence is None or column.type not in _WHOLE_NUMBER_TYPES:
        return []
    aggregate = "max" if sequence.increment > 0 else "min"
    next_number = f"{aggregate}({quote_identifier(column.name)}) + {sequence.increment}"
    name = quote_literal(qualified_name(sequence.schema, sequence.name))
    value = f"coalesce({next_number}, {sequence.start})"
    return [execute_call(f"SELECT setval({name}, {value}, false) FROM {table_name(column)}")]  # noqa: S608  (quoted)
