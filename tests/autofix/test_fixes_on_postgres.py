"""Fixes, run on a real server: the upgrade removes the drift, the downgrade restores it."""

# ruff: noqa: E501  (SQL stays on one line)
from __future__ import annotations

from collections.abc import Iterator

import pytest

from benchmarks.drift.example_database import run_revision_body
from benchmarks.drift.measurement import BOTH_WAYS, try_fixes
from benchmarks.drift.mutations import DRIFT_MUTATIONS
from tests.support.drift_example import DriftExample, start_drift_example
from tests.support.release_tests import spread_over_every_run

pytestmark = pytest.mark.slow

HARD_CHANGES = (
    ("a default with what SQLAlchemy would take for a parameter", "ALTER TABLE settings ALTER key SET DEFAULT 'a :b %c'"),
    ("a default with quotes", "ALTER TABLE settings ALTER key SET DEFAULT E'it''s \"x\" \\\\ \n'"),
    ("a comment with quotes, colons, percents and backslashes", "COMMENT ON COLUMN users.handle IS E'it''s :x %s \\\\ \n \"y\"'"),
    ("a table in another schema", "DROP TABLE billing.invoices CASCADE"),
    ("a table with identity and expression", "DROP TABLE labels CASCADE"),
    ("a partitioned table", "DROP TABLE plays CASCADE"),
    ("a table that others reference", "DROP TABLE users CASCADE"),
    ("an enum in another order", "ALTER TYPE mood RENAME TO m; CREATE TYPE mood AS ENUM ('loud', 'calm', 'sad');"
     "DROP INDEX ix_favourites_sad; ALTER TABLE favourites ALTER mood TYPE mood USING mood::text::mood;"
     "ALTER TABLE users ALTER mood DROP DEFAULT; ALTER TABLE users ALTER mood TYPE mood USING mood::text::mood;"
     "ALTER TABLE users ALTER mood SET DEFAULT 'calm'; DROP TYPE m;"
     "CREATE INDEX ix_favourites_sad ON favourites (album_id) WHERE mood = 'sad'"),
    ("a removed label, and what uses it", "ALTER TYPE mood ADD VALUE 'angry'; ALTER TABLE users ALTER mood SET DEFAULT 'angry';"
     "ALTER TABLE users ADD CONSTRAINT ck_mood CHECK (mood <> 'angry');"
     "DROP INDEX ix_favourites_sad; CREATE INDEX ix_favourites_sad ON favourites (album_id) WHERE mood = 'angry'"),
    ("a new label that is used at once", "ALTER TYPE mood RENAME TO m; CREATE TYPE mood AS ENUM ('sad', 'loud');"
     "DROP INDEX ix_favourites_sad; ALTER TABLE favourites ALTER mood TYPE mood USING 'sad'::mood;"
     "ALTER TABLE users ALTER mood DROP DEFAULT; ALTER TABLE users ALTER mood TYPE mood USING 'sad'::mood; DROP TYPE m;"
     "CREATE INDEX ix_favourites_sad ON favourites (album_id) WHERE mood = 'sad'"),
    ("a renamed label that a default and an index use", "ALTER TYPE mood RENAME VALUE 'sad' TO 'Sad'; ALTER TYPE mood RENAME VALUE 'calm' TO 'Calm'"),
    ("a renamed column with a key", "ALTER TABLE users RENAME handle TO nick"),
    ("a table in the wrong schema, with keys to it", "ALTER TABLE users SET SCHEMA billing"),
    ("an index on a column to drop", "ALTER TABLE users ADD gone int; DROP INDEX ix_users_alive;"
     "CREATE INDEX ix_users_alive ON users (created_at, gone) WHERE deleted_at IS NULL"),
    ("an index on a missing column", "DROP INDEX ix_users_alive; CREATE INDEX ix_users_alive ON users (id); ALTER TABLE users DROP deleted_at"),
    ("two extra columns with an index on both", "ALTER TABLE users ADD g1 int, ADD g2 int; CREATE INDEX ON users (g1, g2);"
     "ALTER TABLE users ADD CHECK (g1 < g2)"),
    ("two missing columns with an index on both", "ALTER TABLE users DROP created_at, DROP deleted_at"),
    ("a key to another table", "DROP TABLE venues CASCADE; ALTER TABLE bookings ADD FOREIGN KEY (venue_id) REFERENCES users (id)"),
    ("an extra primary key", "ALTER TABLE users DROP CONSTRAINT pk_users CASCADE;"
     "ALTER TABLE users ADD CONSTRAINT pk_users PRIMARY KEY (id, country)"),
    ("two options of one table", "ALTER TABLE bookings SET UNLOGGED; ALTER TABLE bookings SET (fillfactor = 70)"),
    ("a renamed enum", "ALTER TYPE mood RENAME TO \"Feeling\""),
    ("an extra column with all that depends on it", "ALTER TABLE venues ADD code int NOT NULL CHECK (code > 0);"
     "CREATE INDEX ON venues (code); CREATE INDEX ON venues (name, code)"),
    ("an extra serial column", "ALTER TABLE venues ADD nr serial"),
    ("an extra identity column", "ALTER TABLE venues ADD nr int GENERATED ALWAYS AS IDENTITY"),
    ("many at once", "DROP TABLE venues CASCADE; DROP TABLE tags CASCADE; ALTER TABLE users ALTER score TYPE bigint;"
     "CREATE TABLE a (id serial PRIMARY KEY); CREATE TABLE b (id int REFERENCES a); ALTER TABLE tracks DROP isrc"),
)  # fmt: skip


