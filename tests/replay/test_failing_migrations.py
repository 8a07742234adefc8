"""A failing migration is a fact: revision, file, line, statement, Postgres's message, the first error."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent, indent

import pytest

from migration_gate.checks import failing_upgrade
from migration_gate.errors import TimedOut
from migration_gate.facts import Facts
from tests.support.alembic_projects import STANDARD, Rev, after, async_env, env, instead, lay, line_of
from tests.support.release_tests import first_in_every_run
from tests.support.replay_engine import Engine
from tests.support.worker_interpreters import python

pytestmark = pytest.mark.slow
PER_MIGRATION = "transaction_per_migration=True"
BOTH = pytest.mark.parametrize("configure", ["", PER_MIGRATION], ids=["one transaction", "one per migration"])
DIVISION = 'op.execute("SELECT 1")\nop.execute("SELECT 1 / 0")\n'


@BOTH
@pytest.mark.parametrize("versions", ["newest", "oldest"])
def test_a_failing_upgrade_ends_the_replay(engine: Engine, configure: str, versions: str) -> None:
    folder = lay(engine.folder(), instead(STANDARD, "0004", DIVISION), env(configure=configure))
    ran = engine.run(folder, python(versions))
    failure = ran.replay.failure
    assert failure is not None
    assert (failure.message, failure.sqlstate, failure.exception_class) == (
        "division by zero",
        "22012",
        "DivisionByZero",
    )
    assert (failure.revision, failure.statement, failure.first_error) == ("0004", "SELECT 1 / 0", None)
    assert str(failure.location) == f"migrations/versions/0004.py:{line_of(folder, '0004', '1 / 0')}"
    assert [step.revision for step in ran.replay.steps] == ["0001", "0002", "0003"]
    assert ran.tables == ([] if not configure else ["posts", "users"])
    assert failure.traceback[-1].startswith("migrations/versions/0004.py:")


@pytest.mark.parametrize("driver", first_in_every_run(["asyncpg", "psycopg", "pg8000", "psycopg2"], 2))
def test_every_driver_reports_the_same_error(engine: Engine, driver: str) -> None:
    env_py = async_env() if driver == "asyncpg" else env()
    body = 'op.execute("ALTER TABLE postz ADD x int")'
    url = f"postgresql+{driver}://app@db.invalid/app"
    ran = engine.run(lay(engine.folder(), instead(STANDARD, "0004", body), env_py, url=url))
    failure = ran.replay.failure
    assert failure is not None
    assert (failure.message, failure.sqlstate) == ('relation "postz" does not exist', "42P01")
    assert (failure.statement, failure.revision) == ("ALTER TABLE postz ADD x int", "0004")


def test_the_hint_of_postgres_is_reported(engine: Engine) -> None:
    body = """
    op.execute("INSERT INTO users (id, name) VALUES (1, 'a')")
    op.execute("INSERT INTO posts (user_id) SELECT idd FROM users")
    """
    failure = engine.run(lay(engine.folder(), instead(STANDARD, "0004", body))).replay.failure
    assert failure is not None
    assert failure.message == 'column "idd" does not exist'
    assert failure.hint == 'Perhaps you meant to reference the column "users.id" or the column "posts.id".'


def test_a_new_enum_value_cannot_be_used_in_the_transaction_that_added_it(engine: Engine) -> None:
    add = "op.execute(\"ALTER TYPE user_status ADD VALUE 'banned'\")"
    use = "op.execute(\"ALTER TABLE users ADD status user_status DEFAULT 'banned'\")"
    revisions = after(STANDARD, add, use)
    failure = engine.run(lay(engine.folder(), revisions)).replay.failure
    assert failure is not None
    assert (failure.sqlstate, failure.revision) == ("55P04", "0007")
    assert failure.message == 'unsafe use of new value "banned" of enum type user_status'
    ran = engine.run(lay(engine.folder(), revisions, env(configure=PER_MIGRATION)))
    assert ran.replay.failure is None


def test_an_index_cannot_be_created_concurrently_inside_a_transaction(engine: Engine) -> None:
    body = 'op.create_index("ix", "posts", ["title"], postgresql_concurrently=True)'
    folder = lay(engine.folder(), after(STANDARD, body), env(configure=PER_MIGRATION))
    ran = engine.run(folder)
    assert ran.replay.failure is not None
    assert ran.replay.failure.message == "CREATE INDEX CONCURRENTLY cannot run inside a transaction block"
    assert ran.replay.failure.location is not None
    assert ran.replay.failure.location.line == line_of(folder, "0006", "op.create_index")
    assert ran.replay.arrived_heads == ("0005",)


@BOTH
def test_a_deferred_constraint_fails_at_the_commit(engine: Engine, configure: str) -> None:
    body = """
    op.execute("ALTER TABLE posts ALTER CONSTRAINT posts_user DEFERRABLE INITIALLY DEFERRED")
    op.execute("INSERT INTO posts (user_id) VALUES (999)")
    """
    ran = engine.run(lay(engine.folder(), after(STANDARD, body), env(configure=configure)))
    failure = ran.replay.failure
    assert failure is not None
    assert failure.message == 'insert or update on table "posts" violates foreign key constraint "posts_user"'
    assert (failure.sqlstate, failure.detail) == (
        "23503",
        'Key (user_id)=(999) is not present in table "users".',
    )
    assert failure.revision == (
        "0006" if configure else None
    )  # one transaction for all: any may have done it
    assert ran.replay.arrived_heads == (("0005",) if configure else ())


CAUGHT = """
try:
    op.execute("ALTER TABLE postz ADD x int")
