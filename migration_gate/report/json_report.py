"""The report for machines: format 1, explained in `docs/json.md` and checked by `docs/report.schema.json`.

Within format 1 fields are only ever added. Identifiers of verdicts are the same in every run.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Literal

from migration_gate.check import Severity
from migration_gate.config.settings import Allowance
from migration_gate.facts import Failure, Replay, Step
from migration_gate.report.phrases import project_notes
from migration_gate.verdict.outcome import Problem, ProjectReport, Report, Verdict

FORMAT: Literal[1] = 1
Outcome = Literal["passed", "blocked", "not checked"]
OUTCOMES: dict[int, Outcome] = {0: "passed", 1: "blocked"}


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


@dataclass(frozen=True, slots=True)
class Unchecked:
    """What could not be checked."""

    object: str
    why: str


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
    problem: Problem | None
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
    unchecked: tuple[Unchecked, ...]
    notes: tuple[str, ...]
    static: bool = False


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
    projects = tuple(_project(project) for project in report.projects)
    verdicts = [verdict for project in report.projects for verdict in project.verdicts]
    blocking = sum(len(project.blocking_verdicts) for project in report.projects)
    return JsonReport(
        format=FORMAT,
        version=report.version,
        outcome=OUTCOMES.get(report.status, "not checked"),
        status=report.status,
        seconds=round(report.seconds, 3),
        counts=_counts(verdicts, blocking),
        projects=projects,
    )


def _counts(verdicts: list[Verdict], blocking: int) -> Counts:
    standing = [verdict.severity for verdict in verdicts if verdict.allowed is None]
    errors, warnings, said = (
        standing.count(one) for one in (Severity.ERROR, Severity.WARNING, Severity.NOTE)
    )
    return Counts(errors, warnings, said, len(verdicts) - len(standing), blocking)


def _project(project: ProjectReport) -> JsonProject:
    replay, tree = project.facts.replay, project.facts.tree
    history = replay.history
    return JsonProject(
        name=project.name,
        outcome=OUTCOMES.get(project.status, "not checked"),
        status=project.status,
        fail_on=project.fail_on.value,
        seconds=round(project.seconds, 3),
        stages={time.stage: round(time.seconds, 3) for time in replay.stage_times},
        postgres=project.postgres,
        versions={software.name: software.version for software in replay.versions},
        problem=project.problem,
        counts=_counts(list(project.verdicts), len(project.blocking_verdicts)),
        verdicts=tuple(_verdict(verdict, project.fail_on) for verdict in project.verdicts),
        heads=history.heads,
        bases=history.bases,
        target=history.target,
        arrived=replay.arrived_heads,
        tables=len(replay.catalog.tables),
        revisions=_revisions(replay),
        steps=tuple(_step(step) for step in replay.steps),
        failure=_failure(replay.failure),
        drift=_drift(replay),
        unchecked=tuple(Unchecked(item.object, item.why) for item in (*replay.unchecked, *tree.unchecked)),
        notes=project_notes(project),
        static=project.static,
    )


def _step(step: Step) -> JsonStep:
    seconds = round(step.seconds, 4)
    return JsonStep(step.number, step.revision, seconds, len(step.statements), step.context)


def _allowed(allow: Allowance | None) -> Allowed | None:
    if allow is None:
        return None
    return Allowed(allow.reason, allow.where, allow.until.isoformat() if allow.until else None)


def _verdict(verdict: Verdict, fail_on: Severity) -> JsonVerdict:
    finding = verdict.finding
    return JsonVerdict(
        id=verdict.id,
        check=verdict.check,
        kind=finding.kind,
        severity=verdict.severity.value,
        blocks=verdict.blocks(fail_on),
        object=finding.object,
        says=finding.message,
        file=finding.location.file if finding.location else None,
        line=finding.location.line if finding.location else None,
        revision=finding.revision,
        evidence=tuple(Label(piece.label, piece.text) for piece in finding.evidence),
        fix=finding.fix,
        allowed=_allowed(verdict.allowed),
    )


def _revisions(replay: Replay) -> tuple[JsonRevision, ...]:
    return tuple(
        JsonRevision(r.id, r.parents, r.depends_on, r.labels, r.message, r.location.file, r.location.line)
        for r in replay.history.revisions
    )


def _failure(failure: Failure | None) -> JsonFailure | None:
    if failure is None:
        return None
    first = failure.first_error or failure
    place = first.location or failure.location
    file, line = (place.file, place.line) if place else (None, None)
    revision = failure.revision or first.revision
    return JsonFailure(
        revision, first.message, first.exception_class, first.sqlstate, first.statement, file, line
    )


def _drift(replay: Replay) -> tuple[JsonDrift, ...]:
    return tuple(
        JsonDrift(
            d.kind, d.object, d.table, d.column, d.database, d.models, d.revision, d.upgrade, d.downgrade
        )
        for d in replay.differences
    )
