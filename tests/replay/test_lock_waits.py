"""A migration that waits for a lock of its own: the failure has both statements."""

from __future__ import annotations

import pytest

from migration_gate.analysis.failure_causes import suggest_fix
from migration_gate.analysis.failure_fixes import USE_ONE_CONNECTION
from migration_gate.errors import TimedOut
from migration_gate.replay.lock_waits import find_deadlock, find_lock_wait
from tests.replay.test_observation import run_new_revisions
from tests.support.replay_engine import Engine

DEADLOCK = """
import threading
engine = sa.create_engine(op.get_bind().engine.url)
op.execute("lock table item in share mode")
ready = threading.Event()
def other():
    with engine.begin() as connection:
        connection.exec_driver_sql("set deadlock_timeout = '1h'")
        connection.exec_driver_sql("alter table thing add k int")
        ready.set()
        connection.exec_driver_sql("update item set name = 'a'")
worker = threading.Thread(target=other)
worker.start()
ready.wait()
try:
    op.execute("alter table thing add j int")
finally:
    worker.join()
"""
WAIT_IN_PYTHON = """
op.execute("lock table item in share mode")
with sa.create_engine(op.get_bind().engine.url).begin() as connection:
    connection.exec_driver_sql("{settings}")
    connection.exec_driver_sql("alter table item add j int")
"""
WAIT = (
    "It waited for AccessExclusiveLock behind another session of the migration, whose last statement was: "
    "lock table item in share mode"
)
LOG = """\
now|1|00000|app|one|LOG:  statement: lock table item
now|2|00000|app|one|LOG:  process 2 still waiting for ShareLock on relation 5 of database 1 after 200.1 ms
now|2|00000|app|one|DETAIL:  Process holding the lock: 1. Wait queue: 2.
{arrival}now|2|57014|app|one|ERROR:  canceling statement due to statement timeout
now|2|57014|app|one|STATEMENT:  create index on item (name)
"""


@pytest.mark.slow
def test_a_deadlock_is_reported_with_both_statements(engine: Engine) -> None:
    failure = run_new_revisions(
        engine, DEADLOCK, before='op.execute("create table thing (i int)")'
    ).replay.failure
    assert failure is not None
    assert (failure.sqlstate, failure.hint) == ("40P01", None)
    assert "alter table thing add j int" in (failure.detail or "")
    assert "update item set name = 'a'" in (failure.detail or "")


@pytest.mark.slow
def test_a_wait_that_only_python_knows_to_be_endless_is_ended_and_explained(engine: Engine) -> None:
    ran = run_new_revisions(engine, WAIT_IN_PYTHON.format(settings="set lock_timeout = '600ms'"))
    failure = ran.replay.failure
    assert failure is not None
    assert (failure.sqlstate, failure.detail) == ("55P03", WAIT)
    assert failure.statement == "alter table item add j int"
    assert suggest_fix(failure, ran.replay) == USE_ONE_CONNECTION
    with pytest.raises(TimedOut, match="waited for a lock until its time limit") as caught:
        run_new_revisions(engine, WAIT_IN_PYTHON.format(settings="select 1"), statement_seconds=2.0)
    assert caught.value.evidence == f"alter table item add j int\n{WAIT}"
    assert "one connection" in caught.value.advice


def test_only_the_wait_that_was_ended_counts() -> None:
    assert "lock table item" in (find_lock_wait(LOG.format(arrival=""), "one") or "")
    arrival = "now|2|00000|app|one|LOG:  process 2 acquired ShareLock on relation 5 after 300 ms\n"
    assert find_lock_wait(LOG.format(arrival=arrival), "one") is None
    assert find_lock_wait(LOG.format(arrival=""), "other") is None
    failed = "now|2|55P03|app|one|ERROR:  canceling statement due to lock timeout\n"
    later = "now|2|00000|app|one|LOG:  statement: do 'begin loop null; end loop; end'\n"
    for ended in (failed, later, failed + later):
        assert find_lock_wait(LOG.format(arrival=ended), "one") is None, "an earlier wait explains nothing"


def test_a_deadlock_has_its_statements_where_the_server_tells_them_in_its_own_log_alone() -> None:
    detail = "Process 1 waits for ShareLock on a; blocked by process 2.\n\tProcess 2 waits for ShareLock on b"
    log = (
        "|1|00000||one|LOG:  statement: lock table a\n|2|00000||one|LOG:  statement: lock table b\n"
        f"|1|40P01||one|ERROR:  deadlock detected\n|1|00000||one|DETAIL:  {detail}"
    )
    told = detail.replace("\t", "") + "\nProcess 1: lock table a\nProcess 2: lock table b"
    assert find_deadlock(f"{log}\n", "one") == told
    complete = f"{log}\n\tProcess 1: other a\n\tProcess 2: other b\n"
    assert (find_deadlock(complete, "one") or "").count("other") == 2
    assert "lock table" not in (find_deadlock(complete, "one") or "")
