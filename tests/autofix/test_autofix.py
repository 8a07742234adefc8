"""Ready revisions, run on a real server: the drift goes, and comes back."""

# ruff: noqa: E501 - SQL stays on one line
from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import psycopg
import pytest
import sqlalchemy as sa

from benchmarks.drift import run, schema
from benchmarks.drift.mutations import DRIFT, NONE, UNMANAGED
from migration_gate.autofix.execute_call import execute_call
from migration_gate.autofix.fixes import add_fixes
from migration_gate.catalog.snapshot_reader import read_snapshot
from migration_gate.facts import Difference, Snapshot
from migration_gate.postgres.choice import start_server
from migration_gate.postgres.run_directory import temporary_run_directory

HARD = (
    ("a default with what SQLAlchemy would take for a parameter", "ALTER TABLE settings ALTER key SET DEFAULT 'a :b %c'"),
    ("a default with quotes", "ALTER TABLE settings ALTER key SET DEFAULT E'it''s \"x\" \\\\ \n'"),
    ("a comment with all of them", "COMMENT ON COLUMN users.handle IS E'it''s :x %s \\\\ \n \"y\"'"),
    ("a table in another schema", "DROP TABLE billing.invoices CASCADE"),
    ("a table with identity and expression", "DROP TABLE labels CASCADE"),
    ("a partitioned table", "DROP TABLE plays CASCADE"),
    ("a table that others reference", "DROP TABLE users CASCADE"),
    ("an enum in another order", "ALTER TYPE mood RENAME TO m; CREATE TYPE mood AS ENUM ('loud', 'calm', 'sad');"
     "DROP INDEX ix_favourites_sad; ALTER TABLE favourites ALTER mood TYPE mood USING mood::text::mood;"
     "ALTER TABLE users ALTER mood DROP DEFAULT; ALTER TABLE users ALTER mood TYPE mood USING mood::text::mood;"
     "ALTER TABLE users ALTER mood SET DEFAULT 'calm'; DROP TYPE m;"
     "CREATE INDEX ix_favourites_sad ON favourites (album_id) WHERE mood = 'sad'"),
    ("a label that goes, and what names it", "ALTER TYPE mood ADD VALUE 'angry'; ALTER TABLE users ALTER mood SET DEFAULT 'angry';"
     "ALTER TABLE users ADD CONSTRAINT ck_mood CHECK (mood <> 'angry');"
     "DROP INDEX ix_favourites_sad; CREATE INDEX ix_favourites_sad ON favourites (album_id) WHERE mood = 'angry'"),
    ("a label that comes, and is used at once", "ALTER TYPE mood RENAME TO m; CREATE TYPE mood AS ENUM ('sad', 'loud');"
     "DROP INDEX ix_favourites_sad; ALTER TABLE favourites ALTER mood TYPE mood USING 'sad'::mood;"
     "ALTER TABLE users ALTER mood DROP DEFAULT; ALTER TABLE users ALTER mood TYPE mood USING 'sad'::mood; DROP TYPE m;"
     "CREATE INDEX ix_favourites_sad ON favourites (album_id) WHERE mood = 'sad'"),
    ("a renamed label that a default and an index name", "ALTER TYPE mood RENAME VALUE 'sad' TO 'Sad'; ALTER TYPE mood RENAME VALUE 'calm' TO 'Calm'"),
    ("a renamed column with a key", "ALTER TABLE users RENAME handle TO nick"),
    ("a table in the wrong schema, with keys to it", "ALTER TABLE users SET SCHEMA billing"),
    ("an index that loses its column", "ALTER TABLE users ADD gone int; DROP INDEX ix_users_alive;"
     "CREATE INDEX ix_users_alive ON users (created_at, gone) WHERE deleted_at IS NULL"),
    ("an index that gets its column", "DROP INDEX ix_users_alive; CREATE INDEX ix_users_alive ON users (id); ALTER TABLE users DROP deleted_at"),
    ("two extra columns with an index on both", "ALTER TABLE users ADD g1 int, ADD g2 int; CREATE INDEX ON users (g1, g2);"
     "ALTER TABLE users ADD CHECK (g1 < g2)"),
    ("two missing columns with an index on both", "ALTER TABLE users DROP created_at, DROP deleted_at"),
    ("a key to another table", "DROP TABLE venues CASCADE; ALTER TABLE bookings ADD FOREIGN KEY (venue_id) REFERENCES users (id)"),
    ("an extra primary key", "ALTER TABLE users DROP CONSTRAINT pk_users CASCADE;"
     "ALTER TABLE users ADD CONSTRAINT pk_users PRIMARY KEY (id, country)"),
    ("two options of one table", "ALTER TABLE bookings SET UNLOGGED; ALTER TABLE bookings SET (fillfactor = 70)"),
    ("a renamed enum", "ALTER TYPE mood RENAME TO \"Feeling\""),
    ("an extra column with all that stands on it", "ALTER TABLE venues ADD code int NOT NULL CHECK (code > 0);"
     "CREATE INDEX ON venues (code); CREATE INDEX ON venues (name, code)"),
    ("an extra serial column", "ALTER TABLE venues ADD nr serial"),
    ("an extra identity column", "ALTER TABLE venues ADD nr int GENERATED ALWAYS AS IDENTITY"),
    ("many at once", "DROP TABLE venues CASCADE; DROP TABLE tags CASCADE; ALTER TABLE users ALTER score TYPE bigint;"
     "CREATE TABLE a (id serial PRIMARY KEY); CREATE TABLE b (id int REFERENCES a); ALTER TABLE tracks DROP isrc"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Bench:
    connect: run.Connect
    source: str
    models: Snapshot

    def differences(self, sql: str) -> tuple[Difference, ...]:
        """What one statement does, in a transaction that is rolled back."""
        with self.connect(self.source) as connection, connection.transaction(force_rollback=True):
            for statement in sql.split(";"):
                connection.execute(statement)
            return run.compare(read_snapshot(connection), self.models)[1]

    def drifted(self, sql: str) -> str:
        database = run.clone(self.connect, self.source, "drifted")
        with self.connect(database) as connection:
            for statement in sql.split(";"):
                connection.execute(statement)
        return database


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    with temporary_run_directory() as folder, start_server("auto", folder=folder) as server:

        def connect(database: str) -> psycopg.Connection:
            return server.connect(database)

        source, modelled = (server.create_database() for _ in range(2))
        run.build(connect, source, partitions=True)
        run.build(connect, modelled, partitions=False)
        yield Bench(connect, source, run.read(connect, modelled))


@pytest.mark.parametrize(
    "sql", ["SELECT ':a', 'x'::text", "SELECT '\\:b'", 'SELECT 1 AS "%(a)s"', "SELECT 'a''b\n'"]
)
def test_a_statement_reaches_postgres_as_it_was(sql: str) -> None:
    said: list[str] = []

    class Operations:
        @staticmethod
        def execute(text: str) -> None:
            compiled = sa.text(text).compile()
            assert not compiled.params
            said.append(str(compiled))

    exec(execute_call(sql), {"op": Operations})
    assert said == [sql]


@pytest.mark.slow
def test_the_undrifted_schema_has_no_drift(bench: Bench) -> None:
    assert run.compare(run.read(bench.connect, bench.source), bench.models)[1] == ()


@pytest.mark.slow
def test_what_is_spelled_in_other_words_is_no_drift(bench: Bench) -> None:
    alarms = {}
    for _, what, sql in NONE:
        if differences := bench.differences(sql):
            alarms[what] = differences
    assert alarms == {}


@pytest.mark.slow
def test_what_models_cannot_express_is_listed_and_no_drift(bench: Bench) -> None:
    for _, what, sql in UNMANAGED:
        differences = bench.differences(sql)
        assert {difference.kind for difference in differences} == {"unmanaged"}, what
        assert all(difference.object_noun for difference in differences), what


@pytest.mark.slow
@pytest.mark.parametrize("half", [0, 1])
def test_every_difference_is_seen_by_its_kind(bench: Bench, half: int) -> None:
    for category, what, sql in DRIFT[half::2]:
        differences = bench.differences(sql)
        seen = {difference.kind for difference in differences}
        assert category in seen or (category == "quoted" and seen), (category, what, differences)


@pytest.mark.slow
@pytest.mark.parametrize("sql", [pytest.param(sql, id=what) for what, sql in HARD])
def test_a_ready_revision_mends_and_takes_back(bench: Bench, sql: str) -> None:
    assert run.mended(bench.connect, bench.drifted(sql), bench.models) == "both ways"


@pytest.mark.slow
@pytest.mark.parametrize(
    "kind", ["column", "nullability", "default", "index", "foreign key", "check", "unique"]
)
def test_one_of_each_kind_mends_and_takes_back(bench: Bench, kind: str) -> None:
    sql = next(sql for category, _, sql in DRIFT if category == kind)
    assert run.mended(bench.connect, bench.drifted(sql), bench.models) == "both ways"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("table", "sql"),
    [
        (
            "tags (id, word)",
            "ALTER TABLE tags ALTER id DROP DEFAULT; DROP SEQUENCE tags_id_seq;"
            "ALTER TABLE tags ALTER id ADD GENERATED BY DEFAULT AS IDENTITY",
        ),
        (
            "labels (id, title)",
            "ALTER TABLE labels ALTER id DROP IDENTITY; CREATE SEQUENCE labels_id_seq AS bigint OWNED BY labels.id;"
            "ALTER TABLE labels ALTER id SET DEFAULT nextval('labels_id_seq')",
        ),
    ],
)
def test_a_new_sequence_goes_on_behind_the_rows(bench: Bench, table: str, sql: str) -> None:
    database = bench.drifted(f"ALTER TABLE labels ALTER owner_id DROP NOT NULL; {sql}")
    with bench.connect(database) as connection:
        connection.execute(f"INSERT INTO {table} VALUES (41, 'old')")
    replay, differences = run.compare(run.read(bench.connect, database), bench.models)
    (ready,) = (one for one in add_fixes(differences, replay) if one.kind == "default")
    assert ready.harmless_because.startswith("both number new rows from a sequence of their own")
    for code in (ready.upgrade, ready.downgrade):
        run.run(bench.connect, database, code)
        with bench.connect(database) as connection, connection.transaction(force_rollback=True):
            new = connection.execute(f"INSERT INTO {table.replace('id, ', '')} VALUES ('new') RETURNING id")
            assert new.fetchone() == (42,)


@pytest.mark.slow
def test_a_column_reads_as_a_person_would_write_it(bench: Bench) -> None:
    replay, differences = run.compare(
        run.read(bench.connect, bench.drifted("ALTER TABLE users DROP COLUMN country")), bench.models
    )
    (ready,) = add_fixes(differences, replay)
    assert ready.upgrade == "op.add_column('users', sa.Column('country', sa.CHAR(length=2), nullable=True))"
    assert ready.downgrade == "op.drop_column('users', 'country')"


@pytest.mark.slow
def test_a_new_not_null_column_comes_with_a_warning(bench: Bench) -> None:
    replay, differences = run.compare(
        run.read(bench.connect, bench.drifted("ALTER TABLE tracks DROP COLUMN title")), bench.models
    )
    (ready,) = add_fixes(differences, replay)
    assert ready.upgrade.startswith("# tracks may hold rows already")
    compile(ready.upgrade + "\n" + ready.downgrade, "revision.py", "exec")


def test_the_schema_is_realistic() -> None:
    assert len(schema.metadata.tables) >= 20
    assert len(DRIFT) >= 80
