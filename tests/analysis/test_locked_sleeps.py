"""A sleep is reported if a lock was there before it, whatever text it stands in."""

from __future__ import annotations

import pytest

from migration_gate.checks import work_under_lock
from migration_gate.facts import (
    Facts,
    HeldLock,
    LockMode,
    Observation,
    ObservedStatement,
    Replay,
    StoredRelation,
)

ITEM = StoredRelation("public", "item")
ALTER = "alter table item add x int"


def find(*statements: ObservedStatement) -> list[str]:
    facts = Facts("app", Replay(observation=Observation(revisions=("new",), statements=statements)))
    return [f"{item.kind}: {item.message}" for item in work_under_lock.check(facts)]


def statement(
    number: int, sql: str, *, since: int = 0, mode: LockMode = LockMode.ACCESS_EXCLUSIVE, client: str = ""
) -> ObservedStatement:
    locks = (HeldLock(ITEM, mode, since),) if since else ()
    return ObservedStatement(number, 1, "new", sql, client_sql=client, transaction=1, locks=locks)


@pytest.mark.parametrize(
    ("statements", "sleeps"),
    [
        ([statement(1, ALTER, since=1), statement(2, "select pg_sleep(9)", since=1)], True),
        ([statement(1, ALTER, since=1), statement(2, "SELECT pg_sleep_for ('9 s')", since=1)], True),
        (
            [statement(1, ALTER, since=1), statement(2, "select 'pg_sleep(1)'", since=1)],
            False,
        ),
        ([statement(1, ALTER, since=1), statement(2, "select 1 -- pg_sleep(1)", since=1)], False),
        ([statement(1, "select pg_sleep(9)"), statement(2, ALTER, since=2)], False),
        ([statement(1, ALTER, since=1, client=f"{ALTER}; select pg_sleep(9)")], True),
        ([statement(1, ALTER, since=1, client=f"select pg_sleep(9); {ALTER}")], False),
        ([statement(1, ALTER, since=1, client=f"do $$ begin {ALTER}; perform pg_sleep(9); end $$")], True),
        ([statement(1, "do $$ begin lock table item; perform pg_sleep(9); end $$", since=1)], True),
        ([statement(1, "do $$ begin perform pg_sleep(9); lock table item; end $$", since=1)], False),
        (
            [
                statement(1, "select 1", mode=LockMode.ROW_EXCLUSIVE, since=1),
                statement(2, "select pg_sleep(9)", mode=LockMode.ROW_EXCLUSIVE, since=1),
            ],
            False,
        ),
    ],
)
def test_a_sleep_counts_after_the_lock_only(statements: list[ObservedStatement], sleeps: bool) -> None:
    words = "sleep: `item` is locked while the session sleeps (`pg_sleep`): reads and writes wait"
    assert find(*statements) == ([words] if sleeps else [])


def test_a_text_of_several_statements_sleeps_once() -> None:
    text = f"{ALTER}; alter table item add y int; select pg_sleep(9)"
    parts = [ALTER, "alter table item add y int"]
    statements = [statement(number, sql, since=1, client=text) for number, sql in enumerate(parts, 1)]
    assert len(find(*statements)) == 1
