"""Which defaults are no call although one was meant, by what was given for them and never by the clock."""

from __future__ import annotations

from dataclasses import replace

import pytest

from migration_gate.analysis.evaluated_defaults import FROZEN, QUOTED
from migration_gate.drift.frozen_defaults import FrozenDefaults, describe_frozen, thaw_default
from migration_gate.facts import Column, ColumnState, DdlCommand, Models, Replay, Snapshot, Table, TableState

EVENT = Table("public", "event", oid=7)
SECOND = "'2026-11-28 15:00:01'::timestamp without time zone"
AT = Column("public", "event", "at", "timestamp(0) without time zone", default=SECOND, number=1)
DAY = replace(AT, type="date", default="'2026-11-28'::date")
SET_DEFAULT = "ALTER TABLE event ALTER COLUMN at SET DEFAULT"


def find_frozen(query: str, column: Column = AT, earlier_name: str = "at") -> FrozenDefaults:
    """What is known of a table whose column got its default by the query."""
    state = ColumnState(1, earlier_name, column.type, nullable=True, default=column.default)
    command = DdlCommand(
        1, "", "table", "event", oid=7, columns=(state,), table=TableState("public", "event"), query=query
    )
    catalog = Snapshot(tables=(EVENT,), columns=(column,))
    return FrozenDefaults.from_replay(Replay(catalog=catalog, ddl_commands=(command,)))


@pytest.mark.parametrize(
    "query",
    [
        f"{SET_DEFAULT} 'now()'",
        f"{SET_DEFAULT} 'now'::timestamp(0)",
        f"{SET_DEFAULT} CAST(' Today' AS timestamp)",
        f"{SET_DEFAULT} timestamp 'NOW'",
        "CREATE TABLE event (\n\tday DATE, \n\tat TIMESTAMP(0) WITHOUT TIME ZONE DEFAULT 'now()' NOT NULL\n)",
        "DO $$ BEGIN EXECUTE 'ALTER TABLE event ALTER at SET DEFAULT ''now'''; END $$",
    ],
)
def test_the_statement_shows_that_a_default_is_the_moment_of_the_run(query: str) -> None:
    frozen = find_frozen(query)
    assert frozen.database == {"public.event.at"}
    assert thaw_default(AT, frozen.database).default == "now()"


@pytest.mark.parametrize(
    "query",
    [
        f"{SET_DEFAULT} '2026-11-28 15:00:01'",
        "CREATE TABLE event (day DATE DEFAULT 'today', at TIMESTAMP DEFAULT '2026-11-28 15:00:01')",
        "CREATE TABLE event (created_at TIMESTAMP DEFAULT 'now()', at TIMESTAMP(0))",
    ],
)
def test_what_a_person_wrote_is_a_constant(query: str) -> None:
    assert find_frozen(query).database == frozenset()
    assert thaw_default(AT).default == SECOND


@pytest.mark.parametrize(
    "literal",
    ["9999-12-31 23:59:59.999999", "9999-12-31 23:59:59.997+01", "23:59:59.999", "0001-01-01 00:00:00.001"],
)
def test_the_last_moment_of_a_day_or_of_all_days_is_a_constant(literal: str) -> None:
    assert describe_frozen(replace(AT, default=f"'{literal}'::timestamp without time zone")) is None


def test_a_moment_to_the_microsecond_is_none() -> None:
    assert describe_frozen(replace(AT, default="'2026-11-28 15:59:58.99'::timestamp")) is None
    assert describe_frozen(replace(AT, default="'2026-11-28 15:59:58.998001'::timestamp")) == FROZEN


def test_a_column_that_was_renamed_later_is_looked_for_by_its_old_name() -> None:
    query = "ALTER TABLE event ALTER COLUMN \"when\" SET DEFAULT 'today'"
    assert find_frozen(query, DAY, earlier_name="when").database == {"public.event.at"}
    assert find_frozen(query, DAY).database == frozenset()


def test_the_models_name_theirs_and_a_text_alone_is_none() -> None:
    text = replace(AT, name="label", type="text", default="'now'::text")
    models = Models(
        snapshot=Snapshot(columns=(DAY, text)), frozen_defaults=("public.event.at", "public.event.label")
    )
    assert FrozenDefaults.from_replay(Replay(models=models)).models == {"public.event.at"}


def test_an_expression_over_a_moment_is_shown_but_has_no_call() -> None:
    tomorrow = replace(DAY, default="('2026-11-28'::date + 1)")
    assert describe_frozen(tomorrow, is_known=True) == FROZEN
    assert thaw_default(tomorrow, frozenset({"public.event.at"})) == tomorrow


@pytest.mark.parametrize(
    "call", ["CURRENT_DATE::text", "timezone('utc', now())", "now() AT TIME ZONE 'utc'", "LOCALTIMESTAMP(0)"]
)
def test_the_text_of_a_call_is_none(call: str) -> None:
    quoted = call.replace("'", "''")
    assert describe_frozen(replace(AT, type="text", default=f"'{quoted}'::text")) == f"{QUOTED}{call}"
