"""A schema statement as the operation of Alembic's that a revision would have.

The expressions match whole statements on one line that consist of bare words, so none of them can match
inside of a string or a comment. Every other statement becomes `op.execute`.
"""

from __future__ import annotations

import re

from migration_gate.sql.identifiers import fold_identifier, split_qualified_name

_ALTER = r"ALTER TABLE (?:IF EXISTS )?(?:ONLY )?(?P<table>[\w.]+)"
_ADD_COLUMN = re.compile(
    rf"{_ALTER} ADD (?:COLUMN )?(?:IF NOT EXISTS )?(?P<column>\w+) (?P<type>\w+)\s*;?$", re.IGNORECASE
)
_DROP_COLUMN = re.compile(
    rf"{_ALTER} DROP COLUMN (?:IF EXISTS )?(?P<column>\w+)(?: CASCADE)?\s*;?$", re.IGNORECASE
)
_CREATE_INDEX = re.compile(
    r"CREATE (?P<unique>UNIQUE )?INDEX (?:IF NOT EXISTS )?(?P<index>\w+)"
    r" ON (?P<table>[\w.]+) ?\((?P<columns>[\w, ]+)\)\s*;?$",
    re.IGNORECASE,
)
_SCHEMA_STATEMENT = re.compile(r"(?:CREATE|ALTER|DROP|COMMENT|DO|SELECT)\s", re.IGNORECASE)
_TYPES = {
    **dict.fromkeys(("varchar", "text"), "Text"),
    **dict.fromkeys(("int", "integer"), "Integer"),
    **dict.fromkeys(("bool", "boolean"), "Boolean"),
    "bigint": "BigInteger",
    "smallint": "SmallInteger",
    "date": "Date",
    "timestamp": "DateTime",
    "uuid": "Uuid",
    "json": "JSON",
}


def suggest_operation(statement: str) -> str | None:
    """The call of `op` that does the same; None if the text is cut, has placeholders, or is not SQL."""
    has_placeholder = "{" in statement or "%(" in statement
    if has_placeholder or statement.endswith("…") or not _SCHEMA_STATEMENT.match(statement):
        return None
    return (
        _suggest_add_column(statement)
        or _suggest_drop_column(statement)
        or _suggest_create_index(statement)
        or f"op.execute({statement.rstrip('; ')!r})"
    )


def _suggest_add_column(statement: str) -> str | None:
    match = _ADD_COLUMN.match(statement)
    sql_type = _TYPES.get(match["type"].lower()) if match else None
    if match is None or sql_type is None:
        return None
    table, schema = _table_arguments(match["table"])
    return (
        f'op.add_column("{table}", sa.Column("{fold_identifier(match["column"])}", sa.{sql_type}()){schema})'
    )


def _suggest_drop_column(statement: str) -> str | None:
    match = _DROP_COLUMN.match(statement)
    if match is None:
        return None
    table, schema = _table_arguments(match["table"])
    return f'op.drop_column("{table}", "{fold_identifier(match["column"])}"{schema})'


def _suggest_create_index(statement: str) -> str | None:
    match = _CREATE_INDEX.match(statement)
    if match is None:
        return None
    table, schema = _table_arguments(match["table"])
    columns = ", ".join(f'"{fold_identifier(column.strip())}"' for column in match["columns"].split(","))
    unique = ", unique=True" if match["unique"] else ""
    return f'op.create_index("{fold_identifier(match["index"])}", "{table}", [{columns}]{unique}{schema})'


def _table_arguments(name: str) -> tuple[str, str]:
    """The table's own name, and the `schema=` argument if the name has a schema."""
    *schema, table = split_qualified_name(name)
    return table, f', schema="{schema[-1]}"' if schema else ""
