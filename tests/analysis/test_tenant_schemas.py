"""Which schemas env.py runs the same revisions in, and lines that name none of them."""

from __future__ import annotations

import pytest

from migration_gate.analysis.tenant_schemas import find_tenant_schemas, remove_schema
from migration_gate.facts import MigrationContext, Replay, Step

TENANTS = tuple(MigrationContext(number, default_schema=f"t_{number}") for number in (1, 2))
LINES = {
    "op.add_column('pet', sa.Column('a', sa.Integer()), schema='t_1')": (
        "op.add_column('pet', sa.Column('a', sa.Integer()))"
    ),
    "op.create_table('a',\nsa.Column('b', sa.Text()),\nschema='t_1'\n)": (
        "op.create_table('a',\nsa.Column('b', sa.Text())\n)"
    ),
    "op.execute(\"ALTER TYPE t_1.mood ADD VALUE 'x.t_1.y'\")": (
        "op.execute(\"ALTER TYPE mood ADD VALUE 'x.t_1.y'\")"
    ),
    "op.create_foreign_key('k', 'a', 'b', ['c'], ['d'], source_schema='t_1', referent_schema='shared')": (
        "op.create_foreign_key('k', 'a', 'b', ['c'], ['d'], referent_schema='shared')"
    ),
}


def make_replay(*revisions: str) -> Replay:
    """Every context runs one revision: `a` in the first, `b` in the second."""
    steps = tuple(Step(number, name, 0.0, context=number) for number, name in enumerate(revisions, 1))
    return Replay(contexts=TENANTS, steps=steps)


def test_schemas_with_the_same_revisions_are_tenants() -> None:
    assert find_tenant_schemas(make_replay("a", "a")) == ("t_1", "t_2")
    assert find_tenant_schemas(make_replay("a", "b")) == ()


@pytest.mark.parametrize("code", LINES)
def test_lines_without_a_schema(code: str) -> None:
    assert remove_schema(code, "t_1") == LINES[code]
