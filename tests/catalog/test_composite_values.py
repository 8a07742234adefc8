"""Values of composite types: made from their definitions, and compared by their attributes."""

from __future__ import annotations

from typing import Any

import pytest

from migration_gate.catalog.kept_values import compare_attributes
from migration_gate.catalog.simple_values import collect_named_types, make_simple_value
from migration_gate.facts import NamedType

TYPES = (
    NamedType(
        "public",
        "place",
        "composite",
        'AS (s text, "to, wn" numeric(10,2), t character varying(5)[], "A ""b" "My Type", n app.inner)',
    ),
    NamedType("app", "inner", "composite", "AS (x integer, y text)"),
    NamedType("app", "empty", "composite", "AS ()"),
)


@pytest.mark.parametrize(
    ("type_text", "value"),
    [
        ("app.inner", '("1200","text 1")'),
        ("app.empty", "()"),
        ("app.inner[]", r'{"(\"1200\",\"text 1\")"}'),
        (
            "public.place",
            r'("text 1","1200","{\"1\"}",,"(\"1200\",\"text 1\")")',
        ),
    ],
)
def test_a_value_has_a_part_for_each_attribute(type_text: str, value: str) -> None:
    """Of a type that nothing is known of, it is NULL."""
    assert make_simple_value(type_text, 1, collect_named_types((), TYPES)) == value


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        pytest.param({"a": 1, "b": 2}, {"a": 1, "b": 2}, "same", id="nothing"),
        pytest.param({"a": 1}, {"a": 1, "b": None}, "same", id="a new attribute"),
        pytest.param({"a": 1, "b": 2}, {"a": 1, "c": 2}, "same", id="a renamed one"),
        pytest.param({"a": 1, "b": None}, {"a": 1}, "same", id="one without a value is gone"),
        pytest.param({"a": 1, "b": 2}, {"a": 1}, {"b": 2}, id="one with a value is gone"),
        pytest.param({"a": {"x": 1, "y": 2}}, {"a": {"x": 1}}, {"a": {"y": 2}}, id="inside of another"),
        pytest.param({"a": {"x": 1}}, {"a": {"x": 2}}, "others", id="another value inside"),
        pytest.param({"a": 1, "b": 2}, {"a": 3}, "others", id="another value"),
        pytest.param([{"a": 1, "b": 2}, None], [{"a": 1}, None], [{"b": 2}], id="of an array"),
        pytest.param([{"a": 1}], [{"a": 1, "b": None}], "same", id="a new one of an array"),
        pytest.param([{"a": 1}, {"a": 2}], [{"a": 1}], "others", id="a shorter array"),
        pytest.param({"a": 1}, {"a": None}, {"a": 1}, id="an emptied one"),
        pytest.param("x", "y", "others", id="a text"),
    ],
)
def test_what_is_lost_is_told_from_what_is_new(old: Any, new: Any, expected: Any) -> None:
    before, after = compare_attributes(old, new)
    if expected == "same":
        assert before == after
    elif expected == "others":
        assert (before, after) == (old, new)
    else:
        assert (before, after) == (expected, None)
