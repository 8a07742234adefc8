"""Joins the JSON reports of several runs into one verdict; a project that sent no report was not checked."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from migration_gate.errors import Misconfigured
from migration_gate.lazy_dataclass import dataclass
from migration_gate.monorepo.rebuilt_project import rebuild_project
from migration_gate.report import json_report
from migration_gate.report.formats import render_report
from migration_gate.report.json_document import JsonProject, JsonReport
from migration_gate.verdict.outcome import Problem, ProjectReport, Report

MAX_REPORT_BYTES = 64 << 20
NO_PROJECT_TOUCHED = "Passed: the change touches no project"
NO_REPORT_ADVICE = (
    "Its job failed before it could report, was cancelled, or kept the report: look at its log."
)


class _MatrixRow(BaseModel):
    model_config = ConfigDict(extra="ignore")

    project: str


class _Matrix(BaseModel):
    model_config = ConfigDict(extra="ignore")

    include: tuple[_MatrixRow, ...]


@dataclass(frozen=True, slots=True)
class JoinedReports:
    """All reports, and the projects that had to send one."""

    projects: tuple[JsonProject, ...]
    """those that reported, and a problem for each that did not"""
    expected_names: tuple[str, ...] | None
    """names of the projects that had to report; None if neither `--expect` nor `--matrix` was given"""
    version: str = ""
    """of the gate that wrote the first report"""

    @property
    def no_project_touched(self) -> bool:
        """The matrix was empty, and no project reported."""
        return self.expected_names == () and not self.projects


def expected_projects(names: Sequence[str], matrix: str | None) -> tuple[str, ...] | None:
    """The projects that must report, by name and by GitHub's matrix; None if neither was given."""
    if matrix is None:
        return tuple(dict.fromkeys(names)) or None
    try:
        rows = _Matrix.model_validate_json(matrix).include
    except ValidationError as error:
        raise Misconfigured(
            f"`--matrix` {_fault_of_matrix(matrix, error)}.",
            where="--matrix",
            advice="Pass the output of that command, unchanged.",
        ) from error
    return tuple(dict.fromkeys((*names, *(row.project for row in rows))))


def _fault_of_matrix(matrix: str, error: ValidationError) -> str:
    if not matrix.strip():
        return "is empty: the job that lists the projects did not finish"
    return f"is not what `migration-gate projects --format matrix` prints: {error.errors()[0]['msg']}"


def read_reports(paths: Iterable[Path], expected_names: tuple[str, ...] | None) -> JoinedReports:
    """Read these files and folders; a file that is no report, and a missing report, become problems.

    Raises Misconfigured if nothing is expected and there is no file at all.
    """
    projects: list[JsonProject] = []
    version = ""
    for file in _report_files(paths, missing_is_problem=expected_names is None):
        document = _read_report(file)
        if isinstance(document, Problem):
            projects.append(_project_with_problem(file.stem, document))
            continue
        version = version or document.version
        projects += [_consistent_project(project, file) for project in document.projects]
    projects += _list_missing_projects(projects, expected_names or ())
    if not projects and expected_names is None:
        raise Misconfigured("There is no report to join.", advice="Name the JSON reports, or their folder.")
    return JoinedReports(tuple(projects), expected_names, version)


def _list_missing_projects(
    projects: Sequence[JsonProject], expected_names: Sequence[str]
) -> Iterator[JsonProject]:
    """A problem for each expected project that is not among the others."""
    reported_names = {project.name for project in projects}
    for name in expected_names:
        if name not in reported_names:
            problem = Problem(f"No report of `{name}` arrived.", NO_REPORT_ADVICE, kind="NotReported")
            yield _project_with_problem(name, problem)


def _report_files(paths: Iterable[Path], *, missing_is_problem: bool) -> Iterator[Path]:
    """Every file to read; a missing one too where no list of expected projects names it as missing."""
    for path in paths:
        if path.is_dir():
            yield from sorted(file for file in path.rglob("*.json") if file.is_file())
        elif path.exists() or missing_is_problem:
            yield path


def _read_report(file: Path) -> JsonReport | Problem:
    try:
        with file.open("rb") as stream:
            data = stream.read(MAX_REPORT_BYTES)
        return TypeAdapter(JsonReport).validate_json(data)
    except OSError as error:
        reason = f"could not be read: {error.strerror or error}"
    except ValidationError as error:
        reason = f"is no report of this version ({_first_fault(error)})"
    return Problem(f"`{file}` {reason}.", "Join what `check --format json` wrote, whole.", kind="NotAReport")


def _first_fault(error: ValidationError) -> str:
    fault = error.errors(include_url=False, include_input=False)[0]
    key = ".".join(map(str, fault["loc"]))
    return f"`{key}`: {fault['msg']}" if key else fault["msg"]


def _project_with_problem(name: str, problem: Problem) -> JsonProject:
    return json_report.build_document(Report((ProjectReport(name, problem=problem),))).projects[0]


def _consistent_project(project: JsonProject, file: Path) -> JsonProject:
    """The project, or a problem where its report is not of a replay, or contradicts itself."""
    if project.static:
        message = f"`{file}` is a report of `check --static`: the migrations of `{project.name}` did not run."
        problem = Problem(message, "Join reports of the whole gate.", kind="NotAReport")
        return _project_with_problem(project.name, problem)
    status_of_verdicts = rebuild_project(project).status
    if status_of_verdicts == project.status:
        return project
    message = (
        f"`{file}` has status {project.status} for `{project.name}`, "
        f"but its verdicts give {status_of_verdicts}."
    )
    advice = "Join what `check --format json` wrote, unchanged."
    return _project_with_problem(project.name, Problem(message, advice, kind="NotAReport"))


def joined_status(joined: JoinedReports) -> int:
    """The worst of its projects' exit statuses; 0 where the change touches none."""
    return 0 if joined.no_project_touched else rebuild_report(joined).status


def render_joined(joined: JoinedReports, form: str) -> str:
    """The joined report in one of the formats of `check`."""
    if form == "json":
        return _render_json(joined)
    if joined.no_project_touched and form == "summary":
        return f"## ✅ Migration Gate. {NO_PROJECT_TOUCHED}\n"
    if joined.no_project_touched and form == "text":
        return f"{NO_PROJECT_TOUCHED}\n"
    is_terminal = form == "text" and sys.stdout.isatty()
    return render_report(rebuild_report(joined), form, is_terminal=is_terminal)


def _render_json(joined: JoinedReports) -> str:
    status = joined_status(joined)
    document = replace(
        json_report.build_document(rebuild_report(joined)),
        status=status,
        outcome=json_report.outcome_of_status(status),
        projects=joined.projects,  # unchanged: a rebuilt project lacks what its report left out
    )
    return json.dumps(asdict(document), indent=2) + "\n"


def rebuild_report(joined: JoinedReports) -> Report:
    """One report of all projects, with the facts that their reports hold."""
    projects = tuple(rebuild_project(project) for project in joined.projects)
    return Report(projects, sum(project.seconds for project in projects), joined.version)
