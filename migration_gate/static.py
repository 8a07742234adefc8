"""`check --static`: what text alone can tell, for a hook that must answer at once.

No Postgres is started, and nothing of the project is imported or run. What only a replay can tell is named.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path

from migration_gate.check import Check, check_name
from migration_gate.config.loading import load_settings
from migration_gate.config.settings import Settings
from migration_gate.errors import GateError, RepositoryUnreadable
from migration_gate.explain import known_checks, known_kinds
from migration_gate.facts import Facts, Replay, Snapshot, Table
from migration_gate.git.git_command import find_repository_root
from migration_gate.git.tracked_files import list_tracked_files
from migration_gate.project.locate import AlembicEnvironment, locate_environment
from migration_gate.project.version_locations import VersionLocations, read_version_locations
from migration_gate.report.deliver import ReportTargets, add_version, deliver_report
from migration_gate.scan.repository import read_repository
from migration_gate.scan.revision_files import RevisionSources, read_revision_files
from migration_gate.scan.revision_history import build_history
from migration_gate.verdict.check_coverage import measure_check_coverage
from migration_gate.verdict.comment_files import read_comment_files
from migration_gate.verdict.judge import judge_findings
from migration_gate.verdict.lowered_checks import list_lowered_checks
from migration_gate.verdict.outcome import Problem, ProjectReport, Report

STATIC_CHECKS = ("raw-sql-file", "schema-change-outside-migrations", "broken-history", "several-heads")
"""the checks whose facts are in the text of files"""
MAX_MODEL_FILE_BYTES = 1 << 20
"""bytes of a Python file that are searched for models"""
_MODEL_TABLE = re.compile(
    rb"\b__tablename__\s*(?::\s*\w+\s*)?=\s*[\"'](?P<attribute>\w+)[\"']"
    rb"|\bTable\(\s*[\"'](?P<call>\w+)[\"']\s*,\s*[\w.]*metadata"
    rb"|^class\s+(?P<sqlmodel>\w+)\([^)\n]*\btable\s*=\s*True",
    re.MULTILINE | re.IGNORECASE,
)
"""how a model names its table: SQLAlchemy's attribute, its Table, and SQLModel's class"""


def run_static_check(path: Path, options: Mapping[str, object], targets: ReportTargets) -> int:
    """Read every project below `path`, deliver the report, and return the exit status."""
    start = time.perf_counter()
    projects = load_settings(path, options, os.environ, list_checks=known_kinds)
    reports = tuple(check_project_text(settings) for settings in projects)
    report = Report(reports, time.perf_counter() - start)
    return deliver_report(add_version(report), targets)


def check_project_text(settings: Settings) -> ProjectReport:
    """The report on one project, read and judged by the checks that need no more than text."""
    start = time.perf_counter()
    checks = [check for check in known_checks() if check_name(check) in STATIC_CHECKS]
    try:
        facts = read_static_facts(settings)
    except GateError as error:
        return ProjectReport(settings.name, problem=Problem.from_error(error), static=True)
    texts = read_comment_files(facts, find_repository_root(settings.root))
    verdicts = judge_findings(facts, settings, checks, texts, date.today())
    return ProjectReport(
        settings.name,
        facts,
        # Without the judge's own findings: an allowance for a check that did not run here is not unused.
        tuple(verdict for verdict in verdicts if verdict.check in STATIC_CHECKS),
        settings.fail_on,
        seconds=time.perf_counter() - start,
        check_coverage=measure_check_coverage(facts, checks, settings),
        lowered=tuple(list_lowered_checks(settings, known_checks())),
        static=True,
    )


def read_static_facts(settings: Settings) -> Facts:
    """The facts that text can tell. Raises GateError if the project, or git, is not found."""
    if failure := list_tracked_files(settings.root).failure:
        raise RepositoryUnreadable(
            f"`--static` reads the files that git tracks, and git cannot tell: {failure}.",
            where=str(settings.root),
            advice="Run it in the repository, where git is installed; or run `check` without `--static`.",
        )
    top = Path(os.path.realpath(find_repository_root(settings.root)))
    environment = locate_environment(settings, os.environ)
    locations = find_version_folders(environment)
    sources = read_revision_files(locations.folders, top, recursive=locations.is_recursive)
    migration_files = [
        *(str(top / source.file.path) for source in sources.files),
        *map(str, locations.folders),
        *([str(environment.entry_file)] if environment.entry_file else []),
    ]
    tables = dict.fromkeys((*sources.created_tables, *_find_model_tables(settings.root)))
    replay = Replay(
        history=build_history(sources, settings.target),
        catalog=Snapshot(tables=tuple(Table("public", name) for name in tables)),
        notes=tuple(_make_notes(known_checks(), locations, sources)),
    )
    tree = read_repository(settings, migration_files)
    return Facts(settings.name, replay, tree, settings.owners)


def find_version_folders(environment: AlembicEnvironment) -> VersionLocations:
    """The folders of the revisions; none if only running code could tell."""
    if environment.kind == "hook" or environment.entry_file is None or environment.config is None:
        return VersionLocations()
    locations = read_version_locations(environment)
    if locations.folders:
        return locations
    return VersionLocations((environment.entry_file.parent / "versions",), locations.is_recursive)


def _make_notes(
    checks: Sequence[Check], locations: VersionLocations, sources: RevisionSources
) -> Iterator[str]:
    """What was not checked, and why."""
    unchecked = [name for name in map(check_name, checks) if name not in STATIC_CHECKS]
    yield f"read as text only; not checked: {', '.join(unchecked)}"
    if not locations.folders:
        yield "the folders of the revisions are decided in code: several heads were not looked for"
    for source in sources.files:
        if source.doubt:
            yield f"`{source.file.path}` could not be placed in the history: {source.doubt}"


def _find_model_tables(project: Path) -> Iterator[str]:
    """The tables of the models, as far as their text names them."""
    for path in list_tracked_files(project).paths:
        file = project / path
        if not path.endswith(".py") or file.is_symlink():
            continue
        try:
            with file.open("rb") as stream:
                text = stream.read(MAX_MODEL_FILE_BYTES)
        except OSError:
            continue  # `read_repository` reports what could not be read
        for match in _MODEL_TABLE.finditer(text):
            name = match["attribute"] or match["call"] or match["sqlmodel"].lower()
            yield name.decode()
