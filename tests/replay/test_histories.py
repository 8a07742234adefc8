"""Histories of every shape, and migrations that handle transactions themselves."""

from __future__ import annotations

import pytest

from migration_gate.analysis.origin import find_origin
from migration_gate.catalog.snapshot_reader import read_snapshot
from migration_gate.errors import DatabaseRefused, ProjectNotImported
from tests.support.alembic_projects import STANDARD, Rev, after, async_env, env, lay, line_of, one
from tests.support.fact_builders import find_origin_by_name
from tests.support.release_tests import first_in_every_run
from tests.support.replay_engine import Engine
from tests.support.worker_interpreters import python

pytestmark = pytest.mark.slow
PER_MIGRATION = "transaction_per_migration=True"
BOTH = pytest.mark.parametrize("configure", ["", PER_MIGRATION], ids=["one transaction", "one per migration"])


def table(name: str) -> str:
    """A body that creates a table."""
    return f'op.create_table("{name}", sa.Column("id", sa.Integer, primary_key=True))'


BLOCK = """
with op.get_context().autocommit_block():
    op.create_index("ix_posts_user", "posts", ["user_id"], postgresql_concurrently=True)
op.add_column("posts", sa.Column("body", sa.Text))
"""


@BOTH
@pytest.mark.parametrize("versions", first_in_every_run(["newest", "oldest"], 1))
def test_an_autocommit_block_ends_the_transaction(engine: Engine, configure: str, versions: str) -> None:
    folder = lay(engine.folder(), after(STANDARD, BLOCK), env(configure=configure))
    ran = engine.run(folder, python(versions))
    assert (ran.replay.failure, ran.replay.arrived_heads) == (None, ("0006",))
    step = ran.replay.steps[-1]
    assert [s.sql.split()[0] for s in step.statements] == ["CREATE", "ALTER"]
    assert [s.line for s in step.statements] == [
        line_of(folder, "0006", t) for t in ("create_index", "add_col")
    ]
    boundaries = [str(boundary) for boundary in step.transactions if boundary.kind in ("begin", "commit")]
    assert "commit@0" in boundaries
    assert "begin@1" in boundaries
    assert find_origin_by_name(ran.replay, "ix_posts_user").revision == "0006"
    assert find_origin_by_name(ran.replay, "ix_posts_title").revision == "0004"


@pytest.mark.parametrize("driver", first_in_every_run(["asyncpg", "psycopg", "pg8000", "psycopg sync"], 2))
def test_an_autocommit_block_runs_with_every_driver(engine: Engine, driver: str) -> None:
    sync = driver in ("pg8000", "psycopg sync")
    env_py = env(configure=PER_MIGRATION) if sync else async_env(configure=PER_MIGRATION)
    url = f"postgresql+{driver.removesuffix(' sync')}://app@db.invalid/app"
    ran = engine.run(lay(engine.folder(), after(STANDARD, BLOCK), env_py, url=url))
    if driver == "pg8000":  # it begins a transaction for CREATE INDEX CONCURRENTLY, and so does plain Alembic
        assert ran.replay.failure is None or ran.replay.failure.revision == "0006"
        return
    assert (ran.replay.failure, ran.replay.arrived_heads) == (None, ("0006",))


@BOTH
@pytest.mark.parametrize("snapshots", first_in_every_run(["none", "all"], 1))
def test_a_migration_may_execute_commit_itself(engine: Engine, configure: str, snapshots: str) -> None:
    body = 'op.execute("COMMIT")\nop.execute("ALTER TYPE user_status ADD VALUE \'banned\'")'
    folder = lay(engine.folder(), after(STANDARD, body, table("later")), env(configure=configure))
    ran = engine.run(folder, snapshots=snapshots)
    assert (ran.replay.failure, ran.replay.arrived_heads) == (None, ("0007",))
    assert ran.tables == ["later", "posts", "users"]
    step = ran.replay.find_step("0006")
    assert step is not None
    assert [s.sql.split()[0] for s in step.statements] == ["COMMIT", "ALTER"]
    if snapshots == "all":
        assert step.before is not None
        assert step.after is not None
        labels = [snapshot.enums[0].labels for snapshot in (step.before, step.after)]
        assert labels == [("active", "gone"), ("active", "gone", "banned")]


@BOTH
def test_a_session_of_the_orm_may_commit(engine: Engine, configure: str) -> None:
    body = """
    session = Session(bind=op.get_bind())
    session.execute(sa.text("INSERT INTO users (name, email) VALUES ('c', 'c@example.com')"))
    session.commit()
    op.create_table("later", sa.Column("id", sa.Integer, primary_key=True))
    """
    revisions = after(STANDARD, body, imports="from sqlalchemy.orm import Session")
    folder = lay(engine.folder(), revisions, env(configure=configure))
    ran = engine.run(folder)
    if (
        ran.replay.failure is not None
    ):  # then plain Alembic fails too: nothing more than the truth is asked for
        assert ran.replay.failure.revision == "0006"
        return
    assert (ran.replay.arrived_heads, "later" in ran.tables) == (("0006",), True)
    assert ran.replay.steps[-1].statements[0].line == line_of(folder, "0006", "session.execute")


