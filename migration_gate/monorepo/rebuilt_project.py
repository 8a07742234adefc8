"""A project as it was judged, made again from its JSON report: all verdicts, and the facts that it holds."""

from __future__ import annotations

from datetime import date

from migration_gate.check import Evidence, Extent, Finding, Severity
from migration_gate.config.settings import Allowance, CheckSeverity
from migration_gate.facts import (
    AllowanceText,
    Base,
    CheckCoverage,
    Coverage,
    Facts,
    Failure,
    History,
    LeftOut,
    Location,
    Replay,
    Revision,
    Snapshot,
    SoftwareVersion,
    SourceEdit,
    StageTime,
    Step,
    Table,
    Unchecked,
)
from migration_gate.report.json_document import (
    JsonBase,
    JsonCoverage,
    JsonFailure,
    JsonFixed,
    JsonNewAllowance,
    JsonProblem,
    JsonProject,
    JsonRevision,
    JsonStep,
    JsonVerdict,
)
from migration_gate.verdict.novelty import spare_old
from migration_gate.verdict.outcome import Problem, ProjectReport, Verdict

MAX_COUNTED_TABLES = 10_000
"""a report only counts them, and it may come from an untrusted run"""


def rebuild_project(project: JsonProject) -> ProjectReport:
    """A project as it was judged: verdicts whole, facts as far as its report has them."""
    verdicts = tuple(_rebuild_verdict(verdict, project.name) for verdict in project.verdicts)
    return ProjectReport(
        project.name,
        Facts(project.name, _rebuild_replay(project), base=_rebuild_base(project.base)),
        spare_old(verdicts) if project.scope == "change" else verdicts,
        Severity(project.fail_on),
        project.scope,
        project.postgres,
        project.seconds,
        _rebuild_problem(project.problem),
        check_coverage=tuple(
            CheckCoverage(item.check, item.subject, item.count) for item in project.coverage.checks
        ),
        fixed=tuple(_rebuild_fixed(verdict, project.name) for verdict in project.fixed),
        new_allowances=tuple(_rebuild_new_allowance(entry) for entry in project.new_allowances),
        lowered=tuple(
            CheckSeverity(item.check, None if item.severity == "off" else Severity(item.severity))
            for item in project.lowered
        ),
    )


def _rebuild_new_allowance(entry: JsonNewAllowance) -> AllowanceText:
    location = Location(entry.file, entry.line) if entry.file else None
    return AllowanceText(
        entry.check, entry.object, entry.reason, entry.until, location, is_comment=entry.is_comment
    )


def _rebuild_base(base: JsonBase | None) -> Base | None:
    if base is None:
        return None
    return Base(base.commit, base.reason, failure=base.failure, is_new_project=base.is_new_project)


def _rebuild_fixed(verdict: JsonFixed, project: str) -> Verdict:
    severity = Severity(verdict.severity)
    finding = Finding(verdict.object, verdict.says, kind=verdict.kind, severity=severity)
    return Verdict(verdict.check, severity, finding, verdict.id, project)


def _rebuild_problem(problem: JsonProblem | None) -> Problem | None:
    if problem is None:
        return None
    return Problem(
        problem.says, problem.advice, problem.where, problem.evidence, problem.status, problem.kind
    )


def _rebuild_replay(project: JsonProject) -> Replay:
    revisions = tuple(_rebuild_revision(revision) for revision in project.revisions)
    return Replay(
        history=History(revisions, project.heads, project.bases, target=project.target),
        steps=tuple(_rebuild_step(step) for step in project.steps),
        failure=_rebuild_failure(project.failure),
        arrived_heads=project.arrived,
        # The report says how many tables there are; what is made from it says no more about them.
        catalog=Snapshot(tables=(Table("", ""),) * min(project.tables, MAX_COUNTED_TABLES)),
        versions=tuple(SoftwareVersion(*item) for item in project.versions.items()),
        notes=project.notes,
        unchecked=tuple(Unchecked(item.object, item.why) for item in project.unchecked),
        coverage=_rebuild_coverage(project.coverage),
        stage_times=tuple(StageTime(*item) for item in project.stages.items()),
    )


def _rebuild_coverage(coverage: JsonCoverage) -> Coverage:
    return Coverage(
        coverage.compared_tables,
        coverage.mapped_tables,
        coverage.run_revisions,
        coverage.revisions,
        coverage.statements,
        tuple(LeftOut(item.object, item.why) for item in coverage.left_out),
    )


def _rebuild_revision(revision: JsonRevision) -> Revision:
    location = Location(revision.file, revision.line)
    return Revision(
        revision.id, revision.parents, revision.message, location, revision.depends_on, revision.labels
    )


def _rebuild_step(step: JsonStep) -> Step:
    return Step(
        step.number, step.revision, step.seconds, context=step.context, dropped_statements=step.statements
    )


def _rebuild_failure(failure: JsonFailure | None) -> Failure | None:
    if failure is None:
        return None
    return Failure(
        failure.says,
        failure.kind,
        failure.sqlstate,
        statement=failure.statement,
        revision=failure.revision,
        location=Location(failure.file, failure.line) if failure.file else None,
    )


def _rebuild_verdict(verdict: JsonVerdict, project: str) -> Verdict:
    severity, extent = Severity(verdict.severity), verdict.extent
    finding = Finding(
        object=verdict.object,
        message=verdict.says,
        location=Location(verdict.file, verdict.line) if verdict.file else None,
        revision=verdict.revision,
        evidence=tuple(Evidence(item.label, item.text) for item in verdict.evidence),
        fix=verdict.fix,
        kind=verdict.kind,
        severity=severity,
        extent=Extent(extent.amount, extent.time, extent.weight) if extent is not None else None,
    )
    edits = tuple(
        SourceEdit(edit.file, edit.first_line, edit.old_lines, edit.new_lines, edit.says)
        for edit in verdict.edits
    )
    allowed = _rebuild_allowance(verdict)
    return Verdict(verdict.check, severity, finding, verdict.id, project, allowed, edits, verdict.novelty)


def _rebuild_allowance(verdict: JsonVerdict) -> Allowance | None:
    allowed = verdict.allowed
    if allowed is None:
        return None
    until = date.fromisoformat(allowed.until) if allowed.until else None
    return Allowance(verdict.check, allowed.reason, verdict.object, until, allowed.where)
