"""The locks that statements of one transaction hold, kept once for all of them."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, overload

from migration_gate.facts.locks import HeldLock, StoredRelation

FEW_LOCKS = 50
"""that are listed for each statement"""


class LockLedger:
    """Which locks a session held from which statement of a transaction on."""

    def __init__(self) -> None:
        self._histories: dict[int, list[tuple[int, HeldLock | None]]] = defaultdict(list)
        """by the relation's oid: numbers of statements, ascending, and the strongest lock from there on"""
        self._oids: dict[StoredRelation, list[int]] = defaultdict(list)

    def __len__(self) -> int:
        """How many relations it is about."""
        return len(self._histories)

    def set(self, oid: int, lock: HeldLock | None, number: int) -> None:
        """From the statement of this number on, the session holds the lock, or none on the relation."""
        if lock is not None and oid not in self._histories:
            self._oids[lock.relation].append(oid)
        self._histories[oid].append((number, lock))

    def list_at(self, number: int) -> list[HeldLock]:
        """The locks at the end of the statement, the strongest first."""
        locks = (self._find(oid, number) for oid in self._histories)
        return sort_locks(lock for lock in locks if lock is not None)

    def find_at(self, relation: StoredRelation, number: int) -> Iterator[HeldLock]:
        """Those of them on the relation."""
        locks = (self._find(oid, number) for oid in self._oids.get(relation, ()))
        return (lock for lock in locks if lock is not None)

    def _find(self, oid: int, number: int) -> HeldLock | None:
        history = self._histories[oid]
        position = bisect_right(history, number, key=lambda entry: entry[0])
        return history[position - 1][1] if position else None


class HeldLocks(Sequence[HeldLock]):
    """The locks at the end of one statement of a transaction that holds many."""

    def __init__(self, ledger: LockLedger, number: int, inferred: tuple[HeldLock, ...] = ()) -> None:
        self._ledger = ledger
        self._number = number
        self._inferred = inferred

    def add(self, inferred: Sequence[HeldLock]) -> HeldLocks:
        """These, and locks that only the statement itself held."""
        return HeldLocks(self._ledger, self._number, (*self._inferred, *inferred))

    def find(self, relation: StoredRelation) -> Sequence[HeldLock]:
        """Those on the relation."""
        own = self._ledger.find_at(relation, self._number)
        return (*own, *(lock for lock in self._inferred if lock.relation == relation))

    def shorten(self) -> tuple[HeldLock, ...] | HeldLocks:
        """The locks as a tuple, if their transaction has few."""
        return tuple(self) if len(self._ledger) <= FEW_LOCKS else self

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> dict[str, Any]:
        """In JSON they are a list, as the locks of other statements are."""
        return {
            "type": "is-instance",
            "cls": cls,
            "serialization": {"type": "function-plain", "function": tuple},
        }

    def _list(self) -> list[HeldLock]:
        return [*self._ledger.list_at(self._number), *self._inferred]

    @overload
    def __getitem__(self, index: int) -> HeldLock: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[HeldLock]: ...
    def __getitem__(self, index: int | slice) -> HeldLock | Sequence[HeldLock]:
        return self._list()[index]

    def __iter__(self) -> Iterator[HeldLock]:
        return iter(self._list())

    def __len__(self) -> int:
        return len(self._list())


def sort_locks(locks: Iterable[HeldLock]) -> list[HeldLock]:
    """The strongest first, then by name."""
    return sorted(locks, key=lambda lock: (-lock.mode.strength, str(lock.relation)))


def find_locks(locks: Sequence[HeldLock], relation: StoredRelation) -> Sequence[HeldLock]:
    """Those of a statement's locks that are on the relation."""
    if isinstance(locks, HeldLocks):
        return locks.find(relation)
    return [lock for lock in locks if lock.relation == relation]
