"""What the project's own objects do to the gate's sessions ends a trial, is said, and ends nothing else."""

from __future__ import annotations

import pytest

from migration_gate.facts import Replay
from tests.replay.test_rollback import write_project
from tests.support.project_files import revision_text
from tests.support.replay_engine import Engine

pytestmark = pytest.mark.slow
TABLE = 'op.execute("CREATE TABLE item (id serial PRIMARY KEY, a int, b text)")\n'
TRIGGER = (
    'op.execute("CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM {0}; RETURN new; '
    'END $$; CREATE TRIGGER g BEFORE INSERT ON item FOR EACH ROW EXECUTE FUNCTION f()")'
)
ENDS_SESSION = TRIGGER.format("pg_terminate_backend(pg_backend_pid())")
ENDS_STATEMENT = TRIGGER.format("pg_cancel_backend(pg_backend_pid()), pg_sleep(9)")
ENDS_LATE = (
    'op.execute("CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM '
    "pg_terminate_backend(pg_backend_pid()); RETURN NULL; END $$; CREATE CONSTRAINT TRIGGER g AFTER INSERT "
    'ON item DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION f()")'
)


def replay(engine: Engine, base: str) -> Replay:
    """A new revision behind the base, rehearsed and rolled back."""
    texts = [
        revision_text("0", None, TABLE + base),
        revision_text("1", "0", 'op.execute("ALTER TABLE item ADD c int")', 'op.drop_column("item", "c")'),
    ]
    folder = write_project(engine.folder(), *texts)
    path = "migrations/versions/02.py"
    return engine.run(folder, changed=(str(folder.resolve() / path),), new_files=(path,)).replay


@pytest.mark.parametrize("base", [ENDS_SESSION, ENDS_LATE], ids=["a trigger", "a deferred trigger"])
def test_a_session_that_the_project_ends_leaves_its_trials_unchecked(engine: Engine, base: str) -> None:
    ran = replay(engine, base)
    assert sorted(item.object for item in ran.unchecked) == ["rehearsal", "rollback of 1"]
    assert all("57P01 terminating connection" in item.why for item in ran.unchecked)
    assert all("PL/pgSQL function f()" in item.why for item in ran.unchecked)
    assert ran.is_complete


def test_statements_that_the_project_ends_leave_a_table_without_rows(engine: Engine) -> None:
    ran = replay(engine, ENDS_STATEMENT)
    (table,) = ran.rehearsal.rowless
    assert (table.name, table.refusal) == ("item", "canceling statement due to user request")
    assert [(item.object, item.is_foreseen) for item in ran.unchecked] == [("rehearsal", True)]


def test_the_gates_own_sessions_do_not_take_what_a_project_sets_for_all_roles(engine: Engine) -> None:
    settings = ("default_transaction_read_only = on", "lock_timeout = '1ms'", "statement_timeout = '9h'")
    with engine.server.connect() as connection:
        try:
            for setting in settings:
                connection.execute(f"alter role all set {setting}".encode())
            with engine.server.connect() as later:
                names = [setting.partition(" ")[0] for setting in settings]
                values = [later.execute(f"show {name}".encode()).fetchone() for name in names]
        finally:
            for setting in settings:
                connection.execute(f"alter role all reset {setting.partition(' ')[0]}".encode())
    assert values == [("off",), ("0",), ("0",)]
