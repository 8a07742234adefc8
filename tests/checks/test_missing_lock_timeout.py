"""Which statements wait for a lock."""

from __future__ import annotations

import pytest

from migration_gate.checks import missing_lock_timeout
from migration_gate.facts import (
    Facts,
    HeldLock,
    LockMode,
    Observation,
    ObservedStatement,
    Replay,
    StoredRelation,
)

ITEM = StoredRelation("public", "item", "table")


@pytest.mark.parametrize(
    ("first", "second", "message"),
    [
        (LockMode.ACCESS_EXCLUSIVE, LockMode.SHARE, "1 statement of the change waits"),
        (LockMode.SHARE_ROW_EXCLUSIVE, LockMode.SHARE, "1 statement of the change waits"),
        (LockMode.SHARE, LockMode.ACCESS_EXCLUSIVE, "2 statements of the change wait"),
        (LockMode.ROW_EXCLUSIVE, LockMode.SHARE, "1 statement of the change waits"),
    ],
)
def test_who_holds_as_much_does_not_wait_again(first: LockMode, second: LockMode, message: str) -> None:
    taken = (HeldLock(ITEM, first, 1), HeldLock(ITEM, second, 2))
    strongest = max(taken, key=lambda lock: lock.mode.strength)
    statements = (
        ObservedStatement(1, 1, "new", "x", locks=taken[:1], taken=taken[:1]),
        ObservedStatement(2, 1, "new", "y", locks=(strongest,), taken=taken[1:]),
    )
    facts = Facts("app", Replay(observation=Observation(revisions=("new",), statements=statements)))
    (finding,) = missing_lock_timeout.check(facts)
    assert finding.message == f"{message} for locks without a `lock_timeout`"
