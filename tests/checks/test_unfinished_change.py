"""What is written to finish an index of a partitioned table finishes it."""

from __future__ import annotations

import textwrap

import pytest

from migration_gate.checks import unfinished_change
from migration_gate.facts import Facts
from tests.replay.test_observation import run_new_revisions
from tests.support.release_tests import first_in_every_run
from tests.support.replay_engine import Engine

PARTITIONED = """
op.execute("create table events (id bigint not null, happened date not null) partition by range (happened)")
op.execute("create table events_may partition of events for values from ('2026-05-01') to ('2026-06-01')")
op.execute(
    "create table events_rest partition of events for values from ('2026-06-01') to ('2027-01-01')"
    " partition by list (id)"
)
op.execute("create table events_first partition of events_rest for values in (1)")
"""
HALF_BUILT = {
    "an index": """
op.execute("create index events_id on only events (id)")
op.execute("create index own_name on events_may (id)")
""",
    "a constraint": 'op.execute("alter table only events add constraint events_key unique (id, happened)")',
}


@pytest.mark.release
@pytest.mark.slow
@pytest.mark.parametrize("body", first_in_every_run(HALF_BUILT.values(), 1))
def test_the_fix_finishes_the_index_of_a_partitioned_table(engine: Engine, body: str) -> None:
    ran = run_new_revisions(engine, body, before=PARTITIONED)
    (finding,) = unfinished_change.check(Facts("a", ran.replay))
    fix = textwrap.dedent(finding.fix.partition(":\n\n")[2])
    fixed = run_new_revisions(engine, body, fix, before=PARTITIONED)
    assert fixed.replay.failure is None
    assert list(unfinished_change.check(Facts("a", fixed.replay))) == []
    indexes = [index for index in fixed.replay.catalog.indexes if index.table.startswith("events")]
    assert all(index.valid for index in indexes)
    assert len(indexes) == 4
