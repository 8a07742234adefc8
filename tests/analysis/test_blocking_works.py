"""Which locks count while a statement works."""

from __future__ import annotations

import pytest

from migration_gate.analysis.blocking_works import find_blocking_works, find_works_under_lock
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


@pytest.mark.parametrize(
    ("sql", "client", "expected"),
    [
        ("UPDATE logs SET x = 1", "", False),
        ("SELECT change_all()", "SELECT change_all()", True),
        ("", "", False),
    ],
)
def test_a_statement_takes_the_locks_of_what_runs_inside_of_it(sql: str, client: str, expected: bool) -> None:
    lock = HeldLock(LOGS, LockMode.ACCESS_EXCLUSIVE, 1)
    work = RowWork(WorkKind.ROWS, LOGS)
    statements = (
        ObservedStatement(
            1, 1, "new", "ALTER TABLE logs ADD x int", "ALTER TABLE", client_sql=client, locks=(lock,)
        ),
        ObservedStatement(2, 1, "new", sql, locks=(lock,), works=(work,), written=(LOGS,)),
    )
    observation = Observation("change", ("new",), statements, (LOGS,))
    (item,) = find_works_under_lock(Facts("app", Replay(observation=observation)))
    assert item.takes_locks == expected


def test_an_index_that_the_change_has_made_is_rebuilt_by_reindex_as_others_are() -> None:
    lock = HeldLock(LOGS, LockMode.SHARE, 1)
    works = (RowWork(WorkKind.INDEX_BUILD, LOGS, "fresh"), RowWork(WorkKind.INDEX_REBUILD, LOGS, "old"))
    statement = ObservedStatement(1, 1, "new", "REINDEX TABLE logs", "REINDEX", locks=(lock,), works=works)
    observation = Observation("change", ("new",), (statement,), (LOGS,))
    found = find_blocking_works(Facts("app", Replay(observation=observation)))
    assert [item.kind for item in found] == ["maintenance"]


@pytest.mark.parametrize(
    ("sql", "since", "expected"),
    [
        ("ALTER TABLE logs VALIDATE CONSTRAINT c, ALTER x SET DEFAULT 1", 2, ["check-scan"]),
        ("ALTER TABLE logs ADD CHECK (x > 0) -- VALIDATE CONSTRAINT comes later", 2, ["check-scan"]),
        ("ALTER TABLE logs VALIDATE CONSTRAINT c", 1, []),
    ],
)
def test_a_validation_blocks_nobody_unless_its_own_statement_takes_the_lock(
    sql: str, since: int, expected: list[str]
) -> None:
    lock = HeldLock(LOGS, LockMode.ACCESS_EXCLUSIVE, since)
    work = RowWork(WorkKind.VERIFICATION, LOGS)
    statement = ObservedStatement(2, 1, "new", sql, "ALTER TABLE", locks=(lock,), works=(work,))
    facts = Facts("app", Replay(observation=Observation("change", ("new",), (statement,), (LOGS,))))
    assert [item.kind for item in find_blocking_works(facts)] == expected
    assert bool(list(find_works_under_lock(facts))) == (not expected)
