"""Which size of production's the work of a statement has, and whether it is small."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property

from migration_gate.analysis.observed_changes import find_table_change, list_judged
from migration_gate.facts import (
    Facts,
    Location,
    ObservedStatement,
    RowWork,
    StoredRelation,
    Table,
    TableSize,
    TableSizes,
)
from migration_gate.lazy_dataclass import dataclass

BTREE = re.compile(r"\bUSING btree\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class WorkSize:
    """How large the table of some work is, as far as that is known."""

    table: str
    """as reports show it; of a statement on a partitioned table the parent"""
    size: TableSize | None = None
    may_be_small: bool = True
    """False: the statement goes through partitions that only production may have"""


@dataclass(frozen=True)
class SizedFacts:
    """The facts, with what is asked of them for each finding: there may be ten thousand."""

    facts: Facts

    @property
    def sizes(self) -> TableSizes:
        """Of production's tables."""
        return self.facts.sizes

    @cached_property
    def btrees(self) -> frozenset[tuple[str, str]]:
        """Schema and name of the indexes that are B-trees at the end."""
        indexes = self.facts.replay.catalog.indexes
        return frozenset((index.schema, index.name) for index in indexes if BTREE.search(index.definition))

    @cached_property
    def small_transactions(self) -> frozenset[int]:
        """The transactions whose small tables are small together.

        Locks are held until a transaction ends: a thousand small tables are no small matter.
        """
        tables: dict[int, dict[str, TableSize]] = defaultdict(dict)
        for statement in list_judged(self.facts):
            for item in self.list_sizes(statement, statement.works):
                if item.size is not None and self.sizes.are_small([item.size]):
                    tables[statement.transaction][item.table] = item.size
        return frozenset(number for number, sizes in tables.items() if self.sizes.are_small(sizes.values()))

    def list_sizes(self, statement: ObservedStatement, works: Iterable[RowWork]) -> tuple[WorkSize, ...]:
        """The size of each table that works of a statement go through, once."""
        return tuple({item.table: item for item in (self.find_size(statement, w) for w in works)}.values())

    def list_distinct(self, statement: ObservedStatement, works: Iterable[RowWork]) -> Iterator[RowWork]:
        """The works, with those on one partition for those on all of them."""
        first: dict[str, StoredRelation] = {}
        for work in works:
            table = self.find_size(statement, work).table
            if first.setdefault(table, work.relation) == work.relation:
                yield work

    def is_small(self, statement: ObservedStatement) -> bool:
        """Whether all tables that a statement goes through are small, with those of its transaction."""
        items = self.list_sizes(statement, statement.works)
        sizes = [item.size for item in items if item.size is not None and item.may_be_small]
        if len(sizes) < len(items) or not self.sizes.are_small(sizes):
            return False
        return statement.transaction in self.small_transactions

    def find_size(self, statement: ObservedStatement, work: RowWork) -> WorkSize:
        """The size of the table, or of the parent where the statement goes through all its partitions.

        Production may have partitions of other names than the replayed database, and more of them.
        """
        relation = work.relation
        own = self.sizes.find(relation.schema, relation.table or relation.name)
        parent = self.find_partitioned(statement, relation)
        if parent is None:
            return WorkSize(relation.table_name, own)
        whole = self.sizes.find(parent.schema, parent.name)
        if whole is not None:
            return WorkSize(parent.table_name, whole)
        return WorkSize(relation.table_name, own, may_be_small=False)

    def find_partitioned(
        self, statement: ObservedStatement, relation: StoredRelation
    ) -> StoredRelation | None:
        """The topmost partitioned table by which a statement came to a partition that it does not name."""
        return self._find_topmost(statement, relation, list(self._list_parents(relation)))

    def find_stem(self, statement: ObservedStatement, relation: StoredRelation) -> StoredRelation | None:
        """The same, also for a table that inherits: a statement on its parent came to it."""
        parents = list(self._list_parents(relation, partitions_only=False))
        return self._find_topmost(statement, relation, parents)

    def _find_topmost(
        self, statement: ObservedStatement, relation: StoredRelation, parents: Sequence[tuple[str, str]]
    ) -> StoredRelation | None:
        """The last of the parents that the statement has locked, if it does not name the relation itself."""
        if re.search(rf"(?<![\w$]){re.escape(relation.name)}(?![\w$])", statement.sql, re.IGNORECASE):
            return None
        if not parents:
            return None
        locked = {(lock.relation.schema, lock.relation.name): lock.relation for lock in statement.locks}
        found = None
        for key in parents:
            found = locked.get(key, found)
        return found

    def list_column_additions(
        self, step: int, location: Location, relation: StoredRelation
    ) -> Iterator[ObservedStatement]:
        """The statements of a step, at one line, that do no more than add columns to the table."""
        oids = self.facts.replay.find_oids(relation.schema, relation.table or relation.name)
        groups = [self._column_changes.get((step, location, oid), []) for oid in oids]
        for statement in sorted((item for group in groups for item in group), key=lambda item: item.number):
            if find_table_change(self.facts.replay, statement, relation).new_columns:
                yield statement

    @cached_property
    def _column_changes(self) -> Mapping[tuple[int, Location, int], list[ObservedStatement]]:
        """Statements without work on rows, by step, place, and the oids of the tables that they changed."""
        groups: dict[tuple[int, Location, int], list[ObservedStatement]] = defaultdict(list)
        replay = self.facts.replay
        for item in replay.observation.statements:
            if item.location is None or item.location.line is None or item.works or item.client_sql:
                continue
            for oid in replay.table_histories.list_oids(item.step, item.sql):
                groups[item.step, item.location, oid].append(item)
        return groups

    def _list_parents(
        self, relation: StoredRelation, *, partitions_only: bool = True
    ) -> Iterator[tuple[str, str]]:
        """Schema and name of a partition's parent, then of that one's; or of a table's that inherits."""
        catalog = self.facts.replay.catalog
        table = catalog.find_table(relation.schema, relation.table or relation.name)
        while table is not None and table.inherits and (table.partition_bound or not partitions_only):
            table = self._tables.get(table.inherits[0])
            if table is not None:
                yield table.schema, table.name

    @cached_property
    def _tables(self) -> Mapping[str, Table]:
        return {table.full_name: table for table in self.facts.replay.catalog.tables}
