"""What each check of a run looked at."""

from __future__ import annotations

from pathlib import Path

from migration_gate import checks
from migration_gate.check import check_name
from migration_gate.config.settings import CheckSeverity, Settings
from migration_gate.facts import CheckCoverage, Coverage, Facts, Replay
from migration_gate.report.phrases import describe_check_coverage, describe_coverage
from migration_gate.verdict.check_coverage import measure_check_coverage
from migration_gate.verdict.outcome import ProjectReport
from tests.support.fact_builders import make_owner_facts, make_table

MEDIA = ("id integer NOT NULL", "owner_id integer NOT NULL", "owner_id -> users.id cascade")
TAGS = ("id integer NOT NULL",)


def count(facts: Facts, check: str, settings: Settings | None = None) -> int | None:
    """How many subjects the check had; None where it has no entry."""
    settings = settings or Settings("p", Path(), Path())
    entries = measure_check_coverage(facts, checks.ALL, settings)
    return {entry.check: entry.count for entry in entries}.get(check)


def test_owner_checks_look_at_owner_columns() -> None:
    owned = make_owner_facts(make_table("media", *MEDIA), make_table("tags", *TAGS))
    assert count(owned, "nullable-owner") == 1
    assert count(make_owner_facts(make_table("tags", *TAGS)), "nullable-owner") == 0


def test_a_check_that_is_off_looks_at_nothing() -> None:
    settings = Settings("p", Path(), Path(), checks=(CheckSeverity("nullable-owner", None),))
    facts = make_owner_facts(make_table("media", *MEDIA))
    assert count(facts, "nullable-owner", settings) is None
    assert count(facts, "unindexed-owner", settings) == 1


def test_every_check_has_its_entry() -> None:
    entries = measure_check_coverage(Facts(), checks.ALL, Settings("p", Path(), Path()))
    assert [entry.check for entry in entries] == [check_name(check) for check in checks.ALL]


def test_checks_that_looked_at_nothing_are_named() -> None:
    entries = (
        CheckCoverage("drift", "compared table", 3),
        CheckCoverage("nullable-owner", "owner column", 0),
        CheckCoverage("unindexed-owner", "owner column", 0),
    )
    facts = Facts(replay=Replay(coverage=Coverage(3, 3, 2, 2)))
    project = ProjectReport("p", facts, check_coverage=entries)
    assert describe_coverage(project) == (
        "Compared 3 of 3 mapped tables, found no owner column, ran 2 of 2 revisions, tried locks, rows and "
        "rollback of none (no base, so none is known to be new; `observe: all` and `rollback: all` try each)"
    )
    assert list(describe_check_coverage(project)) == [
        "3 compared tables: drift",
        "0 owner columns: nullable-owner, unindexed-owner",
    ]
