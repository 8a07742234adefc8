"""Which statement of a revision did what became of rows."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from migration_gate.facts import RowChange
from migration_gate.worker.protocol.step_lines import ExecutedStatement

_WORD = re.compile(r"\w+")
_CAUSES: Mapping[str, re.Pattern[str]] = {
    "lost rows": re.compile(r"\b(?:delete|truncate)\b", re.IGNORECASE),
    "dropped table": re.compile(r"\bdrop\s+table\b", re.IGNORECASE),
    "dropped column": re.compile(r"\bdrop\b", re.IGNORECASE),
    "merged values": re.compile(r"\b(?:update|alter)\b", re.IGNORECASE),
    "emptied values": re.compile(r"\b(?:update|alter|delete|drop)\b", re.IGNORECASE),
    "other values": re.compile(r"\b(?:update|alter)\b", re.IGNORECASE),
}
"""the statements that may do this to rows"""


def find_cause(change: RowChange, statements: Sequence[ExecutedStatement]) -> RowChange:
    """The change with the statement that did it: the last that names its table and does such things."""
    name = change.table.lower()
    pattern = _CAUSES[change.kind]
    fitting = [item for item in statements if pattern.search(item.sql)]
    named = [item for item in fitting if name in _WORD.findall(item.sql.lower())]
    column = change.column.lower()
    best = [item for item in named if column in _WORD.findall(item.sql.lower())] or named or fitting
    if not best:
        return change
    return replace(change, statement=best[-1].sql, line=best[-1].line)