def test_a_merge_runs_after_both_of_its_branches(engine: Engine) -> None:
    revisions = (
        Rev("a1", table("a")), Rev("b1", table("b"), "a1"), Rev("b2", table("c"), "a1"),
        Rev("m1", "", ("b1", "b2"), message="merge"), Rev("z1", table("z"), "m1"),
    )  # fmt: skip
    ran = engine.run(lay(engine.folder(), revisions))
    order = [step.revision for step in ran.replay.steps]
    assert (order[0], order[-2:], ran.replay.arrived_heads) == ("a1", ["m1", "z1"], ("z1",))
    assert [r.id for r in ran.replay.history.revisions] == order
    merge = ran.replay.history.find_revision("m1")
    assert merge is not None
    assert set(merge.parents) == {"b1", "b2"}
    assert find_origin_by_name(ran.replay, "c").revision == "b2"


def test_all_heads_are_reached(engine: Engine) -> None:
    revisions = (Rev("a1", table("a")), Rev("b1", table("b"), "a1"), Rev("c1", table("c"), "a1"))
    ran = engine.run(lay(engine.folder(), revisions))
    assert sorted(ran.replay.arrived_heads) == ["b1", "c1"] == sorted(ran.replay.history.heads)
    assert ran.tables == ["a", "b", "c"]


def test_a_revision_runs_after_the_one_of_another_branch_that_it_depends_on(engine: Engine) -> None:
    revisions = (
        Rev("a1", table("a"), labels=("left",)),
        Rev("a2", 'op.add_column("b", sa.Column("x", sa.Integer))', "a1", depends="b1"),
        Rev("b1", table("b"), labels=("right",)), Rev("b2", table("c"), "b1"),
    )  # fmt: skip
    ran = engine.run(lay(engine.folder(), revisions))
    order = [step.revision for step in ran.replay.steps]
    assert order.index("b1") < order.index("a2")
    assert (sorted(ran.replay.arrived_heads), sorted(ran.replay.history.bases)) == (
        ["a2", "b2"],
        ["a1", "b1"],
    )
    second = ran.replay.history.find_revision("a2")
    assert second is not None
    assert (second.depends_on, second.labels) == (("b1",), ("left",))


def test_a_branch_that_another_one_depends_on_runs_first(engine: Engine) -> None:
    revisions = (Rev("a1", table("a")), Rev("b1", table("b"), depends="a1"))
    ran = engine.run(lay(engine.folder(), revisions))
    assert [step.revision for step in ran.replay.steps] == ["a1", "b1"]
    assert ran.tables == ["a", "b"]


def test_only_one_branch_runs_when_it_is_the_target(engine: Engine) -> None:
    revisions = (Rev("a1", table("a"), labels=("left",)), Rev("b1", table("b"), labels=("right",)))
    ran = engine.run(lay(engine.folder(), revisions), target=("right@head",))
    assert ([step.revision for step in ran.replay.steps], ran.tables) == (["b1"], ["b"])


def test_several_targets_are_reached_one_after_the_other(engine: Engine) -> None:
    revisions = (
        Rev("a1", table("a"), labels=("left",)), Rev("b1", table("b"), labels=("right",)),
        Rev("c1", table("c"), labels=("middle",)),
    )  # fmt: skip
    ran = engine.run(lay(engine.folder(), revisions), target=("left@head", "middle@head"))
    assert ([step.revision for step in ran.replay.steps], ran.tables) == (["a1", "c1"], ["a", "c"])


def test_branches_that_merge_again_and_again_run_once(engine: Engine) -> None:
    revisions = [Rev("0", table("t0"))]
    for layer in range(1, 4):
        below = "0" if layer == 1 else f"m{layer - 1}"
        revisions += [Rev(f"{layer}{side}", table(f"t{layer}{side}"), below) for side in "ab"]
        revisions.append(Rev(f"m{layer}", "", (f"{layer}a", f"{layer}b")))
    ran = engine.run(lay(engine.folder(), revisions))
    assert (ran.replay.arrived_heads, len(ran.replay.steps), len(ran.tables)) == (("m3",), 10, 7)


