"""Errors that PL/pgSQL or a driver's own cursor catch: known, with Postgres' words, whoever caught them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from migration_gate.check import Severity
from tests.support.alembic_projects import URL, async_env, env, line_of
from tests.support.replay_engine import Engine
from tests.support.silent_upgrades import execute, list_findings, replay_bodies

pytestmark = pytest.mark.slow

MADE = """
op.execute("CREATE TABLE items (id int PRIMARY KEY, name text, price text)")
op.execute("INSERT INTO items VALUES (1, 'a', 'cheap')")
op.execute("CREATE TYPE state AS ENUM ('a', 'b')")
op.execute('''CREATE FUNCTION try_it(command text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN EXECUTE command; EXCEPTION WHEN OTHERS THEN RAISE NOTICE 'it failed'; END $$''')
"""
BLOCK = "DO $$ BEGIN %s; EXCEPTION WHEN OTHERS THEN NULL; END $$"
CAST = "ALTER TABLE items ALTER COLUMN price TYPE int USING price::int"
CHECK = "ALTER TABLE items ADD CONSTRAINT long CHECK (length(name) > 1)"
SWALLOWED = (
    (BLOCK % CAST, "22P02", 'invalid input syntax for type integer: "cheap"'),
    (BLOCK % CHECK, "23514", 'check constraint "long" of relation "items" is violated by some row'),
    (BLOCK % "ALTER TABLE missing ADD COLUMN n int", "42P01", 'relation "missing" does not exist'),
    (
        BLOCK % "EXECUTE format('CREATE INDEX ON %I (nothing)', 'items')",
        "42703",
        'column "nothing" does not exist',
    ),
    (f"SELECT try_it('{CHECK}')", "23514", 'check constraint "long"'),
    (
        "DO $$ BEGIN ALTER TABLE items ADD COLUMN n int; CREATE TYPE state AS ENUM ('a', 'b');"
        " EXCEPTION WHEN duplicate_object THEN NULL; END $$",
        "42710",
        'undid an earlier command of its block: type "state" already exists',
    ),
    (BLOCK % "UPDATE items SET id = price::int", "22P02", 'invalid input syntax for type integer: "cheap"'),
    (
        "DO $$\nBEGIN\n  UPDATE missing SET id = 1;\nEXCEPTION WHEN OTHERS THEN NULL;\nEND\n$$",
        "42P01",
        'relation "missing" does not exist',
    ),
    (
        "DO $$ BEGIN INSERT INTO items (id) VALUES (NULL);"
        " EXCEPTION WHEN not_null_violation OR SQLSTATE '22P02' THEN\nRAISE NOTICE 'it failed'; END $$",
        "23502",
        'null value in column "id"',
    ),
    (BLOCK % "DROP INDEX one, two", "42704", 'index "one" does not exist'),
    (
        f"DO $$ BEGIN BEGIN {CAST}; EXCEPTION WHEN OTHERS THEN NULL; END;"
        " CREATE TABLE other (id int); END $$",
        "22P02",
        "",
    ),
)
"""a statement, the SQLSTATE of the finding, and what it says"""
TAKEN = BLOCK % "CREATE TYPE state AS ENUM ('c')"
HARMLESS = (
    # What only the gate writes, and what any migration may write as well:
    "DO $$ BEGIN RAISE LOG 'migration_gate step: none'; END $$",
    "INSERT INTO migration_gate.caught_error (error) VALUES ('{}')",
    BLOCK % "CREATE TABLE items (id int PRIMARY KEY, name text, price text)",
    BLOCK % "INSERT INTO items (id) VALUES (1)",
    BLOCK % "PERFORM 1 FROM missing",
    BLOCK % "DELETE FROM missing",
    BLOCK % "RAISE EXCEPTION 'never mind'",
    "DO $$ DECLARE n int := 0; BEGIN BEGIN UPDATE items SET id = 1 WHERE id = 1; n := 1 / 0;"
    " EXCEPTION WHEN division_by_zero THEN IF NOT FOUND THEN RAISE EXCEPTION 'FOUND was changed'; END IF;"
    " END; IF n <> 0 THEN RAISE EXCEPTION 'n was changed'; END IF; END $$",
    BLOCK % "ALTER TABLE items RENAME COLUMN old_name TO name",
    BLOCK % "ALTER TABLE old_items RENAME TO items",
    BLOCK % "DROP TABLE missing",
    BLOCK % "ALTER TABLE items DROP CONSTRAINT missing",
    BLOCK % "DROP FUNCTION missing(int)",
    BLOCK % "ALTER TYPE state ADD VALUE 'a'",
    BLOCK % "CREATE TYPE state AS ENUM ('a', 'b')",
    BLOCK % "ALTER TABLE items ADD COLUMN fresh int",
    "SELECT try_it('CREATE TABLE IF NOT EXISTS new (id serial PRIMARY KEY)')",
    "DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_class WHERE relname = 'items') THEN"
    " CREATE TABLE items (id int); END IF; EXCEPTION WHEN duplicate_table THEN NULL; END $$",
    "DO $$ BEGIN CREATE TABLE later (id int); EXCEPTION WHEN duplicate_table THEN RAISE; END $$",
)
WARNED = (
    "DO $$ BEGIN UPDATE items SET id = price::int; EXCEPTION WHEN OTHERS THEN"
    " UPDATE items SET id = 1; END $$",
    f"DO $$ BEGIN {CAST}; EXCEPTION WHEN OTHERS THEN"
    " ALTER TABLE items ALTER COLUMN price TYPE varchar(9); END $$",
    BLOCK % "GRANT SELECT ON items TO readers",
    BLOCK % "CREATE EXTENSION not_there",
    BLOCK % "CREATE FUNCTION try_it(command text) RETURNS void LANGUAGE sql AS ''",
)
CURSOR = """
cursor = op.get_bind().connection.cursor()
cursor.execute("SAVEPOINT try")
try:
    cursor.execute({sql!r})
