"""A catalog that is read again: the same as one that is read anew, whatever has happened in between."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from migration_gate.catalog import catalog_rows
from migration_gate.catalog.catalog_rows import read_catalog_again, read_catalog_rows
from tests.support.replay_engine import Engine

pytestmark = pytest.mark.slow

SCHEMA = """
CREATE TYPE mood AS ENUM ('low', 'high');
CREATE DOMAIN positive AS int CHECK (VALUE > 0);
CREATE TYPE place AS (street text, number int);
CREATE FUNCTION same(a int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT a';
CREATE FUNCTION watch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE COLLATION own FROM "C";
CREATE OPERATOR === (FUNCTION = int4eq, LEFTARG = int, RIGHTARG = int);
CREATE TABLE parent (id int PRIMARY KEY, code text UNIQUE, feeling mood DEFAULT 'low', size positive);
CREATE TABLE child (
    id serial PRIMARY KEY, parent_id int REFERENCES parent, home place, name text COLLATE own,
    doubled int GENERATED ALWAYS AS (same(id) * 2) STORED,
    CHECK (id === id), CHECK ((home).number > 0));
CREATE TABLE spare (id int GENERATED ALWAYS AS IDENTITY, note text DEFAULT 'x');
CREATE INDEX named ON spare (id);
CREATE INDEX by_name ON child (lower(name), id) WHERE id > 3;
CREATE VIEW both_tables AS SELECT * FROM parent p JOIN child c USING (id);
CREATE TABLE logs (day date, line text) PARTITION BY RANGE (day);
CREATE TABLE logs_old PARTITION OF logs FOR VALUES FROM ('2020-01-01') TO ('2021-01-01');
CREATE SEQUENCE numbers;
CREATE TABLE counted (id int DEFAULT nextval('numbers'), kind regclass DEFAULT 'parent'::regclass,
    index regclass DEFAULT 'named'::regclass, code int DEFAULT 3 CHECK (code <> 4),
    mood mood CHECK (mood <> 'low'),
    at timestamptz DEFAULT '2026-01-01 00:00+00', words tsvector
        GENERATED ALWAYS AS (to_tsvector('english'::regconfig, 'word')) STORED);
CREATE RULE nothing AS ON DELETE TO spare DO INSTEAD NOTHING;
CREATE POLICY own_rows ON spare USING (id IN (SELECT id FROM parent));
CREATE TRIGGER watched BEFORE UPDATE ON child FOR EACH ROW EXECUTE FUNCTION watch();
"""
OF_ONE_TABLE = (
    "CREATE TABLE added (id int PRIMARY KEY, parent_id int REFERENCES parent ON DELETE CASCADE)",
    "ALTER TABLE spare ADD COLUMN wide int NOT NULL DEFAULT 7",
    "ALTER TABLE spare ALTER COLUMN note TYPE varchar(40)",
    "ALTER TABLE spare ALTER COLUMN note SET NOT NULL",
    "ALTER TABLE spare ALTER COLUMN note DROP DEFAULT",
    "ALTER TABLE spare ALTER COLUMN note SET STORAGE external",
    "ALTER TABLE spare ALTER COLUMN id DROP IDENTITY",
    "ALTER TABLE spare DROP COLUMN note",
    "ALTER TABLE spare ADD CONSTRAINT known UNIQUE (id) DEFERRABLE",
    "ALTER TABLE parent ADD CONSTRAINT small CHECK (id < 100) NOT VALID",
    "ALTER TABLE child DROP CONSTRAINT child_parent_id_fkey",
    "ALTER TABLE parent DROP CONSTRAINT parent_code_key",
    "CREATE INDEX by_note ON spare (note)",
    "DROP INDEX by_name",
    "ALTER INDEX by_name SET (fillfactor = 70)",
    "ALTER TABLE child RENAME CONSTRAINT child_parent_id_fkey TO of_parent",
    "COMMENT ON TABLE spare IS 'unused'",
    "COMMENT ON COLUMN spare.note IS 'a note'",
    "COMMENT ON INDEX by_name IS 'quick'",
    "COMMENT ON CONSTRAINT parent_pkey ON parent IS 'the key'",
    "ALTER TABLE spare SET (fillfactor = 70)",
    "ALTER TABLE spare SET UNLOGGED",
    "ALTER TABLE spare REPLICA IDENTITY FULL",
    "ALTER TABLE spare ENABLE ROW LEVEL SECURITY",
    "ALTER TABLE child DISABLE TRIGGER watched",
    "CREATE TRIGGER watched BEFORE INSERT ON spare FOR EACH ROW EXECUTE FUNCTION watch()",
    "DROP TRIGGER watched ON child",
    "CREATE POLICY others ON child USING (true)",
    "DROP RULE nothing ON spare",
    "ALTER SEQUENCE numbers OWNED BY counted.id",
    "ALTER SEQUENCE child_id_seq OWNED BY NONE",
    "ALTER SEQUENCE numbers INCREMENT 5 CYCLE",
    "CREATE TABLE logs_new PARTITION OF logs FOR VALUES FROM ('2021-01-01') TO ('2022-01-01')",
    "ALTER TABLE logs DETACH PARTITION logs_old",
    "CREATE INDEX by_day ON logs (day)",
    "CREATE TABLE more_logs (LIKE spare); ALTER TABLE more_logs INHERIT spare",
    "DROP TABLE counted",
    "DROP TABLE counted; CREATE TABLE counted (other text)",
    "DROP TABLE parent CASCADE",
    "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'by_name'::regclass",
    "DROP VIEW both_tables",
    "CREATE OR REPLACE VIEW both_tables AS SELECT *, 1 AS one FROM parent p JOIN child c USING (id)",
    "CREATE MATERIALIZED VIEW kept AS SELECT id FROM parent; CREATE UNIQUE INDEX ON kept (id)",
    "ALTER TABLE child ADD COLUMN feeling text",
    "ALTER TABLE spare OWNER TO visitor",
    "GRANT SELECT ON spare TO visitor",
    "GRANT UPDATE (note) ON spare TO visitor",
    "INSERT INTO parent VALUES (1, 'a'); ANALYZE parent",
    "VACUUM parent",
    "SELECT 1",
)
"""what changes relations: only these are read again"""
OF_SEVERAL = (
    "ALTER INDEX named RENAME TO called",
    "CREATE CAST (mood AS text) WITH INOUT AS IMPLICIT",
    "CREATE CAST (int AS text) WITH INOUT AS IMPLICIT",
    "UPDATE pg_opclass SET opcdefault = false WHERE opcname = 'int4_ops' AND opcdefault",
    "ALTER FUNCTION pg_catalog.lower(text) RENAME TO lowered",
    "ALTER TEXT SEARCH CONFIGURATION pg_catalog.english RENAME TO englisch",
    "CREATE SCHEMA migration_gate; ALTER TABLE parent SET SCHEMA migration_gate",
    "CREATE SCHEMA migration_gate; ALTER SEQUENCE numbers SET SCHEMA migration_gate",
    "ALTER TABLE parent SET SCHEMA information_schema",
    "CREATE EXTENSION hstore; ALTER EXTENSION hstore ADD TABLE parent; ALTER TABLE parent RENAME id TO no",
    "ALTER TABLE parent RENAME TO parents",
    "ALTER TABLE parent RENAME COLUMN id TO parent_id",
    "ALTER TABLE parent RENAME COLUMN code TO id_code; ALTER TABLE parent ADD COLUMN code int",
    "ALTER TABLE spare RENAME TO unused; ALTER TABLE parent RENAME TO spare",
    "ALTER SEQUENCE numbers RENAME TO figures",
    "CREATE SCHEMA other; ALTER TABLE parent SET SCHEMA other",
    "CREATE SCHEMA other; ALTER SEQUENCE numbers SET SCHEMA other",
    "ALTER SCHEMA public RENAME TO common; CREATE SCHEMA public",
    "ALTER TYPE mood RENAME TO temper",
    "ALTER TYPE mood RENAME VALUE 'low' TO 'down'",
    "ALTER TYPE mood ADD VALUE 'middle' BEFORE 'high'",
    "ALTER TYPE place RENAME ATTRIBUTE number TO house",
    "ALTER TYPE place ADD ATTRIBUTE town text",
    "ALTER TYPE place SET SCHEMA pg_catalog",
    "ALTER DOMAIN positive RENAME TO above_zero",
    "ALTER DOMAIN positive SET DEFAULT 3",
    "ALTER FUNCTION same(int) RENAME TO equal",
    "ALTER FUNCTION watch() RENAME TO look",
    "CREATE SCHEMA other; ALTER OPERATOR === (int, int) SET SCHEMA other",
    "ALTER COLLATION own RENAME TO mine",
    "CREATE OR REPLACE FUNCTION same(a int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT a + 0'",
    "CREATE TYPE colour AS ENUM ('red'); ALTER TABLE spare ADD COLUMN colour colour DEFAULT 'red'",
    "CREATE EXTENSION IF NOT EXISTS hstore",
    "CREATE STATISTICS linked ON id, code FROM parent",
    "COMMENT ON FUNCTION same(int) IS 'the same'",
)


@pytest.fixture(scope="module")
def template(shared_engine: Engine) -> Iterator[str]:
    name = shared_engine.server.create_database()
    with shared_engine.server.connect(name) as connection:
        connection.execute("CREATE ROLE visitor")
        connection.execute(SCHEMA.encode())
    yield name
    with shared_engine.server.connect() as connection:
        connection.execute("DROP ROLE visitor")
    shared_engine.drop(name)


@pytest.fixture
def database(shared_engine: Engine, template: str) -> Iterator[str]:
    name = shared_engine.server.create_database(template=template)
    yield name
    shared_engine.drop(name)


@pytest.fixture
def chosen(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Which relations were read, by reading."""
    texts: list[str] = []
    read = catalog_rows._CatalogSession.read

    def read_watched(self: catalog_rows._CatalogSession, text: str) -> list[tuple[object, ...]]:
        texts.append(text)
        return read(self, text)

    monkeypatch.setattr(catalog_rows._CatalogSession, "read", read_watched)
    return texts


def run(engine: Engine, database: str, sql: str) -> None:
    with engine.server.connect(database) as connection:
        for statement in sql.split("; "):
            try:
                connection.execute(statement.encode())
            except psycopg.errors.FeatureNotSupported:
                pytest.skip(f"this version of Postgres refuses {statement}")


def read_both(
    engine: Engine, database: str, reading: psycopg.Connection
) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """By a session that has read before, and by a new one."""
    again = read_catalog_again(reading)
    with engine.server.connect(database) as fresh:
        return sorted(again), sorted(read_catalog_rows(fresh))


def test_one_change_after_the_other_is_noticed(shared_engine: Engine, database: str) -> None:
    """All statements that can still run after those before them."""
    server, ran = shared_engine.server, 0
    with server.connect(database) as reading, server.connect(database) as fresh:
        read_catalog_again(reading)
        for sql in (*OF_ONE_TABLE, *OF_SEVERAL):
            with server.connect(database) as connection:
                try:
                    connection.execute(sql.encode())
                except psycopg.Error:
                    continue
            ran += 1
            assert sorted(read_catalog_again(reading)) == sorted(read_catalog_rows(fresh)), sql
    assert ran > 40


@pytest.mark.release
@pytest.mark.parametrize("sql", [*OF_ONE_TABLE, *OF_SEVERAL])
def test_what_has_changed_is_read_again(
    shared_engine: Engine, database: str, sql: str, chosen: list[str]
) -> None:
    with shared_engine.server.connect(database) as reading:
        before = sorted(read_catalog_again(reading))
        run(shared_engine, database, sql)
        again, anew = read_both(shared_engine, database, reading)
        assert again == anew
        is_partial = chosen[1] != catalog_rows._EVERYTHING
        assert is_partial or sql in OF_SEVERAL
        # As it was, without a trace of what was read in between.
        again, anew = read_both(shared_engine, database, reading)
        assert again == anew
    assert sql in ("SELECT 1", "VACUUM parent") or sql.startswith("INSERT") or before != anew


def test_what_has_not_changed_is_not_read(shared_engine: Engine, database: str, chosen: list[str]) -> None:
    with shared_engine.server.connect(database) as reading:
        first = read_catalog_again(reading)
        assert sorted(read_catalog_again(reading)) == sorted(first)
        run(shared_engine, database, "ALTER TABLE spare ADD COLUMN more int")
        read_catalog_again(reading)
        spare = reading.execute("select 'spare'::regclass::oid").fetchone()
    assert spare is not None
    assert chosen == [catalog_rows._EVERYTHING, "{0}", f"{{{spare[0]}}}"]


def test_a_transaction_that_was_open_at_the_first_reading_is_noticed(
    shared_engine: Engine, database: str
) -> None:
    server = shared_engine.server
    with server.connect(database) as reading, server.connect(database) as slow:
        with slow.transaction():
            slow.execute("COMMENT ON TABLE spare IS 'early'")
            run(shared_engine, database, "ALTER TABLE parent ADD COLUMN late int")
            read_catalog_again(reading)
        again, anew = read_both(shared_engine, database, reading)
        assert again == anew


def test_what_the_session_does_itself_is_noticed(shared_engine: Engine, database: str) -> None:
    with shared_engine.server.connect(database) as reading:
        read_catalog_again(reading)
        with reading.transaction(force_rollback=True):
            reading.execute("ALTER TABLE spare ADD COLUMN a int")
            read_catalog_again(reading)
            reading.execute("ALTER TABLE spare ALTER COLUMN a SET DEFAULT 1")
            inside = sorted(read_catalog_again(reading))
            assert inside == sorted(read_catalog_rows(reading))
        again, anew = read_both(shared_engine, database, reading)
        assert again == anew


def test_numbers_of_transactions_do_not_make_up_for_each_other(shared_engine: Engine, database: str) -> None:
    """A row more in one system catalog, and one less in another."""
    with shared_engine.server.connect(database) as reading, shared_engine.server.connect(database) as other:
        with other.transaction():
            other.execute("CREATE TYPE e AS ENUM ('q')")
            other.execute("CREATE OPERATOR ==== (FUNCTION = int4eq, LEFTARG = int, RIGHTARG = int)")
            other.execute("CREATE TABLE of_e (a e DEFAULT 'q')")
        read_catalog_again(reading)
        with other.transaction():
            other.execute("ALTER TYPE e RENAME VALUE 'q' TO 'r'")
            other.execute("DROP OPERATOR ==== (int, int)")
            other.execute("CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'")
        again, anew = read_both(shared_engine, database, reading)
        assert again == anew


def test_the_settings_of_the_session_count(shared_engine: Engine, database: str) -> None:
    with shared_engine.server.connect(database) as reading:
        before = read_catalog_again(reading)
        reading.execute("SET timezone = 'Asia/Tokyo'")
        after = read_catalog_again(reading)
        assert sorted(after) == sorted(read_catalog_rows(reading)) != sorted(before)


def test_the_search_path_of_the_session_does_not_count(shared_engine: Engine, database: str) -> None:
    run(shared_engine, database, "CREATE SCHEMA trap; CREATE VIEW trap.pg_class AS SELECT 1 AS oid")
    with shared_engine.server.connect(database) as reading:
        reading.execute("SET search_path = trap, pg_catalog")
        read_catalog_again(reading)
        again, anew = read_both(shared_engine, database, reading)
        assert again == anew
        assert reading.execute("SHOW search_path").fetchone() == ("trap, pg_catalog",)


def test_the_order_is_that_of_a_first_reading(shared_engine: Engine, database: str) -> None:
    with shared_engine.server.connect(database) as reading:
        read_catalog_again(reading)
        for table in ("spare", "counted"):
            run(shared_engine, database, f"ALTER TABLE {table} ADD COLUMN more int")
            again = read_catalog_again(reading)
        with shared_engine.server.connect(database) as fresh:
            assert again == read_catalog_again(fresh)
