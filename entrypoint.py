"""The whole gate in reading order: inputs, facts, verdicts, report, exit status."""

import os
import time
from collections.abc import Mapping
from datetime import date
from pathlib import Path

from migration_gate import checks, explain
from migration_gate.config import loading
from migration_gate.config.settings import Settings
from migration_gate.errors import GateError
from migration_gate.git import find_repository_root
from migration_gate.progress import ProgressDisplay
from migration_gate.replay import examination
from migration_gate.report import deliver
from migration_gate.verdict.comment_files import read_comment_files
from migration_gate.verdict.judge import judge_findings
from migration_gate.verdict.outcome import Problem, ProjectReport, Report


def run_check(path: Path, options: Mapping[str, object], targets: deliver.ReportTargets) -> int:
    """Examine every project below `path`, deliver the report, and return the exit status."""
    return deliver.deliver_report(examine_projects(path, options), targets)


def examine_projects(path: Path, options: Mapping[str, object]) -> Report:
    """Examine every project below `path`."""
    begun = time.perf_counter()
    every = loading.load_settings(path, options, os.environ, known_checks=explain.known_kinds())
    with ProgressDisplay() as display:
        found = tuple(examine_and_judge(settings, display) for settings in every)
    return deliver.add_version(Report(found, time.perf_counter() - begun))


def examine_and_judge(settings: Settings, display: ProgressDisplay) -> ProjectReport:
    """One project: its facts, judged; a problem of its own does not keep the others from being examined."""
    begun = time.perf_counter()
    try:
        facts = display.show_examination(examination.examine_project(settings))
        texts = read_comment_files(facts, find_repository_root(settings.root))
        verdicts = judge_findings(facts, settings, checks.ALL, texts, date.today())
    except GateError as error:
        return ProjectReport(settings.name, problem=Problem.from_error(error))
    seconds = time.perf_counter() - begun
    return ProjectReport(settings.name, facts, verdicts, settings.fail_on, seconds=seconds)
