"""Which COMMITs end the transaction that Alembic began, and which one that the revision began itself."""

from __future__ import annotations

from textwrap import dedent, indent

import pytest

from migration_gate.analysis.swallowed_errors import find_raw_commits
from tests.support.alembic_projects import Rev, async_env, env, lay
from tests.support.replay_engine import Engine

pytestmark = pytest.mark.slow
PER_MIGRATION = "transaction_per_migration=True"
OWN_TRANSACTIONS = {
    "a lock timeout": """
        with op.get_context().autocommit_block():
            op.execute("BEGIN")
            op.execute("SET LOCAL lock_timeout = '5s'")
            op.execute("ALTER TABLE a ADD b1 int")
            op.execute("COMMIT")
        """,
    "a DO block": """
        with op.get_context().autocommit_block():
            op.execute("DO $$ BEGIN UPDATE a SET id = 1; COMMIT; END $$")
        """,
    "a procedure": """
        op.execute("CREATE PROCEDURE p() LANGUAGE plpgsql AS $$ BEGIN UPDATE a SET id = 1; COMMIT; END $$")
        with op.get_context().autocommit_block():
            op.execute("CALL p()")
        """,
    "an engine of its own": """
        with sa.create_engine(op.get_bind().engine.url).connect() as connection:
            connection.execute(sa.text("CREATE TABLE e (id int)"))
            connection.execute(sa.text("COMMIT"))
        """,
    "savepoints": """
        op.execute("SAVEPOINT s")
        op.execute("ALTER TABLE a ADD b2 int")
        op.execute("ROLLBACK TO SAVEPOINT s")
        op.execute("ROLLBACK TO s")
        op.execute("RELEASE s")
        with op.get_bind().begin_nested():
            op.execute("ALTER TABLE a ADD b2 int")
        """,
    "a function in standard SQL": """
        op.execute("CREATE FUNCTION f() RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT 1; SELECT 2; END")
        """,
}
"""bodies that leave Alembic's transaction alone"""
ENDED = {
    "a COMMIT": """op.execute("COMMIT")""",
    "a pair": """
        op.execute("COMMIT")
        op.execute("ALTER TABLE a ADD c1 int")
        op.execute("BEGIN")
        """,
    "a driver's statement": """op.get_bind().exec_driver_sql("rollback")""",
    "after an autocommit block": """
        with op.get_context().autocommit_block():
            op.execute("BEGIN")
            op.execute("COMMIT")
        op.execute("ALTER TABLE a ADD c2 int")
        op.execute("COMMIT")
        """,
}
"""bodies that end it"""
SEVERAL = '"BEGIN; ALTER TABLE a ADD {}; COMMIT;"'
"""one string of several statements, which asyncpg does not take"""


def make_history(*bodies: str) -> list[Rev]:
    first = 'op.create_table("a", sa.Column("id", sa.Integer))'
    texts = [first, *(dedent(body) for body in bodies)]
    return [Rev(str(n), text, str(n - 1) if n else None) for n, text in enumerate(texts)]


def count_raw_commits(engine: Engine, revisions: list[Rev], env_py: str, url: str) -> list[int]:
    ran = engine.run(lay(engine.folder(), revisions, env_py, url=url))
    assert ran.replay.failure is None
    return [len(list(find_raw_commits(ran.replay, step))) for step in ran.replay.steps]


@pytest.mark.parametrize("driver", ["psycopg2", "asyncpg"])
def test_a_commit_is_found_where_it_ends_the_transaction_of_alembic(engine: Engine, driver: str) -> None:
    own, ended = list(OWN_TRANSACTIONS.values()), list(ENDED.values())
    if driver == "asyncpg":  # a synchronous engine of its own it cannot have
        own.remove(OWN_TRANSACTIONS["an engine of its own"])
    else:
        block = "with op.get_context().autocommit_block():\n" + indent(
            f"op.execute({SEVERAL.format('b9 int')})", " " * 4
        )
        own.append(block)
        ended.append(f"op.execute({SEVERAL.format('c9 int')})")
    env_py = (async_env if driver == "asyncpg" else env)(configure=PER_MIGRATION)
    counts = count_raw_commits(
        engine, make_history(*own, *ended), env_py, f"postgresql+{driver}://app@db.invalid/app"
    )
    assert counts == [0] * (len(own) + 1) + [1] * len(ended)


def test_a_commit_on_a_connection_that_commits_each_statement_ends_nothing(engine: Engine) -> None:
    env_py = env(connect="engine.connect().execution_options(isolation_level='AUTOCOMMIT')")
    body = 'op.execute("BEGIN")\nop.execute("ALTER TABLE a ADD b int")\nop.execute("COMMIT")'
    counts = count_raw_commits(engine, make_history(body), env_py, "postgresql://app@db.invalid/app")
    assert counts == [0, 0]
