"""What is dropped where the rehearsal had no rows is told all the same."""

from __future__ import annotations

from dataclasses import replace

import pytest

from migration_gate.checks import destructive
from migration_gate.facts import (
    Base,
    Facts,
    Failure,
    Rehearsal,
    RehearsedRevision,
    Replay,
    RowChange,
    RowFailure,
    RowlessTable,
    Snapshot,
)
from tests.support import fact_builders

TABLE = fact_builders.make_table("logs", "id integer", "extra text", oid=5)
DROPPED = fact_builders.make_table("logs", "id integer", oid=5)
RENAMED = fact_builders.make_table("logs", "id integer", "more text", oid=5)
FAILED = RehearsedRevision("b2", failure=RowFailure(Failure("", "no such content"), "plain"))
FAILED_ON_VALUES = replace(FAILED, failure=RowFailure(Failure("", "no such content"), "filled"))
FAILED_ON_UNUSUAL = replace(FAILED, failure=RowFailure(Failure("", "no such content"), "unusual"))
SEEN = replace(FAILED, changes=(RowChange("dropped column", "public", "logs", "extra", 3, 21),))
ROWLESS = (RowlessTable("public", "logs", "a CHECK"),)


def make_facts(later: Snapshot, rehearsal: Rehearsal) -> Facts:
    """Of a change whose one new revision left that catalog."""
    history = fact_builders.make_chain("a1", "b2")
    first, second = fact_builders.make_steps(history)
    lines = [f"{column.name} {column.type}" for column in later.columns]
    commands = (
        fact_builders.make_ddl_command(1, "logs", "id integer", "extra text", oid=5),
        replace(
            fact_builders.make_ddl_command(2, "logs", *lines, oid=5, tag="ALTER TABLE"),
            dropped=not later.tables,
        ),
    )
    replay = Replay(
        history=history, steps=(first, second), catalog=later, rehearsal=rehearsal, ddl_commands=commands
    )
    base = Replay(history=fact_builders.make_chain("a1"), steps=(first,), catalog=TABLE)
    return Facts(replay=replay, base=Base("1" * 40, "main", Facts(replay=base)))


@pytest.mark.parametrize(
    ("later", "rehearsal", "expected"),
    [
        (DROPPED, Rehearsal(revisions=(FAILED,), tables=2), ["column logs.extra"]),
        (DROPPED, Rehearsal(revisions=(FAILED_ON_VALUES,), tables=2), ["column logs.extra"]),
        (DROPPED, Rehearsal(rowless=ROWLESS, tables=2), ["column logs.extra"]),
        (Snapshot(), Rehearsal(rowless=ROWLESS, tables=2), ["table logs"]),
        (DROPPED, Rehearsal(revisions=(SEEN,), tables=2), ["column logs.extra"]),
        (DROPPED, Rehearsal(revisions=(FAILED_ON_UNUSUAL,), tables=2), []),
        (DROPPED, Rehearsal(tables=2), []),
        (RENAMED, Rehearsal(revisions=(FAILED,), tables=2), []),
    ],
    ids=[
        "failed",
        "failed on values",
        "rowless",
        "table",
        "seen, once",
        "failed on some rows",
        "with rows",
        "renamed",
    ],
)
def test_a_drop_that_was_not_seen_is_told_once(
    later: Snapshot, rehearsal: Rehearsal, expected: list[str]
) -> None:
    findings = list(destructive.check(make_facts(later, rehearsal)))
    assert [f"{finding.kind} {finding.object}" for finding in findings] == expected
    assert {finding.revision for finding in findings} <= {"b2"}
