"""What blocking-change proposes is run in the place of what it found, and observed to block nobody."""

from __future__ import annotations

from textwrap import dedent

import pytest

from migration_gate.checks import blocking_change, work_under_lock
from migration_gate.facts import Facts
from tests.replay.test_observation import run_new_revisions
from tests.support.replay_engine import Engine

pytestmark = pytest.mark.slow
STATEMENTS = {
    "index-build": 'op.create_index("ix_name", "item", ["name"])',
    "not-null-scan": 'op.alter_column("item", "name", nullable=False)',
    "check-scan": 'op.create_check_constraint("named", "item", "name IS NOT NULL")',
    "constraint-index": 'op.create_unique_constraint("name_once", "item", ["name"])',
    "foreign-key-scan": 'op.create_foreign_key("item_item", "item", "item", ["id"], ["id"])',
    "table-rewrite": 'op.execute("ALTER TABLE item ADD COLUMN token uuid DEFAULT gen_random_uuid()")',
}


@pytest.mark.parametrize("kind", STATEMENTS)
def test_the_safe_way_blocks_nobody(engine: Engine, kind: str) -> None:
    relaxed = 'op.alter_column("item", "name", nullable=True)'
    facts = Facts(replay=run_new_revisions(engine, STATEMENTS[kind], before=relaxed).replay)
    (finding,) = blocking_change.check(facts)
    assert finding.kind == kind
    code = dedent(finding.fix[finding.fix.index("\n\n    ") :]).strip("\n")
    safe = Facts(replay=run_new_revisions(engine, code, before=relaxed).replay)
    assert safe.replay.failure is None
    assert [*blocking_change.check(safe), *work_under_lock.check(safe)] == []
