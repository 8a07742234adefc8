"""What is written to correct rows names their table as SQL takes it."""

from __future__ import annotations

from migration_gate.analysis.rehearsal_messages import suggest_failure_fix
from migration_gate.facts import Failure, Replay, RowFailure, Snapshot, Table

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