@pytest.mark.parametrize("versions", first_in_every_run(["newest", "oldest"], 1))
def test_revisions_in_several_folders_are_one_history(engine: Engine, versions: str) -> None:
    revisions = (Rev("a1", table("a")), Rev("b1", table("b"), "a1", folder="more"))
    ini = "version_locations = migrations/versions migrations/more\npath_separator = space"
    ran = engine.run(lay(engine.folder(), revisions, ini=ini), python(versions))
    assert (ran.replay.arrived_heads, ran.tables) == (("b1",), ["a", "b"])
    assert ran.replay.history.locations == ("migrations/versions", "migrations/more")
    assert all(file.is_loaded for file in ran.replay.history.files)


def test_statements_of_a_batch_have_the_line_of_the_batch(engine: Engine) -> None:
    body = """
    with op.batch_alter_table("users") as batch:
        batch.add_column(sa.Column("age", sa.Integer))
        batch.drop_column("name")
    """
    folder = lay(engine.folder(), after(STANDARD, body))
    ran = engine.run(folder)
    lines = [s.line for s in ran.replay.steps[-1].statements]
    assert lines == [line_of(folder, "0006", "with op.batch")] * 2 or set(lines) == {lines[0]}
    assert [c.name for c in ran.replay.catalog.columns_of(ran.table("users"))] == ["id", "email", "age"]


def test_a_migration_sees_that_it_does_not_run_offline(engine: Engine) -> None:
    body = (
        "assert not context.is_offline_mode()\nassert not context.is_offline_mode() and op.get_bind()\n"
        + table("a")
    )
    assert engine.run(lay(engine.folder(), one(body))).replay.failure is None


TENANTS = """
for schema in ("t1", "t2", "t3"):
    connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {schema}"))
    connection.execute(text(f"SET search_path TO {schema}"))
    connection.commit()
    connection.dialect.default_schema_name = schema
    context.configure(connection=connection, target_metadata=None, version_table_schema=schema)
    with context.begin_transaction():
        context.run_migrations()
"""


def test_a_loop_over_tenants_has_one_context_for_each_tenant(engine: Engine) -> None:
    whole = env(run=TENANTS).replace(
        "        context.configure(connection=connection, target_metadata=target_metadata)\n", ""
    )
    ran = engine.run(lay(engine.folder(), STANDARD, whole))
    assert (ran.replay.failure, ran.replay.arrived_heads) == (None, ("0005",))
    assert ran.replay.version_tables == tuple(f"t{n}.alembic_version" for n in (1, 2, 3))
    assert [(s.context, s.revision) for s in ran.replay.steps] == [
        (n, f"000{r}") for n in (1, 2, 3) for r in (1, 2, 3, 4, 5)
    ]
    assert ran.tables == [f"t{n}.{name}" for n in (1, 2, 3) for name in ("posts", "users")]
    assert {find_origin(ran.replay, t).revision for t in ran.replay.catalog.tables if t.name == "posts"} == {
        "0003"
    }


LINES = """for line in ("CREATE SCHEMA app", "{}"):
    connection.execute(text(line))
connection.commit()"""


@pytest.mark.parametrize("where", first_in_every_run(["search path", "translated"], 1))
def test_an_enum_outside_public_is_created_anew_from_the_models(engine: Engine, where: str) -> None:
    moved = where == "search path"
    path = "SET search_path TO app" if moved else "SELECT 1"
    options = {} if moved else {"schema_translate_map": {None: "app"}}
    whole = env(
        imports="import sqlalchemy as sa",
        top="""
        target_metadata = sa.MetaData()
        sa.Table("posts", target_metadata, sa.Column("mood", sa.Enum("calm", "loud", name="mood")))
        """,
        connect=f"engine.execution_options(**{options}).connect()",
        before=LINES.format(path),
    )
    seen: list[tuple[str, ...]] = []

    def look(database: str) -> None:
        with engine.server.connect(f"{database}_models") as connection:
            seen.extend((str(enum), *enum.labels) for enum in read_snapshot(connection).enums)

    schema = "" if moved else ", schema='app'"
    body = f'op.create_table("posts", sa.Column("mood", sa.Enum("calm", name="mood"{schema})){schema})'
    assert engine.run(lay(engine.folder(), one(body), whole), look=look).replay.failure is None
    assert seen == [("app.mood", "calm", "loud")]


def test_an_env_py_that_calls_a_command_of_alembics_fails_as_it_does_without_the_gate(engine: Engine) -> None:
    top = """
    from alembic import command
    command.current(config)
    """
    with pytest.raises(ProjectNotImported) as caught:
        engine.run(lay(engine.folder(), STANDARD, env(top=top)))
    assert caught.value.message.startswith(
        "env.py failed before the first revision: KeyError: "
    )  # as Alembic's
    assert caught.value.where.startswith("migrations/env.py:")


