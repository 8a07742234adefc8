"""Every check on its own bad and good example: really replayed, and the report compared whole."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from migration_gate import checks, explain
from migration_gate.check import Severity
from migration_gate.config import loading
from migration_gate.config.settings import Settings
from migration_gate.drift.server_differences import compare_servers
from migration_gate.drift.squash_proof import prove_squash
from migration_gate.facts import Facts
from migration_gate.git.git_command import find_repository_root
from migration_gate.judgement import read_baseline
from migration_gate.replay import examination
from migration_gate.report import text_report
from migration_gate.verdict.comment_files import read_comment_files
from migration_gate.verdict.judge import judge_findings
from migration_gate.verdict.outcome import ProjectReport, Report, Verdict
from tests.support.check_examples import CHECK_NAMES, EXAMPLES, has_base, write_base, write_example
from tests.support.project_files import commit_all
from tests.support.release_tests import spread_over_every_run

pytestmark = pytest.mark.slow
SERVER_LINE = re.compile(r"(local, )?PostgreSQL \d+\.\d+[^\n]*(\n\(.*\))?\n")
MINOR_VERSION = re.compile(r"(PostgreSQL \d+)\.\d+")
COMMIT = re.compile(r"git checkout [0-9a-f]{12}")
TODAY = date(2030, 1, 1)
ALSO_BREAKS_CODE = ("required-column", "fails-on-rows", "destructive", "lost-values")
"""checks whose bad example cannot be without an error of breaks-running-code"""


@pytest.mark.parametrize("check", CHECK_NAMES)
def test_a_check_reports_its_bad_example(
    check: str, tmp_path: Path, golden: Callable[[str | Path, str], None]
) -> None:
    settings, facts, verdicts = examine_example(check, "bad", tmp_path)
    own = tuple(verdict for verdict in verdicts if verdict.check == check)
    assert own, f"{check} has no finding in its bad example"
    assert errors_of_others(check, verdicts) == [], "the bad example has an error of another check"
    golden(EXAMPLES / check / "report.txt", render_report(settings, facts, own))


@pytest.mark.parametrize("check", spread_over_every_run(CHECK_NAMES, 7))
def test_a_check_finds_nothing_in_its_good_example(check: str, tmp_path: Path) -> None:
    _, _, verdicts = examine_example(check, "good", tmp_path)
    own = [verdict for verdict in verdicts if verdict.check == check and verdict.allowed is None]
    assert [verdict.finding.message for verdict in own] == []
    assert errors_of_others(check, verdicts) == []


def examine_example(check: str, side: str, folder: Path) -> tuple[Settings, Facts, tuple[Verdict, ...]]:
    """Replay the example, and judge it with every check."""
    project = folder / "notes"
    environment = {"MIGRATION_GATE_PYTHON": sys.executable}
    if has_base(check):
        write_base(project, check)
        environment["MIGRATION_GATE_BASE"] = commit_all(project, "base")
    write_example(project, check, side)
    subprocess.run(["git", "init", "-q", str(project)], check=True)
    subprocess.run(["git", "-C", str(project), "add", "."], check=True)
    (settings,) = loading.load_settings(project, {}, environment, list_checks=explain.known_kinds)
    first, *others = map(replay_project, settings.list_server_runs())
    facts = prove_squash(compare_servers(first, others))
    texts = read_comment_files(facts, find_repository_root(project))
    baseline = read_baseline(settings)
    verdicts = judge_findings(facts, settings, checks.ALL, texts, TODAY, baseline=baseline)
    return settings, facts, verdicts


def replay_project(settings: Settings) -> Facts:
    """The facts of a real run, whose progress nobody follows."""
    progress = examination.examine_project(settings)
    try:
        while True:
            next(progress)
    except StopIteration as end:
        facts: Facts = end.value
        return facts


def errors_of_others(check: str, verdicts: tuple[Verdict, ...]) -> list[str]:
    """Errors of other checks: an example shows one thing."""
    own = {check, "breaks-running-code"} if check in ALSO_BREAKS_CODE else {check}
    return [
        f"{verdict.check}: {verdict.finding.message}"
        for verdict in verdicts
        if verdict.check not in own and verdict.severity == Severity.ERROR and verdict.allowed is None
    ]


def render_report(settings: Settings, facts: Facts, verdicts: tuple[Verdict, ...]) -> str:
    """The text report without what differs from machine to machine."""
    base = facts.base if facts.base is not None and facts.base.commit else None
    facts = replace(facts, replay=replace(facts.replay, notes=()), base=base)
    project = ProjectReport("notes", facts, verdicts, settings.fail_on, seconds=1.0)
    text = text_report.render(Report((project,)), explain.known_checks())
    text = COMMIT.sub("git checkout COMMIT", text)
    if not settings.further_postgres:
        return SERVER_LINE.sub("PostgreSQL\n", text)
    return MINOR_VERSION.sub(r"\1.x", text)
