"""The states of tables before and after a statement, found without going through all commands."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Collection, Iterable

from migration_gate.facts.ddl_commands import DdlCommand
from migration_gate.lazy_dataclass import dataclass

QUERY_LENGTH = 4000
"""characters of a statement that the DDL log keeps"""


@dataclass(frozen=True, slots=True)
class StatementStates:
    """A table's state before the statement and after it, as the DDL log has them; None: it has none."""

    before: DdlCommand | None = None
    after: DdlCommand | None = None


class TableHistories:
    """The logged states of all tables, by their oids and by the statements that left them behind.

    A revision may have ten thousand statements: each of them is looked up in about the same time.
    """

    def __init__(self, commands: Iterable[DdlCommand]) -> None:
        self._commands: dict[int, list[DdlCommand]] = defaultdict(list)
        self._positions: dict[int, list[int]] = defaultdict(list)
        """of these commands among all, ascending"""
        self._spans: dict[tuple[int, str], dict[int, tuple[int, int]]] = defaultdict(dict)
        """by step and text, and by oid: the positions of the first and the last command of the statement"""
        for position, command in enumerate(commands):
            if command.table is not None:
                self._commands[command.oid].append(command)
                self._positions[command.oid].append(position)
                spans = self._spans[command.step, normalize_query(command.query)]
                first, _ = spans.get(command.oid, (position, position))
                spans[command.oid] = (first, position)

    def list_oids(self, step: int, query: str) -> Collection[int]:
        """The tables of which a statement of the step has left a state behind."""
        return self._spans.get((step, normalize_query(query)), {}).keys()

    def find_states(self, oids: Collection[int], step: int, query: str) -> StatementStates:
        """What a statement of the step made of the table that has, or had, one of the oids.

        Of a text that ran several times, the state before the first time and after the last.
        """
        spans = self._spans.get((step, normalize_query(query)), {})
        fewer, more = (spans, oids) if len(spans) < len(oids) else (oids, spans)
        own = [spans[oid] for oid in fewer if oid in more]
        if not own:
            return StatementStates()
        first, last = min(first for first, _ in own), max(last for _, last in own)
        oid = next(oid for oid in fewer if oid in more and spans[oid][1] == last)
        after = self._commands[oid][bisect_left(self._positions[oid], last)]
        earlier = bisect_left(self._positions[oid], first)
        return StatementStates(self._commands[oid][earlier - 1] if earlier else None, after)


def normalize_query(text: str) -> str:
    """A statement's text as far as the log keeps it, without what stands around it."""
    return text[:QUERY_LENGTH].strip().rstrip(";").strip()
