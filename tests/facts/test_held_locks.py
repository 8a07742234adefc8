"""The locks of a transaction that holds many are kept once, and each of its statements shows its own."""

from __future__ import annotations

from pydantic import TypeAdapter

from migration_gate.facts import HeldLock, HeldLocks, LockLedger, LockMode, ObservedStatement, StoredRelation
from migration_gate.facts import find_locks as find

ITEM, OTHER = StoredRelation("public", "item"), StoredRelation("public", "other")
SHARE, STRONG = HeldLock(ITEM, LockMode.SHARE, 2), HeldLock(ITEM, LockMode.ACCESS_EXCLUSIVE, 4)
BESIDE = HeldLock(OTHER, LockMode.SHARE, 3)


def build_locks() -> list[HeldLocks]:
    """Those after each of five statements; the fifth one has rolled back the fourth."""
    ledger = LockLedger()
    ledger.set(1, SHARE, 2)
    ledger.set(2, BESIDE, 3)
    ledger.set(1, STRONG, 4)
    ledger.set(1, SHARE, 5)
    return [HeldLocks(ledger, number) for number in range(1, 6)]


def test_each_statement_has_the_locks_of_its_time() -> None:
    expected = [[], [SHARE], [SHARE, BESIDE], [STRONG, BESIDE], [SHARE, BESIDE]]
    assert [list(locks) for locks in build_locks()] == expected
    assert [list(find(locks, ITEM)) for locks in build_locks()] == [[], [SHARE], [SHARE], [STRONG], [SHARE]]
    assert [len(locks) for locks in build_locks()] == [len(locks) for locks in expected]


def test_locks_of_a_statement_alone_are_found_beside_the_others() -> None:
    locks = build_locks()[1].add([BESIDE])
    assert (list(locks), list(find(locks, OTHER))) == ([SHARE, BESIDE], [BESIDE])


def test_they_go_to_json_and_back_as_a_tuple() -> None:
    statements = TypeAdapter(ObservedStatement)
    held = ObservedStatement(3, 1, "a", "x", locks=build_locks()[2])
    listed = ObservedStatement(3, 1, "a", "x", locks=(SHARE, BESIDE))
    assert statements.dump_json(held) == statements.dump_json(listed)
    assert statements.validate_json(statements.dump_json(held)) == listed
