"""Joins the JSON reports of several runs into one verdict; a project that sent none was not checked."""

from __future__ import annotations

import json as text_of_json
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date
from pathlib import Path

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from migration_gate.check import Evidence, Finding, Severity
from migration_gate.config.settings import Allowance
from migration_gate.errors import Misconfigured
from migration_gate.facts import (
    Facts,
    Failure,
    History,
    Location,
    Replay,
    Revision,
    Snapshot,
    SoftwareVersion,
    StageTime,
    Statement,
    Step,
    Table,
    Unchecked,
)
from migration_gate.report import deliver, json
from migration_gate.report.json import JsonProject, JsonReport, JsonVerdict
from migration_gate.verdict.outcome import Problem, ProjectReport, Report, Verdict

LARGEST = 64 << 20
"""bytes of one report"""
MOST = 10_000
"""tables, and statements of a revision: a report only counts them, and may come from a stranger's run"""
NOTHING = "Passed: the change touches no project"


class _Row(BaseModel):
    model_config = ConfigDict(extra="ignore")

    project: str


class _Matrix(BaseModel):
    model_config = ConfigDict(extra="ignore")

    include: tuple[_Row, ...]


@dataclass(frozen=True, slots=True)
class Joined:
    """All reports, and those that are missing."""

    projects: tuple[JsonProject, ...]
    expected: tuple[str, ...] | None
    """names of the projects that had to report; None where that was not said"""
    version: str = ""

    @property
    def nothing(self) -> bool:
        """It was said that no project had to report, and none did."""
        return self.expected == () and not self.projects


def expected(names: Sequence[str], matrix: str | None) -> tuple[str, ...] | None:
    """The projects that must report, by name and by GitHub's matrix; None where neither was given."""
    if matrix is None:
        return tuple(dict.fromkeys(names)) or None
    try:
        rows = _Matrix.model_validate_json(matrix).include
    except ValidationError as error:
        says = "is empty: the job that lists the projects did not finish" if not matrix.strip() else (
            f"is not what `migration-gate projects --format matrix` prints: {error.errors()[0]['msg']}"
        )  # fmt: skip
        raise Misconfigured(
            f"`--matrix` {says}.", where="--matrix", advice="Hand over the output of that command, whole."
        ) from error
    return tuple(dict.fromkeys((*names, *(row.project for row in rows))))


def read(paths: Iterable[Path], wanted: tuple[str, ...] | None) -> Joined:
    """The reports in these files and folders; whatever is no report, and who sent none, is a problem."""
    found: list[JsonProject] = []
    version = ""
    for path in paths:
        for file in _files(path, demanded=wanted is None):
            document = _document(file)
            if isinstance(document, Problem):
                found.append(_failed(file.stem, document))
            else:
                version = version or document.version
                found += [_consistent(project, file) for project in document.projects]
    there = {project.name for project in found}
    for name in wanted or ():
        if name not in there:
            says = f"No report of `{name}` arrived."
            advice = (
                "Its job failed before it could report, was cancelled, or kept the report: look at its log."
            )
            found.append(_failed(name, Problem(says, advice, kind="NotReported")))
    if not found and wanted is None:
        raise Misconfigured("There is no report to join.", advice="Name the JSON reports, or their folder.")
    return Joined(tuple(found), wanted, version)


def _files(path: Path, *, demanded: bool) -> Iterator[Path]:
    if path.is_dir():
        yield from sorted(each for each in path.rglob("*.json") if each.is_file())
    elif path.exists() or demanded:
        yield path  # what is not there is said, unless the missing projects say it


def _document(file: Path) -> JsonReport | Problem:
    try:
        with file.open("rb") as stream:
            data = stream.read(LARGEST)
        return TypeAdapter(JsonReport).validate_json(data)
    except OSError as error:
        why = f"could not be read: {error.strerror or error}"
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        key = ".".join(map(str, first["loc"]))
        why = f"is no report of this version ({f'`{key}`: ' if key else ''}{first['msg']})"
    return Problem(f"`{file}` {why}.", "Join what `check --format json` wrote, whole.", kind="NotAReport")


def _failed(name: str, problem: Problem) -> JsonProject:
    return json.document(Report((ProjectReport(name, problem=problem),))).projects[0]


