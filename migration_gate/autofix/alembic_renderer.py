"""Alembic's operations as the lines of a revision, by Alembic's own renderer.

All that is used of Alembic and SQLAlchemy here is public, and the same since Alembic 1.13 and SQLAlchemy 2.0.
"""

from __future__ import annotations

import re

from alembic.autogenerate import render_python_code
from alembic.operations.ops import AlterColumnOp, MigrateOperation, UpgradeOps
from alembic.runtime.migration import MigrationContext
from sqlalchemy import DefaultClause
from sqlalchemy.schema import conv

from migration_gate.autofix.sqlalchemy_types import SqlAlchemyType, make_sqlalchemy_type
from migration_gate.facts import Column, Snapshot

_CHANGED_BY_RENDERER = re.compile(r"%|\\|(?<![:\w]):\w")


def render_operation(operation: MigrateOperation) -> list[str]:
    """The lines of a revision's body that run the operation."""
    context = MigrationContext.configure(dialect_name="postgresql")
    code = render_python_code(
        UpgradeOps(ops=[operation]), migration_context=context, alembic_module_prefix="op."
    )
    lines = [line for line in code.splitlines() if not line.lstrip().startswith("# ###")]
    return [line.removeprefix("    ") for line in lines]


def render_alter_column(
    column: Column,
    snapshot: Snapshot,
    *,
    nullable: bool | None = None,
    type_: SqlAlchemyType | None = None,
    server_default: DefaultClause | bool | None = False,
) -> list[str]:
    """`op.alter_column` with the one change that is given, for a column as it is in `snapshot`.

    `server_default` is None to drop the default, and False to leave it.
    """
    return render_operation(
        AlterColumnOp(
            column.table,
            column.name,
            schema=schema_argument(column.schema),
            existing_type=make_sqlalchemy_type(column, snapshot),
            existing_nullable=column.nullable if nullable is None else None,
            modify_nullable=nullable,
            modify_type=type_,
            modify_server_default=server_default,
        )
    )


def render_type_change(column: Column, snapshot: Snapshot, new_type: SqlAlchemyType, using: str) -> list[str]:
    """`op.alter_column` with another type, and the expression that turns the old values into new ones.

    Alembic's renderer prints no dialect options of this operation (up to 1.20 at least), so the
    argument is added behind the last one that it prints.
    """
    lines = render_alter_column(column, snapshot, type_=new_type)
    lines[-1] = f"{lines[-1].removesuffix(')')}, postgresql_using={using!r})"
    return lines


def exact_name(name: str) -> str:
    """A name of a constraint or an index that no naming convention of the metadata changes."""
    return conv(name)


def schema_argument(schema: str) -> str | None:
    """A schema as Alembic takes it: `public` is not named."""
    return None if schema == "public" else schema


def is_rendered_unchanged(text: str | None) -> bool:
    """Whether the text survives Alembic's renderer, which takes `:name` for a parameter and doubles `%`."""
    return text is None or (_CHANGED_BY_RENDERER.search(text) is None and text.isprintable())
