"""One table of the change's revisions: each cell a verdict, or what is known without one."""

from __future__ import annotations

import json
from dataclasses import replace

from migration_gate.check import Extent, Finding, Severity
from migration_gate.facts import (
    Base,
    Facts,
    Failure,
    HeldLock,
    LockMode,
    Observation,
    ObservedStatement,
    Rehearsal,
    RehearsedRevision,
    Replay,
    RunningCode,
    StoredRelation,
)
from migration_gate.report import (
    codequality,
    comment,
    concise,
    json_report,
    junit,
    sarif,
    summary,
    text_report,
)
from migration_gate.report.change_table import list_change_rows
from migration_gate.report.change_table_markdown import render_change_table
from migration_gate.report.change_table_text import list_change_lines
from migration_gate.verdict.outcome import ProjectReport, Report, Verdict
from tests.support import fact_builders

ORDERS = StoredRelation("public", "orders")


def statement(number: int, revision: str, sql: str, *locks: HeldLock) -> ObservedStatement:
    taken = tuple(lock for lock in locks if lock.since == number)
    return ObservedStatement(number, number, revision, sql, locks=locks, taken=taken)


def verdict(check: str, revision: str, severity: Severity, kind: str | None = None) -> Verdict:
    finding = Finding("orders", f"`orders`: {check}", revision=revision, kind=kind)
    return Verdict(check, severity, finding, f"id-{check}", "shop")


def make_project(*verdicts: Verdict, running_code: RunningCode | None = None) -> ProjectReport:
    """A change of two revisions: the second one runs while a lock of the first is held."""
    lock = HeldLock(ORDERS, LockMode.ACCESS_EXCLUSIVE, 2)
    statements = (
        statement(1, "b2", "SET LOCAL lock_timeout = '1s'"),
        statement(2, "b2", "ALTER TABLE orders\n  DROP code", lock),
        statement(3, "c3", "CREATE TABLE parts (id int)", lock),
        statement(4, "c3", "CREATE TABLE bits (id int)", lock),
    )
    rehearsal = Rehearsal((RehearsedRevision("b2"), RehearsedRevision("c3", unproven="it was not reached")))
    base = Facts(replay=Replay(history=fact_builders.make_chain("a1")))
    facts = Facts(
        replay=Replay(
            history=fact_builders.make_chain("a1", "b2", "c3"),
            observation=Observation("change", ("b2", "c3"), statements, (ORDERS,)),
            rehearsal=rehearsal,
        ),
        base=Base("1" * 40, "main", base),
        running_code=running_code or RunningCode(),
    )
    return ProjectReport("shop", facts, verdicts)


FAILING = (
    verdict("breaks-running-code", "b2", Severity.ERROR),
    verdict("blocking-change", "b2", Severity.ERROR, "table-rewrite"),
    verdict("blocking-change", "b2", Severity.ERROR, "index-rebuild"),
    verdict("missing-lock-timeout", "b2", Severity.WARNING),
)


def test_a_cell_is_the_worst_verdict_or_what_is_known_without_one() -> None:
    first, second = list_change_rows(make_project(*FAILING))
    assert first.operations == ("ALTER TABLE orders DROP code",)
    cells = [(cell.text, cell.note, cell.severity) for cell in first.cells]
    assert first.work.lines == ("index-rebuild",)
    assert cells == [
        ("everybody", "", Severity.WARNING),
        ("table-rewrite", "", Severity.ERROR),
        ("kept", "", None),
        ("fails", "", Severity.ERROR),
    ]
    cells = [(cell.text, cell.note, cell.severity) for cell in second.cells]
    assert cells == [
        ("everybody", "since b2", None),
        ("none", "", None),
        ("untried", "", None),
        ("works", "", None),
    ]


def test_what_a_function_does_and_what_stands_behind_a_set_is_told() -> None:
    statements = (
        ObservedStatement(1, 2, "b2", "ALTER TABLE a ADD b", "ALTER TABLE", client_sql="SET x = 1; …"),
        ObservedStatement(2, 2, "b2", "SELECT correct_all()", "SELECT", written=(ORDERS,)),
        ObservedStatement(3, 2, "b2", "SELECT 1", "SELECT"),
        ObservedStatement(4, 2, "b2", "DROP TABLE c", "DROP TABLE", client_sql="DO $$ … $$"),
    )
    project = make_project()
    observation = Observation("change", ("b2",), statements, (ORDERS,))
    facts = replace(project.facts, replay=replace(project.facts.replay, observation=observation))
    (row,) = list_change_rows(replace(project, facts=facts))
    assert row.operations == ("ALTER TABLE a ADD b", "SELECT correct_all()", "DO $$ … $$")


