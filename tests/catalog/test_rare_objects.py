"""What few databases have is read where it is there: each kind is found alone, in each way to read it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib.resources import files

import psycopg
import pytest

from migration_gate.catalog.catalog_rows import read_catalog_rows
from migration_gate.catalog.snapshot_reader import (
    HAS_RARE,
    SHORT_SNAPSHOT_QUERY,
    SNAPSHOT_QUERY,
    parse_snapshot,
    read_snapshot,
)
from tests.support.replay_engine import Engine

pytestmark = pytest.mark.slow

NEEDED = """
CREATE TABLE t (id int PRIMARY KEY, name text COLLATE "C");
CREATE TABLE part (id int, t_id int REFERENCES t, gone int);
ALTER TABLE part DROP COLUMN gone;
CREATE VIEW v AS SELECT id FROM t;
CREATE TYPE kind AS ENUM ('a');
CREATE DOMAIN positive AS int CONSTRAINT above CHECK (VALUE > 0);
CREATE FUNCTION look() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
CREATE FUNCTION same(a t, b t) RETURNS boolean LANGUAGE sql AS 'SELECT true';
CREATE INDEX by_name ON t ((lower(name)));
CREATE ROLE somebody;
COMMENT ON TABLE t IS 'things'; COMMENT ON COLUMN t.id IS 'its number'; COMMENT ON INDEX by_name IS 'quick';
COMMENT ON TYPE kind IS 'of a thing'; COMMENT ON CONSTRAINT t_pkey ON t IS 'once';
COMMENT ON VIEW v IS 'some';
"""
"""objects of common kinds, with what is no kind of its own"""
WRAPPER = "CREATE FOREIGN DATA WRAPPER w"
SERVER = f"{WRAPPER}; CREATE SERVER s FOREIGN DATA WRAPPER w"
LINKED = "CREATE STATISTICS linked ON id, name FROM t"
RARE = {
    LINKED: "statistics",
    "CREATE EVENT TRIGGER seen ON ddl_command_end EXECUTE FUNCTION look()": "event trigger",
    "CREATE PUBLICATION news": "publication",
    'CREATE COLLATION own FROM "C"': "collation",
    SERVER: "foreign server",
    "CREATE TEXT SEARCH CONFIGURATION words (PARSER = default)": "text search configuration",
    "CREATE OPERATOR === (FUNCTION = same, LEFTARG = t, RIGHTARG = t)": "operator",
    "CREATE CAST (kind AS int) WITH INOUT": "cast",
    "COMMENT ON FUNCTION look() IS 'nothing'": "comment",
    "COMMENT ON CONSTRAINT above ON DOMAIN positive IS 'zero'": "comment",
    "COMMENT ON COLUMN v.id IS 'of the view'": "comment",
    "ALTER TABLE t ALTER COLUMN id SET STATISTICS 7": "statistics target",
    "ALTER INDEX by_name ALTER COLUMN 1 SET STATISTICS 7": "statistics target",
    f"{LINKED}; ALTER STATISTICS linked SET STATISTICS 7": "statistics target",
    "ALTER TABLE t ALTER COLUMN id SET (n_distinct = 3)": "column options",
    "ALTER TABLE t ALTER COLUMN id SET (n_distinct_inherited = 3)": "column options",
    "ALTER TABLE t SET (toast.autovacuum_enabled = off)": "TOAST options",
    "CREATE PUBLICATION news FOR TABLE t (id) WHERE (id > 3)": "publication filter",
    "CREATE PUBLICATION news FOR TABLES IN SCHEMA public": "published schema",
    "ALTER TABLE t CLUSTER ON t_pkey": "cluster order",
    "ALTER TABLE t DISABLE TRIGGER ALL": "unenforced constraint",
    "ALTER TABLE t OWNER TO somebody": "owner",
    "ALTER VIEW v OWNER TO somebody": "owner",
    "ALTER FUNCTION look() OWNER TO somebody": "owner",
    "CREATE SCHEMA other AUTHORIZATION somebody": "owner",
    "ALTER SCHEMA public OWNER TO somebody": "owner",
    "ALTER TYPE kind OWNER TO somebody": "owner",
    "ALTER DOMAIN positive OWNER TO somebody": "owner",
    WRAPPER: "foreign data wrapper",
    f"{WRAPPER}; CREATE SERVER s FOREIGN DATA WRAPPER w OPTIONS (host 'h')": "server options",
    f"{SERVER}; CREATE USER MAPPING FOR somebody SERVER s": "user mapping",
    f"{SERVER}; CREATE FOREIGN TABLE f (id int) SERVER s OPTIONS (a 'b')": "foreign table options",
    "CREATE OPERATOR CLASS own FOR TYPE kind USING hash AS STORAGE kind": "operator class",
    "CREATE TEXT SEARCH DICTIONARY d (TEMPLATE = simple)": "text search dictionary",
}
"""by the statement that makes one; the kind it has"""


@pytest.fixture(scope="module")
def connection(shared_engine: Engine) -> Iterator[psycopg.Connection]:
    name = shared_engine.server.create_database()
    with shared_engine.server.connect(name) as opened:
        opened.execute(NEEDED.encode())
        yield opened
        opened.execute("DROP OWNED BY somebody; DROP ROLE somebody")
    shared_engine.drop(name)


def has_rare(connection: psycopg.Connection) -> bool:
    return connection.execute(HAS_RARE.encode()).fetchone() == (True,)


def read(connection: psycopg.Connection, query: str) -> str:
    return str(connection.execute(query.encode()).fetchone()[0])  # type: ignore[index]


def test_a_database_without_them_is_read_without_them(connection: psycopg.Connection) -> None:
    assert not has_rare(connection)
    connection.execute("set search_path = ''")
    assert parse_snapshot(read(connection, SHORT_SNAPSHOT_QUERY)) == parse_snapshot(
        read(connection, SNAPSHOT_QUERY)
    )
    connection.execute("reset search_path")


@pytest.mark.parametrize(("sql", "kind"), RARE.items(), ids=RARE)
def test_each_is_found_alone(connection: psycopg.Connection, sql: str, kind: str) -> None:
    with connection.transaction(force_rollback=True):
        try:
            with connection.transaction():
                connection.execute(sql.encode())
        except psycopg.errors.SyntaxError:
            pytest.skip(f"this version of Postgres has no {kind} of the kind")
        snapshot = read_snapshot(connection)
        kinds = {item.kind for item in (*snapshot.others, *snapshot.details)}
        assert kind in kinds
        assert kinds == {
            match[1]
            for field, text in read_catalog_rows(connection)
            if field in ("others", "details") and (match := re.search('"kind":"([^"]+)"', text))
        }


def test_every_kind_is_tried() -> None:
    folder = files("migration_gate.catalog")
    text = folder.joinpath("others.sql").read_text("utf-8") + folder.joinpath("details.sql").read_text(
        "utf-8"
    )
    kinds = re.findall(r"select (?:distinct )?(?:x\.oid::bigint(?: as oid)?, )?'([A-Za-z ]+)'", text)
    assert len(kinds) >= 28
    assert set(kinds) == set(RARE.values())
