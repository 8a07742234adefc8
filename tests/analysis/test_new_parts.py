"""Which foreign keys have an index that finds their rows."""

from __future__ import annotations

import pytest

from migration_gate.analysis.new_parts import is_indexed
from migration_gate.facts import Constraint
from tests.support.fact_builders import make_table

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
    assert is_indexed(catalog, KEY) is expected
