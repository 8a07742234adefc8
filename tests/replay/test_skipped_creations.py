"""Statements that create nothing because their name is taken: what they wanted is known, whoever ran them."""

from __future__ import annotations

import pytest

from migration_gate.check import Finding, Severity
from tests.support.alembic_projects import URL, async_env, env, line_of
from tests.support.replay_engine import Engine
from tests.support.silent_upgrades import execute, list_findings, replay_bodies

pytestmark = pytest.mark.slow

MADE = """
op.execute("CREATE SCHEMA app")
op.execute('''CREATE TABLE users (id bigserial PRIMARY KEY, parent bigint REFERENCES users(id),
                                  email varchar(200) NOT NULL, usage text, "Odd Name" int)''')
op.execute("CREATE TABLE app.users (id int)")
op.execute("CREATE INDEX ix_users_email ON users (email)")
op.execute("CREATE TYPE state AS ENUM ('a', 'b')")
op.execute("CREATE DOMAIN short AS varchar(3)")
op.execute("CREATE SEQUENCE numbers")
op.execute("CREATE TABLE events (id int, at date, PRIMARY KEY (id, at)) PARTITION BY RANGE (at)")
op.execute("CREATE TABLE events_20 PARTITION OF events FOR VALUES FROM ('2020-01-01') TO ('2021-01-01')")
op.execute("CREATE MATERIALIZED VIEW mails AS SELECT email FROM users")
op.execute("CREATE VIEW names AS SELECT id FROM users")
op.execute("ALTER TABLE users ADD CONSTRAINT positive CHECK (id > 0)")
op.execute("CREATE POLICY own ON users FOR SELECT USING (id = 1)")
op.execute("CREATE EXTENSION pg_trgm")
"""
BLOCK = "DO $$ BEGIN %s; EXCEPTION WHEN duplicate_object OR duplicate_column THEN NULL; END $$"
JANUARY = "FOR VALUES FROM ('2020-01-01') TO"
CONFLICTS = (
    ("ALTER TABLE users ADD COLUMN IF NOT EXISTS usage jsonb", "users.usage", "jsonb", "text"),
    (
        'ALTER TABLE ONLY public.users ADD IF NOT EXISTS "Odd Name" bigint REFERENCES users(id)',
        "users.Odd Name",
        'bigint; FOREIGN KEY ("Odd Name") REFERENCES public.users(id)',
        'integer; no FOREIGN KEY ("Odd Name") REFERENCES public.users(id)',
    ),
    (
        "create unique index if not exists ix_users_email on users (email)",
        "ix_users_email",
        "CREATE UNIQUE INDEX ix_users_email ON public.users USING btree (email)",
        "CREATE INDEX ix_users_email ON public.users USING btree (email)",
    ),
    ("CREATE TABLE IF NOT EXISTS app.users (id uuid)", "app.users", "id uuid", "id integer"),
    (
        "CREATE TABLE IF NOT EXISTS public.users"
        " (id uuid PRIMARY KEY, parent uuid REFERENCES public.users(id),"
        ' email varchar(200) NOT NULL, usage text, "Odd Name" int)',
        "users",
        "id uuid NOT NULL; parent uuid",
        "id bigint NOT NULL DEFAULT nextval(its own sequence); parent bigint",
    ),
    ("CREATE TABLE IF NOT EXISTS names (id bigint)", "names", "table", "view"),
    (
        "CREATE TABLE IF NOT EXISTS events (id int, at date, PRIMARY KEY (id, at)) PARTITION BY LIST (at)",
        "events",
        "PARTITION BY LIST (at)",
        "PARTITION BY RANGE (at)",
    ),
    (
        f"CREATE TABLE IF NOT EXISTS events_20 PARTITION OF events {JANUARY} ('2022-01-01')",
        "events_20",
        "partition FOR VALUES FROM ('2020-01-01') TO ('2022-01-01')",
        "partition FOR VALUES FROM ('2020-01-01') TO ('2021-01-01')",
    ),
    (
        "CREATE SEQUENCE IF NOT EXISTS numbers AS int INCREMENT 2 OWNED BY users.id",
        "numbers",
        "integer START 1 INCREMENT 2 MINVALUE 1 MAXVALUE 2147483647 CACHE 1",
        "bigint START 1 INCREMENT 1 MINVALUE 1 MAXVALUE 9223372036854775807 CACHE 1",
    ),
    ("CREATE EXTENSION IF NOT EXISTS pg_trgm SCHEMA app", "pg_trgm", "SCHEMA app", "SCHEMA public"),
    ("CREATE SCHEMA IF NOT EXISTS app AUTHORIZATION pg_monitor", "app", "OWNER pg_monitor", None),
)
"""what a statement says, the object, what was wanted, what is there (None: the server's own user)"""
BLOCKS = (
    ("CREATE TYPE state AS ENUM ('a', 'b', 'c')", "state", "'a', 'b', 'c'", "'a', 'b'"),
    ("CREATE DOMAIN short AS varchar(4)", "short", "character varying(4)", "character varying(3)"),
    ("EXECUTE format('ALTER TABLE %I ADD usage int', 'users')", "users.usage", "integer", "text"),
    (
        "ALTER TABLE users ADD CONSTRAINT positive CHECK (id > 1)",
        "users.positive",
        "CHECK ((id > 1))",
        "CHECK ((id > 0))",
    ),
    (
        "CREATE POLICY own ON users FOR SELECT USING (id = 2)",
        "users.own",
        "PERMISSIVE FOR SELECT TO PUBLIC USING (id = 2)",
        "PERMISSIVE FOR SELECT TO PUBLIC USING (id = 1)",
    ),
)
"""the same for statements whose error PL/pgSQL catches"""
CONCURRENTLY = "CREATE INDEX CONCURRENTLY IF NOT EXISTS ix_users_email ON public.users USING btree (email)"
ALIKE = (
    "CREATE SCHEMA IF NOT EXISTS app",
    "CREATE TABLE IF NOT EXISTS users (id bigserial PRIMARY KEY, parent bigint REFERENCES users(id),"
    ' email varchar(200) NOT NULL, usage text, "Odd Name" int)',
    "ALTER TABLE users ADD COLUMN IF NOT EXISTS usage text,"
    " ADD COLUMN IF NOT EXISTS fresh int REFERENCES users(id)",
    f"CREATE TABLE IF NOT EXISTS events_20 PARTITION OF events {JANUARY} ('2021-01-01')",
    "CREATE MATERIALIZED VIEW IF NOT EXISTS mails AS SELECT email FROM users",
    "CREATE SEQUENCE IF NOT EXISTS numbers",
    "CREATE EXTENSION IF NOT EXISTS pg_trgm",
    "DO $$ BEGIN CREATE TYPE state AS ENUM ('a', 'b'); EXCEPTION WHEN OTHERS THEN NULL; END $$",
    "CREATE TABLE IF NOT EXISTS other (id int); ALTER TABLE other ADD COLUMN name text;"
    "CREATE TABLE IF NOT EXISTS other (id int, name text); CREATE TABLE IF NOT EXISTS app.users (id int)",
)


