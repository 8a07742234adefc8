"""What a change of type does to the values of a column."""

from __future__ import annotations

import pytest

from migration_gate.drift.type_changes import mark_losses
from migration_gate.facts import TypeCast
from tests.support.fact_builders import make_difference

WIDER = TypeCast("integer", "bigint", is_implicit=True)
CHANGES = {
    ("text", "text[]"): True,
    ("text[]", "text"): False,
    ("character varying(5)[]", "character varying(9)[]"): False,
    ("text", "jsonb"): True,
    ("integer", "bigint"): False,
    ("bigint", "integer"): True,
}


@pytest.mark.parametrize(("database", "models"), CHANGES)
def test_a_type_that_does_not_hold_every_value_is_marked(database: str, models: str) -> None:
    (difference,) = mark_losses([make_difference("type", "t.a", database, models)], [WIDER])
    assert difference.loses_values is CHANGES[database, models]
