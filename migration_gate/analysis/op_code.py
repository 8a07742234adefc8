"""Calls of Alembic's `op`, filled in with a project's own names: what a fix tells the user to write."""

from __future__ import annotations

import re

from migration_gate.facts import Table
from migration_gate.sql.identifiers import truncate_identifier


def call(function: str, *arguments: str, **named: str) -> str:
    """`op.function(…)` on one line, or one argument a line where that grows too long."""
    parts = [*arguments, *(f"{key}={value}" for key, value in named.items())]
    line = f"op.{function}({', '.join(parts)})"
    if len(line) <= 72:
        return line
    return f"op.{function}(\n" + "".join(f"    {part},\n" for part in parts) + ")"


def schema(table: Table) -> dict[str, str]:
    """The `schema=` argument, where the table lies outside `public`."""
    return {} if table.schema == "public" else {"schema": quoted(table.schema)}


def quoted(text: str) -> str:
    """A Python string in double quotes."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def sql_type(name: str) -> str | None:
    """SQLAlchemy's type for one that Postgres names; None for a rare one."""
    if found := re.fullmatch(r"character varying\((\d+)\)", name):
        return f"sa.String({found[1]})"
    return TYPES.get(name)


def short(*parts: str) -> str:
    """A name made of `parts` that Postgres will not cut."""
    return truncate_identifier("_".join(parts))


TYPES = {
    "bigint": "sa.BigInteger()",
    "character varying": "sa.String()",
    "integer": "sa.Integer()",
    "smallint": "sa.SmallInteger()",
    "text": "sa.Text()",
    "uuid": "sa.Uuid()",
}
