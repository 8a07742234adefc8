"""What is written when work is to be done after the locks are gone."""

from __future__ import annotations

import pytest

from migration_gate.analysis.blocking_works import WorkUnderLock
from migration_gate.analysis.safe_ways import describe_release
from migration_gate.facts import Location, ObservedStatement, StoredRelation

TABLE = StoredRelation("public", "a", "table")


@pytest.mark.parametrize(
    ("sql", "written", "expected"),
    [
        ("UPDATE a SET b = 1", (TABLE,), 'op.execute("UPDATE a SET b = 1")'),
        ("UPDATE a SET b = $1", (TABLE,), "...  # the code of line 7"),
        ("SELECT b FROM a", (), "...  # the code of line 7"),
        ("WITH x AS (DELETE FROM a RETURNING *) SELECT 1", (TABLE,), "op.execute("),
        ("CREATE INDEX i ON a (b)", (), 'op.execute("CREATE INDEX i ON a (b)")'),
    ],
)
def test_what_code_reads_or_gives_values_to_stays_where_it_is(
    sql: str, written: tuple[StoredRelation, ...], expected: str
) -> None:
    statement = ObservedStatement(1, 1, "b2", sql, written=written, location=Location("b2.py", 7))
    fix = describe_release(WorkUnderLock(statement, (), ()))
    assert f"    {expected}" in fix
    assert ("$1" in fix) == ("$1" in expected)


def test_a_function_that_locks_is_not_to_be_run_as_it_is_in_a_block_of_its_own() -> None:
    statement = ObservedStatement(2, 1, "b2", "SELECT change_all()", "SELECT")
    assert "autocommit_block" not in describe_release(WorkUnderLock(statement, (), (), takes_locks=True))
