"""One history, every kind of env.py: the same steps, statements, lines, tables and origins."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from migration_gate.analysis.origin import find_origin
from migration_gate.errors import DatabaseRefused
from tests.support import fact_builders
from tests.support.alembic_projects import STANDARD, async_env, env, lay, line_of
from tests.support.release_tests import first_in_every_run, spread_over_every_run
from tests.support.replay_engine import Engine, Ran
from tests.support.worker_interpreters import python

pytestmark = pytest.mark.slow
PER_MIGRATION = "transaction_per_migration=True"
NO_BOUNDARIES: tuple[str, ...] = ()
"""boundaries of a step inside one transaction for all"""


@dataclass(frozen=True)
class Kind:
    """A kind of env.py, and what the second step's transaction boundaries look like with it."""

    env: str
    transactions: tuple[str, ...] = NO_BOUNDARIES
    settings: dict[str, Any] = field(default_factory=dict)
    url: str = "postgresql+{driver}://app@db.invalid/app"
    driver: str = "psycopg2"
    version_table: str = "public.alembic_version"
    ini: str = ""


OWN_TRANSACTION = ("begin@0", "commit@1")
"""boundaries of a step in a transaction of its own"""
USED_BEFORE = """
connection.execute(text("SELECT 1"))
connection.rollback()
"""
SESSION = """
connection.execute(text("SET lock_timeout = '4s'"))
connection.execute(text("SET search_path TO public"))
connection.execute(text("SELECT pg_advisory_lock(42)"))
connection.execute(text("SET ROLE postgres"))
connection.commit()
"""
CONNECTION_ATTRIBUTE = """
connection = config.attributes.get("connection", None)
if connection is not None:
    raise LookupError("there is a connection already")
"""
CHECK = """
from alembic.script import ScriptDirectory
script = ScriptDirectory.from_config(config)
assert script.get_current_head() == "0005"
assert config.cmd_opts.cmd.__name__ if hasattr(config.cmd_opts.cmd, "__name__") else config.cmd_opts.cmd
assert context.get_head_revisions() == ("0005",)
assert context.get_revision_argument() in ("0005", ("0005",))
assert context.get_tag_argument() is None
"""
HEADS = """
def applied(ctx, step, heads, run_args, **keywords):
    assert run_args == {"reason": "test"}
"""
EXTERNAL = """
transaction = connection.begin()
"""
KINDS = {
    "one transaction": Kind(env()),
    "a transaction per migration": Kind(env(configure=PER_MIGRATION), OWN_TRANSACTION),
    "a transaction around all": Kind(env(connect="engine.begin()")),
    "a transaction before configure": Kind(
        env(before=EXTERNAL, run="context.run_migrations()\ntransaction.commit()")
    ),
    "an engine that commits each statement": Kind(
        env(engine="create_engine('postgresql+psycopg2://app@db.invalid/app', isolation_level='AUTOCOMMIT')"),
    ),
    "execution options that commit each statement": Kind(
        env(connect="engine.connect().execution_options(isolation_level='AUTOCOMMIT')"),
    ),
    "asynchronous": Kind(async_env(), driver="asyncpg"),
    "asynchronous, a transaction per migration": Kind(
        async_env(configure=PER_MIGRATION), OWN_TRANSACTION, driver="asyncpg"
    ),
    "asynchronous psycopg": Kind(async_env(configure=PER_MIGRATION), OWN_TRANSACTION, driver="psycopg"),
    "asynchronous, an external transaction": Kind(async_env(connect="engine.begin()"), driver="asyncpg"),
    "psycopg": Kind(env(configure=PER_MIGRATION), OWN_TRANSACTION, driver="psycopg"),
    "pg8000": Kind(env(configure=PER_MIGRATION), OWN_TRANSACTION, driver="pg8000"),
    "arguments of the command line, and heads": Kind(env(top=CHECK)),
    "asynchronous, unless there is a connection": Kind(async_env(top=CONNECTION_ATTRIBUTE), driver="asyncpg"),
    "a connection that was used before": Kind(env(before=USED_BEFORE)),
    "a session with settings": Kind(env(before=SESSION)),
    "a hook for versions, and arguments": Kind(
        env(top=HEADS, configure="on_version_apply=applied",
            run="with context.begin_transaction():\n    context.run_migrations(reason='test')"),
    ),
    "options of autogenerate": Kind(
        env(configure="render_as_batch=True, include_schemas=True, compare_type=True, version_table='ver', "
            "include_object=lambda *a: True, process_revision_directives=lambda *a: None"),
        version_table="public.ver",
    ),
    "a version table in a schema of its own": Kind(
        env(before="connection.execute(text('CREATE SCHEMA IF NOT EXISTS \"my.data\"'))\nconnection.commit()",
            configure="version_table_schema='my.data'"),
        version_table="my.data.alembic_version",
    ),
    "a search_path": Kind(
        env(before="connection.execute(text('CREATE SCHEMA app'))\n"
            "connection.execute(text('SET search_path TO app, public'))\nconnection.commit()\n"
            "connection.dialect.default_schema_name = 'app'"),
        version_table="app.alembic_version",
    ),
}  # fmt: skip
OLDER = (
    "one transaction",
    "a transaction per migration",
    "a transaction around all",
    "asynchronous, a transaction per migration",
    "pg8000",
)
CASES = [("newest", name) for name in KINDS] + [(v, name) for v in ("oldest", "middle") for name in OLDER]


