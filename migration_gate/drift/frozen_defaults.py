"""Defaults given as a plain string, although a call was meant.

`server_default="now()"` stores the moment of the DDL, and for a text column the five characters `now()`.
Every run has another moment there, so what is shown and compared is only that it is frozen.

A moment to the microsecond shows it by itself. Where the type keeps less (`timestamp(0)`, `date`) the text of
the default does, as the models or the statement of a revision gave it (`'today'`, `'now'::timestamp(0)`):
what the day or second says is never looked at, for the verdict would depend on the hour of the run.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace

from migration_gate.analysis.evaluated_defaults import FROZEN, QUOTED
from migration_gate.analysis.object_history import find_change_of_column
from migration_gate.drift.type_names import is_text_type, type_without_length
from migration_gate.facts import Column, DdlCommand, Replay, Snapshot
from migration_gate.lazy_dataclass import dataclass

_CALLS: Mapping[str, str] = {
    "timestamp with time zone": "now()",
    "timestamp without time zone": "now()",
    "date": "CURRENT_DATE",
    "time without time zone": "LOCALTIME",
    "time with time zone": "CURRENT_TIME",
}
"""by type: what gives the moment of each INSERT"""
_MOMENT = re.compile(
    r"^'(?![^']*(?:59:59\.99|00:00\.00))[0-9][0-9: -]*\.[0-9]{3,6}(?:[+-][0-9:]+)?'::time", re.ASCII
)
"""a literal to the microsecond, as no person writes it but for the first and the last moment of a day"""
_DAY = re.compile(r"^'[0-9-]{10}'::date$")
_EVALUATED = re.compile(r"'[0-9][0-9: .+-]*'::(?:date|time)")
"""a literal that can be the value of a string such as 'now' or 'today'"""
_WHOLE_LITERAL = re.compile(r"^'[0-9][0-9: .+-]*'::[\w() ]+$", re.ASCII)
_MOMENT_WORD = r"'\s*(?:now|today)\b"
_QUOTED_CALL = re.compile(
    r"""^'(?P<call>
      (?: (?:now|gen_random_uuid|uuid_generate_v[14]|uuidv[47]|clock_timestamp|statement_timestamp
           |transaction_timestamp)\(\)
        | timezone\(''[\w/+-]+''(?:::text)?,\s*now\(\)\)
        | CURRENT_(?:TIMESTAMP|DATE|TIME)(?:\(\d\))? | LOCALTIME(?:STAMP)?(?:\(\d\))?
        | CURRENT_USER | SESSION_USER
        | nextval\(''[^']+''(?:::regclass)?\)
      ) (?:\s+AT\s+TIME\s+ZONE\s+''[\w/+-]+'')? (?:::[\w ()]+)?
    )'(?:::[\w ]+)?$""",
    re.VERBOSE | re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class FrozenDefaults:
    """The columns whose default is known to be no call by the text that was given: `schema.table.column`."""

    database: frozenset[str] = frozenset()
    models: frozenset[str] = frozenset()

    @classmethod
    def from_replay(cls, replay: Replay) -> FrozenDefaults:
        """By the statements of the revisions, and by what the models' process reports."""
        models = replay.models.snapshot or Snapshot()
        named = frozenset(replay.models.frozen_defaults)
        evaluated = (column.full_name for column in _list_evaluated(models))
        return cls(
            frozenset(
                column.full_name
                for column in _list_evaluated(replay.catalog)
                if _was_given_as_moment(find_change_of_column(replay, column, ["default"]), column)
            ),
            frozenset(key for key in evaluated if key in named),
        )


def _list_evaluated(snapshot: Snapshot) -> Iterator[Column]:
    """The columns whose default has a literal of a date or a time."""
    return (column for column in snapshot.columns if column.default and _EVALUATED.search(column.default))


def _was_given_as_moment(command: DdlCommand | None, column: Column) -> bool:
    """Whether the statement that set the default gave a string such as 'now' for it."""
    if command is None:
        return False
    name = next((state.name for state in command.columns if state.number == column.number), column.name)
    clause = rf'(?<!\w)"?{re.escape(name)}"?\s[^,;]*?\bDEFAULT\b[^,;]*?{_MOMENT_WORD}'
    return re.search(clause, command.query, re.IGNORECASE) is not None


def describe_frozen(column: Column, other: Column | None = None, *, is_known: bool = False) -> str | None:
    """What is shown for a default that is no call; None for every other one.

    A day alone tells nothing: it counts if the `other` side has the call, or if the text that was given is
    known to name a moment.
    """
    if column.generated or column.identity or column.default is None:
        return None
    quoted = _QUOTED_CALL.match(column.default) if is_text_type(column.type) else None
    if quoted:
        return f"{QUOTED}{_unquote_call(quoted)}"
    is_moment = _names_moment(column.default, other) or (is_known and _EVALUATED.search(column.default))
    return FROZEN if is_moment else None


def _names_moment(default: str, other: Column | None) -> bool:
    """Whether it is the moment of a run, or the day of one where the other side has the call."""
    is_day = other is not None and other.default in ("CURRENT_DATE", "now()")
    return bool(_MOMENT.match(default) or (is_day and _DAY.match(default)))


def _unquote_call(quoted: re.Match[str]) -> str:
    return quoted["call"].replace("''", "'")


def thaw_default(column: Column, frozen: frozenset[str] = frozenset()) -> Column:
    """The column with the call that was meant, if its default is none, or is among the `frozen` ones.

    An expression over a moment stays as it is: only who wrote it knows the call.
    """
    is_known = column.full_name in frozen
    if describe_frozen(column, is_known=is_known) is None:
        return column
    quoted = _QUOTED_CALL.match(column.default or "")
    call = _unquote_call(quoted) if quoted else _CALLS.get(type_without_length(column.type))
    is_whole = quoted or _WHOLE_LITERAL.match(column.default or "")
    return replace(column, default=call) if call and is_whole else column


def thaw_snapshot(snapshot: Snapshot, frozen: frozenset[str] = frozenset()) -> Snapshot:
    """The snapshot with a call in the place of each such default."""
    columns = tuple(thaw_default(column, frozen) for column in snapshot.columns)
    return snapshot if columns == snapshot.columns else replace(snapshot, columns=columns)
