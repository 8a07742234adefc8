"""Which differences are about how rows and numbers are stored, so that no query notices them."""

from __future__ import annotations

import re

from migration_gate.analysis.storage_parameters import without_storage_parameters
from migration_gate.facts import Difference

_SEQUENCE = re.compile(
    r"AS (?P<type>\w+) START (?P<start>-?\d+) INCREMENT (?P<increment>-?\d+) "
    r"MINVALUE (?P<minimum>-?\d+) MAXVALUE (?P<maximum>-?\d+) CACHE \d+"
)
_LIMITS_OF_TYPES = {
    "smallint": ("1", "32767", "-1", "-32768"),
    "integer": ("1", "2147483647", "-1", "-2147483648"),
    "bigint": ("1", "9223372036854775807", "-1", "-9223372036854775808"),
}
"""for rising and falling sequences"""


def is_about_storage(difference: Difference) -> bool:
    """Whether only storage parameters differ, or a sequence's type, cache or owner."""
    sides = (difference.database, difference.models)
    if None in sides:
        return False
    database, models = (side or "" for side in sides)
    match difference.kind:
        case "table option":
            return all(side.startswith(("WITH (", "no storage parameters")) for side in (database, models))
        case "index" | "unique" | "primary key" | "exclusion":
            return without_storage_parameters(database) == without_storage_parameters(models)
        case "sequence":
            return _numbering_of(database) == _numbering_of(models) != ()
        case _:
            return False


def _numbering_of(sequence: str) -> tuple[str, ...]:
    """What of a sequence's options decides on its numbers; limits that follow from its type do not."""
    match = _SEQUENCE.match(sequence)
    if match is None:
        return ()
    limits = (match["minimum"], match["maximum"])
    own_limits = [limit for limit in limits if limit not in _LIMITS_OF_TYPES.get(match["type"], ())]
    return (match["start"], match["increment"], *own_limits, "CYCLE" if " CYCLE" in sequence else "")
