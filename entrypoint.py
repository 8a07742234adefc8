"""The whole gate in reading order: settings, facts, verdicts, report, exit status."""

import os
import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path

from migration_gate import checks, explain
from migration_gate.analysis.engine_bodies import join_revisions
from migration_gate.check import check_name
from migration_gate.config.loading import load_settings
from migration_gate.config.settings import Settings
from migration_gate.drift.server_differences import compare_servers
from migration_gate.errors import GateError, SeveralDatabases
from migration_gate.git.git_command import find_repository_root
from migration_gate.postgres.shared_servers import SharedServers
from migration_gate.process.process_limits import verify_process_limits
from migration_gate.progress import ProgressDisplay
from migration_gate.replay.database_choice import choose_databases, merge_addresses
from migration_gate.replay.examination import examine_project
from migration_gate.report import deliver
from migration_gate.sandbox.child_process import forbid_reading_memory
from migration_gate.verdict.check_coverage import measure_check_coverage
from migration_gate.verdict.comment_files import read_comment_files
from migration_gate.verdict.database_reports import report_allowances_unused_by_all
from migration_gate.verdict.judge import judge_findings
from migration_gate.verdict.outcome import Problem, ProjectReport, Report
from migration_gate.verdict.server_reports import join_server_reports


def run_check(path: Path, options: Mapping[str, object], targets: deliver.ReportTargets) -> int:
    """Examine every project below `path`, deliver the report, and return the exit status."""
    return deliver.deliver_report(examine_projects(path, options), targets)


def examine_projects(path: Path, options: Mapping[str, object]) -> Report:
    """The report on every project below `path`. `options` are those of the command line, as settings.

    Raises GateError if the settings cannot be read; a problem of one project is part of the report.
    """
    started = time.perf_counter()
    forbid_reading_memory()  # (the token, to begin with)
    verify_process_limits()
    projects = load_settings(path, options, os.environ, known_checks=explain.known_kinds())
    several = len(projects) > 1
    with ProgressDisplay() as display, SharedServers(serves_several=several) as servers:
        reports = [report for settings in projects for report in examine_servers(settings, servers, display)]
    return deliver.add_version(Report(tuple(reports), time.perf_counter() - started))


def examine_servers(
    settings: Settings, servers: SharedServers, display: ProgressDisplay
) -> list[ProjectReport]:
    """One project: its reports, with what differs between the servers where `postgres:` names several."""
    first, *further = settings.list_server_runs()
    others = [examine_databases(run, servers, display, []) for run in further]
    reports = examine_databases(first, servers, display, others)
    names = [*map(check_name, explain.known_checks())]
    return [join_server_reports([report, *find_same_database(report, others)], names) for report in reports]


def find_same_database(report: ProjectReport, others: list[list[ProjectReport]]) -> list[ProjectReport]:
    """The reports of the other servers on the same database, and their problems."""
    database = report.facts.replay.database
    return [
        other
        for reports in others
        for other in reports
        if other.problem or other.facts.replay.database == database
    ]


def examine_databases(
    settings: Settings,
    servers: SharedServers,
    display: ProgressDisplay,
    others: list[list[ProjectReport]],
) -> list[ProjectReport]:
    """One project: a report, or one for each database where its env.py migrates several."""
    runs = [settings]
    addresses: tuple[str, ...] = ()
    judged: tuple[str, ...] = ()
    while True:
        try:
            return join_databases([examine_and_judge(run, servers, display, others) for run in runs])
        except SeveralDatabases as error:  # each time there is one more
            addresses = merge_addresses(addresses, error.addresses)
            judged = merge_addresses(judged, error.judged)
            runs = choose_databases(settings, addresses, judged)


def join_databases(reports: list[ProjectReport]) -> list[ProjectReport]:
    """The reports on the databases of one project, with one revision for the drift of all."""
    revisions = join_revisions([report.facts.replay.drift_revision for report in reports])
    return [
        replace(
            report,
            facts=replace(report.facts, replay=replace(report.facts.replay, drift_revision=revision)),
        )
        for report, revision in zip(report_allowances_unused_by_all(reports), revisions, strict=True)
    ]


def examine_and_judge(
    settings: Settings,
    servers: SharedServers,
    display: ProgressDisplay,
    others: list[list[ProjectReport]],
) -> ProjectReport:
    """One project: its facts and the verdicts on them, or the problem that kept it from being examined.

    others: its reports on other servers, to be compared with.
    Raises SeveralDatabases if its env.py migrates more than it is known to.
    """
    started = time.perf_counter()
    try:
        facts = display.show_examination(examine_project(settings, servers))
        same = find_same_database(ProjectReport(settings.name, facts), others)
        facts = compare_servers(facts, [report.facts for report in same])
        comment_files = read_comment_files(facts, find_repository_root(settings.root))
        verdicts = judge_findings(facts, settings, checks.ALL, comment_files, date.today())
    except SeveralDatabases:
        raise
    except GateError as error:
        return ProjectReport(settings.name, problem=Problem.from_error(error))
    seconds = time.perf_counter() - started
    return ProjectReport(
        settings.name,
        facts,
        verdicts,
        settings.fail_on,
        seconds=seconds,
        check_coverage=measure_check_coverage(facts, checks.ALL, settings),
    )