except Exception:
    cursor.execute("ROLLBACK TO SAVEPOINT try")
"""


@pytest.mark.parametrize(("env_py", "url"), [(env(), URL), (async_env(), URL.replace("://", "+asyncpg://"))])
def test_what_a_block_swallows_is_found(engine: Engine, env_py: str, url: str) -> None:
    ran = replay_bodies(engine, MADE, *(execute(sql) for sql, *_ in SWALLOWED), env_py=env_py, url=url)
    findings = list_findings(ran)
    assert [finding.object for finding in findings] == [
        f"{number:04} {state}" for number, (_, state, _) in enumerate(SWALLOWED, 2)
    ]
    for finding, (_, _, words) in zip(findings, SWALLOWED, strict=True):
        assert words in finding.message
        assert (finding.kind, finding.severity) == ("swallowed-error", None), finding
        assert finding.location is not None
        assert finding.location.line == line_of(ran.folder, finding.revision or "", "op.execute(")


def test_what_a_block_swallows_is_found_on_a_server_whose_log_cannot_be_read(engine: Engine) -> None:
    silent = replace(engine, server=replace(engine.server, log=None))
    ran = replay_bodies(silent, MADE, *(execute(sql) for sql, *_ in SWALLOWED), execute(TAKEN))
    assert [(finding.object, finding.kind) for finding in list_findings(ran)] == [
        *((f"{number:04} {state}", "swallowed-error") for number, (_, state, _) in enumerate(SWALLOWED, 2)),
        (f"{len(SWALLOWED) + 2:04} state", "hidden-conflict"),
    ]


def test_what_is_as_it_was_wanted_is_no_finding(engine: Engine) -> None:
    assert list_findings(replay_bodies(engine, MADE, *map(execute, HARMLESS))) == []


def test_what_another_statement_makes_good_or_this_server_lacks_is_a_warning(engine: Engine) -> None:
    findings = list_findings(replay_bodies(engine, MADE, *map(execute, WARNED)))
    assert [(finding.revision, finding.severity) for finding in findings] == [
        (f"{number:04}", Severity.WARNING) for number in range(2, 2 + len(WARNED))
    ]
    assert findings[1].evidence[-1].text == "ALTER TABLE items ALTER COLUMN price TYPE varchar(9)"


@pytest.mark.parametrize("driver", ["psycopg2", "psycopg", "pg8000"])
def test_what_a_cursor_of_the_driver_swallows_is_found(engine: Engine, driver: str) -> None:
    other = f"""
        engine = sa.create_engine("postgresql+{driver}://app@db.invalid/app", isolation_level="AUTOCOMMIT")
        raw = engine.raw_connection()
        raw.driver_connection.autocommit = True
        try:
            raw.cursor().execute({CHECK!r})
        except Exception:
            pass
        raw.close()
        """
    ran = replay_bodies(
        engine,
        MADE,
        CURSOR.format(sql=CAST),
        CURSOR.format(sql="DROP TABLE missing"),
        CURSOR.format(sql="SELECT nothing FROM items"),
        CURSOR.format(sql="CREATE TYPE state AS ENUM ('a', 'b')"),
        CURSOR.format(sql="CREATE TYPE state AS ENUM ('a')"),
        other,
        "try:\n    with op.get_bind().begin_nested():\n"
        f'        op.execute("{CAST}")\nexcept sa.exc.DBAPIError:\n    pass',
        env_py=env(configure="transaction_per_migration=True"),
        url=URL.replace("://", f"+{driver}://"),
    )
    findings = list_findings(ran)
    assert [(finding.object, finding.severity) for finding in findings] == [
        ("0002 22P02", Severity.WARNING),
        ("0006 42710", Severity.WARNING),
        ("0007 23514", None),
        ("0008 22P02", Severity.WARNING),
    ]
    assert findings[0].location is not None
    assert findings[0].location.line == line_of(ran.folder, "0002", "USING price")
