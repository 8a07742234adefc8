"""Every check on its own bad and good example: replayed, and the report compared whole."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from migration_gate import check, checks, explain
from migration_gate.config import loading
from migration_gate.config.settings import Settings
from migration_gate.facts import Facts
from migration_gate.replay import examination as gate
from migration_gate.report import deliver, text
from migration_gate.verdict.judge import JUDGE_CHECKS, judge_findings
from migration_gate.verdict.outcome import ProjectReport, Report, Verdict

EXAMPLES = Path(__file__).resolve().parents[2] / "checks" / "examples"
NAMES = [check.check_name(one) for one in (*checks.ALL, *JUDGE_CHECKS)]
CASES = [(name, side) for name in NAMES for side in ("bad", "good")]
TODAY = date(2030, 1, 1)


def lay_out(name: str, side: str, into: Path) -> Path:
    """The skeleton with the example laid over it, in a git repository."""
    project = into / "notes"
    shutil.copytree(EXAMPLES / "skeleton", project, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(EXAMPLES / name / side, project, dirs_exist_ok=True)
    subprocess.run(["git", "init", "-q", str(project)], check=True)
    subprocess.run(["git", "-C", str(project), "add", "."], check=True)
    return project


def settings_of(project: Path) -> Settings:
    """As the command would read them, with the interpreter that runs the tests."""
    environment = {"MIGRATION_GATE_PYTHON": sys.executable}
    (settings,) = loading.load(project, {}, environment, known_checks=explain.kinds())
    return settings


def rendered(settings: Settings, facts: Facts, files: dict[str, str]) -> tuple[str, tuple[Verdict, ...]]:
    """The report, without what differs from run to run and from machine to machine, and its verdicts."""
    facts = replace(facts, replay=replace(facts.replay, notes=()))
    verdicts = judge_findings(facts, settings, checks.ALL, files, TODAY)
    project = ProjectReport("notes", facts, verdicts, settings.fail_on, seconds=1.0)
    page = text.render(Report((project,)), explain.known())
    return re.sub(r"(local, )?PostgreSQL \d+\.\d+[^\n]*(\n\(.*\))?\n", "PostgreSQL\n", page), verdicts


def replay(settings: Settings) -> Facts:
    """The facts of a real run."""
    examination = gate.examine(settings)
    try:
        while True:
            next(examination)
    except StopIteration as end:
        facts: Facts = end.value
        return facts


def expect(name: str, side: str, verdicts: tuple[Verdict, ...]) -> None:
    """The bad example has the check's finding and no error beside it; the good one has neither."""
    own = [v for v in verdicts if v.check == name]
    others = [v.check for v in verdicts if v.check != name and v.severity == check.Severity.ERROR]
    assert bool(own) == (side == "bad"), [v.finding.message for v in own]
    assert others == [], [v.finding.message for v in verdicts]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "side"), CASES)
def test_a_check_tells_its_bad_example_from_its_good_one(
    name: str, side: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    project = lay_out(name, side, tmp_path)
    settings = settings_of(project)
    facts = replay(settings)
    page, verdicts = rendered(settings, facts, deliver.texts(facts, project))
    expect(name, side, verdicts)
    if side == "bad":
        report = EXAMPLES / name / "report.txt"
        if request.config.getoption("--update"):
            report.write_text(page, encoding="utf-8")
        assert page == report.read_text(encoding="utf-8")
