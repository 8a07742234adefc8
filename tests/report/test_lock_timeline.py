"""The picture of a transaction's locks: when it is drawn, what it shows, and what a name cannot do to it."""

from __future__ import annotations

import re
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from migration_gate.check import Finding, Severity
from migration_gate.facts import (
    Facts,
    HeldLock,
    LockMode,
    Observation,
    ObservedStatement,
    Replay,
    RowWork,
    StoredRelation,
    WorkKind,
)
from migration_gate.report import comment, summary
from migration_gate.report.lock_timeline import MAX_CHARTS, MAX_STATEMENTS, MAX_TABLES, render_timelines
from migration_gate.verdict.outcome import ProjectReport, Report, Verdict

ORDERS = StoredRelation("public", "orders")
PARTS = StoredRelation("app", "parts")
TOTALS = StoredRelation("public", "totals", "materialized view")
DAY = r"2000-01-\d\d"
LABEL = r"[\w _.,/…()'=*+∶·-]+"
LINE = re.compile(
    rf'%%\{{init: \{{"gantt": \{{"leftPadding": 90\}}\}}\}}%%|gantt|  dateFormat YYYY-MM-DD|  axisFormat %-d'
    rf"|  tickInterval 1day|  todayMarker off|  section {LABEL}"
    rf"|  (\d+\. {LABEL}|(all|writes) wait) :((crit|active), )?{DAY}, {DAY}"
)


def observe(number: int, sql: str, *locks: HeldLock, **fields: object) -> ObservedStatement:
    statement = ObservedStatement(number, 1, "b2", sql, transaction=1, locks=locks)
    taken = tuple(lock for lock in locks if lock.since == number)
    return replace(statement, **{"taken": taken, **fields})  # type: ignore[arg-type]


def report(*statements: ObservedStatement, check: str = "work-under-lock") -> ProjectReport:
    replay = Replay(observation=Observation("change", ("b2",), statements, (ORDERS, PARTS)))
    finding = Finding("orders", "`orders` is locked", revision="b2")
    return ProjectReport(
        "shop", Facts(replay=replay), (Verdict(check, Severity.ERROR, finding, "id", "shop"),)
    )


def diagram(project: ProjectReport) -> list[str]:
    text = render_timelines(project)
    return text.partition("```mermaid\n")[2].partition("\n```")[0].splitlines()


SHARE = HeldLock(PARTS, LockMode.SHARE, 1)
EXCLUSIVE = HeldLock(ORDERS, LockMode.ACCESS_EXCLUSIVE, 2)
ON_VIEW = HeldLock(TOTALS, LockMode.EXCLUSIVE, 2)
STATEMENTS = (
    observe(1, "CREATE INDEX ix ON app.parts (a)", SHARE, works=(RowWork(WorkKind.INDEX_BUILD, PARTS),)),
    observe(2, "ALTER TABLE orders\n ADD a int", SHARE, EXCLUSIVE, ON_VIEW),
    observe(3, "SET LOCAL x = 1", SHARE, EXCLUSIVE, ON_VIEW),
    observe(
        4,
        "UPDATE orders SET a = 1",
        replace(SHARE, mode=LockMode.ACCESS_EXCLUSIVE, since=4),
        EXCLUSIVE,
        ON_VIEW,
        works=(RowWork(WorkKind.ROWS, ORDERS),),
    ),
)


def test_statements_and_below_them_who_waits_for_which_table() -> None:
    assert diagram(report(*STATEMENTS))[6:] == [
        "  section b2",
        "  1. CREATE INDEX :crit, 2000-01-01, 2000-01-02",
        "  2. ALTER TABLE :2000-01-02, 2000-01-03",
        "  3. UPDATE orders :crit, 2000-01-03, 2000-01-04",
        "  section app.parts",
        "  writes wait :active, 2000-01-01, 2000-01-03",
        "  all wait :crit, 2000-01-03, 2000-01-04",
        "  section orders",
        "  all wait :crit, 2000-01-02, 2000-01-04",
    ]


def test_it_is_on_both_pages_above_the_findings_and_folded() -> None:
    project = report(*STATEMENTS)
    for page in (summary.render(Report((project,))), comment.render_comment(project).body):
        assert page.count("```mermaid") == 1
        assert page.index("| Revision |") < page.index("<details><summary>Locks") < page.index("is locked")


def test_nothing_is_drawn_where_it_shows_nothing() -> None:
    assert render_timelines(report(STATEMENTS[0])) == ""
    assert render_timelines(report(*(replace(item, transaction=item.number) for item in STATEMENTS))) == ""
    assert render_timelines(report(*STATEMENTS, check="missing-lock-timeout")) == ""
    assert render_timelines(report(*STATEMENTS, check="drift")) == ""
    assert render_timelines(ProjectReport("shop")) == ""


def test_a_long_transaction_is_cut_and_many_are_counted() -> None:
    tables = [StoredRelation("public", f"t{number}") for number in range(40)]
    locks = [HeldLock(table, LockMode.SHARE, number) for number, table in enumerate(tables, 1)]
    statements = [observe(number, f"ALTER {number}", *locks[:number]) for number in range(1, 41)]
    text = render_timelines(report(*statements))
    assert len(re.findall(r"^  \d+\. ", text, re.MULTILINE)) == MAX_STATEMENTS
    assert f"\n{MAX_STATEMENTS}. <code>ALTER {MAX_STATEMENTS}</code>\n" in text
    assert text.count("writes wait :") == MAX_TABLES
    assert "Not drawn: 28 more statements and 2 more tables." in text
    assert f"2000-01-{MAX_STATEMENTS + 2:02}" not in text
    several = [replace(item, transaction=number) for number in range(5) for item in STATEMENTS]
    text = render_timelines(report(*several))
    assert text.count("```mermaid") == MAX_CHARTS
    assert "2 more transactions of this kind." in text


@given(st.text(), st.text(), st.text())
def test_no_name_and_no_statement_is_more_than_a_label(name: str, revision: str, sql: str) -> None:
    lock = HeldLock(StoredRelation("public", name), LockMode.SHARE, 1)
    statements = [replace(observe(number, sql, lock), taken=(lock,), revision=revision) for number in (1, 2)]
    project = report(*statements)
    (verdict,) = project.verdicts
    own = replace(verdict, finding=replace(verdict.finding, revision=revision))
    lines = diagram(replace(project, verdicts=(own,)))
    assert len(lines) == 11
    for line in lines:
        assert LINE.fullmatch(line), line
