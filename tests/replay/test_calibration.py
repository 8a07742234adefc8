"""Rates of this machine: measured when findings need them, on the gate's own server; nothing is left."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from migration_gate.checks import blocking_change
from migration_gate.config.settings import Settings
from migration_gate.facts import Facts, TableSize, TableSizes, WorkKind
from migration_gate.replay.calibration import STATEMENTS, measure_rates
from migration_gate.replay.size_use import NOT_MEASURED, SEVERAL, add_work_rates
from tests.replay.test_observation import run_new_revisions
from tests.support.replay_engine import Engine

pytestmark = pytest.mark.slow
TODAY = date(2027, 1, 31)
SETTINGS = Settings("p", Path("/p"), Path("/p"))
SIZES = TableSizes((TableSize("public", "item", 120_000_000, 48 << 30, "tables"),), configured=("item",))


def list_databases(engine: Engine) -> list[str]:
    with engine.server.connect() as connection:
        rows = connection.execute("SELECT datname::text FROM pg_database").fetchall()
    return sorted(str(name) for (name,) in rows)


def test_a_finding_on_a_table_of_known_size_is_given_a_time(engine: Engine) -> None:
    ran = run_new_revisions(engine, 'op.alter_column("item", "id", type_=sa.BigInteger())', observe="change")
    facts = Facts(replay=ran.replay, sizes=SIZES)
    before = list_databases(engine)
    rated = add_work_rates(facts, SETTINGS, engine.server, TODAY)
    assert list_databases(engine) == before
    assert rated.replay.notes == facts.replay.notes
    assert {rate.kind for rate in rated.work_rates.rates} == {
        WorkKind.VERIFICATION, WorkKind.REWRITE, WorkKind.INDEX_BUILD,
    }  # fmt: skip
    (finding,) = blocking_change.check(rated)
    assert finding.extent is not None
    assert finding.extent.amount == "48 GB, 120 million rows"
    assert finding.extent.time.startswith("about ")
    assert finding.severity is None
    # Measured once in a run: the same numbers, not new ones.
    assert add_work_rates(facts, SETTINGS, engine.server, TODAY).work_rates == rated.work_rates
    # On a server of the user's nothing is measured, and that is said.
    foreign = add_work_rates(facts, SETTINGS, replace(engine.server, token=""), TODAY)
    assert foreign.work_rates.rates == ()
    assert foreign.replay.notes[-1] == NOT_MEASURED
    (finding,) = blocking_change.check(foreign)
    assert finding.extent is not None
    assert finding.extent.time == ""


def test_every_kind_of_work_has_a_rate_and_no_database_stays(engine: Engine) -> None:
    before = list_databases(engine)
    rates = measure_rates(engine.server, STATEMENTS)
    assert [rate.kind for rate in rates.rates] == list(STATEMENTS)
    assert all(rate.rows_per_second > 0 and rate.bytes_per_second > 0 for rate in rates.rates)
    assert list_databases(engine) == before


def test_what_is_to_be_said_of_sizes_is_a_remark(engine: Engine) -> None:
    """Nothing of it changes a verdict: a file that is old counts all the same."""

    def list_notes(sizes: TableSizes, settings: Settings = SETTINGS) -> list[str]:
        return list(add_work_rates(Facts(sizes=sizes), settings, engine.server, TODAY).replay.notes)

    written = replace(SIZES, file="gate.sizes", written="2026-01-31", configured=())
    assert list_notes(written) == [
        "the statistics of `gate.sizes` are 365 days old (2026-01-31): "
        "`migration-gate sizes` writes them anew"
    ]
    assert list_notes(replace(written, written="2027-01-30")) == []
    assert "yet to come" in list_notes(replace(written, written="2027-02-28"))[0]
    assert list_notes(SIZES) == ["`tables` has 1 table that the replayed database has not: `item`"]
    several = replace(SETTINGS, judged_database="db:5432/a", other_databases=("db:5432/b",))
    assert list_notes(SIZES, several) == [SEVERAL]
    assert add_work_rates(Facts(sizes=SIZES), several, engine.server, TODAY).sizes == TableSizes()