def _consistent(project: JsonProject, file: Path) -> JsonProject:
    """The project, unless its verdicts and its status contradict each other."""
    if project.static:
        says = f"`{file}` is a report of `check --static`: the migrations of `{project.name}` did not run."
        return _failed(project.name, Problem(says, "Join reports of the whole gate.", kind="NotAReport"))
    found = rebuilt(project).status
    if found == project.status:
        return project
    says = f"`{file}` says status {project.status} for `{project.name}`, and its verdicts say {found}."
    advice = "Join what `check --format json` wrote, unchanged."
    return _failed(project.name, Problem(says, advice, kind="NotAReport"))


def status(joined: Joined) -> int:
    """The worst of its projects' statuses; 0 where the change touches none."""
    return 0 if joined.nothing else report_of(joined).status


def rendered(joined: Joined, form: str) -> str:
    """The joined report in one of the formats of `check`."""
    report = report_of(joined)
    if form == "json":
        document = replace(
            json.document(report),
            status=status(joined),
            outcome=json.OUTCOMES.get(status(joined), "not checked"),
            projects=joined.projects,  # as they came: a report tells less than the facts it was made of
        )
        return text_of_json.dumps(asdict(document), indent=2) + "\n"
    if joined.nothing and form in ("text", "summary"):
        return f"## ✅ Migration Gate. {NOTHING}\n" if form == "summary" else f"{NOTHING}\n"
    return deliver.rendered(report, form, colour=sys.stdout.isatty() and form == "text")


def report_of(joined: Joined) -> Report:
    """The reports as one, with the facts that a report can tell again."""
    projects = tuple(map(rebuilt, joined.projects))
    return Report(projects, sum(project.seconds for project in projects), joined.version)


def rebuilt(project: JsonProject) -> ProjectReport:
    """A project as it was judged: verdicts whole, facts as far as its report has them."""
    revisions = tuple(
        Revision(r.id, r.parents, r.message, Location(r.file, r.line), r.depends_on, r.labels)
        for r in project.revisions
    )
    replay = Replay(
        history=History(revisions, project.heads, project.bases, target=project.target),
        steps=tuple(
            Step(s.number, s.revision, s.seconds, _counted(s.statements), context=s.context)
            for s in project.steps
        ),
        failure=_failure(project),
        arrived_heads=project.arrived,
        catalog=Snapshot(tables=(Table("", ""),) * min(project.tables, MOST)),
        versions=tuple(SoftwareVersion(*item) for item in project.versions.items()),
        notes=project.notes,
        unchecked=tuple(Unchecked(each.object, each.why) for each in project.unchecked),
        stage_times=tuple(StageTime(*item) for item in project.stages.items()),
    )
    return ProjectReport(
        project.name,
        Facts(project.name, replay),
        tuple(_verdict(verdict, project.name) for verdict in project.verdicts),
        Severity(project.fail_on),
        project.postgres,
        project.seconds,
        project.problem,
    )


def _counted(number: int) -> tuple[Statement, ...]:
    return (Statement("", 0.0),) * min(number, MOST)


def _failure(project: JsonProject) -> Failure | None:
    failed = project.failure
    if failed is None:
        return None
    place = Location(failed.file, failed.line) if failed.file else None
    return Failure(
        failed.says,
        failed.kind,
        failed.sqlstate,
        statement=failed.statement,
        revision=failed.revision,
        location=place,
    )


def _verdict(verdict: JsonVerdict, project: str) -> Verdict:
    allowed = verdict.allowed
    until = date.fromisoformat(allowed.until) if allowed and allowed.until else None
    severity = Severity(verdict.severity)
    finding = Finding(
        verdict.object,
        verdict.says,
        Location(verdict.file, verdict.line) if verdict.file else None,
        verdict.revision,
        tuple(Evidence(each.label, each.text) for each in verdict.evidence),
        verdict.fix,
        verdict.kind,
        severity,
    )
    accepted = (
        Allowance(verdict.check, allowed.reason, verdict.object, until, allowed.where) if allowed else None
    )
    return Verdict(verdict.check, severity, finding, verdict.id, project, accepted)
