"""Constraints and indexes: added with their comments, and dropped."""

from __future__ import annotations

from collections.abc import Mapping

from alembic.operations import ops

from migration_gate.autofix.alembic_renderer import exact_name, render_operation, schema_argument
from migration_gate.autofix.comment_fixes import set_part_comment
from migration_gate.autofix.constraint_creation import create_constraint
from migration_gate.autofix.index_creation import create_index
from migration_gate.drift.object_pairs import ConstraintOrIndex
from migration_gate.facts import Constraint, ConstraintKind, Index

_ALEMBIC_TYPES: Mapping[ConstraintKind, str] = {
    "primary key": "primary",
    "unique": "unique",
    "foreign key": "foreignkey",
    "check": "check",
}
"""what `op.drop_constraint` calls them; it has no word for the other kinds"""


def add_part(part: ConstraintOrIndex) -> list[str]:
    """The lines that add it, with its comment."""
    lines = create_constraint(part) if isinstance(part, Constraint) else create_index(part)
    return lines if part.comment is None else [*lines, *set_part_comment(part, part.comment)]


def drop_part(part: ConstraintOrIndex) -> list[str]:
    """The lines that drop it."""
    name, schema = exact_name(part.name), schema_argument(part.schema)
    if isinstance(part, Index):
        return render_operation(ops.DropIndexOp(name, table_name=part.table, schema=schema))
    type_ = _ALEMBIC_TYPES.get(part.kind)
    return render_operation(ops.DropConstraintOp(name, part.table, type_=type_, schema=schema))