def test_a_project_with_flask_migrate_is_replayed(engine: Engine) -> None:
    app = """
    from flask import Flask
    from flask_migrate import Migrate
    from flask_sqlalchemy import SQLAlchemy
    import os

    db = SQLAlchemy()


    class User(db.Model):
        __tablename__ = "users"
        id = db.Column(db.Integer, primary_key=True)


    def create_app():
        app = Flask(__name__)
        app.config["SQLALCHEMY_DATABASE_URI"] = os.environ.get("DATABASE_URL", "sqlite:///app.db")
        db.init_app(app)
        Migrate(app, db)
        return app
    """
    whole = """
    from alembic import context
    from flask import current_app

    target = current_app.extensions["migrate"].db
    engine = target.engine
    with engine.connect() as connection:
        context.configure(connection=connection, target_metadata=target.metadatas[None])
        with context.begin_transaction():
            context.run_migrations()
    """
    folder = lay(engine.folder(), one(table("users")), "", files={"app.py": app, "migrations/env.py": whole})
    (folder / "alembic.ini").rename(folder / "migrations" / "alembic.ini")
    ran = engine.run(folder, python("middle"), flask_app="app:create_app")
    assert (ran.replay.failure, ran.replay.arrived_heads, ran.tables) == (None, ("0001",), ["users"])
    assert ran.replay.models.tables == ("public.users",)


SEARCH_PATHS = {
    "another schema first": "SET search_path = s, public",
    "by set_config": "SELECT set_config('search_path', 's,public', false)",
    "for the transaction": "SET LOCAL search_path = s, public",
}


@pytest.mark.parametrize("statement", first_in_every_run(SEARCH_PATHS.values(), 1))
def test_a_revision_may_set_the_search_path(engine: Engine, statement: str) -> None:
    body = f"""
    op.execute("CREATE SCHEMA s")
    op.execute({statement!r})
    op.create_table("a", sa.Column("id", sa.Integer, primary_key=True), schema="public")
    """
    ran = engine.run(lay(engine.folder(), (Rev("0001", body), Rev("0002", "pass", "0001"))))
    assert ran.replay.version_tables == ("public.alembic_version",)
    assert ran.replay.arrived_heads == ("0002",)


def test_a_version_table_is_found_in_the_second_schema_of_the_search_path(engine: Engine) -> None:
    before = """
    connection.execute(text("CREATE SCHEMA app"))
    connection.execute(text("CREATE TABLE public.alembic_version (version_num varchar(32) PRIMARY KEY)"))
    connection.execute(text("SET search_path TO app, public"))
    connection.commit()
    """
    ran = engine.run(lay(engine.folder(), STANDARD, env(before=before)))
    assert ran.replay.version_tables == ("public.alembic_version",)
    assert ran.replay.arrived_heads == ("0005",)


def test_a_version_table_that_a_revision_emptied_is_said_to_be_empty(engine: Engine) -> None:
    folder = lay(engine.folder(), after(STANDARD, "pass"), env(run=EMPTIED))
    with pytest.raises(DatabaseRefused) as caught:
        engine.run(folder)
    assert "what they made is there, but public.alembic_version is empty" in caught.value.message
    assert "its URL is not the reason" in caught.value.advice


EMPTIED = """
with context.begin_transaction():
    context.run_migrations()
    connection.execute(text("DELETE FROM alembic_version"))
"""


@BOTH
@pytest.mark.parametrize(
    "statement",
    first_in_every_run(
        ["CREATE TABLE IF NOT EXISTS made_between (id int)", "GRANT SELECT ON users TO pg_monitor"], 1
    ),
)
def test_what_happens_between_two_steps_is_in_the_catalog_before_the_second(
    engine: Engine, configure: str, statement: str
) -> None:
    hook = f'on_version_apply=lambda ctx, **_: ctx.connection.exec_driver_sql("{statement}")'
    folder = lay(engine.folder(), STANDARD, env(configure=", ".join(filter(None, [configure, hook]))))
    ran = engine.run(folder, snapshots="all")
    assert ran.replay.failure is None
    first, second = ran.replay.steps[:2]
    assert first.after is not None
    assert second.before is not None
    assert second.before != first.after


@BOTH
def test_the_catalog_between_two_steps_is_the_same_for_both(engine: Engine, configure: str) -> None:
    ran = engine.run(lay(engine.folder(), STANDARD, env(configure=configure)), snapshots="all")
    steps = ran.replay.steps
    assert [earlier.after for earlier in steps[:-1]] == [later.before for later in steps[1:]]
    assert steps[-1].after is not None


def test_a_set_has_the_same_order_in_each_run(engine: Engine) -> None:
    """What is compared with the base is two runs: a revision that goes through a set is no edited one."""
    names = [f"part_{number}" for number in range(12)]
    body = f"for name in {set(names)!r}:\n    op.create_table(name, sa.Column('id', sa.Integer))"
    runs = [engine.run(lay(engine.folder(), one(body), env())).replay for _ in range(2)]
    first, second = ([statement.sql for statement in replay.steps[0].statements] for replay in runs)
    assert len(first) == len(names)
    assert first == second
