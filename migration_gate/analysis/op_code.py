"""Calls of Alembic's `op`, filled in with a project's own names: what a fix tells the user to write."""

from __future__ import annotations

import re

from migration_gate.facts import Table

NAME_LENGTH = 63
"""NAMEDATALEN - 1: Postgres cuts longer names"""


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


def identifier(name: str) -> str:
    """A name as SQL writes it: bare where Postgres would read it back unchanged."""
    bare = re.fullmatch(r"[a-z_][a-z0-9_]*", name) and not RESERVED.fullmatch(name)
    return name if bare else '"' + name.replace('"', '""') + '"'


def sql_name(table: Table) -> str:
    """The table as SQL names it."""
    names = (table.name,) if table.schema == "public" else (table.schema, table.name)
    return ".".join(identifier(name) for name in names)


def sql_type(name: str) -> str | None:
    """SQLAlchemy's type for one that Postgres names; None for a rare one."""
    if found := re.fullmatch(r"character varying\((\d+)\)", name):
        return f"sa.String({found[1]})"
    return TYPES.get(name)


def short(*parts: str) -> str:
    """A name made of `parts` that Postgres will not cut."""
    return "_".join(parts)[:NAME_LENGTH]


TYPES = {
    "bigint": "sa.BigInteger()",
    "character varying": "sa.String()",
    "integer": "sa.Integer()",
    "smallint": "sa.SmallInteger()",
    "text": "sa.Text()",
    "uuid": "sa.Uuid()",
}
RESERVED = re.compile(
    "all|analyse|analyze|and|any|array|as|asc|asymmetric|both|case|cast|check|collate|column|"
    "constraint|create|current_date|current_role|current_time|current_timestamp|current_user|default|"
    "deferrable|desc|distinct|do|else|end|except|false|fetch|for|foreign|from|grant|group|having|in|"
    "initially|intersect|into|lateral|leading|limit|localtime|localtimestamp|not|null|offset|on|only|"
    "or|order|placing|primary|references|returning|select|session_user|some|symmetric|table|then|to|"
    "trailing|true|union|unique|user|using|variadic|when|where|window|with"
)