@pytest.fixture(scope="module")
def example() -> Iterator[DriftExample]:
    with start_drift_example() as started:
        yield started


@pytest.mark.parametrize(
    "sql",
    spread_over_every_run([sql for _, sql in HARD_CHANGES], 2),
    ids=[title for title, _ in HARD_CHANGES],
)
def test_a_hard_change_is_fixed_and_restored(example: DriftExample, sql: str) -> None:
    assert try_fixes(example.connect, example.make_drifted_copy(sql), example.models) == BOTH_WAYS


@pytest.mark.parametrize(
    "kind", ["column", "nullability", "default", "index", "foreign key", "check", "unique"]
)
def test_a_difference_of_each_kind_is_fixed_and_restored(example: DriftExample, kind: str) -> None:
    sql = next(mutation.sql for mutation in DRIFT_MUTATIONS if mutation.category == kind)
    assert try_fixes(example.connect, example.make_drifted_copy(sql), example.models) == BOTH_WAYS


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
def test_a_new_sequence_continues_the_numbers_of_the_rows(
    example: DriftExample, table: str, sql: str
) -> None:
    database = example.make_drifted_copy(f"ALTER TABLE labels ALTER owner_id DROP NOT NULL; {sql}")
    with example.connect(database) as connection:
        connection.execute(f"INSERT INTO {table} VALUES (41, 'old')")
    (fix,) = (item for item in example.write_fixes(database) if item.kind == "default")
    assert fix.harmless_because.startswith("both number new rows from a sequence of their own")
    insert = f"INSERT INTO {table.replace('id, ', '')} VALUES ('new') RETURNING id"
    for code in (fix.upgrade, fix.downgrade):
        run_revision_body(example.connect, database, code)
        with example.connect(database) as connection, connection.transaction(force_rollback=True):
            assert connection.execute(insert).fetchone() == (42,)


def test_a_new_column_is_written_as_people_write_it(example: DriftExample) -> None:
    (fix,) = example.write_fixes(example.make_drifted_copy("ALTER TABLE users DROP COLUMN country"))
    assert fix.upgrade == "op.add_column('users', sa.Column('country', sa.CHAR(length=2), nullable=True))"
    assert fix.downgrade == "op.drop_column('users', 'country')"


def test_a_new_not_null_column_comes_with_a_warning(example: DriftExample) -> None:
    (fix,) = example.write_fixes(example.make_drifted_copy("ALTER TABLE tracks DROP COLUMN title"))
    assert fix.upgrade.startswith("# tracks may hold rows already")
    compile(fix.upgrade + "\n" + fix.downgrade, "revision.py", "exec")
