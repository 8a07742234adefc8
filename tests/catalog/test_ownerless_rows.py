"""Whether each row has an owner is asked of Postgres, whatever way a table has of saying so."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from migration_gate.catalog.ownerless_rows import try_ownerless_rows
from migration_gate.catalog.snapshot_reader import read_snapshot
from migration_gate.facts import NullTrial
from tests.support.replay_engine import Engine

pytestmark = pytest.mark.slow
SETUP = """
CREATE TABLE users (id bigint PRIMARY KEY);
CREATE TABLE teams (id bigint PRIMARY KEY);
CREATE TABLE status (id bigint PRIMARY KEY);
CREATE DOMAIN owner_ref AS bigint NOT NULL;
CREATE DOMAIN positive_ref AS bigint CHECK (VALUE > 0);
CREATE DOMAIN checked_ref AS bigint CHECK (VALUE IS NOT NULL);
CREATE TYPE kind AS ENUM ('user', 'team', 'system');
CREATE FUNCTION is_owned(bigint) RETURNS bool LANGUAGE sql IMMUTABLE AS 'SELECT $1 IS NOT NULL';
"""
OWNER = "owner_id bigint REFERENCES users"
TEAM = "team_id bigint REFERENCES teams"
PROVED = {
    "a CHECK": f"{OWNER}, CHECK (owner_id IS NOT NULL)",
    "a CHECK on more": f"{OWNER}, n int, CHECK (owner_id IS NOT NULL AND n IS NOT NULL)",
    "a CHECK with a value": f"{OWNER}, CHECK (coalesce(owner_id, 0) > 0)",
    "a CHECK by a function": f"{OWNER}, CHECK (is_owned(owner_id))",
    "a domain": "owner_id owner_ref REFERENCES users",
    "a domain's CHECK": "owner_id checked_ref REFERENCES users",
    "one of two": f"{OWNER}, {TEAM}, CHECK (num_nonnulls(owner_id, team_id) = 1)",
    "at least one of two": f"{OWNER}, {TEAM}, CHECK (num_nonnulls(owner_id, team_id) >= 1)",
    "NULLs that differ": f"{OWNER}, {TEAM}, CHECK ((owner_id IS NULL) <> (team_id IS NULL))",
    "either": f"{OWNER}, {TEAM}, CHECK (owner_id IS NOT NULL OR team_id IS NOT NULL)",
    "an XOR": f"{OWNER}, {TEAM}, CHECK ((owner_id IS NULL AND team_id IS NOT NULL) OR "
    "(owner_id IS NOT NULL AND team_id IS NULL))",
    "coalesced": f"{OWNER}, {TEAM}, CHECK (coalesce(owner_id, team_id) IS NOT NULL)",
    "counted": f"{OWNER}, {TEAM}, CHECK ((owner_id IS NOT NULL)::int + (team_id IS NOT NULL)::int = 1)",
    "without foreign keys": "owner_id uuid, team_id uuid, CHECK (num_nonnulls(owner_id, team_id) = 1)",
    "a kind, by texts": f"{OWNER}, {TEAM}, kind varchar(20) NOT NULL CHECK (kind IN ('user', 'team')), "
    "CHECK ((kind = 'user' AND owner_id IS NOT NULL) OR (kind = 'team' AND team_id IS NOT NULL))",
    "a kind, by CASE": f"{OWNER}, {TEAM}, kind text NOT NULL, CHECK (CASE kind WHEN 'user' THEN owner_id "
    "IS NOT NULL WHEN 'team' THEN team_id IS NOT NULL ELSE false END)",
    "a kind, by an enum": f"{OWNER}, {TEAM}, k kind NOT NULL, CHECK ((k = 'user') = (owner_id IS NOT NULL)), "
    "CHECK ((k <> 'user') = (team_id IS NOT NULL))",
    "quoted names": '"ownerId" bigint REFERENCES users, "Team Id" bigint REFERENCES teams, '
    'CHECK (num_nonnulls("ownerId", "Team Id") = 1)',
}
"""tables in which each row has an owner"""
ACCEPTED = {
    "a CHECK on the value": (f"{OWNER}, CHECK (owner_id > 0)", "any row", ""),
    "a domain on the value": ("owner_id positive_ref REFERENCES users", "any row", ""),
    "at most one": (
        f"{OWNER}, {TEAM}, CHECK (num_nonnulls(owner_id, team_id) <= 1)",
        "team_id IS NULL",
        "team_id = '1'",
    ),
    "rows of the system": (
        f"{OWNER}, kind text NOT NULL, CHECK ((kind = 'system') = (owner_id IS NULL))",
        "kind = 'system'",
        "kind = 'system'",
    ),
    "a flag": (
        f"{OWNER}, deleted bool NOT NULL, CHECK (owner_id IS NOT NULL OR deleted)",
        "deleted = 't'",
        "",
    ),
    "an enum": (
        f"{OWNER}, k kind, CHECK (k = 'system' OR owner_id IS NOT NULL), CHECK (k IS NOT NULL)",
        "k = 'system'",
        "",
    ),
    "a status of its own": (
        f"{OWNER}, status_id bigint REFERENCES status, "
        "CHECK (owner_id IS NOT NULL OR (status_id IS NOT NULL AND status_id = 3))",
        "status_id = '3'",
        "",
    ),
    "a parent that is always there": (
        f"{OWNER}, team_id bigint NOT NULL REFERENCES teams, "
        "CHECK (owner_id IS NOT NULL OR team_id IS NOT NULL)",
        "team_id = '1'",
        "",
    ),
    "a number": (f"{OWNER}, level int, CHECK (owner_id IS NOT NULL OR level > 6)", "level IS NULL", ""),
}
"""tables that accept a row without an owner: with which values, and where they demand NULL"""
UNPROVED = {
    "a length": f"{OWNER}, note text NOT NULL, CHECK (owner_id IS NOT NULL OR length(note) > 100)",
    "an unvalidated CHECK": f"{OWNER}, CONSTRAINT later CHECK (owner_id > 0)",
}
"""tables of which the values that were tried prove nothing"""


@pytest.fixture
def database(shared_engine: Engine) -> Iterator[psycopg.Connection[Any]]:
    """A database with owners."""
    name = shared_engine.server.create_database()
    with shared_engine.server.connect(name) as connection:
        connection.execute(SETUP)
        yield connection
    with shared_engine.server.connect() as connection:
        connection.execute(f"DROP DATABASE {name}")


def try_table(connection: psycopg.Connection[Any], body: str, name: str) -> NullTrial | None:
    """The trial of the first column of a table."""
    connection.execute(f'CREATE TABLE "{name}" ({body}, title text NOT NULL CHECK (length(title) > 3))')
    snapshot = read_snapshot(connection, ())
    table = next(item for item in snapshot.tables if item.name == name)
    trials = try_ownerless_rows(connection, snapshot, [(table, snapshot.columns_of(table)[0])])
    assert connection.execute("select to_regclass('pg_temp.migration_gate_copy')").fetchone() == (None,)
    return trials[0] if trials else None


def test_a_table_in_which_each_row_has_an_owner_is_proved_to_be_one(database: Any) -> None:
    trials = {name: try_table(database, body, name) for name, body in PROVED.items()}
    assert [name for name, trial in trials.items() if trial is None or not trial.is_refused] == []


def test_a_row_without_an_owner_is_shown_where_postgres_accepts_it(database: Any) -> None:
    for name, (body, accepted, demanding) in ACCEPTED.items():
        trial = try_table(database, body, name)
        assert trial is not None, name
        assert (trial.is_refused, trial.accepted_row) == (False, accepted), name
        assert demanding is None or trial.demanding_row == demanding, name


def test_what_was_not_tried_exhaustively_proves_nothing(database: Any) -> None:
    for name, body in UNPROVED.items():
        trial = try_table(database, body, name)
        assert trial is not None, name
        assert not trial.is_refused, name


def test_a_check_that_is_not_validated_and_a_plain_column_are_not_tried(database: Any) -> None:
    assert try_table(database, OWNER, "plain") is None
    database.execute("ALTER TABLE plain ADD CONSTRAINT later CHECK (owner_id IS NOT NULL) NOT VALID")
    snapshot = read_snapshot(database, ())
    table = next(item for item in snapshot.tables if item.name == "plain")
    assert try_ownerless_rows(database, snapshot, [(table, snapshot.columns_of(table)[0])]) == ()