@pytest.mark.parametrize(("versions", "name"), spread_over_every_run(CASES, 4))
def test_every_kind_of_env_py_is_replayed_revision_by_revision(
    engine: Engine, versions: str, name: str
) -> None:
    kind = KINDS[name]
    url = kind.url.format(driver=kind.driver)
    text = kind.env
    if versions == "oldest" and "connection.commit()" in text:
        text = text.replace("connection.commit()", "pass")
    folder = lay(engine.folder(), STANDARD, text, url=url, ini=kind.ini)
    ran = engine.run(folder, python(versions), **kind.settings)
    assert_is_standard(ran)
    assert ran.replay.version_tables == (kind.version_table,)
    assert tuple(map(str, ran.replay.steps[1].transactions)) == kind.transactions
    versions_seen = {item.name: item.version for item in ran.replay.versions}
    assert versions_seen["driver"] == kind.driver
    assert versions_seen["alembic"].startswith({"oldest": "1.8."}.get(versions, "1."))
    assert versions_seen["sqlalchemy"].startswith(
        {"oldest": "1.4.", "middle": "2.0.", "newest": "2."}[versions]
    )


def assert_is_standard(ran: Ran) -> None:
    """The standard history ran, and everything about it is known."""
    replay = ran.replay
    assert replay.failure is None, replay.failure
    assert (replay.arrived_heads, replay.history.heads, replay.history.bases) == (
        ("0005",),
        ("0005",),
        ("0001",),
    )
    assert [step.revision for step in replay.steps] == ["0001", "0002", "0003", "0004", "0005"]
    assert [step.number for step in replay.steps] == [1, 2, 3, 4, 5]
    assert sorted(t.name for t in replay.catalog.tables) == ["posts", "users"]
    assert_has_lines(ran)
    assert_has_origins(ran)


def assert_has_lines(ran: Ran) -> None:
    """Each statement is known, with the line of its revision's file."""

    def line(revision: str, text: str) -> int:
        return line_of(ran.folder, revision, text)

    lines = [
        [(" ".join(statement.sql.split()[:2]), statement.line) for statement in step.statements]
        for step in ran.replay.steps
    ]
    expected = [
        [("CREATE TYPE", line("0001", "CREATE TYPE")), ("CREATE TABLE", line("0001", "op.create_table"))],
        [("ALTER TABLE", line("0002", "op.add_column"))],
        [("CREATE TABLE", line("0003", "op.create_table"))],
        [("CREATE INDEX", line("0004", "op.create_index"))],
        [("INSERT INTO", line("0005", "INSERT")), ("ALTER TABLE", line("0005", "op.alter_column"))],
    ]
    assert lines == expected
    assert ran.replay.steps[4].statements[0].rows == 2