def test_each_work_of_a_revision_has_its_own_size() -> None:
    works = [
        ("table-rewrite", Extent("48 GB", "about 6 min")),
        ("index-rebuild", Extent("2 GB")),
        ("index-rebuild", None),
        ("check-scan", Extent("1 GB", "about 2 s")),
    ]
    verdicts = [verdict("blocking-change", "b2", Severity.ERROR, kind) for kind, _ in works]
    sized = [
        replace(item, finding=replace(item.finding, extent=extent))
        for item, (_, extent) in zip(verdicts, works, strict=True)
    ]
    row = list_change_rows(make_project(*sized))[0]
    assert (row.work.text, row.work.note) == ("table-rewrite", "48 GB, about 6 min")
    assert row.work.lines == ("index-rebuild, 2 GB", "index-rebuild", "and 1 more")
    assert row.work.short_extents == ("48 GB, 6 min +3", "48 GB, 6 min", "6 min +3", "6 min")


def test_work_on_a_table_of_known_size_says_how_much_it_is() -> None:
    extent = Extent("48 GB, 120 million rows", "about 6 min")
    work = verdict("blocking-change", "b2", Severity.ERROR, "table-rewrite")
    work = replace(work, finding=replace(work.finding, extent=extent))
    project = make_project(work)
    rows = list_change_rows(project)
    assert ">table-rewrite</a>, 48 GB, about 6 min |" in render_change_table(rows)
    assert "!! 48 GB, 6 min" in "\n".join(list_change_lines(rows, 80))
    sentence = "`orders`: blocking-change: 48 GB, 120 million rows, about 6 min at this machine's rate"
    report = Report((project,))
    for render in (text_report, sarif, junit, concise, codequality):
        text = " ".join(render.render(report).split())
        assert sentence in text, render.__name__
    for page in (summary.render(report), comment.render_comment(project).body):
        assert "120 million rows, about 6 min at this machine" in page
    (found,) = json.loads(json_report.render(report))["projects"][0]["verdicts"]
    assert found["says"] == "`orders`: blocking-change"
    assert found["extent"] == {"amount": "48 GB, 120 million rows", "time": "about 6 min", "weight": ""}


def test_what_was_not_tried_is_not_called_fine() -> None:
    (row, _) = list_change_rows(make_project(running_code=RunningCode(unproven="the base is broken")))
    assert row.code.text == "untried"
    assert "❔&nbsp;untried" in render_change_table((row,))


def test_what_was_not_seen_whole_is_not_called_harmless() -> None:
    facts = make_project(*FAILING).facts
    statements = (
        statement(1, "b2", "CREATE TABLE a (id int)"),
        statement(2, "c3", "CREATE TABLE b (id int)"),
    )
    observation = Observation("change", ("b2", "c3"), statements, (ORDERS,), partly_seen=("b2",))
    failure = Failure("no", revision="c3")
    replay = replace(facts.replay, observation=observation, failure=failure)
    rows = list_change_rows(ProjectReport("shop", replace(facts, replay=replay), ()))
    assert [(row.locks.text, row.work.text) for row in rows] == [
        ("partly seen", "partly seen"), ("unfinished", "unfinished"),
    ]  # fmt: skip
    judged = list_change_rows(ProjectReport("shop", replace(facts, replay=replay), FAILING))
    assert judged[0].work.text == "table-rewrite"


def test_the_page_leads_from_each_cell_to_its_finding() -> None:
    project = make_project(*FAILING)
    for page in (summary.render(Report((project,))), comment.render_comment(project).body):
        assert page.count('<a href="#finding-id-breaks-running-code">fails</a>') == 1
        assert page.count('<a name="finding-id-breaks-running-code"></a>') == 1
        assert page.index("| Revision |") < page.index("<details")


def test_a_terminal_of_80_columns_shows_it_whole() -> None:
    lines = list(list_change_lines(list_change_rows(make_project(*FAILING)), 80))
    assert lines == [
        "What the change does to a live database",
        "  revision  does              who waits    work meanwhile    rows       old code",
        "  b2        ALTER TABLE ord…  ! everybody  !! table-rewrite  kept       !! fails",
        "  c3        2 statements      everybody    none              ? untried  works",
        "",
    ]
    assert max(map(len, lines)) <= 80
    assert "What the change does" in text_report.render(Report((make_project(*FAILING),)))


def test_a_single_revision_of_which_nothing_is_said_needs_no_table() -> None:
    (row, _) = list_change_rows(make_project())
    assert list(list_change_lines((row,), 80)) == []
    assert list_change_rows(ProjectReport("shop")) == ()
