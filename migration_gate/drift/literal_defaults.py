"""Defaults of two types that are the same value: beside the types that differ they are no difference."""

from __future__ import annotations

import re

from migration_gate.drift.type_names import NUMBER_TYPES, type_without_length
from migration_gate.facts import Column

_LITERAL = re.compile(r"^\(?(?:'((?:[^']|'')*)'|(-?[0-9.]+)|(true|false))\)?(?:::[\w\s.\"()\[\],]+)?$")
_BOOLEANS = {"true": "1", "t": "1", "false": "0", "f": "0"}


def is_same_literal(database: Column, models: Column) -> bool:
    """Whether both defaults are constants of one text, each of its column's own type.

    `0` of a number and `false` are one value as well: that is how the column's values are converted.
    """
    if type_without_length(database.type) == type_without_length(models.type):
        return False
    values = (_read_literal(database.default), _read_literal(models.default))
    if None in values:
        return False
    if "boolean" in (database.type, models.type):
        return _as_number(values[0]) == _as_number(values[1])
    return values[0] == values[1] or _is_same_number(database, models, values)


def _read_literal(default: str | None) -> str | None:
    """The text of a constant; None for any other expression."""
    match = _LITERAL.match(default or "")
    if match is None:
        return None
    return match[1].replace("''", "'") if match[1] is not None else match[2] or match[3]


def _as_number(value: str | None) -> str:
    return _BOOLEANS.get((value or "").lower(), value or "")


def _is_same_number(database: Column, models: Column, values: tuple[str | None, str | None]) -> bool:
    """Whether both are numbers of one value: `5` and `5.0`."""
    types = {type_without_length(column.type) for column in (database, models)}
    if not types <= NUMBER_TYPES:
        return False
    return float(values[0] or 0) == float(values[1] or 0)
