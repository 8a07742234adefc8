"""Defaults given as a plain string, although a call was meant.

`server_default="now()"` stores the moment of the DDL, and for a text column the five characters `now()`.
Every run has another moment there, so what is shown and compared is only that it is frozen.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from migration_gate.analysis.evaluated_defaults import FROZEN, QUOTED
from migration_gate.drift.type_names import is_text_type, type_without_length
from migration_gate.facts import Column, Snapshot

_CALLS: Mapping[str, str] = {
    "timestamp with time zone": "now()",
    "timestamp without time zone": "now()",
    "date": "CURRENT_DATE",
    "time without time zone": "LOCALTIME",
    "time with time zone": "CURRENT_TIME",
}
"""by type: what gives the moment of each INSERT"""
_MOMENT = re.compile(r"^'[0-9][0-9: -]*\.[0-9]{3,6}(?:[+-][0-9:]+)?'::time", re.ASCII)
"""a literal to the microsecond, as no person writes it"""
_DAY = re.compile(r"^'[0-9-]{10}'::date$")
_QUOTED_CALL = re.compile(
    r"""^'(?P<call>
        (?:now|gen_random_uuid|uuid_generate_v[14]|uuidv[47]|clock_timestamp|statement_timestamp)\(\)
      | CURRENT_(?:TIMESTAMP|DATE|TIME) | LOCALTIME(?:STAMP)?
      | nextval\(''[^']+''(?:::regclass)?\)
    )'(?:::[\w ]+)?$""",
    re.VERBOSE | re.IGNORECASE,
)


def describe_frozen(column: Column, other: Column | None = None) -> str | None:
    """What is shown for a default that is no call; None for every other one.

    A day alone tells nothing: it counts if the `other` side has the call.
    """
    if column.generated or column.identity or column.default is None:
        return None
    quoted = _QUOTED_CALL.match(column.default) if is_text_type(column.type) else None
    if quoted:
        return f"{QUOTED}{_unquote_call(quoted)}"
    is_day = other is not None and other.default in ("CURRENT_DATE", "now()")
    if _MOMENT.match(column.default) or (is_day and _DAY.match(column.default)):
        return FROZEN
    return None


def _unquote_call(quoted: re.Match[str]) -> str:
    return quoted["call"].replace("''", "'")


def thaw_default(column: Column) -> Column:
    """The column with the call that was meant, if its default is none."""
    if describe_frozen(column) is None:
        return column
    quoted = _QUOTED_CALL.match(column.default or "")
    call = _unquote_call(quoted) if quoted else _CALLS.get(type_without_length(column.type))
    return replace(column, default=call) if call else column


def thaw_snapshot(snapshot: Snapshot) -> Snapshot:
    """The snapshot with a call in the place of each such default."""
    columns = tuple(map(thaw_default, snapshot.columns))
    return snapshot if columns == snapshot.columns else replace(snapshot, columns=columns)
