"""Follows the locks of one session, and says of each which statement took it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from migration_gate.facts import HeldLock, HeldLocks, LockLedger, LockMode, StoredRelation, sort_locks
from migration_gate.replay.item_lists import ItemList
from migration_gate.replay.observation_log import LoggedLock
from migration_gate.replay.observed_work import MODES

LockKey = tuple[int, LockMode]
"""oid and mode"""
Chooser = Callable[[int], int]
"""the number of the statement that took a new lock on a relation, by the relation's oid"""


class SessionLocks:
    """The locks on relations of the base that a session holds in its transaction."""

    def __init__(self) -> None:
        self.held_before: frozenset[LoggedLock] = frozenset()
        """locks of revisions that are not looked at, in the same transaction"""
        self._since: dict[LockKey, int] = {}
        """the number of the statement that took the lock"""
        self._followed: ItemList[LoggedLock] | None = None
        self._ledger = LockLedger()

    def forget(self) -> None:
        """The transaction has ended."""
        self._since, self._followed, self._ledger = {}, None, LockLedger()

    def read_anew(self) -> None:
        """Relations of the base may have been added: all locks are looked at again."""
        self._followed = None

    def list_at(self, number: int) -> HeldLocks:
        """The strongest lock on each relation at the end of the statement of this number."""
        return HeldLocks(self._ledger, number)

    def follow(
        self,
        locks: ItemList[LoggedLock],
        relations: Mapping[int, StoredRelation],
        number: int,
        choose: Chooser,
    ) -> list[HeldLock]:
        """Take what the session holds at the end of a statement. Returns the locks that are new."""
        added, gone = self._find_changes(locks, relations)
        self._followed = locks
        for key in gone:
            del self._since[key]
        for key in added:
            self._since[key] = choose(key[0])
        oids = {oid for oid, _ in added} | {oid for oid, _ in gone}
        for oid in oids:
            modes = [mode for mode in LockMode if (oid, mode) in self._since]
            lock = None
            if modes:
                mode = max(modes, key=lambda mode: mode.strength)
                lock = HeldLock(relations[oid], mode, self._since[oid, mode])
            since = [self._since[key] for key in added if key[0] == oid]
            self._ledger.set(oid, lock, min(since, default=number))
        return sort_locks(HeldLock(relations[oid], mode, self._since[oid, mode]) for oid, mode in added)

    def _find_changes(
        self, locks: ItemList[LoggedLock], relations: Mapping[int, StoredRelation]
    ) -> tuple[set[LockKey], set[LockKey]]:
        def name_keys(items: Iterable[LoggedLock]) -> set[LockKey]:
            keys = {(lock.oid, MODES[lock.mode]) for lock in items if lock not in self.held_before}
            return {
                (oid, mode)
                for oid, mode in keys
                if oid in relations and (mode.blocks_writes or relations[oid].kind != "index")
            }

        if self._followed is None:
            current = name_keys(locks.expand())
            return current - self._since.keys(), self._since.keys() - current
        changes = locks.find_changes(self._followed)
        added = name_keys(changes.added)
        return added - self._since.keys(), (name_keys(changes.gone) - added) & self._since.keys()