except Exception:
    pass
op.execute("SELECT 1")
"""


def _assert_caught_error_is_reported(engine: Engine, folder: Path) -> None:
    failure = engine.run(folder).replay.failure
    assert failure is not None
    assert failure.first_error is not None
    assert (failure.first_error.message, failure.first_error.sqlstate) == (
        'relation "postz" does not exist',
        "42P01",
    )
    assert failure.first_error.statement == "ALTER TABLE postz ADD x int"
    assert (
        str(failure.first_error.location) == f"migrations/versions/0004.py:{line_of(folder, '0004', 'postz')}"
    )


@pytest.mark.parametrize("driver", first_in_every_run(["asyncpg", "psycopg", "pg8000", "psycopg2"], 2))
def test_the_first_error_is_reported_where_the_migration_caught_sqlalchemys(
    engine: Engine, driver: str
) -> None:
    env_py = async_env() if driver == "asyncpg" else env()
    url = f"postgresql+{driver}://app@db.invalid/app"
    folder = lay(engine.folder(), instead(STANDARD, "0004", CAUGHT), env_py, url=url)
    _assert_caught_error_is_reported(engine, folder)


@pytest.mark.parametrize("driver", first_in_every_run(["psycopg", "psycopg2", "pg8000"], 2))
def test_the_first_error_is_reported_where_the_migration_caught_the_drivers_own(
    engine: Engine, driver: str
) -> None:
    body = """
    cursor = op.get_bind().connection.cursor()
    try:
        cursor.execute("ALTER TABLE postz ADD x int")
    except Exception:
        pass
    op.execute("SELECT 1")
    """
    url = f"postgresql+{driver}://app@db.invalid/app"
    folder = lay(engine.folder(), instead(STANDARD, "0004", body), url=url)
    _assert_caught_error_is_reported(engine, folder)


def test_an_error_that_was_rolled_back_is_not_the_first(engine: Engine) -> None:
    body = """
    try:
        with op.get_bind().begin_nested():
            op.execute("ALTER TABLE postz ADD x int")
    except Exception:
        pass
    op.execute("SAVEPOINT mine")
    try:
        op.execute("ALTER TABLE postz ADD y int")
    except Exception:
        op.execute("ROLLBACK TO SAVEPOINT mine")
    op.execute("SELECT 1 / 0")
    """
    ran = engine.run(lay(engine.folder(), instead(STANDARD, "0004", body)))
    assert ran.replay.failure is not None
    assert (ran.replay.failure.message, ran.replay.failure.first_error) == ("division by zero", None)


def test_a_caught_error_is_a_statement_with_an_error(engine: Engine) -> None:
    body = """
    try:
        with op.get_bind().begin_nested():
            op.execute("ALTER TABLE postz ADD x int")
    except Exception:
        pass
    """
    folder = lay(engine.folder(), instead(STANDARD, "0004", body))
    ran = engine.run(folder)
    assert ran.replay.failure is None
    statement = next(s for s in ran.replay.steps[3].statements if s.error)
    assert statement.error is not None
    assert (statement.error.sqlstate, statement.line) == ("42P01", line_of(folder, "0004", "postz"))
    assert tuple(map(str, ran.replay.steps[3].transactions)) == ("savepoint@0", "rollback to savepoint@2")


def test_an_exception_of_the_revisions_own_code_is_reported_with_its_line(engine: Engine) -> None:
    folder = lay(engine.folder(), instead(STANDARD, "0004", "raise ValueError('no such tenant')"))
    failure = engine.run(folder).replay.failure
    assert failure is not None
    assert (failure.message, failure.exception_class, failure.revision) == (
        "ValueError: no such tenant",
        "ValueError",
        "0004",
    )
    assert str(failure.location) == f"migrations/versions/0004.py:{line_of(folder, '0004', 'raise')}"


def test_a_statement_is_ended_at_its_time_limit(engine: Engine) -> None:
    folder = lay(engine.folder(), instead(STANDARD, "0004", 'op.execute("SELECT pg_sleep(600)")'))
    with pytest.raises(TimedOut) as caught:
        engine.run(folder, statement_seconds=5)
    assert caught.value.message.startswith("A statement of revision 0004 took longer than its time limit")
    assert "limits: {statement: ...}" in caught.value.advice


LONG = "0001_a_revision_id_with_more_than_thirty_two_characters"


def test_the_advice_on_a_long_revision_id_works_on_an_empty_database(engine: Engine) -> None:
    failed = engine.run(lay(engine.folder(), [Rev(LONG, 'op.execute("CREATE TABLE a (id int)")')]))
    (finding,) = failing_upgrade.check(Facts("", failed.replay))
    code = dedent(finding.fix.split("begin_transaction():`")[1])
    env_py = env(run=f"with context.begin_transaction():\n{indent(code, '    ')}")
    ran = engine.run(lay(engine.folder(), [Rev(LONG, 'op.execute("CREATE TABLE a (id int)")')], env_py))
    assert (ran.replay.failure, ran.replay.arrived_heads) == (None, (LONG,))
