"""silent-upgrade: statements that created nothing, because another object had the name."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from migration_gate.check import Evidence, Finding, Severity
from migration_gate.checks import silent_upgrade
from migration_gate.facts import (
    ColumnState,
    DdlCommand,
    Location,
    NamedDefinition,
    ObjectDescription,
    SkippedCreation,
    Statement,
)
from tests.support import fact_builders

SQL = "CREATE TABLE IF NOT EXISTS users (id int)"
MADE = fact_builders.make_ddl_command(1, "users", "id integer", "name text")
MADE_BY = Evidence("made by", "revision `a1` (migrations/versions/a1.py:12), before this one")


def describe_table(
    *columns: str, constraints: tuple[str, ...] = (), kind: str = "table"
) -> ObjectDescription:
    """A table with columns such as `id integer NOT NULL`."""
    split_columns = (column.partition(" ") for column in columns)
    named = [NamedDefinition(name, definition) for name, _, definition in split_columns]
    return ObjectDescription(kind, columns=tuple(named), constraints=constraints)


def skip(
    wanted: ObjectDescription | None, existing: ObjectDescription, kind: str = "table", **fields: object
) -> SkippedCreation:
    """A statement of the second revision, with the table of the first one in its way."""
    values = {"step": 2, "schema": "public", "name": "users", "query": SQL, "oid": MADE.oid, **fields}
    return SkippedCreation(
        kind=kind,
        wanted=wanted,
        existing=existing,
        commands_before=1,
        **values,  # type: ignore[arg-type]
    )


def check_skipped(
    *skipped: SkippedCreation, statements: tuple[Statement, ...] = (), later: tuple[DdlCommand, ...] = ()
) -> list[Finding]:
    graph = fact_builders.make_chain("a1", "b2")
    first, second = fact_builders.make_steps(graph)
    steps = (first, replace(second, statements=statements))
    facts = fact_builders.make_replay_facts(
        graph, steps=steps, ddl_commands=(MADE, *later), skipped_creations=skipped
    )
    return list(silent_upgrade.check(facts))


def test_a_table_of_other_columns_is_a_hidden_conflict() -> None:
    wanted = describe_table("id uuid NOT NULL", "email text", constraints=("UNIQUE (email)",))
    existing = describe_table("id integer", "name text", constraints=("CHECK ((id > 0))",))
    (finding,) = check_skipped(
        skip(wanted, existing), statements=(fact_builders.make_statement(SQL, line=9),)
    )
    assert finding.kind == "hidden-conflict"
    assert finding.object == "b2 users"
    assert finding.severity is None
    assert finding.location == Location("migrations/versions/b2.py", 9)
    assert finding.evidence == (
        Evidence("wanted", "id uuid NOT NULL; email text; no column name; UNIQUE (email)"),
        Evidence("there", "id integer; no column email; name text; no UNIQUE (email)"),
        MADE_BY,
    )


def test_constraints_that_only_the_existing_table_has_are_no_conflict() -> None:
    wanted = describe_table("id integer", "name text")
    existing = describe_table("name text", "id integer", constraints=("CHECK ((id > 0))",))
    assert check_skipped(skip(wanted, existing)) == []


def test_a_table_that_has_more_columns_is_a_warning() -> None:
    (finding,) = check_skipped(skip(describe_table("id integer"), describe_table("id integer", "name text")))
    assert finding.severity is Severity.WARNING


def test_a_column_that_a_later_statement_of_the_revision_adds_is_no_conflict() -> None:
    statements = (
        fact_builders.make_statement(SQL),
        fact_builders.make_statement("ALTER TABLE users ADD COLUMN IF NOT EXISTS name text"),
    )
    skipped = skip(describe_table("id integer"), describe_table("id integer", "name text"))
    assert check_skipped(skipped, statements=statements) == []


def test_a_column_whose_type_the_revision_then_changes_is_no_conflict() -> None:
    skipped = skip(describe_table("id bigint"), describe_table("id integer"), kind="column", name="")
    altered = replace(MADE, step=2, tag="ALTER TABLE", columns=(ColumnState(1, "id", "bigint", True, None),))
    assert check_skipped(skipped, later=(altered,)) == []
    assert len(check_skipped(skipped)) == 1


def test_what_a_later_revision_made_right_or_dropped_is_no_conflict() -> None:
    wanted, existing = describe_table("id bigint"), describe_table("id integer")
    assert check_skipped(skip(wanted, existing, final=wanted)) == []
    assert check_skipped(skip(wanted, existing, is_gone=True)) == []
    assert len(check_skipped(skip(wanted, existing, final=existing))) == 1


def test_each_column_of_a_statement_is_a_finding() -> None:
    wanted = describe_table("id bigint", "name text", constraints=("FOREIGN KEY (id) REFERENCES a(id)",))
    existing = describe_table("id integer", "name text")
    (finding,) = check_skipped(skip(wanted, existing, kind="column", table="users", name=""))
    assert finding.object == "b2 users.id"
    assert finding.message == "`b2` left out the column `users.id`: another one of that name was there"
    assert finding.evidence == (
        Evidence("wanted", "bigint; FOREIGN KEY (id) REFERENCES a(id)"),
        Evidence("there", "integer; no FOREIGN KEY (id) REFERENCES a(id)"),
        MADE_BY,
    )


@pytest.mark.parametrize(
    ("kind", "wanted", "existing", "noun", "texts"),
    [
        (
            "type",
            ObjectDescription("enum", labels=("a", "it's")),
            ObjectDescription("enum", labels=("a",)),
            "enum",
            ("'a', 'it''s'", "'a'"),
        ),
        ("table", ObjectDescription("table"), ObjectDescription("view"), "table", ("table", "view")),
        (
            "extension",
            ObjectDescription(properties=(NamedDefinition("VERSION", "1.1"),)),
            ObjectDescription(properties=(NamedDefinition("VERSION", "1.3"),)),
            "extension",
            ("VERSION 1.1", "VERSION 1.3"),
        ),
        (
            "index",
            ObjectDescription("index", "CREATE UNIQUE INDEX users ON a USING btree (b)"),
            ObjectDescription("index", "CREATE INDEX users ON a USING btree (b)"),
            "index",
            ("CREATE UNIQUE INDEX users ON a USING btree (b)", "CREATE INDEX users ON a USING btree (b)"),
        ),
    ],
)
def test_what_differs_is_shown(
    kind: str, wanted: ObjectDescription, existing: ObjectDescription, noun: str, texts: tuple[str, str]
) -> None:
    (finding,) = check_skipped(skip(wanted, existing, kind=kind))
    assert finding.message.startswith(f"`b2` left out the {noun} `users`: another")
    assert tuple(piece.text for piece in finding.evidence[:2]) == texts


def test_a_statement_that_postgres_could_not_repeat_is_a_warning() -> None:
    (finding,) = check_skipped(skip(None, describe_table("id integer"), problem='type "gone" does not exist'))
    assert finding.severity is Severity.WARNING
    assert "whether it is alike is not known" in finding.message
    assert (
        Evidence("unknown", 'Postgres could not create it elsewhere: type "gone" does not exist')
        in finding.evidence
    )


def test_a_column_that_the_statement_itself_added_is_not_unknown() -> None:
    added = replace(MADE, step=2, columns=(*MADE.columns, ColumnState(3, "late", "text", True, None)))
    fields: dict[str, Any] = {"kind": "column", "problem": "lock timeout", "name": "", "table": "users"}
    skipped = replace(skip(None, describe_table("late text"), **fields), commands_before=2)
    assert check_skipped(skipped, later=(added,)) == []


def test_the_same_statement_in_many_schemas_is_one_finding() -> None:
    wanted, existing = describe_table("id bigint"), describe_table("id integer")
    (finding,) = check_skipped(*(skip(wanted, existing, schema=schema) for schema in ("one", "two", "three")))
    assert finding.object == "b2 one.users"
    assert Evidence("also", "in 2 more schemas") in finding.evidence


def test_a_caught_error_is_a_conflict_or_nothing_and_never_a_swallowed_error() -> None:
    caught = fact_builders.make_statement(SQL, error='relation "users" already exists', sqlstate="42P07")
    existing = describe_table("id integer")
    assert check_skipped(skip(existing, existing), statements=(caught,)) == []
    (finding,) = check_skipped(skip(describe_table("id bigint"), existing), statements=(caught,))
    assert finding.kind == "hidden-conflict"


def test_a_caught_error_that_cost_later_statements_is_a_swallowed_error() -> None:
    caught = fact_builders.make_statement(SQL, error='relation "users" already exists', sqlstate="42P07")
    lost = fact_builders.make_statement("UPDATE x", error="aborted", sqlstate="25P02")
    existing = describe_table("id integer")
    (finding,) = check_skipped(skip(existing, existing), statements=(caught, lost))
    assert finding.kind == "swallowed-error"