def assert_has_origins(ran: Ran) -> None:
    """Each object is traced to the revision that made it as it is."""
    users, posts = ran.table("users"), ran.table("posts")
    prefix = str(users).removesuffix("users")
    expected = {
        f"{users}": "0001", f"{posts}": "0003", f"{users}.name": "0001", f"{users}.email": "0005",
        f"{posts}.posts_user": "0003", f"{prefix}ix_posts_title": "0004", f"{prefix}user_status": "0001",
    }  # fmt: skip
    assert {
        name: fact_builders.find_origin_by_name(ran.replay, name).revision for name in expected
    } == expected
    assert str(find_origin(ran.replay, posts).location).startswith("migrations/versions/0003.py:")


@pytest.mark.parametrize(
    "name",
    [
        "one transaction",
        "a transaction per migration",
        "an engine that commits each statement",
        "asynchronous, a transaction per migration",
        "pg8000",
    ],
)
@pytest.mark.parametrize("snapshots", first_in_every_run(["all", "2"], 1))
def test_snapshots_leave_no_trace_in_the_session(engine: Engine, name: str, snapshots: str) -> None:
    kind = KINDS[name]
    folder = lay(engine.folder(), STANDARD, kind.env, url=kind.url.format(driver=kind.driver))
    ran = engine.run(folder, snapshots=snapshots)
    seen = [table.name for step in ran.replay.steps if step.after for table in step.after.tables]
    assert seen
    assert "alembic_version" not in seen
    assert_is_standard(ran)
    assert tuple(map(str, ran.replay.steps[1].transactions)) == kind.transactions
    taken = [(step.before is not None, step.after is not None) for step in ran.replay.steps]
    assert taken == ([(True, True)] * 5 if snapshots == "all" else [(False, False)] * 3 + [(True, True)] * 2)
    before, after = ran.replay.steps[3].before, ran.replay.steps[3].after
    assert before is not None
    assert after is not None
    indexes = [{i.name for i in snapshot.indexes} for snapshot in (before, after)]
    assert indexes[1] - indexes[0] == {"ix_posts_title"}


@pytest.mark.parametrize("driver", first_in_every_run(["psycopg2", "asyncpg", "psycopg", "pg8000"], 2))
def test_snapshots_are_taken_where_each_statement_is_committed(engine: Engine, driver: str) -> None:
    url = f"postgresql+{driver}://app@db.invalid/app"
    make_env, function = (async_env, "create_async_engine") if driver == "asyncpg" else (env, "create_engine")
    engine_code = f"{function}({url!r}, isolation_level='AUTOCOMMIT')"
    folder = lay(engine.folder(), STANDARD, make_env(engine=engine_code))
    ran = engine.run(folder, snapshots="all")
    assert_is_standard(ran)
    assert [len(step.after.tables) for step in ran.replay.steps if step.after] == [1, 1, 2, 2, 2]


NO_BEGIN = env(run="context.run_migrations()")


def test_without_begin_transaction_an_old_sqlalchemy_commits_each_statement(engine: Engine) -> None:
    ran = engine.run(lay(engine.folder(), STANDARD, NO_BEGIN), python("oldest"))
    assert_is_standard(ran)
    assert tuple(map(str, ran.replay.steps[0].transactions)) == ("commit@1", "commit@2", "commit@2")


def test_without_begin_transaction_a_new_sqlalchemy_commits_nothing_which_is_an_error(engine: Engine) -> None:
    with pytest.raises(DatabaseRefused) as caught:
        engine.run(lay(engine.folder(), STANDARD, NO_BEGIN))
    assert caught.value.message == (
        "5 revisions ran, and env.py committed none of them: public.alembic_version is empty or not there."
    )
