"""The report as JSON, for programs. Identifiers of verdicts are the same in every run."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict

from migration_gate.check import Extent, Severity
from migration_gate.config.settings import Allowance
from migration_gate.facts import (
    AllowanceText,
    Base,
    Failure,
    Revision,
    SourceEdit,
    Step,
)
from migration_gate.report.json_document import (
    FORMAT,
    Allowed,
    Counts,
    JsonBase,
    JsonCheckCoverage,
    JsonCoverage,
    JsonEdit,
    JsonExtent,
    JsonFailure,
    JsonFixed,
    JsonLeftOut,
    JsonLowered,
    JsonNewAllowance,
    JsonProblem,
    JsonProject,
    JsonReport,
    JsonRevision,
    JsonStep,
    JsonVerdict,
    Label,
    Outcome,
    Unchecked,
)
from migration_gate.report.json_drift import build_drift, build_drift_revision
from migration_gate.report.phrases import project_remarks
from migration_gate.report.verdict_selection import allowed_verdicts, old_verdicts, standing_verdicts
from migration_gate.verdict.outcome import Problem, ProjectReport, Report, Verdict

OUTCOMES: dict[int, Outcome] = {0: "passed", 1: "blocked"}
"""by exit status; every other one is `not checked`"""
SECONDS_DIGITS = 3
STEP_SECONDS_DIGITS = 4


def render(report: Report) -> str:
    """The report as one JSON document, indented, ASCII only, with a line break at its end."""
    return json.dumps(asdict(build_document(report)), indent=2) + "\n"


def build_document(report: Report) -> JsonReport:
    """The report as it is written."""
    verdicts = [verdict for project in report.projects for verdict in project.verdicts]
    blocking = sum(len(project.blocking_verdicts) for project in report.projects)
    return JsonReport(
        format=FORMAT,
        version=report.version,
        outcome=outcome_of_status(report.status),
        status=report.status,
        seconds=_round_seconds(report.seconds),
        counts=_count_verdicts(verdicts, blocking),
        projects=tuple(map(_build_project, report.projects)),
    )


def outcome_of_status(status: int) -> Outcome:
    """The outcome of a run or a project with this exit status."""
    return OUTCOMES.get(status, "not checked")


def _round_seconds(seconds: float) -> float:
    return round(seconds, SECONDS_DIGITS)


def _count_verdicts(verdicts: Sequence[Verdict], blocking: int) -> Counts:
    severities = [verdict.severity for verdict in standing_verdicts(verdicts)]
    return Counts(
        errors=severities.count(Severity.ERROR),
        warnings=severities.count(Severity.WARNING),
        notes=severities.count(Severity.NOTE),
        allowed=len(allowed_verdicts(verdicts)),
        blocking=blocking,
        old=len(old_verdicts(verdicts)),
    )


def _build_project(project: ProjectReport) -> JsonProject:
    replay, tree = project.facts.replay, project.facts.tree
    history = replay.history
    unchecked = (*replay.unchecked, *tree.unchecked)
    return JsonProject(
        name=project.name,
        outcome=outcome_of_status(project.status),
        status=project.status,
        fail_on=project.fail_on.value,
        seconds=_round_seconds(project.seconds),
        stages={time.stage: _round_seconds(time.seconds) for time in replay.stage_times},
        postgres=project.postgres,
        versions={software.name: software.version for software in replay.versions},
        problem=_build_problem(project.problem),
        counts=_count_verdicts(project.verdicts, len(project.blocking_verdicts)),
        verdicts=tuple(_build_verdict(verdict, project.fail_on) for verdict in project.verdicts),
        heads=history.heads,
        bases=history.bases,
        target=history.target,
        arrived=replay.arrived_heads,
        tables=len(replay.catalog.tables),
        revisions=tuple(map(_build_revision, history.revisions)),
        steps=tuple(map(_build_step, replay.steps)),
        failure=_build_failure(replay.failure),
        drift=tuple(map(build_drift, replay.differences)),
        drift_revision=build_drift_revision(replay.drift_revision),
        unchecked=tuple(Unchecked(item.object, item.why) for item in unchecked),
        notes=project_remarks(project),
        static=project.static,
        coverage=_build_coverage(project),
        scope=project.scope,
        base=_build_base(project.facts.base),
        fixed=tuple(map(_build_fixed, project.fixed)),
        new_allowances=tuple(map(_build_new_allowance, project.new_allowances)),
        lowered=tuple(
            JsonLowered(item.check, item.severity.value if item.severity else "off")
            for item in project.lowered
        ),
    )


def _build_new_allowance(entry: AllowanceText) -> JsonNewAllowance:
    location = entry.location
    return JsonNewAllowance(
        entry.check,
        entry.object,
        entry.reason,
        entry.until,
        location.file if location else None,
        location.line if location else None,
        entry.is_comment,
    )


def _build_base(base: Base | None) -> JsonBase | None:
    if base is None:
        return None
    return JsonBase(base.commit, base.reason, base.failure, base.is_new_project)


def _build_fixed(verdict: Verdict) -> JsonFixed:
    finding = verdict.finding
    return JsonFixed(
        id=verdict.id,
        check=verdict.check,
        kind=finding.kind,
        severity=verdict.severity.value,
        object=finding.object,
        says=finding.message,
    )


def _build_coverage(project: ProjectReport) -> JsonCoverage:
    coverage = project.facts.replay.coverage
    return JsonCoverage(
        compared_tables=coverage.compared_tables,
        mapped_tables=coverage.mapped_tables,
        run_revisions=coverage.run_revisions,
        revisions=coverage.revisions,
        statements=coverage.statements,
        left_out=tuple(JsonLeftOut(item.object, item.why) for item in coverage.left_out),
        checks=tuple(
            JsonCheckCoverage(item.check, item.subject, item.count) for item in project.check_coverage
        ),
    )


def _build_problem(problem: Problem | None) -> JsonProblem | None:
    if problem is None:
        return None
    return JsonProblem(
        says=problem.message,
        advice=problem.advice,
        where=problem.where,
        evidence=problem.evidence,
        status=problem.status,
        kind=problem.kind,
    )


def _build_verdict(verdict: Verdict, fail_on: Severity) -> JsonVerdict:
    finding, location = verdict.finding, verdict.finding.location
    return JsonVerdict(
        id=verdict.id,
        check=verdict.check,
        kind=finding.kind,
        severity=verdict.severity.value,
        blocks=verdict.blocks(fail_on),
        object=finding.object,
        says=finding.message,
        file=location.file if location else None,
        line=location.line if location else None,
        revision=finding.revision,
        evidence=tuple(Label(piece.label, piece.text) for piece in finding.evidence),
        fix=finding.fix,
        allowed=_build_allowed(verdict.allowed),
        edits=tuple(_build_edit(edit) for edit in verdict.edits),
        novelty=verdict.novelty,
        extent=_build_extent(finding.extent),
    )


def _build_extent(extent: Extent | None) -> JsonExtent | None:
    return JsonExtent(extent.amount, extent.time, extent.weight) if extent is not None else None


def _build_edit(edit: SourceEdit) -> JsonEdit:
    return JsonEdit(
        file=edit.file,
        first_line=edit.first_line,
        last_line=edit.last_line,
        old_lines=edit.old_lines,
        new_lines=edit.new_lines,
        says=edit.introduction,
    )


def _build_allowed(allowance: Allowance | None) -> Allowed | None:
    if allowance is None:
        return None
    until = allowance.until.isoformat() if allowance.until else None
    return Allowed(allowance.reason, allowance.where, until)


def _build_revision(revision: Revision) -> JsonRevision:
    return JsonRevision(
        id=revision.id,
        parents=revision.parents,
        depends_on=revision.depends_on,
        labels=revision.labels,
        message=revision.message,
        file=revision.location.file,
        line=revision.location.line,
    )


def _build_step(step: Step) -> JsonStep:
    return JsonStep(
        number=step.number,
        revision=step.revision,
        seconds=round(step.seconds, STEP_SECONDS_DIGITS),
        statements=step.statement_count,
        context=step.context,
    )


def _build_failure(failure: Failure | None) -> JsonFailure | None:
    """The first error where several followed each other, at the location that is known."""
    if failure is None:
        return None
    first = failure.first_error or failure
    location = first.location or failure.location
    return JsonFailure(
        revision=failure.revision or first.revision,
        says=first.message,
        kind=first.exception_class,
        sqlstate=first.sqlstate,
        statement=first.statement,
        file=location.file if location else None,
        line=location.line if location else None,
    )
