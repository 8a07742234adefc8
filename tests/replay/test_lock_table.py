"""A server whose lock table is full is not the revision's fault."""

from __future__ import annotations

from dataclasses import replace

import psycopg
import pytest

from migration_gate.errors import DatabaseRefused
from migration_gate.postgres.server import Server
from migration_gate.replay.lock_table import report_full_lock_table, verify_lock_table
from migration_gate.replay.worker_answer import AnswerReader
from migration_gate.worker.protocol.reported_error import ErrorReport
from migration_gate.worker.protocol.run_lines import RunFailed
from tests.support.alembic_projects import STANDARD, after, lay
from tests.support.replay_engine import Engine

pytestmark = pytest.mark.slow
HINT = "You might need to increase max_locks_per_transaction."
FULL = f"RAISE EXCEPTION USING ERRCODE = '53200', MESSAGE = 'out of shared memory', HINT = '{HINT}'"
"""what Postgres raises itself"""
CAUGHT = """
try:
    with op.get_bind().begin_nested():
        op.execute("DO $$ BEGIN {full}; END $$")
except Exception:
    pass
"""


def verify(engine: Engine, server: Server, body: str) -> None:
    ran = engine.run(lay(engine.folder(), after(STANDARD, body)))
    verify_lock_table(server, AnswerReader(ran.folder, ran.lines))


def test_a_full_lock_table_is_told_with_its_size(engine: Engine) -> None:
    with pytest.raises(DatabaseRefused) as caught:
        verify(engine, engine.server, f'op.execute("DO $$ BEGIN {FULL}; END $$")')
    assert "max_locks_per_transaction is 1024, which is room for 112,640 locks" in caught.value.message
    assert "autocommit_block" in caught.value.advice
    assert HINT in caught.value.evidence


def test_a_server_of_the_users_own_is_to_get_the_setting(engine: Engine) -> None:
    with pytest.raises(DatabaseRefused, match="no room for another lock") as caught:
        verify(engine, replace(engine.server, token=""), CAUGHT.format(full=FULL))
    assert "Set `max_locks_per_transaction = 4096`" in caught.value.advice


def test_memory_that_is_used_up_otherwise_is_about_the_statement(engine: Engine) -> None:
    error = FULL.replace("shared memory", "memory").replace(HINT, "Free some.")
    verify(engine, engine.server, f'op.execute("DO $$ BEGIN {error}; END $$")')


@pytest.mark.parametrize(("token", "advice"), [("", "max_locks_per_transaction = 4096"), ("t", "more room")])
def test_a_session_of_the_gates_own_is_told_likewise(engine: Engine, token: str, advice: str) -> None:
    server = replace(engine.server, token=engine.server.token and token)
    with (
        pytest.raises(DatabaseRefused, match="no room for another lock") as caught,
        report_full_lock_table(server),
        server.connect() as connection,
    ):
        connection.execute(f"DO $$ BEGIN {FULL}; END $$".encode())
    assert advice in caught.value.advice
    assert "out of shared memory" in caught.value.evidence


def test_another_error_of_the_gates_own_is_raised_as_it_is(engine: Engine) -> None:
    with (
        pytest.raises(psycopg.errors.DivisionByZero),
        report_full_lock_table(engine.server),
        engine.server.connect() as connection,
    ):
        connection.execute(b"select 1/0")


def test_what_the_models_find_no_room_for_is_not_the_migrations_doing(engine: Engine) -> None:
    error = ErrorReport("out of shared memory", sqlstate="53200", hint=HINT, statement="drop table a, b")
    answer = AnswerReader(engine.folder(), [RunFailed(stage="models", error=error)])
    with pytest.raises(DatabaseRefused, match="the tables of the models beside those") as caught:
        verify_lock_table(engine.server, answer)
    assert "the migrations hold" not in caught.value.message
    assert caught.value.evidence == f"drop table a, b\n{HINT}"
