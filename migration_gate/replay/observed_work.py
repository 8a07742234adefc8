"""Which work on the rows of the base's relations the server's messages, files and counters prove."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import field

from migration_gate.facts import (
    HeldLock,
    LockMode,
    RelationKind,
    RowWork,
    StoredRelation,
    WorkKind,
    find_locks,
)
from migration_gate.lazy_dataclass import dataclass
from migration_gate.replay.item_lists import ItemChanges, ItemList
from migration_gate.replay.observation_log import LoggedLock, LoggedNumber, LogMessage, LogPoint
from migration_gate.replay.observed_sql import TRUNCATION, find_changed_names
from migration_gate.replay.work_messages import WorkMessage, parse_work

MODES = {f"{''.join(word.title() for word in mode.value.split())}Lock": mode for mode in LockMode}
"""by pg_locks' own names: AccessExclusiveLock"""
KINDS: Mapping[str, RelationKind] = {
    "r": "table",
    "p": "partitioned table",
    "f": "foreign table",
    "m": "materialized view",
    "v": "view",
    "S": "sequence",
    "i": "index",
    "I": "index",
}
TOAST_PREFIX = "pg_toast"
INFERRED_MODES = {WorkKind.REWRITE: LockMode.ACCESS_EXCLUSIVE, WorkKind.INDEX_REBUILD: LockMode.SHARE}
"""what work on the files needs"""


