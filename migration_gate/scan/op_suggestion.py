"""A schema statement as the line that a revision would hold."""

from __future__ import annotations

import re

_ALTER = r"ALTER TABLE (?:IF EXISTS )?(?:ONLY )?([\w.]+)"
_ADD = re.compile(rf"{_ALTER} ADD (?:COLUMN )?(?:IF NOT EXISTS )?(\w+) (\w+)\s*;?$", re.IGNORECASE)
_DROP = re.compile(rf"{_ALTER} DROP COLUMN (?:IF EXISTS )?(\w+)(?: CASCADE)?\s*;?$", re.IGNORECASE)
_INDEX = re.compile(
    r"CREATE (UNIQUE )?INDEX (?:IF NOT EXISTS )?(\w+) ON ([\w.]+) ?\(([\w, ]+)\)\s*;?$", re.IGNORECASE
)
_ANY = re.compile(r"(?:CREATE|ALTER|DROP|COMMENT|DO|SELECT)\s", re.IGNORECASE)
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
    """The Alembic operation that does the same; `op.execute` where none is plain, None for text in part."""
    if "{" in statement or statement.endswith("…") or not _ANY.match(statement):
        return None
    if (found := _ADD.match(statement)) and (kind := _TYPES.get(found[3].lower())):
        table, tail = _table(found[1])
        return f'op.add_column("{table}", sa.Column("{found[2]}", sa.{kind}()){tail}'
    if found := _DROP.match(statement):
        table, tail = _table(found[1])
        return f'op.drop_column("{table}", "{found[2]}"{tail}'
    if found := _INDEX.match(statement):
        table, tail = _table(found[3])
        columns = ", ".join(f'"{column.strip()}"' for column in found[4].split(","))
        unique = ", unique=True" if found[1] else ""
        return f'op.create_index("{found[2]}", "{table}", [{columns}]{unique}{tail}'
    return f"op.execute({statement.rstrip('; ')!r})"


def _table(name: str) -> tuple[str, str]:
    """The table's name, and how the call ends: with its schema, where it has one."""
    schema, _, table = name.rpartition(".")
    return table, f', schema="{schema}")' if schema else ")"
