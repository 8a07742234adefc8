"""The tables that a DELETE goes through: their foreign keys lead to its rows, and no index finds them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import cached_property

from migration_gate.analysis.new_parts import is_indexed
from migration_gate.analysis.standing_parts import StandingParts
from migration_gate.facts import Constraint, ObservedStatement, Replay, RowWork, StoredRelation, WorkKind
from migration_gate.lazy_dataclass import dataclass


@dataclass(frozen=True)
class ReferencingRows:
    """Those of one replay. On empty tables no row is deleted, so nothing is looked for."""

    replay: Replay
    standing: StandingParts

    def list_works(self, statement: ObservedStatement) -> tuple[RowWork, ...]:
        """The reading of these tables, if the statement deletes rows that they may reference."""
        if statement.tag != "DELETE":
            return ()
        return tuple(
            RowWork(WorkKind.ROWS, self._stood[key.full_table_name])
            for key in self._list_keys(statement)
            if key.full_table_name in self._stood and not self._is_indexed(key, statement)
        )

    def _list_keys(self, statement: ObservedStatement) -> Iterator[Constraint]:
        """The foreign keys that lead to its rows, and to those that are deleted with them."""
        deleted = [f"{relation.schema}.{relation.name}" for relation in statement.written]
        for table in deleted:
            for key in self._keys_by_referenced.get(table, ()):
                if self.standing.stands(key, statement):
                    yield key
                    if key.on_delete == "cascade" and key.full_table_name not in deleted:
                        deleted.append(key.full_table_name)

    def _is_indexed(self, key: Constraint, statement: ObservedStatement) -> bool:
        return is_indexed(self.standing.list_indexes(key.schema, key.table, statement), key)

    @cached_property
    def _stood(self) -> Mapping[str, StoredRelation]:
        return {f"{item.schema}.{item.name}": item for item in self.replay.observation.relations}

    @cached_property
    def _keys_by_referenced(self) -> Mapping[str, list[Constraint]]:
        keys: dict[str, list[Constraint]] = defaultdict(list)
        for key in self.replay.catalog.constraints:
            if key.kind == "foreign key" and key.references:
                keys[key.references].append(key)
        return dict(keys)
