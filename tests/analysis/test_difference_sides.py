"""What the one line of a difference says of its two sides."""

from __future__ import annotations

from typing import cast

import pytest

from migration_gate.analysis.drift_messages import describe_difference
from migration_gate.facts import DifferenceKind
from migration_gate.report.similar_verdicts import SIDES, VALUE
from tests.support.fact_builders import make_difference


@pytest.mark.parametrize(
    ("kind", "database", "models", "message"),
    [
        (
            "type",
            "character varying(200)",
            "character varying(250)",
            "its type differs: `varchar(200)` in the migrations, `varchar(250)` in the models",
        ),
        (
            "type",
            "timestamp(3) without time zone",
            "timestamp with time zone",
            "its type differs: `timestamp(3)` in the migrations, `timestamptz` in the models",
        ),
        ("default", "0", "1", "its default differs: `0` in the migrations, `1` in the models"),
        ("default", None, "now()", "the models have this default (`now()`), no migration makes it"),
        ("default", "x" * 41, None, "the migrations make this default, no model has it"),
        ("check", "CHECK (a)", "CHECK (b)", "this CHECK constraint differs: `CHECK (a)` in the migrations, "),
        ("index", "a" * 41, "b", "this index differs between migrations and models"),
        ("index", "`", "b", "this index differs between migrations and models"),
        ("name-only", "a", "b", "only its name differs: `a` in the migrations, `b` in the models"),
    ],
)
def test_both_sides_are_named_where_they_are_short(
    kind: str, database: str | None, models: str | None, message: str
) -> None:
    text = describe_difference(make_difference(cast(DifferenceKind, kind), "item.name", database, models))
    assert text.startswith(f"`item.name`: {message}")
    if "`" in message:
        assert "`" not in SIDES.sub("", VALUE.sub("", text)).replace("`item.name`", ""), "it can be folded"
