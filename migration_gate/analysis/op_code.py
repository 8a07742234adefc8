"""Calls of Alembic's operations as Python code, filled in with a project's own names: what a fix suggests."""

from __future__ import annotations

import re
from collections.abc import Sequence

from migration_gate.lazy_dataclass import dataclass
from migration_gate.sql.identifiers import truncate_identifier

MAX_LINE = 72
"""characters; a longer call has one argument a line"""
SQLALCHEMY_TYPES = {
    "bigint": "sa.BigInteger()",
    "character varying": "sa.String()",
    "integer": "sa.Integer()",
    "smallint": "sa.SmallInteger()",
    "text": "sa.Text()",
    "uuid": "sa.Uuid()",
}
"""by the name that Postgres prints"""


@dataclass(frozen=True, slots=True)
class ColumnsOfTable:
    """One side of a foreign key."""

    schema: str
    table: str
    columns: tuple[str, ...]


def format_operation(name: str, *arguments: str, **keywords: str) -> str:
    """The call `op.name(…)`; arguments are code already."""
    parts = [*arguments, *(f"{keyword}={value}" for keyword, value in keywords.items())]
    line = f"op.{name}({', '.join(parts)})"
    if len(line) <= MAX_LINE:
        return line
    lines = "".join(f"    {part},\n" for part in parts)
    return f"op.{name}(\n{lines})"


def format_create_foreign_key(
    name: str,
    *,
    source: ColumnsOfTable,
    target: ColumnsOfTable,
    on_delete: str,
) -> str:
    """The call that creates a foreign key from the source to the target."""
    keywords = schema_keyword(source.schema, "source_schema")
    keywords |= schema_keyword(target.schema, "referent_schema")
    return format_operation(
        "create_foreign_key",
        *map(quote_python, (name, source.table, target.table)),
        list_of_names(source.columns),
        list_of_names(target.columns),
        ondelete=quote_python(on_delete.upper()),
        **keywords,
    )


def schema_keyword(schema: str, keyword: str = "schema") -> dict[str, str]:
    """The keyword argument that names a schema; none for `public`."""
    return {} if schema == "public" else {keyword: quote_python(schema)}


def list_of_names(names: Sequence[str]) -> str:
    """A list of strings as Python code."""
    return f"[{', '.join(map(quote_python, names))}]"


def quote_python(text: str) -> str:
    """A string as Python code, in double quotes."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def find_sqlalchemy_type(postgres_type: str) -> str | None:
    """SQLAlchemy's type as code; None if it is not one of the usual types of keys."""
    sized = re.fullmatch(r"character varying\((\d+)\)", postgres_type)
    if sized:
        return f"sa.String({sized[1]})"
    return SQLALCHEMY_TYPES.get(postgres_type)


def join_name(*parts: str) -> str:
    """A name for a new object, made of `parts`; Postgres will not cut it."""
    return truncate_identifier("_".join(parts))
