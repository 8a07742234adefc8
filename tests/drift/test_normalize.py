"""Which spellings of a default or a definition mean the same."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migration_gate.drift.normalize import normalize_default, normalize_definition

COLUMNS = {
    "status": "character varying(20)",
    "note": "text",
    "id": "integer",
    "tags": "character varying(9)[]",
}


@pytest.mark.parametrize(
    ("text", "other_text", "type_"),
    [
        ("now()", "CURRENT_TIMESTAMP", "timestamp with time zone"),
        ("timezone('utc'::text, now())", "(now() AT TIME ZONE 'utc'::text)", "timestamp without time zone"),
        ("0", "(0)::numeric", "numeric(10,2)"),
        ("0", "'0'::numeric", "numeric(10,2)"),
        ("0.5", "0.50", "numeric(10,2)"),
        ("'-1'::integer", "'-1'::bigint", "bigint"),
        ("'x'::text", "'x'::character varying", "character varying(20)"),
        ("'{}'::text[]", "ARRAY[]::text[]", "text[]"),
        ("ARRAY[1, 2]", "'{1,2}'::integer[]", "integer[]"),
        ("'{}'::json", "'{}'::jsonb", "jsonb"),
        ("('{}'::json)::jsonb", "'{}'::jsonb", "jsonb"),
        ("'{}'::jsonb", "'{}'::json", "json"),
        ("NULL::character varying", None, "character varying(3)"),
        ("(CURRENT_DATE + 14)", "((CURRENT_DATE + 14))::date", "date"),
    ],
)
def test_a_default_in_other_words_is_the_same(text: str, other_text: str | None, type_: str) -> None:
    assert normalize_default(text, type_) == normalize_default(other_text, type_)


@pytest.mark.parametrize(
    ("text", "other_text", "type_"),
    [
        ("now()", "clock_timestamp()", "timestamp with time zone"),
        ("now()", "(now())::date", "timestamp with time zone"),
        ("'x'::text", "'X'::text", "text"),
        ("''::text", "' '::text", "text"),
        ("''::text", None, "text"),
        ("'abc'::text", "'abc'::character varying(2)", "text"),
        ("1.5", "(1.5)::integer", "numeric"),
        ("0.1", "(0.1)::real", "double precision"),
        ("'now()'::text", "now()", "text"),
        ("'{}'::jsonb", "'[]'::jsonb", "jsonb"),
        ("'{}'::json", "'[]'::jsonb", "jsonb"),
        ("'{}'::json", "'{}'::text", "text"),
        ("'2025-01-01'::date", "'2025-01-02'::date", "date"),
        ("CURRENT_TIMESTAMP(3)", "now()", "timestamp with time zone"),
    ],
)
def test_a_default_with_another_value_differs(text: str, other_text: str | None, type_: str) -> None:
    assert normalize_default(text, type_) != normalize_default(other_text, type_)


@pytest.mark.parametrize(
    ("text", "other_text"),
    [
        (
            "CHECK (((status)::text = ANY ((ARRAY['a'::character varying, 'b'::text])::text[])))",
            "CHECK (((status)::text = ANY (ARRAY['a'::text, 'b'::text])))",
        ),
        ("(lower((status)::text))", "lower(status)"),
        ("CHECK ((id > 0))", "CHECK (((id) > (0)))"),
        ("(tags)::text[]", "tags"),
    ],
)
def test_a_definition_in_other_words_is_the_same(text: str, other_text: str) -> None:
    assert normalize_definition(text, COLUMNS) == normalize_definition(other_text, COLUMNS)


@pytest.mark.parametrize(
    ("text", "other_text"),
    [
        ("((a OR b) AND c)", "(a OR (b AND c))"),
        ("btree (id)", "btree (((id)::text))"),
        ("CHECK ((note = 'a (b)'::text))", "CHECK ((note = 'a b'::text))"),
        ("CHECK ((id > 0))", "CHECK ((id >= 0))"),
        ("UNIQUE (a, b)", "UNIQUE (b, a)"),
        ("lower((email)::text)", "lower(email)"),
        ('CHECK (("Id" > 0))', "CHECK ((id > 0))"),
    ],
)
def test_a_definition_with_another_meaning_differs(text: str, other_text: str) -> None:
    assert normalize_definition(text, COLUMNS) != normalize_definition(other_text, COLUMNS)


def test_a_definition_that_cannot_be_read_stays_as_it_is() -> None:
    assert normalize_definition("CHECK (('open", {}) == "CHECK (('open"


def literal(text: str) -> str:
    quoted = "'" + text.replace("'", "''") + "'"
    return f"E{quoted}".replace("\\", "\\\\") if "\\" in text else quoted


texts = st.text(st.sampled_from("ab'\" ()[]{},:;\\%1.-"), max_size=8)


@given(texts, texts, st.sampled_from(["text", "character varying", "public.mood", "jsonb"]))
def test_different_strings_are_never_taken_for_each_other(text: str, other_text: str, type_: str) -> None:
    wrapped = [f"CHECK ((note = {literal(string)}::{type_}))" for string in (text, other_text)]
    defaults = [normalize_default(f"{literal(string)}::{type_}", type_) for string in (text, other_text)]
    assert (normalize_definition(wrapped[0], COLUMNS) == normalize_definition(wrapped[1], COLUMNS)) == (
        text == other_text
    )
    assert (defaults[0] == defaults[1]) == (text == other_text)


@given(
    st.recursive(
        st.sampled_from(["a", "id", "'x'::text", "(0)::numeric"]),
        lambda inner: st.tuples(inner, st.sampled_from(["AND", "+", "="]), inner).map(
            lambda parts: f"({' '.join(parts)})"
        ),
        max_leaves=6,
    )
)
def test_a_normalized_definition_is_its_own_normal_form(expression: str) -> None:
    once = normalize_definition(expression, COLUMNS)
    assert normalize_definition(once, COLUMNS) == once


@given(st.text(max_size=40))
def test_any_text_is_normalized_without_an_error(text: str) -> None:
    assert isinstance(normalize_definition(text, {}), str)
    assert isinstance(normalize_default(text, "text"), str | None)
