"""Columns as SQLAlchemy has them, for Alembic's renderer."""

from __future__ import annotations

import sqlalchemy as sa

from migration_gate.autofix.alembic_renderer import is_rendered_unchanged
from migration_gate.autofix.autofix_state import has_plain_identity, is_serial
from migration_gate.autofix.sqlalchemy_types import make_sqlalchemy_type
from migration_gate.facts import Column, Snapshot

_SERIAL_TYPES = {"integer": sa.Integer, "bigint": sa.BigInteger, "smallint": sa.SmallInteger}


def make_sqlalchemy_column(
    column: Column, snapshot: Snapshot, *, is_key: bool = False
) -> sa.Column[object] | None:
    """The column, or None if only SQL can express it: a serial, a domain, an identity with options...

    SQLAlchemy would make a serial column of an integer in a primary key: `is_key` prevents that.
    """
    column_type = make_sqlalchemy_type(column, snapshot)
    if column_type is None or not _is_expressible(column, snapshot):
        return None
    value_sources: list[sa.Computed | sa.Identity] = []
    if column.generated:
        value_sources.append(sa.Computed(column.generated.partition(": ")[2], persisted=True))
    elif column.identity:
        value_sources.append(sa.Identity(always=column.identity == "always"))
    return sa.Column(
        column.name,
        column_type,
        *value_sources,
        server_default=None if column.default is None else sa.text(column.default),
        nullable=column.nullable,
        comment=column.comment,
        autoincrement=False if is_key and not column.identity else "auto",
    )


def _is_expressible(column: Column, snapshot: Snapshot) -> bool:
    """Whether Alembic's renderer would print the column as it is."""
    if is_serial(snapshot, column) or (column.generated or "").startswith("virtual"):
        return False
    if column.identity and not has_plain_identity(snapshot, column):
        return False
    texts = (column.default, column.generated, column.comment)
    return all(is_rendered_unchanged(text) for text in texts)


def make_serial_key_column(column: Column, snapshot: Snapshot) -> sa.Column[object] | None:
    """A serial column that is the whole primary key, which SQLAlchemy makes of any integer there."""
    if not is_serial(snapshot, column) or not is_rendered_unchanged(column.comment):
        return None
    if column.type not in _SERIAL_TYPES:
        return None
    return sa.Column(column.name, _SERIAL_TYPES[column.type](), nullable=False, comment=column.comment)
