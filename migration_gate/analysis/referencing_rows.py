"""The tables that a DELETE goes through: their foreign keys lead to its rows, and no index finds them."""

from __future__ import annotations

from collections import defaultdict
from functools import cached_property

from migration_gate.analysis.new_parts import is_indexed
from migration_gate.facts import ObservedStatement, Replay, RowWork, WorkKind
from migration_gate.lazy_dataclass import dataclass


@dataclass(frozen=True)
class ReferencingRows:
    """Those of one replay. On empty tables no row is deleted, so nothing is looked for."""

    replay: Replay

    def list_works(self, statement: ObservedStatement) -> tuple[RowWork, ...]:
        """The reading of these tables, if the statement deletes rows that they may reference."""
        if statement.tag != "DELETE":
            return ()
        return tuple(
            work
            for relation in statement.written
            for work in self._by_referenced.get(f"{relation.schema}.{relation.name}", ())
        )

    @cached_property
    def _by_referenced(self) -> dict[str, list[RowWork]]:
        stood = {(item.schema, item.name): item for item in self.replay.observation.relations}
        works: dict[str, list[RowWork]] = defaultdict(list)
        for key in self.replay.catalog.constraints:
            table = stood.get((key.schema, key.table))
            if key.kind != "foreign key" or table is None or not key.references:
                continue
            if not is_indexed(self.replay.catalog, key):
                works[key.references].append(RowWork(WorkKind.ROWS, table))
        return dict(works)
