"""What is written to correct rows names their table as SQL takes it, and corrects no other ones."""

from __future__ import annotations

import psycopg
import pytest

from migration_gate.analysis.rehearsal_messages import judge_failure, suggest_failure_fix
from migration_gate.check import Severity
from migration_gate.facts import Failure, Replay, RowFailure, Snapshot, Table
from tests.support.replay_engine import Engine

DAYS = Table("app", "Days", partition_key="RANGE (day)")
PART = Table("app", "Days 24", partition_bound="FOR VALUES FROM (1) TO (2)", inherits=("app.Days",))
OTHER = Table("public", "Days")
REPLAY = Replay(catalog=Snapshot(tables=(DAYS, PART, OTHER)))


def test_nulls_of_a_partition_are_filled_in_its_parent() -> None:
    error = Failure(
        'column "Kind" of relation "Days 24" contains null values',
        sqlstate="23502",
        statement='ALTER TABLE app."Days" ALTER "Kind" SET NOT NULL',
    )
    fix = suggest_failure_fix(REPLAY, RowFailure(error, "unusual", tables=("app.Days", "app.Days 24")))
    assert """op.execute(\"""UPDATE app."Days" SET "Kind" = ... WHERE "Kind" IS NULL\""")""" in fix
    assert 'op.alter_column("Days", "Kind", nullable=False, schema="app")' in fix


def test_rows_that_the_revision_refuses_on_purpose_are_not_for_its_code_to_expect() -> None:
    error = Failure("two users have one name", "RuntimeError", is_deliberate=True)
    fix = suggest_failure_fix(REPLAY, RowFailure(error, "unusual", tables=("users",)))
    assert fix.startswith("The revision's own code refuses such rows")


@pytest.mark.parametrize(
    ("statement", "severity"),
    [
        ("UPDATE bills SET city = trim(city)", Severity.WARNING),
        ("DO $$ BEGIN RAISE EXCEPTION 'no'; END $$", Severity.NOTE),
    ],
)
def test_a_trigger_that_refuses_rows_is_a_rule(statement: str, severity: Severity) -> None:
    error = Failure("paid bills are final", sqlstate="P0001", statement=statement)
    assert judge_failure(RowFailure(error, "plain", tables=("bills",))).severity is severity


def test_duplicates_are_removed_from_the_table_that_the_statement_names() -> None:
    error = Failure(
        "could not create unique index",
        sqlstate="23505",
        detail='Key ("Kind")=(a) is duplicated.',
        statement='CREATE UNIQUE INDEX i ON app."Days" ("Kind")',
    )
    failure = RowFailure(error, "unusual", tables=(str(DAYS), str(OTHER)))
    fix = suggest_failure_fix(REPLAY, failure)
    assert 'DELETE FROM app."Days" a USING app."Days" b WHERE a.ctid < b.ctid AND a."Kind" = b."Kind"' in fix


@pytest.mark.slow
@pytest.mark.parametrize(
    ("definition", "deleted"),
    [
        ("UNIQUE INDEX one ON copied (kind) WHERE live", {3}),
        ("UNIQUE INDEX one ON copied (kind, live) NULLS NOT DISTINCT", {1, 3}),
        ("UNIQUE INDEX one ON copied (kind, live)", {3}),
    ],
)
def test_what_removes_duplicates_leaves_other_rows(
    engine: Engine, definition: str, deleted: set[int]
) -> None:
    create = "create table copied (id int, kind text, live bool)"
    rows = "values (1, 'a', null), (2, 'a', null), (3, 'a', true), (4, 'a', true), (5, null, true)"
    with engine.server.connect(engine.server.create_database()) as connection:
        connection.execute(create)
        connection.execute(f"insert into copied {rows}".encode())
        with pytest.raises(psycopg.Error) as caught, connection.transaction():
            connection.execute(f"CREATE {definition}".encode())
        detail = caught.value.diag.message_detail
        error = Failure("", sqlstate="23505", detail=detail, statement=f"CREATE {definition}")
        replay = Replay(catalog=Snapshot(tables=(Table("public", "copied"),)))
        fix = suggest_failure_fix(replay, RowFailure(error, "unusual", tables=("copied",)))
        statement = fix.partition('op.execute("')[2].removesuffix('")\n')
        connection.execute(statement.encode())
        connection.execute(f"CREATE {definition}".encode())
        left = {row[0] for row in connection.execute("select id from copied").fetchall()}
    assert {1, 2, 3, 4, 5} - left == deleted
