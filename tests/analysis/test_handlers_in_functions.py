"""Calls of functions whose handlers may have hidden an error of their row statements."""

from __future__ import annotations

from dataclasses import replace

import pytest

from migration_gate.analysis.handlers_in_functions import find_handled_calls
from migration_gate.checks import unchecked
from migration_gate.facts import Location, Routine, Snapshot
from tests.support import fact_builders

INSERT = "INSERT INTO log VALUES (1);"
QUIET = "WHEN OTHERS THEN RAISE NOTICE 'no';"


def create(handlers: str, body: str = INSERT, name: str = "fill") -> str:
    """The statement that makes such a function."""
    code = f"BEGIN {body} EXCEPTION {handlers} END"
    return f"CREATE OR REPLACE FUNCTION {name}() RETURNS void LANGUAGE plpgsql AS $f$ {code} $f$"


def find_calls(*statements: str, catalog: Snapshot | None = None) -> list[tuple[str, str]]:
    """The name of each function that is called, and what it catches."""
    facts = fact_builders.make_replay_facts(fact_builders.make_chain("a1", "b2"))
    recorded = tuple(fact_builders.make_statement(sql, line=30 + n) for n, sql in enumerate(statements))
    first, second = facts.replay.steps
    replay = replace(
        facts.replay, steps=(first, replace(second, statements=recorded)), catalog=catalog or Snapshot()
    )
    calls = list(find_handled_calls(replay))
    findings = list(unchecked.check(replace(facts, replay=replay)))
    everything = [call for call in calls if call.function.catches_everything]
    assert [finding.location for finding in findings if finding.object == "fill()"] == [
        Location("migrations/versions/b2.py", 31) for _ in everything
    ]
    return [(call.function.name, call.function.conditions) for call in calls]


@pytest.mark.parametrize("call", ["SELECT fill()", "SELECT * FROM public.fill ()", 'SELECT "fill"()'])
def test_a_call_of_a_function_that_hides_every_error_is_unchecked(call: str) -> None:
    assert find_calls(create(QUIET), call, call) == [("fill", "OTHERS")]


def test_a_handler_of_one_error_is_a_call_of_its_own_kind() -> None:
    handlers = "WHEN check_violation THEN RAISE; WHEN unique_violation OR not_null_violation THEN NULL;"
    assert find_calls(create(handlers), "SELECT fill()") == [
        ("fill", "UNIQUE_VIOLATION OR NOT_NULL_VIOLATION")
    ]


def test_a_function_of_an_earlier_revision_is_known_from_the_catalog() -> None:
    routine = Routine("public", "fill", "", "function", create(QUIET))
    assert find_calls("SELECT 1", "SELECT fill()", catalog=Snapshot(routines=(routine,))) == [
        ("fill", "OTHERS")
    ]


@pytest.mark.parametrize(
    "creation",
    [
        create("WHEN OTHERS THEN RAISE;"),
        create("WHEN OTHERS THEN RAISE EXCEPTION 'no';"),
        create(QUIET, body="RETURN 'a'::int;"),
        create("-- WHEN OTHERS THEN\n"),
        "CREATE FUNCTION fill() RETURNS void LANGUAGE sql AS $$ INSERT INTO log VALUES (1) $$",
    ],
)
def test_a_function_that_hides_no_error_of_a_row_statement_is_none(creation: str) -> None:
    assert find_calls(creation, "SELECT fill()") == []


def test_a_function_that_is_not_called_is_none() -> None:
    others = ("INSERT INTO fill (id) VALUES (1)", "DROP FUNCTION fill()", "SELECT refill()", "SELECT fill")
    assert find_calls(create(QUIET), *others) == []