@dataclass(slots=True)
class BaseRelations:
    """What stood before the first looked-at revision."""

    version_tables: Collection[str]
    """`schema.name`; they are left out"""
    by_oid: dict[int, StoredRelation] = field(default_factory=dict)
    emptied: set[int] = field(default_factory=set)
    """tables that a looked-at revision has truncated: work on them is little from then on"""
    _oids: dict[str, list[int]] = field(default_factory=dict)
    """by name, whatever the schema: there may be ten thousand relations, and as many statements"""

    def add(self, point: LogPoint) -> None:
        """Take what a revision's first point lists."""
        for oid, schema, name, kind, table in point.relations or ():
            if f"{schema}.{table or name}" not in self.version_tables:
                self.by_oid[oid] = StoredRelation(schema, name, KINDS.get(kind, "table"), table or "")
        oids: dict[str, list[int]] = defaultdict(list)
        for oid, relation in self.by_oid.items():
            oids[relation.name].append(oid)
        self._oids = dict(oids)

    def list_tables(self) -> tuple[StoredRelation, ...]:
        """All but the indexes."""
        return tuple(relation for relation in self.by_oid.values() if relation.kind != "index")

    def count_rows(self, scans: Mapping[int, int]) -> list[RowWork]:
        """The tables that were read through, as work."""
        return [RowWork(WorkKind.ROWS, self.by_oid[oid]) for oid in scans]

    def find_new_scans(
        self, current: ItemList[LoggedNumber], changes: ItemChanges[LoggedNumber]
    ) -> dict[int, int]:
        """How often tables were read through between two readings of the session's counters."""
        new, old = dict(changes.added), dict(changes.gone)
        if any(new.get(oid, 0) < number for oid, number in old.items()):
            new, old = dict(list(current.expand())), {}  # the counters began anew
        return {
            oid: number - old.get(oid, 0)
            for oid, number in new.items()
            if number > old.get(oid, 0) and oid in self.by_oid and oid not in self.emptied
        }

    def find_works(
        self, messages: Sequence[LogMessage], point: LogPoint, locks: ItemList[LoggedLock]
    ) -> list[RowWork]:
        """The work that messages of one statement name, without what is done to new or empty tables."""
        works: dict[RowWork, None] = {}
        for message in messages:
            named = parse_work(message.text)
            if named is None or named.table.startswith(TOAST_PREFIX):
                continue
            if TRUNCATION.match(message.inner_statement):
                continue
            for oid in self._find_tables(named, point, locks):
                if oid not in self.emptied:
                    works[self._describe_work(named, oid, point)] = None
        return list(works)

    def find_file_works(self, files: Sequence[int], known: Collection[RowWork]) -> Iterator[RowWork]:
        """The work that a relation's new file proves: all of it was written anew."""
        for oid in files:
            relation = self.by_oid[oid]
            if oid in self.emptied:
                continue
            if relation.kind == "index":
                table = self._find_table_of(relation)
                if not any(work.relation == table for work in known):
                    yield RowWork(WorkKind.INDEX_REBUILD, table, relation.name)
            elif relation.is_table and RowWork(WorkKind.REWRITE, relation) not in known:
                yield RowWork(WorkKind.REWRITE, relation)

    def find_changed_tables(self, sql: str) -> Iterator[StoredRelation]:
        """The tables whose rows a statement changes, by its text."""
        for schema, name in find_changed_names(sql):
            for relation in self._list_named(name):
                if relation.is_table and schema in ("", relation.schema):
                    yield relation

    def _list_named(self, name: str) -> list[StoredRelation]:
        return [self.by_oid[oid] for oid in self._oids.get(name, ())]

    def _describe_work(self, named: WorkMessage, oid: int, point: LogPoint) -> RowWork:
        relation, kind = self.by_oid[oid], named.kind
        is_creation = (point.tag or "").startswith("CREATE INDEX")
        if kind is WorkKind.INDEX_BUILD and not is_creation and self._had_index(relation, named.detail):
            kind = WorkKind.INDEX_REBUILD
        return RowWork(kind, relation, named.detail)

    def _had_index(self, table: StoredRelation, name: str) -> bool:
        return StoredRelation(table.schema, name, "index", table.name) in self._list_named(name)

    def _find_table_of(self, index: StoredRelation) -> StoredRelation:
        tables = (item for item in self._list_named(index.table) if item.is_table)
        return next((table for table in tables if table.schema == index.schema), index)

    def _find_tables(self, named: WorkMessage, point: LogPoint, locks: ItemList[LoggedLock]) -> list[int]:
        """The relations of the base that the message means; none if it means a new one.

        It has the name without the schema. The command says which table it is about; another one that a
        command works on (a partition, the other side of a foreign key) is locked.
        """
        targets = point.targets or ()
        if not named.table:  # of a foreign key the message names the constraint only
            return [oid for oid, _, is_old in targets if is_old and oid in self.by_oid]
        meant = [(oid, is_old) for oid, name, is_old in targets if name == named.table]
        if meant:
            return [oid for oid, is_old in meant if is_old and oid in self.by_oid]
        locked = [
            lock.oid
            for lock in locks.expand()
            if MODES[lock.mode].strength >= LockMode.SHARE_UPDATE_EXCLUSIVE.strength
            and lock.name == named.table
            and lock.oid in self.by_oid
        ]
        if locked or point.in_block is not False:
            return list(dict.fromkeys(locked))
        return [oid for oid in self._oids.get(named.table, ()) if self.by_oid[oid].is_table]


def infer_locks(works: Sequence[RowWork], held: Sequence[HeldLock], number: int) -> list[HeldLock]:
    """The locks of a statement that has released them at its end, as VACUUM FULL: its work tells them."""
    modes: dict[StoredRelation, LockMode] = {}
    for work in works:
        mode = INFERRED_MODES.get(work.kind)
        own = find_locks(held, work.relation) if mode is not None else ()
        if mode is not None and not any(lock.mode.blocks_writes for lock in own):
            modes[work.relation] = max(mode, modes.get(work.relation, mode), key=lambda item: item.strength)
    return [HeldLock(relation, mode, number) for relation, mode in modes.items()]


def without_rewritten_rows(works: Collection[RowWork]) -> tuple[RowWork, ...]:
    """The work without the reading of tables that are rewritten anyway."""
    rewritten = {work.relation for work in works if work.kind is WorkKind.REWRITE}
    kept = [work for work in works if work.kind is not WorkKind.ROWS or work.relation not in rewritten]
    return tuple(dict.fromkeys(kept))
