"""The report as JSON, for programs: format 1, described in `docs/json.md` and `docs/report.schema.json`.

Within format 1 fields are only added. Identifiers of verdicts are the same in every run.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Literal

from migration_gate.analysis.drift_revision import format_revision_file
from migration_gate.check import Severity
from migration_gate.config.settings import Allowance
from migration_gate.facts import Difference, DriftRevision, Failure, Revision, Step
from migration_gate.report.phrases import project_remarks, standing_verdicts
from migration_gate.verdict.outcome import Problem, ProjectReport, Report, Verdict

FORMAT: Literal[1] = 1
Outcome = Literal["passed", "blocked", "not checked"]
OUTCOMES: dict[int, Outcome] = {0: "passed", 1: "blocked"}
"""by exit status; every other one is `not checked`"""
SECONDS_DIGITS = 3
STEP_SECONDS_DIGITS = 4


@dataclass(frozen=True, slots=True)
class Counts:
    """How many verdicts there are of each severity; the allowed ones are counted apart."""

    errors: int
    warnings: int
    notes: int
    allowed: int
    blocking: int


@dataclass(frozen=True, slots=True)
class Label:
    """One piece of evidence."""

    label: str
    text: str


@dataclass(frozen=True, slots=True)
class Allowed:
    """Why the user accepts a verdict, where that is said, and its last day."""

    reason: str
    where: str
    until: str | None


@dataclass(frozen=True, slots=True)
class JsonVerdict:
    """One finding; `id` stays the same from run to run, and lines are counted from 1."""

    id: str
    check: str
    kind: str | None
    severity: Literal["error", "warning", "note"]
    blocks: bool
    object: str
    says: str
    file: str | None
    line: int | None
    revision: str | None
    evidence: tuple[Label, ...]
    fix: str
    allowed: Allowed | None


@dataclass(frozen=True, slots=True)
class JsonRevision:
    """One revision of the history; `line` is that of its `upgrade()`."""

    id: str
    parents: tuple[str, ...]
    depends_on: tuple[str, ...]
    labels: tuple[str, ...]
    message: str
    file: str
    line: int | None


@dataclass(frozen=True, slots=True)
class JsonStep:
    """One revision, run; `context` tells the turns of a tenant loop apart."""

    number: int
    revision: str
    seconds: float
    statements: int
    context: int


@dataclass(frozen=True, slots=True)
class JsonFailure:
    """The first error of a replay that ended early."""

    revision: str | None
    says: str
    kind: str
    sqlstate: str | None
    statement: str | None
    file: str | None
    line: int | None


@dataclass(frozen=True, slots=True)
class JsonDrift:
    """One difference; a side that is missing is null, `upgrade` and `downgrade` are bodies of a revision."""

    kind: str
    object: str
    table: str | None
    column: str | None
    migrations: str | None
    models: str | None
    revision: str | None
    upgrade: str
    downgrade: str
    refused: str
    runs_only_with: str
    fixed_by_others: bool


@dataclass(frozen=True, slots=True)
class JsonDriftRevision:
    """One revision that removes all drift, run both ways; `text` is the file, `left_out` are objects."""

    id: str
    down_revision: tuple[str, ...]
    depends_on: tuple[str, ...]
    differences: int
    left_out: tuple[str, ...]
    upgrade: str
    downgrade: str
    text: str


@dataclass(frozen=True, slots=True)
class Unchecked:
    """What could not be checked."""

    object: str
    why: str


@dataclass(frozen=True, slots=True)
class JsonLeftOut:
    """Something that the run did not look at, on purpose or not."""

    object: str
    why: str


@dataclass(frozen=True, slots=True)
class JsonCheckCoverage:
    """How many of its subject a check looked at: a check that found nothing to look at proves nothing."""

    check: str
    subject: str
    count: int


@dataclass(frozen=True, slots=True)
class JsonCoverage:
    """What the run looked at: tables of the models, revisions of the history, statements of the revisions."""

    compared_tables: int = 0
    mapped_tables: int = 0
    run_revisions: int = 0
    revisions: int = 0
    statements: int = 0
    left_out: tuple[JsonLeftOut, ...] = ()
    checks: tuple[JsonCheckCoverage, ...] = ()


@dataclass(frozen=True, slots=True)
class JsonProblem:
    """What kept a project from being examined; `kind` is the name of an exception."""

    says: str
    advice: str = ""
    where: str = ""
    evidence: str = ""
    status: int = 2
    kind: str = ""


@dataclass(frozen=True, slots=True)
class JsonProject:
    """One project; `stages` are seconds of wall time, `arrived` the heads in its version table."""

    name: str
    outcome: Outcome
    status: int
    fail_on: Literal["error", "warning", "note"]
    seconds: float
    stages: dict[str, float]
    postgres: str
    versions: dict[str, str]
    problem: JsonProblem | None
    counts: Counts
    verdicts: tuple[JsonVerdict, ...]
    heads: tuple[str, ...]
    bases: tuple[str, ...]
    target: tuple[str, ...]
    arrived: tuple[str, ...]
    tables: int
    revisions: tuple[JsonRevision, ...]
    steps: tuple[JsonStep, ...]
    failure: JsonFailure | None
    drift: tuple[JsonDrift, ...]
    drift_revision: JsonDriftRevision | None
    unchecked: tuple[Unchecked, ...]
    notes: tuple[str, ...]
    static: bool = False
    coverage: JsonCoverage = JsonCoverage()


@dataclass(frozen=True, slots=True)
class JsonReport:
    """The whole document."""

    format: Literal[1]
    version: str
    outcome: Outcome
    status: int
    seconds: float
    counts: Counts
    projects: tuple[JsonProject, ...]


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
        projects=tuple(_build_project(project) for project in report.projects),
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
        allowed=len(verdicts) - len(severities),
        blocking=blocking,
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
        revisions=tuple(_build_revision(revision) for revision in history.revisions),
        steps=tuple(_build_step(step) for step in replay.steps),
        failure=_build_failure(replay.failure),
        drift=tuple(_build_drift(difference) for difference in replay.differences),
        drift_revision=_build_drift_revision(replay.drift_revision),
        unchecked=tuple(Unchecked(item.object, item.why) for item in unchecked),
        notes=project_remarks(project),
        static=project.static,
        coverage=_build_coverage(project),
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


def _build_drift(difference: Difference) -> JsonDrift:
    return JsonDrift(
        kind=difference.kind,
        object=difference.object,
        table=difference.table,
        column=difference.column,
        migrations=difference.database,
        models=difference.models,
        revision=difference.revision,
        upgrade=difference.upgrade,
        downgrade=difference.downgrade,
        refused=difference.fix_refused,
        runs_only_with=difference.runs_only_with,
        fixed_by_others=difference.fixed_by_others,
    )


def _build_drift_revision(revision: DriftRevision | None) -> JsonDriftRevision | None:
    if revision is None:
        return None
    return JsonDriftRevision(
        id=revision.identifier,
        down_revision=revision.down_revision,
        depends_on=revision.depends_on,
        differences=revision.differences,
        left_out=revision.left_out,
        upgrade=revision.upgrade,
        downgrade=revision.downgrade,
        text=format_revision_file(revision),
    )
