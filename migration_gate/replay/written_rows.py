"""Which statements of a revision changed many rows in its rehearsal."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from migration_gate.analysis.row_loops import find_shape
from migration_gate.facts import WrittenRows
from migration_gate.worker.protocol.rollback_lines import FinishedRun
from migration_gate.worker.protocol.step_lines import ExecutedStatement

LEAST_ROWS = 8
"""of about twenty, or of eight where a table has plain ones alone: more than have one value in common"""
_WRITES = re.compile(r"^\s*(?:update|delete|insert|merge|with)\b", re.IGNORECASE)
_ENDS = ("commit", "rollback")


def list_written_rows(runs: Sequence[FinishedRun]) -> tuple[WrittenRows, ...]:
    """One for each statement, whatever values it has."""
    return tuple(written for run in runs for written in _list_of_run(run))


def _list_of_run(run: FinishedRun) -> Iterator[WrittenRows]:
    rows: dict[str, int] = {}
    first: dict[str, int] = {}
    for place, statement in enumerate(run.statements):
        if _counts(statement):
            shape = find_shape(statement.sql)
            rows[shape] = rows.get(shape, 0) + max(statement.rows or 0, 0)
            first.setdefault(shape, place)
    ends = [boundary.statements_before for boundary in run.transactions if boundary.name in _ENDS]
    for shape, count in rows.items():
        if count >= LEAST_ROWS:
            place = first[shape]
            begin = max((end for end in ends if end <= place), default=0)
            earlier = [item.line for item in run.statements[begin:place] if item.in_migration_transaction]
            lines = tuple(line for line in earlier if line is not None)
            yield WrittenRows(run.statements[place].sql, run.statements[place].line, count, lines)


def _counts(statement: ExecutedStatement) -> bool:
    is_written = statement.error is None and statement.in_migration_transaction
    return is_written and _WRITES.match(statement.sql) is not None
