"""A revision may have ten thousand statements: what is logged and read of its locks grows like them."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from migration_gate.facts import History, Observation, ObservedStatement, held_locks
from migration_gate.facts.held_locks import HeldLocks
from migration_gate.replay import history_end, observation_log
from migration_gate.replay.observation_log import LogMessage
from migration_gate.replay.observed_statements import LATE_READINGS, build_observation
from tests.replay.test_observation import describe_all, run_new_revisions
from tests.support.counted_work import count_lines
from tests.support.release_tests import first_in_every_run
from tests.support.replay_engine import Engine

pytestmark = pytest.mark.slow
SETTINGS = {"rollback": "off", "snapshots": "none"}
FEW, MANY = 30, 60
ALLOWED_GROWTH = 2.4
"""where there are twice as many statements"""
LIMITS: dict[str, dict[str, int]] = {
    "whole lists": {"MANY_ITEMS": 10_000},
    "only what is new": {"MANY_ITEMS": 4},
    "not after each statement": {
        "MANY_ITEMS": 4,
        "READING_BUDGET": 0,
        "LOCK_BUDGET": 0,
        "ROWS_PER_POINT": 30,
    },
}
UNDONE = """
connection = op.get_bind()
undone = connection.begin_nested()
op.execute("lock table other in share mode")
undone.rollback()
"""
ALTERED = 'for i in range({number}):\n    op.execute(f"alter table m{{i}} add x int")\n'
REST = """
for i in range({number}):
    op.execute(f"update m{{i}} set x = 1")
op.execute("alter table m3 alter a type bigint")
op.execute("truncate m4")
op.execute("create table made (id int primary key, a int references other)")
op.execute("create index on m5 (a)")
op.execute("alter table m5 rename to renamed; update other set id = 2")
block = "for i in 6..20 loop execute format('alter table m%s alter a set not null', i); end loop"
op.execute("do $$ begin " + block + "; end $$")
"""
ALTERATIONS = (
    'for i in range({number}):\n    op.execute(f"alter table m{{i}} add x int; update m{{i}} set x = 1")'
)


@pytest.fixture
def logged(monkeypatch: pytest.MonkeyPatch) -> list[LogMessage]:
    """The messages of the newest run."""
    messages: list[LogMessage] = []

    def read(*arguments: object) -> tuple[LogMessage, ...]:
        messages[:] = observation_log.read_observed_log(*arguments)  # type: ignore[arg-type]
        return tuple(messages)

    monkeypatch.setattr(history_end, "read_observed_log", read)
    return messages


def observe(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, limits: str, body: str, number: int
) -> Observation:
    monkeypatch.setattr(held_locks, "FEW_LOCKS", 4)
    for name, value in LIMITS[limits].items():
        monkeypatch.setattr(observation_log, name, value)
    before = 'op.execute("create table other (id int primary key)")\n' + (
        f'for i in range({number}):\n    op.execute(f"create table m{{i}} (a int)")'
    )
    ran = run_new_revisions(engine, body.format(number=number), before=before, **SETTINGS)
    assert ran.replay.failure is None, ran.replay.failure
    return ran.replay.observation


def describe_locks(statements: Sequence[ObservedStatement]) -> list[list[str]]:
    return [[f"{lock.since} {lock.mode} {lock.relation}" for lock in item.locks] for item in statements]


@pytest.mark.release
def test_the_facts_are_the_same_however_much_is_logged(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, new, late = (observe(engine, monkeypatch, limits, ALTERED + REST, FEW) for limits in LIMITS)
    assert whole.remarks == new.remarks == ()
    assert late.remarks == (LATE_READINGS.format(revision="new0"),)
    assert describe_all(whole.statements) == describe_all(new.statements) == describe_all(late.statements)
    assert (
        describe_locks(whole.statements) == describe_locks(new.statements) == describe_locks(late.statements)
    )
    assert "UPDATE: -: rows m29" in describe_all(whole.statements)
    assert isinstance(whole.statements[-1].locks, HeldLocks)


def test_a_lock_that_a_savepoint_releases_is_gone_from_a_long_list(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = ALTERED + UNDONE + ALTERED.replace("add x", "add y")
    whole, new = (observe(engine, monkeypatch, limits, body, FEW) for limits in [*LIMITS][:2])
    assert describe_locks(whole.statements) == describe_locks(new.statements)
    held = [[str(lock.relation) for lock in new.statements[FEW + number].locks] for number in (0, 1)]
    assert ["other" in names for names in held] == [True, False]


@pytest.mark.parametrize("limits", first_in_every_run([*LIMITS][:0:-1], 1))
def test_twice_as_many_statements_are_twice_as_much_to_log_and_to_read(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, logged: list[LogMessage], limits: str
) -> None:
    sizes, works = [], []
    for number in (FEW, MANY):
        observe(engine, monkeypatch, limits, ALTERATIONS, number)
        messages = [message for message in logged if message.point is not None]
        sizes.append(sum(len(message.text) for message in messages))
        works.append(count_lines(lambda: read_again(logged)))
    assert sizes[1] <= ALLOWED_GROWTH * sizes[0], sizes
    assert works[1] <= ALLOWED_GROWTH * works[0], works


def read_again(messages: Sequence[LogMessage]) -> Observation:
    steps = {message.point.step: "new0" for message in messages if message.point and message.point.step}
    return build_observation(messages, steps, History(), scope="change", version_tables=())
