"""Where a release needs what a change makes, it is the line that makes it which is named."""

from __future__ import annotations

from dataclasses import replace

import pytest

from migration_gate.analysis.running_code_origin import find_refusal_origin
from migration_gate.facts import Base, Facts, RefusalCause, RefusedStatement, Replay
from tests.support import fact_builders


@pytest.mark.parametrize(
    ("cause", "column", "revision"),
    [(RefusalCause.MISSING_COLUMN, "size", "b2"), (RefusalCause.MISSING_TABLE, "", "a1")],
)
def test_the_revision_that_made_it_is_named_and_not_the_last_one(
    cause: RefusalCause, column: str, revision: str
) -> None:
    history = fact_builders.make_chain("a1", "b2", "c3")
    lines = ("id integer", "size integer")
    commands = (
        fact_builders.make_ddl_command(1, "items", "id integer", oid=5),
        fact_builders.make_ddl_command(2, "items", *lines, oid=5, tag="ALTER TABLE"),
        fact_builders.make_ddl_command(3, "items", *lines, oid=5, tag="CREATE INDEX"),
    )
    replay = Replay(
        history=history,
        steps=fact_builders.make_steps(history),
        catalog=fact_builders.make_table("items", *lines, oid=5),
        ddl_commands=commands,
    )
    base = replace(Base("1" * 40, "main"), facts=Facts(replay=Replay()))
    refused = RefusedStatement("public", "items", (), cause, (), "", "", column)
    assert find_refusal_origin(Facts(replay=replay, base=base), refused).revision == revision
