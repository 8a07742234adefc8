"""The whole gate in reading order: settings, facts, verdicts, report, exit status."""

import os
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from migration_gate import explain
from migration_gate.config.loading import load_settings
from migration_gate.config.settings import Settings
from migration_gate.errors import GateError, SeveralDatabases
from migration_gate.postgres.shared_servers import SharedServers
from migration_gate.process.process_limits import verify_process_limits
from migration_gate.progress import ProgressDisplay
from migration_gate.replay.database_choice import choose_databases, merge_addresses
from migration_gate.replay.examination import examine_project
from migration_gate.report import deliver
from migration_gate.sandbox.child_process import forbid_reading_memory
from migration_gate.verdict.outcome import Problem, ProjectReport, Report

JUDGEMENT = "migration_gate.judgement"
"""with all checks: loaded while the first project's history runs"""


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
    projects = load_settings(path, options, os.environ, list_checks=explain.known_kinds)
    several = len(projects) > 1
    with ProgressDisplay() as display, SharedServers(serves_several=several) as servers:
        reports = [report for settings in projects for report in examine_servers(settings, servers, display)]
    if several:
        from migration_gate.verdict.repeated_findings import drop_repeated  # noqa: PLC0415

        reports = drop_repeated(reports)
    return deliver.add_version(Report(tuple(reports), time.perf_counter() - started))


def examine_servers(
    settings: Settings, servers: SharedServers, display: ProgressDisplay
) -> list[ProjectReport]:
    """One project: its reports, with what differs between the servers where `postgres:` names several."""
    first, *further = settings.list_server_runs()
    others = [report for run in further for report in examine_databases(run, servers, display, [])]
    reports = examine_databases(first, servers, display, others)
    from migration_gate.judgement import join_servers  # noqa: PLC0415

    return join_servers(reports, others)


def examine_databases(
    settings: Settings,
    servers: SharedServers,
    display: ProgressDisplay,
    others: list[ProjectReport],
) -> list[ProjectReport]:
    """One project: a report, or one for each database where its env.py migrates several."""
    runs = [settings]
    addresses: tuple[str, ...] = ()
    judged: tuple[str, ...] = ()
    while True:
        try:
            reports = [examine_and_judge(run, servers, display, others) for run in runs]
        except SeveralDatabases as error:  # each time there is one more
            addresses = merge_addresses(addresses, error.addresses)
            judged = merge_addresses(judged, error.judged)
            runs = choose_databases(settings, addresses, judged)
        else:
            from migration_gate.judgement import join_databases  # noqa: PLC0415

            return join_databases(reports)


def examine_and_judge(
    settings: Settings,
    servers: SharedServers,
    display: ProgressDisplay,
    others: list[ProjectReport],
) -> ProjectReport:
    """One project: its facts and the verdicts on them, or the problem that kept it from being examined.

    others: its reports on other servers, to be compared with.
    Raises SeveralDatabases if its env.py migrates more than it is known to.
    """
    started = time.perf_counter()
    try:
        facts = display.show_examination(examine_project(settings, servers, later_module=JUDGEMENT))
        from migration_gate.judgement import judge_facts  # noqa: PLC0415

        report = judge_facts(facts, settings, others)
    except SeveralDatabases:
        raise
    except GateError as error:
        return ProjectReport(settings.name, problem=Problem.from_error(error))
    return replace(report, seconds=time.perf_counter() - started)
