"""The names that Postgres itself gives to constraints that have none."""

from __future__ import annotations

import re

from migration_gate.facts import Constraint
from migration_gate.sql.identifiers import MAXIMUM_BYTES

_LABELS = {
    "primary key": "pkey",
    "unique": "key",
    "foreign key": "fkey",
    "check": "check",
    "exclusion": "excl",
}


def is_default_name(constraint: Constraint) -> bool:
    """Whether Postgres would choose this name, or one with a number behind it."""
    label = _LABELS.get(constraint.kind)
    if label is None:
        return False
    if constraint.kind == "primary key":
        candidates = {_make_name(constraint.table, "", label)}
    elif constraint.kind == "check":
        names = ("", *constraint.columns)
        candidates = {_make_name(constraint.table, name, label) for name in names}
    else:
        candidates = {_make_name(constraint.table, "_".join(constraint.columns), label)}
    numberless = re.sub(rf"(?<=_{label})\d+$", "", constraint.name)
    return constraint.name in candidates or numberless in candidates


def _make_name(table: str, columns: str, label: str) -> str:
    """`table_columns_label`; the longer of the first two is cut if the name would be too long.

    As `makeObjectName()` of Postgres does it.
    """
    parts = [table.encode(), columns.encode()]
    overhead = len(label) + 1 + (1 if columns else 0)
    while sum(map(len, parts)) + overhead > MAXIMUM_BYTES:
        longer = 0 if len(parts[0]) > len(parts[1]) else 1
        parts[longer] = parts[longer][:-1]
    words = [part.decode(errors="ignore") for part in parts if part]
    return "_".join([*words, label])
