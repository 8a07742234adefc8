"""Which foreign keys have an index that finds their rows; what is told of partitions."""

from __future__ import annotations

import textwrap
from dataclasses import replace

import pytest

from migration_gate.analysis.new_parts import is_indexed
from migration_gate.checks import duplicate_index, unfinished_change, unindexed_foreign_key
from migration_gate.facts import Base, Constraint, Facts
from tests.replay.test_observation import run_new_revisions
from tests.support.fact_builders import make_table
from tests.support.replay_engine import Engine

KEY = Constraint("public", "local_user", "fk", "foreign key", "", ("user_id", "domain_id"))


@pytest.mark.parametrize(
    ("index", "expected"),
    [
        ("index user_id, domain_id", True),
        ("index domain_id, user_id, name", True),
        ("unique index user_id", True),
        ("index user_id", False),
        ("unique index user_id, name", False),
        ("partial index user_id, domain_id", False),
    ],
)
def test_an_index_finds_the_rows_of_a_key(index: str, expected: bool) -> None:
    catalog = make_table("local_user", "user_id text", "domain_id text", "name text", index)
    assert is_indexed(catalog.indexes, KEY) is expected


BEFORE = """
op.execute("create table owner (id int primary key)")
op.execute("create table reading (at date not null, owner int, station int) partition by range (at)")
op.execute("create table reading_24 partition of reading for values from ('2024-01-01') to ('2025-01-01')")
op.execute("create table reading_25 partition of reading for values from ('2025-01-01') to ('2026-01-01') "
           "partition by list (station)")
op.execute("create table reading_25_1 partition of reading_25 for values in (1)")
"""
ADDED = """
op.execute("alter table reading add constraint known foreign key (owner) references owner")
op.execute("alter table reading add constraint early check (station < -9) not valid")
op.execute("create index ix_one on reading (station)")
op.execute("create index ix_two on reading (station)")
op.execute("create index ix_three on reading_24 (station)")
"""


@pytest.mark.slow
def test_what_a_partition_has_by_its_parent_is_told_once_and_the_fix_runs(engine: Engine) -> None:
    facts = Facts("shop", run_new_revisions(engine, ADDED, before=BEFORE).replay)
    unvalidated = unfinished_change.check(facts)
    assert [finding.object for finding in unvalidated] == ["reading.early"]
    assert [finding.object for finding in duplicate_index.check(facts)] == ["ix_one"]
    broken = [rule for item in facts.replay.rehearsal.revisions for rule in item.broken_rules]
    assert [(rule.table, rule.constraint) for rule in broken] == [("reading", "early")]
    (finding,) = unindexed_foreign_key.check(facts)
    assert finding.object == "reading.known"
    code = textwrap.dedent(finding.fix.partition(":\n\n")[2])
    fixed = run_new_revisions(engine, f"{ADDED}{code}", before=BEFORE).replay
    assert fixed.failure is None
    assert list(unindexed_foreign_key.check(Facts("shop", fixed))) == []
    assert all(index.valid for index in fixed.catalog.indexes)


OLD_KEY = """
op.execute("create table owner (id int primary key)")
op.execute("create table piece (id int primary key, owner int constraint known references owner)")
op.execute("create table part (id int primary key, owner int constraint of_part references owner)")
op.execute("create index by_owner on part (owner)")
"""
NEW_KEY = """
op.execute("alter table piece drop constraint known")
op.execute("alter table piece add constraint later foreign key (owner) references owner deferrable")
op.execute("alter table part alter constraint of_part deferrable")
op.execute("drop index by_owner")
"""


@pytest.mark.slow
def test_a_key_that_is_made_anew_had_no_index_before(engine: Engine) -> None:
    earlier = Facts("shop", run_new_revisions(engine, before=OLD_KEY).replay)
    facts = Facts("shop", run_new_revisions(engine, NEW_KEY, before=OLD_KEY).replay)
    assert [finding.object for finding in unindexed_foreign_key.check(facts)] == [
        "part.of_part",
        "piece.later",
    ]
    facts = replace(facts, base=Base("f" * 40, "main", earlier))
    assert [finding.object for finding in unindexed_foreign_key.check(facts)] == ["part.of_part"]
