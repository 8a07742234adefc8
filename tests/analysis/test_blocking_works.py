"""Which locks count while a statement works."""

from __future__ import annotations

import pytest

from migration_gate.analysis.blocking_works import find_works_under_lock
from migration_gate.facts import (
    Facts,
    HeldLock,
    LockMode,
    Observation,
    ObservedStatement,
    Replay,
    RowWork,
    StoredRelation,
    WorkKind,
)

LOGS, ITEM = StoredRelation("public", "logs", "table"), StoredRelation("public", "item", "table")


@pytest.mark.parametrize(
    ("first", "tag", "transaction", "count"),
    [
        ("ALTER TABLE logs ADD x int", "ALTER TABLE", 1, 1),
        ("DROP TABLE logs", "DROP TABLE", 1, 0),
        ("DROP TABLE logs_of_another", "DROP TABLE", 1, 1),
        ("DROP TABLE logs", "DROP TABLE", 2, 1),
    ],
)
def test_the_lock_of_a_dropped_table_keeps_nobody_waiting(
    first: str, tag: str, transaction: int, count: int
) -> None:
    lock = HeldLock(LOGS, LockMode.ACCESS_EXCLUSIVE, 1)
    statements = (
        ObservedStatement(1, 1, "new", first, tag=tag, transaction=transaction, locks=(lock,), taken=(lock,)),
        ObservedStatement(
            2,
            1,
            "new",
            "UPDATE item SET n = 1",
            tag="UPDATE",
            transaction=1,
            locks=(lock,),
            works=(RowWork(WorkKind.ROWS, ITEM),),
            written=(ITEM,),
        ),
    )
    facts = Facts("app", Replay(observation=Observation(revisions=("new",), statements=statements)))
    assert len(list(find_works_under_lock(facts))) == count
