"""Values that a column's earlier type has, the plainest first, then those at its ends."""

from __future__ import annotations

import re
from collections.abc import Iterator

from migration_gate.catalog.simple_values import NamedTypes, make_simple_value

_LENGTH = re.compile(r"^character(?: varying)?\((\d+)\)$")
_PRECISION = re.compile(r"^numeric\((\d+),(\d+)\)$")
_LARGEST = {
    "smallint": str(2**15 - 1),
    "integer": str(2**31 - 1),
    "bigint": str(2**63 - 1),
    "numeric": "1" + "0" * 30,
    "double precision": "1e300",
    "real": "1e30",
}
_UNLIMITED = ("text", "character varying")
TYPED_LITERALS = frozenset(
    {
        "boolean", "smallint", "integer", "bigint", "numeric", "real", "double precision", "uuid", "date",
        "timestamp without time zone", "timestamp with time zone", "time without time zone", "interval",
    }
)  # fmt: skip
"""types whose values every driver writes with their type; text, for one, comes as a literal without any"""


def list_earlier_values(earlier: str, later: str, named: NamedTypes) -> Iterator[str]:
    """Values of the earlier type, as text; both types as `format_type` prints them."""
    simple = make_simple_value(earlier, 1, named)
    if simple is not None:
        yield simple
    largest = _find_largest(earlier, later)
    if largest is not None:
        yield largest


def _find_largest(earlier: str, later: str) -> str | None:
    """The largest number, or the longest text, as far as the types' names tell."""
    length = _find_length(earlier, later)
    if length is not None:
        return "x" * length
    precision = _PRECISION.match(earlier)
    if precision is not None:
        digits, scale = int(precision[1]), int(precision[2])
        return "9" * max(digits - scale, 1) + ("." + "9" * scale if scale else "")
    return _LARGEST.get(earlier)


def _find_length(earlier: str, later: str) -> int | None:
    own = _LENGTH.match(earlier)
    if own is not None:
        return int(own[1])
    limit = _LENGTH.match(later)
    return int(limit[1]) + 1 if limit is not None and earlier in _UNLIMITED else None


def name_literal_type(earlier: str) -> str:
    """The type that drivers give to a literal of this type; '' if they give none."""
    plain = earlier.partition("(")[0]
    return plain if plain in TYPED_LITERALS else ""
