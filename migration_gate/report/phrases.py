"""Sentences about a run that several formats of the report share."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from migration_gate.check import Severity
from migration_gate.facts import DriftRevision, Replay, Subject
from migration_gate.report.printable_text import escape_unprintable, shorten_text
from migration_gate.report.trial_phrases import describe_trials
from migration_gate.report.verdict_selection import allowed_verdicts, old_verdicts, standing_verdicts
from migration_gate.verdict.outcome import ProjectReport, Report, Verdict
from migration_gate.wording import count_noun

NAME_LENGTH = 100
"""characters of a project's name in a title"""
REASON_LENGTH = 200
"""characters of what kept a project from being checked, in a title"""
MAX_LEFT_OUT = 6
"""things that the line on the coverage names"""
MIN_DRIFT_DIFFERENCES = 2
"""for one difference, its own lines are the revision"""


def describe_counts(verdicts: Sequence[Verdict]) -> str:
    """`2 errors, 1 warning, 3 allowed, 40 old`; `no findings` if there are none."""
    counts = Counter(verdict.severity for verdict in standing_verdicts(verdicts))
    words = [count_noun(counts[severity], severity.value) for severity in Severity if counts[severity]]
    allowed = allowed_verdicts(verdicts)
    if allowed:
        words.append(f"{len(allowed)} allowed")
    if old := old_verdicts(verdicts):
        words = [*(words or ["nothing new"]), f"{len(old)} old"]
    return ", ".join(words) or "no findings"


def verdict_line(report: Report) -> str:
    """The result of the whole run, on one line."""
    verdicts = [verdict for project in report.projects for verdict in project.verdicts]
    if any(project.problem for project in report.projects):
        findings = f"; {describe_counts(verdicts)}" if verdicts else ""
        return f"Not checked: {_unexamined_projects(report)} could not be examined{findings}"
    if not report.projects:
        return "Not checked: there was no project"
    result = "Blocked" if report.status else "Passed"
    scope = ", as far as text can tell" if any(project.static for project in report.projects) else ""
    return f"{result}: {describe_counts(verdicts)}{scope}"


def describe_outcome(project: ProjectReport) -> str:
    """The result of one project, with its name: `shop is blocked, 2 errors`, `shop could not be checked`."""
    name = escape_unprintable(shorten_text(project.name, NAME_LENGTH)) or "the project"
    if project.problem:
        return f"{name} could not be checked"
    result = "is blocked" if project.blocking_verdicts else "passed"
    scope = ", as far as text can tell" if project.static else ""
    return f"{name} {result}, {describe_counts(project.verdicts)}{scope}"


def report_title(report: Report) -> str:
    """The result of the run on one line, with what kept a single project from being checked."""
    if len(report.projects) != 1:
        return verdict_line(report)
    project = report.projects[0]
    if project.problem is None:
        return describe_outcome(project)
    reason = project.problem.message.strip().partition("\n")[0]
    return f"{describe_outcome(project)}: {escape_unprintable(shorten_text(reason, REASON_LENGTH))}"


def _unexamined_projects(report: Report) -> str:
    if len(report.projects) == 1:
        return "the project"
    unexamined = sum(1 for project in report.projects if project.problem)
    return f"{unexamined} of {len(report.projects)} projects"


def describe_replay(project: ProjectReport) -> str:
    """What was replayed, on one line: `14 revisions, 12 tables, 1.2 s, PostgreSQL 15.18`."""
    replay = project.facts.replay
    if project.static:
        files = count_noun(len(replay.history.files), "revision file")
        return f"{files} read as text, {project.seconds:.1f} s"
    words = [_describe_revisions(replay)]
    if replay.failure is None and not _is_history_unreadable(replay):
        words.append(count_noun(len(replay.catalog.tables), "table"))
    words.append(f"{project.seconds:.1f} s")
    # The server may report more than its version, for example where it runs.
    if version := replay.postgres_version:
        words.append(f"PostgreSQL {version}")
    return ", ".join(words)


def _describe_revisions(replay: Replay) -> str:
    """How many revisions ran, of how many."""
    if _is_history_unreadable(replay):
        return "the history could not be read"
    known = len(replay.history.revisions)
    ran = len({step.revision for step in replay.steps})
    if ran == known:
        return count_noun(known, "revision")
    return f"{ran} of {count_noun(known, 'revision')}"


def describe_coverage(project: ProjectReport) -> str:
    """What the run looked at, on one line: `Compared 15 of 15 mapped tables, ran 15 of 15 revisions`."""
    coverage = project.facts.replay.coverage
    tables = "no table"
    if coverage.mapped_tables:
        tables = f"{coverage.compared_tables} of {count_noun(coverage.mapped_tables, 'mapped table')}"
    revisions = f"{coverage.run_revisions} of {count_noun(coverage.revisions, 'revision')}"
    has_owners = {bool(item.count) for item in project.check_coverage if item.subject == Subject.OWNER_COLUMN}
    owners = ", found no owner column" if coverage.compared_tables and has_owners == {False} else ""
    line = f"Compared {tables}{owners}, ran {revisions}"
    if trials := describe_trials(project.facts.replay, project.facts.base):
        line += f", {trials}"
    if not coverage.left_out:
        return line
    shown = [f"{item.object} ({item.why})" for item in coverage.left_out[:MAX_LEFT_OUT]]
    if len(coverage.left_out) > MAX_LEFT_OUT:
        shown.append(f"{len(coverage.left_out) - MAX_LEFT_OUT} more")
    return f"{line}; left out: {', '.join(shown)}"


def describe_check_coverage(project: ProjectReport) -> Iterator[str]:
    """Which checks looked at how many of what: `3 owner columns: nullable-owner, unindexed-owner`."""
    checks: dict[tuple[str, int], list[str]] = {}
    for item in project.check_coverage:
        if item.subject != Subject.RUN:
            checks.setdefault((item.subject, item.count), []).append(item.check)
    for (subject, count), names in checks.items():
        yield f"{count_noun(count, subject)}: {', '.join(names)}"


def _is_history_unreadable(replay: Replay) -> bool:
    return replay.history.error is not None and not replay.history.revisions


def shown_drift_revision(project: ProjectReport) -> DriftRevision | None:
    """The one revision for all drift; None if a single finding has its lines, or none is about drift."""
    revision = project.facts.replay.drift_revision
    has_drift = any(verdict.check == "drift" for verdict in project.verdicts)
    if revision is None or revision.differences < MIN_DRIFT_DIFFERENCES or not has_drift:
        return None
    return revision


def project_remarks(project: ProjectReport) -> tuple[str, ...]:
    """What a reader should know about the run in addition to the findings, each remark once."""
    notes = (*project.facts.replay.notes, *project.facts.tree.notes)
    return tuple(dict.fromkeys(notes))


def describe_location(verdict: Verdict) -> str:
    """`file:line, revision 3f2a9c`, as far as they are known."""
    finding = verdict.finding
    words = []
    if finding.location:
        words.append(str(finding.location))
    if finding.revision:
        words.append(f"revision {finding.revision}")
    return ", ".join(words)
