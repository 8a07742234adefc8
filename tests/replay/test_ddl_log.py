"""The DDL log: which revision touched what, however it went about it."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from textwrap import dedent

import pytest

from migration_gate.facts import DdlCommand
from migration_gate.postgres.kept_session import KeptSession
from tests.support.alembic_projects import STANDARD, after, env, lay, line_of
from tests.support.fact_builders import find_origin_by_name
from tests.support.release_tests import spread_over_every_run
from tests.support.replay_engine import Engine, Ran

pytestmark = pytest.mark.slow
LOST = (
    "a migration dropped what the gate records changes with (the schema migration_gate, its event triggers): "
    "from there on it is not known which revision made what"
)


def replay_revisions(engine: Engine, *bodies: str, configure: str = "") -> Ran:
    """The standard history and more revisions, from 0006 on."""
    ran = engine.run(lay(engine.folder(), after(STANDARD, *bodies), env(configure=configure)))
    assert ran.replay.failure is None, ran.replay.failure
    return ran


def logged_commands(ran: Ran, step: int) -> list[tuple[str, str, str]]:
    """Tag, kind and identity of each command of a step."""
    return [(t.tag, t.kind, t.identity) for t in ran.replay.ddl_commands if t.step == step]


@pytest.mark.parametrize(
    "body",
    spread_over_every_run(
        [
            "with op.get_context().autocommit_block():\n    op.execute('DISCARD ALL')",
            "op.execute('RESET ALL')",
            "op.execute('RESET migration_gate.step')",
            "op.execute('GRANT CREATE ON SCHEMA public TO pg_monitor')\nop.execute('SET ROLE pg_monitor')",
        ],
        2,
    ),
)
def test_commands_after_a_session_reset_belong_to_their_revision(engine: Engine, body: str) -> None:
    ran = replay_revisions(
        engine, body + '\nop.create_table("late", sa.Column("id", sa.Integer))\nop.execute("RESET ROLE")'
    )
    assert find_origin_by_name(ran.replay, "late").revision == "0006"
    assert LOST not in ran.replay.notes


def test_grants_do_not_disturb_the_log(engine: Engine) -> None:
    body = """
    op.execute("GRANT SELECT ON users TO pg_monitor")
    op.execute("ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO pg_monitor")
    op.execute("REVOKE SELECT ON users FROM pg_monitor")
    op.execute("COMMENT ON TABLE users IS 'people'")
    op.execute("ALTER TABLE users OWNER TO pg_monitor")
    op.execute("CREATE ROLE somebody")
    op.execute("DROP ROLE somebody")
    """
    assert ("COMMENT", "table", "public.users") in logged_commands(replay_revisions(engine, body), 6)


def test_another_connection_of_the_migration_is_recorded(engine: Engine) -> None:
    body = """
    engine = sa.create_engine("postgresql://app@db.invalid/app")
    with engine.begin() as other:
        other.execute(sa.text("CREATE TABLE beside (id int)"))
    engine.dispose()
    """
    ran = replay_revisions(engine, body, configure="transaction_per_migration=True")
    assert find_origin_by_name(ran.replay, "beside").revision == "0006"


def test_ddl_in_a_do_block_is_recorded(engine: Engine) -> None:
    body = "op.execute(\"DO $$ BEGIN EXECUTE 'CREATE TABLE hidden (id int)'; END $$\")"
    assert logged_commands(replay_revisions(engine, body), 6) == [("CREATE TABLE", "table", "public.hidden")]


def test_create_if_not_exists_that_made_nothing_is_recorded_with_its_statement(engine: Engine) -> None:
    statement = "CREATE TABLE IF NOT EXISTS users (other int)"
    ran = replay_revisions(engine, f"op.execute({statement!r})")
    (command,) = (command for command in ran.replay.ddl_commands if command.step == 6)
    line = line_of(ran.folder, "0006", "IF NOT EXISTS")
    expected = DdlCommand(6, "CREATE TABLE", "table", "", 0, statement, query=statement, line=line)
    assert dataclasses.replace(command, query_number=0) == expected


def test_temporary_tables_are_not_recorded(engine: Engine) -> None:
    body = """
    op.execute("CREATE TEMP TABLE work (id int PRIMARY KEY)")
    op.execute("CREATE INDEX work_id ON work (id)")
    op.execute("ALTER TABLE work ADD y int")
    op.execute("DROP TABLE work")
    """
    assert logged_commands(replay_revisions(engine, body), 6) == []


def test_members_of_an_extension_are_not_recorded(engine: Engine) -> None:
    body = 'op.execute("CREATE EXTENSION pg_trgm")\nop.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")'
    told = logged_commands(replay_revisions(engine, body), 6)
    assert told == [("CREATE EXTENSION", "extension", "pg_trgm"), ("CREATE EXTENSION", "extension", "")]


def test_partitions_are_recorded(engine: Engine) -> None:
    body = """
    op.execute("CREATE TABLE events (id int, at date) PARTITION BY RANGE (at)")
    op.execute("CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM ('2020-01-01') TO ('2021-01-01')")
    """
    ran = replay_revisions(engine, body, 'op.execute("CREATE INDEX events_at ON events (at)")')
    expected = {"events": "0006", "events_1": "0006", "events_at": "0007", "events_1_at_idx": "0007"}
    assert {name: find_origin_by_name(ran.replay, name).revision for name in expected} == expected


def test_renames_are_followed(engine: Engine) -> None:
    ran = replay_revisions(
        engine,
        'op.rename_table("posts", "articles")',
        'op.alter_column("articles", "title", new_column_name="headline")',
        'op.alter_column("articles", "headline", nullable=False)',
        'op.execute("ALTER INDEX ix_posts_title RENAME TO ix_articles_headline")',
    )
    expected = {
        "articles": "0003", "articles.headline": "0008", "articles.user_id": "0003",
        "articles.posts_user": "0003", "ix_articles_headline": "0009",
    }  # fmt: skip
    assert {name: find_origin_by_name(ran.replay, name).revision for name in expected} == expected


def test_a_type_is_traced_to_its_last_change(engine: Engine) -> None:
    ran = replay_revisions(engine, "op.execute(\"ALTER TYPE user_status ADD VALUE 'banned'\")")
    assert find_origin_by_name(ran.replay, "user_status").revision == "0006"


def test_what_is_dropped_is_recorded(engine: Engine) -> None:
    ran = replay_revisions(
        engine, 'op.drop_index("ix_posts_title")\nop.drop_column("users", "email")\nop.drop_table("posts")'
    )
    told = logged_commands(ran, 6)
    assert ("DROP INDEX", "index", "public.ix_posts_title") in told
    assert ("DROP INDEX", "table", "public.posts") in told
    assert ("ALTER TABLE", "table column", "public.users.email") in told
    assert ("DROP TABLE", "table", "public.posts") in told


def test_what_has_an_oid_in_its_name_is_not_recorded(engine: Engine) -> None:
    """Two replays have other oids, and a revision that drops a table would seem to do something else."""
    body = """
    op.create_table("notes", sa.Column("id", sa.Integer, primary_key=True), sa.Column("body", sa.Text),
                    sa.Column("user_id", sa.Integer, sa.ForeignKey("users.id")))
    op.drop_table("notes")
    """
    dropped = [item[2] for item in logged_commands(replay_revisions(engine, dedent(body)), 6)]
    assert "public.notes" in dropped
    assert [name for name in dropped if "pg_toast" in name or "RI_ConstraintTrigger" in name] == []


def test_a_foreign_key_dropped_with_another_table_is_recorded(engine: Engine) -> None:
    ran = replay_revisions(engine, 'op.execute("DROP TABLE users CASCADE")')
    assert ("DROP TABLE", "table constraint", "posts_user on public.posts") in logged_commands(ran, 6)
    assert ran.tables == ["posts"]


def test_a_schema_that_is_dropped_and_created_again_is_recorded(engine: Engine) -> None:
    body = """
    op.execute("DROP SCHEMA public CASCADE")
    op.execute("CREATE SCHEMA public")
    op.execute("CREATE TABLE alembic_version (version_num varchar(32) NOT NULL)")
    op.execute("INSERT INTO alembic_version VALUES ('0005')")
    """
    ran = replay_revisions(engine, body, 'op.create_table("fresh", sa.Column("id", sa.Integer))')
    assert ran.tables == ["fresh"]
    assert find_origin_by_name(ran.replay, "fresh").revision == "0007"
    assert ("DROP SCHEMA", "table", "public.users") in logged_commands(ran, 6)


@pytest.mark.parametrize(
    "statement", ["DROP EVENT TRIGGER migration_gate_command", "DROP SCHEMA migration_gate CASCADE"]
)
def test_a_ddl_log_that_a_migration_dropped_is_reported(engine: Engine, statement: str) -> None:
    ran = replay_revisions(
        engine, f"op.execute({statement!r})", 'op.create_table("late", sa.Column("id", sa.Integer))'
    )
    assert ran.replay.notes[-1] == LOST
    assert ran.replay.arrived_heads == ("0007",)
    assert "late" in ran.tables


def test_migrations_do_not_see_the_ddl_log(engine: Engine) -> None:
    body = """
    rows = op.get_bind().execute(sa.text("SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_'"))
    names = rows.scalars().all()
    assert set(names) == {"public", "information_schema", "migration_gate"}
    assert sorted(sa.inspect(op.get_bind()).get_table_names()) == ["alembic_version", "posts", "users"]
    """
    replay_revisions(engine, body)


@pytest.fixture
def unprivileged_engine(engine: Engine) -> Iterator[Engine]:
    """The same server for a user who may make databases, and is no superuser: no event triggers."""
    with engine.server.connect() as connection:
        connection.execute("drop role if exists plain")
        connection.execute("create role plain login createdb password 'plain'")
    server = dataclasses.replace(
        engine.server, superuser=False, user="plain", password="plain", maintenance=KeptSession()
    )
    yield dataclasses.replace(engine, server=server)
    server.end_sessions()


@pytest.mark.parametrize("configure", ["", "transaction_per_migration=True"])
def test_without_event_triggers_changes_are_found_by_comparing(
    unprivileged_engine: Engine, configure: str
) -> None:
    ran = replay_revisions(
        unprivileged_engine,
        'op.rename_table("posts", "articles")',
        'op.execute("CREATE VIEW names AS SELECT name FROM users")',
        'op.execute("RESET ALL")\nop.create_table("late", sa.Column("id", sa.Integer))',
        configure=configure,
    )
    assert {t.tag for t in ran.replay.ddl_commands} == {"SEEN"}
    expected = {
        "users": "0001", "articles": "0003", "users.email": "0005", "articles.posts_user": "0003",
        "ix_posts_title": "0004", "user_status": "0001", "names": "0007", "late": "0008",
    }  # fmt: skip
    assert {name: find_origin_by_name(ran.replay, name).revision for name in expected} == expected


def test_the_origin_of_a_renamed_constraint_is_the_revision_that_renamed_it(engine: Engine) -> None:
    ran = replay_revisions(
        engine,
        'op.create_check_constraint("ck_first", "users", "id > 0")',
        'op.execute("ALTER TABLE users RENAME CONSTRAINT ck_first TO ck_second")',
    )
    assert find_origin_by_name(ran.replay, "users.ck_second").revision == "0007"