def describe(finding: Finding) -> tuple[str, str, str]:
    texts = {piece.label: piece.text for piece in finding.evidence}
    return finding.object, texts["wanted"], texts["there"]


def test_every_kind_of_conflict_is_found_with_its_maker(engine: Engine) -> None:
    statements = [sql for sql, *_ in CONFLICTS] + [BLOCK % sql for sql, *_ in BLOCKS]
    ran = replay_bodies(engine, MADE, *map(execute, statements))
    expected = [
        (f"{number:04} {name}", wanted, there or f"OWNER {engine.server.user}")
        for number, (_, name, wanted, there) in enumerate((*CONFLICTS, *BLOCKS), 2)
    ]
    findings = list_findings(ran)
    assert [describe(finding) for finding in findings] == expected
    for finding in findings:
        assert finding.evidence[-1].text.startswith("revision `0001` ("), finding
        assert finding.location is not None
        assert finding.location.line == line_of(ran.folder, finding.revision or "", "op.execute(")


@pytest.mark.parametrize(("env_py", "url"), [(env(), URL), (async_env(), URL.replace("://", "+asyncpg://"))])
def test_what_is_alike_is_no_finding(engine: Engine, env_py: str, url: str) -> None:
    concurrently = "with op.get_context().autocommit_block():\n    " + execute(CONCURRENTLY)
    bodies = [execute(sql) for sql in ALIKE if ";" not in sql or "asyncpg" not in url or sql.startswith("DO")]
    ran = replay_bodies(engine, MADE, *bodies, concurrently, env_py=env_py, url=url)
    assert list_findings(ran) == []


def test_a_conflict_is_found_whoever_ran_the_statement(engine: Engine) -> None:
    add = "ALTER TABLE users ADD COLUMN IF NOT EXISTS usage jsonb"
    ran = replay_bodies(
        engine,
        MADE,
        f"cursor = op.get_bind().connection.cursor()\ncursor.execute({add!r})",
        f"""
        engine = sa.create_engine("postgresql://app@db.invalid/app")
        with engine.begin() as other:
            other.execute(sa.text({add!r}))
        engine.dispose()
        """,
        'op.add_column("users", sa.Column("usage", sa.JSON), if_not_exists=True)',
        execute(f"CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $$ BEGIN {add}; END $$; SELECT f()"),
        execute(f"SET search_path = app; {add.replace('users', 'public.users')}; RESET search_path"),
        "try:\n    with op.get_bind().begin_nested():\n"
        '        op.execute("ALTER TABLE users ADD usage jsonb")\nexcept sa.exc.DBAPIError:\n    pass',
        "try:\n    with op.get_bind().begin_nested():\n"
        '        op.execute("ALTER TABLE users ADD usage text")\nexcept sa.exc.DBAPIError:\n    pass',
        env_py=env(configure="transaction_per_migration=True"),
    )
    assert [finding.object for finding in list_findings(ran)] == [
        f"{number:04} users.usage" for number in range(2, 8)
    ]
    assert {finding.kind for finding in list_findings(ran)} == {"hidden-conflict"}
    by_cursor = list_findings(ran)[0]
    assert str(by_cursor.location).endswith(f"0002.py:{line_of(ran.folder, '0002', 'cursor.execute')}")
    maker = line_of(ran.folder, "0001", "CREATE TABLE users")
    assert by_cursor.evidence[-1].text.startswith("revision `0001` (")
    assert f"0001.py:{maker})" in by_cursor.evidence[-1].text


def test_a_comparison_that_fails_is_said_and_does_not_stop_the_migration(engine: Engine) -> None:
    add = "ALTER TABLE users ADD COLUMN IF NOT EXISTS usage jsonb"
    ran = replay_bodies(
        engine,
        MADE,
        execute("DROP FUNCTION migration_gate.describe_constraints(oid, text[])"),
        execute(add),
        execute(BLOCK % "ALTER TABLE users ADD usage jsonb"),
    )
    findings = list_findings(ran)
    assert [finding.severity for finding in findings] == [Severity.WARNING, Severity.WARNING]
    assert findings[0].message == (
        f"`0003` left out the statement `{add}`: one was there, and whether it is alike is not known"
    )
    assert "describe_constraints" in findings[0].evidence[1].text
