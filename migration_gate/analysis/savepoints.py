"""What a rollback to a savepoint undid beside the statement that failed, as far as the record shows it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from migration_gate.facts import Statement, Step

_SET = re.compile(r"\s*SAVEPOINT\s+(?P<name>[\w\"]+)", re.IGNORECASE)
_ROLL_BACK = re.compile(
    r"\s*ROLLBACK\s+(?:WORK\s+|TRANSACTION\s+)?TO\s+(?:SAVEPOINT\s+)?(?P<name>[\w\"]+)", re.IGNORECASE
)
_WITHOUT_EFFECT = re.compile(
    r"\s*(?:SELECT|SHOW|VALUES|TABLE|EXPLAIN|FETCH|SET|RESET|SAVEPOINT|RELEASE|ROLLBACK|BEGIN|COMMIT|LOCK)\b",
    re.IGNORECASE,
)
"""how statements begin of which the record does not show that they changed anything"""


class _Mark(NamedTuple):
    """A savepoint, or a rollback to one, before the statement of that number."""

    number: int
    is_rollback: bool
    name: str | None
    """None for those that SQLAlchemy manages: each rollback is to the newest"""


def find_undone_statements(step: Step, failed: int) -> tuple[Statement, ...]:
    """The statements that ran and were undone with the one that failed; `failed` is its number in the step.

    At least these: what a savepoint released inside of it had done counts from there only.
    """
    span = next((span for span in _find_undone_spans(step) if failed in span), range(0))
    statements = (step.statements[number] for number in span if number < len(step.statements))
    return tuple(item for item in statements if item.error is None and _has_effect(item))


def _has_effect(statement: Statement) -> bool:
    return statement.in_migration_transaction and _WITHOUT_EFFECT.match(statement.sql) is None


def _find_undone_spans(step: Step) -> Iterator[range]:
    """The numbers of the statements that each rollback undid, in the order of the rollbacks."""
    open_savepoints: list[_Mark] = []
    for mark in _list_marks(step):
        if not mark.is_rollback:
            open_savepoints.append(mark)
            continue
        fitting = [item for item in open_savepoints if item.name == mark.name]
        if fitting:
            yield range(fitting[-1].number, mark.number)
            del open_savepoints[open_savepoints.index(fitting[-1]) :]


def _list_marks(step: Step) -> list[_Mark]:
    """Those of SQLAlchemy's, and those that the revision wrote as SQL, in their order."""
    marks = [
        _Mark(boundary.statements_before, boundary.kind != "savepoint", None)
        for boundary in step.transactions
        if boundary.kind in ("savepoint", "rollback to savepoint")
    ]
    for number, statement in enumerate(step.statements):
        for pattern in (_SET, _ROLL_BACK):
            match = pattern.match(statement.sql)
            if match is not None and statement.error is None:
                marks.append(_Mark(number, pattern is _ROLL_BACK, match["name"]))
    return sorted(marks, key=lambda mark: mark.number)
