"""Constraints as Alembic's operations, or as SQL if only SQL can express them."""

from __future__ import annotations

from typing import TypedDict

from alembic.operations import ops

from migration_gate.autofix.alembic_renderer import exact_name, render_operation, schema_argument
from migration_gate.autofix.ddl_clauses import add_constraint_statement, quote_table_name
from migration_gate.autofix.execute_call import execute_call
from migration_gate.facts import Constraint, ReferentialAction
from migration_gate.sql.expression import UnreadableExpression, read_tokens
from migration_gate.sql.identifiers import quote_identifier


class DeferrableOptions(TypedDict, total=False):
    """The arguments of SQLAlchemy's constraints; without them a constraint is not deferrable."""

    deferrable: bool
    initially: str


def create_constraint(constraint: Constraint) -> list[str]:
    """The lines that create it, without its comment."""
    if is_plain_constraint(constraint):
        if constraint.kind == "unique":
            return _create_unique_constraint(constraint)
        if constraint.kind == "foreign key" and constraint.references:
            return _create_foreign_key(constraint, constraint.references)
    return [execute_call(add_constraint_statement(constraint))]


def _create_unique_constraint(constraint: Constraint) -> list[str]:
    return render_operation(
        ops.CreateUniqueConstraintOp(
            exact_name(constraint.name),
            constraint.table,
            list(constraint.columns),
            schema=schema_argument(constraint.schema),
            **deferrable_options(constraint),
        )
    )


def _create_foreign_key(constraint: Constraint, references: str) -> list[str]:
    referenced_schema, _, referenced_table = references.partition(".")
    return render_operation(
        ops.CreateForeignKeyOp(
            exact_name(constraint.name),
            constraint.table,
            referenced_table,
            list(constraint.columns),
            list(constraint.referenced_columns),
            source_schema=schema_argument(constraint.schema),
            referent_schema=schema_argument(referenced_schema),
            **_action_options(constraint),
            **deferrable_options(constraint),
        )
    )


def deferrable_options(constraint: Constraint) -> DeferrableOptions:
    """Deferrability as SQLAlchemy takes it."""
    if not constraint.deferrable:
        return {}
    return {"deferrable": True, "initially": "DEFERRED"} if constraint.deferred else {"deferrable": True}


class _ActionOptions(TypedDict, total=False):
    onupdate: str
    ondelete: str


def _action_options(constraint: Constraint) -> _ActionOptions:
    options: _ActionOptions = {}
    if on_update := _printed_action(constraint.on_update):
        options["onupdate"] = on_update
    if on_delete := _printed_action(constraint.on_delete):
        options["ondelete"] = on_delete
    return options


def _printed_action(action: ReferentialAction | None) -> str | None:
    """The action in capitals; None for the one that Postgres takes if none is given."""
    return None if action is None or action == "no action" else action.upper()


def is_plain_constraint(constraint: Constraint) -> bool:
    """Whether SQLAlchemy's arguments make exactly this constraint."""
    definition = _plain_definition(constraint)
    if definition is None:
        return False
    if constraint.deferrable:
        definition += " DEFERRABLE INITIALLY DEFERRED" if constraint.deferred else " DEFERRABLE"
    try:
        return read_tokens(definition) == read_tokens(constraint.definition)
    except UnreadableExpression:
        return False


def _plain_definition(constraint: Constraint) -> str | None:
    """What Postgres prints for a constraint that SQLAlchemy's arguments make; None for other kinds."""
    columns = _column_list(constraint.columns)
    match constraint.kind:
        case "primary key":
            return f"PRIMARY KEY {columns}"
        case "unique":
            return f"UNIQUE {columns}"
        case "foreign key":
            return f"FOREIGN KEY {columns} {_references_clause(constraint)}"
        case _:
            return None


def _references_clause(constraint: Constraint) -> str:
    """What a foreign key references, and its actions, as Postgres prints them."""
    table = quote_table_name(constraint.references or "")
    clause = f"REFERENCES {table}{_column_list(constraint.referenced_columns)}"
    if on_update := _printed_action(constraint.on_update):
        clause += f" ON UPDATE {on_update}"
    if on_delete := _printed_action(constraint.on_delete):
        clause += f" ON DELETE {on_delete}"
    return clause


def _column_list(columns: tuple[str, ...]) -> str:
    return f"({', '.join(map(quote_identifier, columns))})"
