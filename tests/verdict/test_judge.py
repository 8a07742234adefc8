"""Verdicts: ids, severities, allowances and their order."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from types import ModuleType

from migration_gate import checks
from migration_gate.check import Check, Finding, Severity
from migration_gate.config.settings import Allowance, CheckSeverity
from migration_gate.errors import PostgresDied, ProjectNotFound
from migration_gate.facts import Facts, Failure, Location, ModelLocation, Replay
from migration_gate.verdict.comment_files import files_with_comments
from migration_gate.verdict.judge import judge_findings
from migration_gate.verdict.outcome import Problem, ProjectReport, Report, Verdict
from migration_gate.verdict.unused_allow import unused_entry
from tests.support import fact_builders
from tests.support.example_reports import settings


def a_check(*findings: Finding, name: str = "some_vice", severity: Severity = Severity.ERROR) -> Check:
    """A check that finds just these."""

    class Fake(ModuleType):
        SEVERITY = severity

        def check(self, facts: Facts, /) -> Iterator[Finding]:
            yield from findings

    return Fake(f"migration_gate.checks.{name}", "A vice.")


def verdicts(
    *findings: Finding, texts: dict[str, str] | None = None, **fields: object
) -> tuple[Verdict, ...]:
    return judge_findings(Facts(), settings("p", **fields), (a_check(*findings),), texts, date(2026, 6, 1))


def test_a_verdict_has_its_checks_name_and_severity() -> None:
    (verdict,) = verdicts(Finding("a", "x"))
    assert (verdict.check, verdict.severity, verdict.project) == ("some-vice", Severity.ERROR, "p")


def test_an_id_depends_on_check_kind_and_object_alone() -> None:
    (first,) = verdicts(Finding("a", "x", Location("f.py", 1), "r1", fix="do"))
    (same,) = verdicts(Finding("a", "y", Location("g.py", 9), "r2"))
    (other,) = verdicts(Finding("b", "x", Location("f.py", 1), "r1"))
    (kind,) = verdicts(Finding("a", "x", kind="k"))
    assert first.id == same.id == "4202711261"
    assert len({first.id, other.id, kind.id}) == 3


def test_an_object_may_be_a_file_whose_name_is_no_valid_text() -> None:
    first, second = (Finding(f"b{byte}.py", "`b` is no valid Python") for byte in ("\udce9", "\udcea"))
    first_id, second_id = (verdict.id for verdict in verdicts(first, second))
    assert first_id != second_id


def test_two_findings_on_one_object_are_numbered() -> None:
    first, second = verdicts(Finding("a", "x"), Finding("a", "y"))
    assert second.id == f"{first.id}-2"


def test_a_repeated_finding_is_one_verdict() -> None:
    assert len(verdicts(Finding("a", "x"), Finding("a", "x"))) == 1


def test_findings_at_two_locations_are_two_verdicts() -> None:
    here, there = (Finding("a", "x", Location("f.py", line)) for line in (1, 2))
    assert [v.finding for v in verdicts(here, there, here)] == [here, there]


def test_settings_choose_the_severity_of_a_check_or_of_one_kind() -> None:
    findings = (Finding("a", "x", kind="type"), Finding("b", "x", kind="table"))
    chosen = (CheckSeverity("some-vice", Severity.WARNING), CheckSeverity("some-vice/table", Severity.ERROR))
    table, type_ = verdicts(*findings, checks=chosen)
    assert (table.finding.object, table.severity) == ("b", Severity.ERROR)
    assert (type_.finding.object, type_.severity) == ("a", Severity.WARNING)


def test_a_check_or_a_kind_that_is_off_has_no_verdicts() -> None:
    findings = (Finding("a", "x", kind="type"), Finding("b", "x", kind="table"))
    assert verdicts(*findings, checks=(CheckSeverity("some-vice", None),)) == ()
    assert len(verdicts(*findings, checks=(CheckSeverity("some-vice/type", None),))) == 1


def test_the_severity_of_a_check_does_not_raise_that_of_a_finding() -> None:
    note = Finding("a", "x", severity=Severity.NOTE)
    assert verdicts(note, checks=(CheckSeverity("some-vice", Severity.ERROR),))[0].severity is Severity.NOTE
    mild = Finding("a", "x", severity=Severity.WARNING, kind="k")
    assert (
        verdicts(mild, checks=(CheckSeverity("some-vice/k", Severity.ERROR),))[0].severity is Severity.ERROR
    )


def test_an_allowed_finding_keeps_its_severity_and_blocks_nothing() -> None:
    (verdict,) = verdicts(Finding("a", "x"), allowances=(Allowance("some-vice", "known", "a"),))
    assert verdict.allowed == Allowance("some-vice", "known", "a")
    assert not verdict.blocks(Severity.ERROR)


def test_an_allowance_that_matches_nothing_is_reported() -> None:
    error, unused = verdicts(
        Finding("a", "x"), allowances=(Allowance("some-vice", "gone", "b", where="c.yml:7"),)
    )
    assert error.allowed is None
    assert unused.check == "unused-allow"
    assert unused.severity is Severity.WARNING
    assert unused.finding.location == Location("c.yml", 7)
    assert unused.finding.message == "`allow some-vice` on `b` matches no finding"


def test_of_a_comment_that_matches_nothing_it_is_said_what_one_covers() -> None:
    comment = unused_entry(Allowance("some-vice", "known", where="migrations/one.py:5"))
    assert "a comment covers its own line and the one below" in comment.fix
    entry = unused_entry(Allowance("some-vice", "known", where="c.yml:7"))
    assert entry.fix == "Delete it: what it allowed is gone."


def test_an_expired_allowance_allows_nothing_and_is_reported() -> None:
    error, expired = verdicts(
        Finding("a", "x"), allowances=(Allowance("some-vice", "r", until=date(2026, 5, 31)),)
    )
    assert error.allowed is None
    assert expired.finding.message == "`allow some-vice` ended on 2026-05-31"
    assert (expired.severity, expired.finding.kind) == (Severity.ERROR, "expired")


def test_an_allowance_for_an_unknown_check_is_reported_with_the_nearest_name() -> None:
    _, unknown = verdicts(Finding("a", "x"), allowances=(Allowance("some-vise", "r"),))
    assert unknown.finding.message == "`allow some-vise` names no check"
    assert unknown.finding.fix == "Did you mean `some-vice`?"


def test_every_allowance_that_covers_a_finding_counts_as_used() -> None:
    entries = (Allowance("some-vice", "one"), Allowance("some-vice", "two", "a"))
    assert [verdict.check for verdict in verdicts(Finding("a", "x"), allowances=entries)] == ["some-vice"]


def test_a_comment_in_the_findings_file_allows_it() -> None:
    texts = {"m.py": "x = 1\n# migration-gate: allow some-vice -- legacy\ny = 2\n"}
    (verdict,) = verdicts(Finding("a", "x", Location("m.py", 3)), texts=texts)
    assert verdict.allowed == Allowance("some-vice", "legacy", where="m.py:2")


def test_a_comment_without_a_reason_allows_nothing_and_is_reported() -> None:
    texts = {"m.py": "x = 1  # migration-gate: allow some-vice\n"}
    error, wrong = verdicts(Finding("a", "x", Location("m.py", 1)), texts=texts)
    assert error.allowed is None
    assert wrong.finding.message == "`m.py:1` allows nothing: it gives no reason after `--`"


def test_unused_allowances_are_not_reported_when_the_replay_ended_early() -> None:
    facts = Facts(replay=Replay(failure=Failure("no")))
    assert judge_findings(facts, settings("p", allowances=(Allowance("some-vice", "r"),)), (a_check(),)) == ()


def test_unused_allowances_can_be_turned_off_like_any_check() -> None:
    assert (
        verdicts(allowances=(Allowance("some-vice", "r"),), checks=(CheckSeverity("unused-allow", None),))
        == ()
    )


def test_the_worst_comes_first_and_the_allowed_last() -> None:
    findings = (
        Finding("a", "x", severity=Severity.NOTE),
        Finding("b", "x"),
        Finding("c", "x", severity=Severity.WARNING),
        Finding("d", "x"),
    )
    judged = verdicts(*findings, allowances=(Allowance("some-vice", "r", "b"),))
    assert [verdict.finding.object for verdict in judged] == ["d", "c", "a", "b"]


def test_fail_on_decides_which_severities_block() -> None:
    warning = verdicts(Finding("a", "x", severity=Severity.WARNING))
    assert ProjectReport("p", verdicts=warning).status == 0
    assert ProjectReport("p", verdicts=warning, fail_on=Severity.WARNING).status == 1


def test_the_worst_project_gives_the_status() -> None:
    clean, blocked = ProjectReport("a"), ProjectReport("b", verdicts=verdicts(Finding("a", "x")))
    lost = ProjectReport("c", problem=Problem.from_error(ProjectNotFound("nothing here")))
    broken = ProjectReport("d", problem=Problem.from_error(PostgresDied("gone")))
    assert Report((clean,)).status == 0
    assert Report((clean, blocked)).status == 1
    assert Report((clean, blocked, lost)).status == 2
    assert Report((blocked, broken, lost)).status == 3
    assert Report(()).status == 2, "a run that looked at nothing has not passed"


def test_the_files_with_comments_come_from_the_facts() -> None:
    facts = fact_builders.make_replay_facts(fact_builders.make_chain("a1"))
    places = replace(
        facts.replay.models, locations=(ModelLocation("public.users", Location("app/models.py", 3)),)
    )
    facts = replace(facts, replay=replace(facts.replay, models=places))
    assert files_with_comments(facts) == ("migrations/versions/a1.py", "app/models.py")


def test_empty_facts_can_be_judged() -> None:
    judged = judge_findings(Facts(), settings("p"), checks.ALL)
    assert [verdict.check for verdict in judged] == ["missing-models"]
