"""One project on several servers: what is found on one of them alone, and how their catalogs differ."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from migration_gate.check import Finding, Severity
from migration_gate.config.settings import Allowance
from migration_gate.drift.server_differences import compare_servers
from migration_gate.facts import Extension, Facts, Failure, SoftwareVersion, View
from migration_gate.verdict.outcome import Problem, ProjectReport, Verdict
from migration_gate.verdict.server_reports import join_server_reports
from tests.support import fact_builders

CHECKS = ["failing-upgrade", "drift", "unused-allow"]


def make_facts(server: str, *, failure: Failure | None = None, **parts: Any) -> Facts:
    """A history of one table, on a server of this version."""
    graph = fact_builders.make_history(fact_builders.make_revision("a1c3"))
    catalog = fact_builders.join_tables(fact_builders.make_table("users", "id integer NOT NULL", oid=1))
    return fact_builders.make_replay_facts(
        graph,
        catalog=replace(catalog, **parts),
        versions=(SoftwareVersion("postgres", f"local, PostgreSQL {server} (/usr/lib)"),),
        failure=failure,
    )


def make_report(server: str, *found: str, failure: Failure | None = None) -> ProjectReport:
    """A report with findings, each as `check object`."""
    verdicts = []
    for text in found:
        check, _, name = text.partition(" ")
        verdicts.append(Verdict(check, Severity.ERROR, Finding(name, f"`{name}` is wrong"), text, "shop"))
    return ProjectReport("shop", make_facts(server, failure=failure), tuple(verdicts))


def list_messages(*reports: ProjectReport) -> list[str]:
    return [verdict.finding.message for verdict in join_server_reports(reports, CHECKS).verdicts]


def test_what_is_found_on_every_server_is_reported_once() -> None:
    first, second = make_report("17.12", "drift a"), make_report("16.14", "drift a")
    joined = join_server_reports([first, second], CHECKS)
    assert joined.verdicts == first.verdicts
    assert joined.facts.replay.notes == ("replayed and checked on PostgreSQL 17.12 and PostgreSQL 16.14",)


def test_what_is_found_on_one_server_names_it() -> None:
    messages = list_messages(make_report("17.12", "drift a"), make_report("16.14", "drift b"))
    assert messages == [
        "`a` is wrong (on PostgreSQL 17.12 alone)",
        "`b` is wrong (on PostgreSQL 16.14 alone)",
    ]


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_what_is_worse_or_not_allowed_on_one_server_is_what_counts(order: tuple[int, int]) -> None:
    reports = [make_report("17.12", "drift a", "drift b"), make_report("16.14", "drift a", "drift b")]
    mild, allowed = reports[0].verdicts
    mild = replace(mild, severity=Severity.WARNING)
    allowed = replace(allowed, allowed=Allowance("drift", "known"))
    reports[0] = replace(reports[0], verdicts=(mild, allowed))
    verdicts = join_server_reports([reports[number] for number in order], CHECKS).verdicts
    assert [(verdict.severity, verdict.allowed) for verdict in verdicts] == [(Severity.ERROR, None)] * 2


def test_a_migration_that_fails_on_one_server_blocks_and_hides_nothing_of_the_other() -> None:
    failure = Failure("a1c3", "no such function")
    failed = make_report("16.14", "failing-upgrade a1c3", failure=failure)
    assert list_messages(make_report("17.12", "drift a"), failed) == [
        "`a1c3` is wrong (on PostgreSQL 16.14 alone)",
        "`a` is wrong",  # 16 did not get that far
    ]


def test_an_allowance_is_unused_only_if_no_server_uses_it() -> None:
    unused = "unused-allow drift"
    assert list_messages(make_report("17.12", unused), make_report("16.14")) == []
    assert list_messages(make_report("17.12", unused), make_report("16.14", unused)) == ["`drift` is wrong"]


def test_a_server_that_cannot_be_had_is_a_problem_of_the_project() -> None:
    problem = ProjectReport("shop", problem=Problem("PostgreSQL 14 was wanted"))
    assert join_server_reports([make_report("17.12"), problem], CHECKS).status == 2


def test_one_server_changes_nothing_of_the_report() -> None:
    report = make_report("17.12", "drift a")
    assert join_server_reports([report], CHECKS) is report


@pytest.mark.parametrize(
    ("parts", "other_parts", "expected"),
    [
        ({}, {}, []),
        ({"views": (make_view := View("public", "v", "view", "SELECT users.id FROM users"),)},
         {"views": (View("public", "v", "view", " SELECT id\n   FROM users;"),)}, []),
        ({"views": (make_view,)}, {}, [("v", "view", True, False)]),
        ({"extensions": (Extension("hstore", "public", "1.8"),)},
         {"extensions": (Extension("hstore", "public", "1.7"),)}, []),
        ({}, {"extensions": (Extension("hstore", "public", "1.7"),)}, [("hstore", "extension", False, True)]),
        ({"columns": ()}, {}, [("users.id", "column", False, True)]),
    ],
)  # fmt: skip
def test_the_catalogs_differ_where_the_history_made_them_so(
    parts: dict[str, Any], other_parts: dict[str, Any], expected: list[tuple[object, ...]]
) -> None:
    facts = compare_servers(make_facts("17.12", **parts), [make_facts("16.14", **other_parts)])
    found = [
        (item.object, item.noun, item.text is not None, item.other_text is not None)
        for item in facts.replay.server_differences
    ]
    assert found == expected
    assert all(item.server == "17.12" for item in facts.replay.server_differences)


def test_a_history_that_did_not_come_to_its_end_is_not_compared() -> None:
    failed = make_facts("16.14", failure=Failure("a1c3", "no such function"), columns=())
    assert compare_servers(make_facts("17.12"), [failed]).replay.server_differences == ()
