"""A CHECK that admits more than another one is no new rule; in all doubt it is one."""

from __future__ import annotations

import pytest

from migration_gate.analysis.condition_texts import admits_no_less

WIDER = [
    ("CHECK ((n < 10))", "CHECK ((n < 20))"),
    ("CHECK ((n < 10))", "CHECK ((n <= 10))"),
    ("CHECK ((n > 0))", "CHECK ((n >= 0))"),
    ("CHECK ((n > 0))", "CHECK ((n > '-5'::integer))"),
    ("CHECK ((price > (0)::numeric))", "CHECK ((price > ('-1'::integer)::numeric))"),
    ("CHECK ((price < 0.5))", "CHECK ((price < 1.25))"),
    ("CHECK ((char_length((name)::text) <= 50))", "CHECK ((char_length((name)::text) <= 100))"),
    ("CHECK (((n >= 1) AND (n <= 10)))", "CHECK (((n >= 0) AND (n <= 20)))"),
    ("CHECK (((n >= 1) AND (n <= 10)))", "CHECK ((n >= 1))"),
    ("CHECK (((n >= 1) AND (n <= 10)))", "CHECK (((n <= 10) AND (n >= 1)))"),
    ("CHECK ((n >= 1))", "CHECK (((n >= 1) OR (m > 2)))"),
    ("CHECK (((n < 1) OR (n > 9)))", "CHECK (((n < 2) OR (n > 8)))"),
    ("CHECK (is_good(n))", "CHECK ((is_good(n) OR (n < 3)))"),
    (
        "CHECK (((state)::text = 'a'::text))",
        "CHECK (((state)::text = ANY (ARRAY['a'::text, 'b'::text])))",
    ),
    (
        "CHECK (((n > 0) AND ((state)::text = ANY (ARRAY['a'::text, 'b'::text]))))",
        "CHECK (((n > 0) AND ((state)::text = ANY (ARRAY['a'::text, 'b'::text, 'c'::text]))))",
    ),
]
NEW_RULES = [
    ("CHECK ((n <= 10))", "CHECK ((n < 10))"),
    ("CHECK ((n > '-5'::integer))", "CHECK ((n > 0))"),
    ("CHECK (((n >= 1) AND (n <= 10)))", "CHECK (((n >= 0) AND (n <= 5)))"),
    ("CHECK (((n >= 1) OR (m > 2)))", "CHECK ((n >= 1))"),
    ("CHECK ((n >= 1))", "CHECK (((n >= 1) AND (n <= 10)))"),
    ("CHECK ((NOT (n < 10)))", "CHECK ((NOT (n < 20)))"),
    ("CHECK (((n < 10) = (m < 5)))", "CHECK (((n < 20) = (m < 5)))"),
    ("CHECK ((n < (10 - m)))", "CHECK ((n < (20 - m)))"),
    ("CHECK (f((n < 10)))", "CHECK (f((n < 20)))"),
    ("CHECK (((n < 10) IS NOT TRUE))", "CHECK (((n < 20) IS NOT TRUE))"),
    ("CHECK ((n <> 10))", "CHECK ((n <> 20))"),
    ("CHECK ((n = 10))", "CHECK ((n = 20))"),
    ("CHECK ((n < 10))", "CHECK ((m < 20))"),
    ("CHECK ((n < 10))", "CHECK ((n > 5))"),
    ("CHECK ((name < '9'::text))", "CHECK ((name < '10'::text))"),  # in the order of texts it is less
    ("CHECK ((n < 'NaN'::numeric))", "CHECK ((n < 'Infinity'::numeric))"),
    ("CHECK ((at < '2020-01-01'::date))", "CHECK ((at < '2019-01-01'::date))"),
    (
        "CHECK (CASE WHEN (n < 10) THEN false ELSE true END)",
        "CHECK (CASE WHEN (n < 20) THEN false ELSE true END)",
    ),
    ("EXCLUDE USING gist (a WITH =)", "EXCLUDE USING gist (b WITH =)"),
    ("CHECK ((n < 10)", "CHECK ((n < 20))"),
]


@pytest.mark.parametrize(("before", "after"), WIDER)
def test_what_admits_more_is_no_new_rule(before: str, after: str) -> None:
    assert admits_no_less(before, before)
    assert admits_no_less(before, after)


@pytest.mark.parametrize(("before", "after"), [*NEW_RULES, *((new, old) for old, new in WIDER[:9])])
def test_what_admits_less_or_something_else_is_one(before: str, after: str) -> None:
    assert not admits_no_less(before, after)
