"""Every check on its own bad and good example: quickly from recorded facts, slowly by replaying them."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from pydantic import TypeAdapter

from migration_gate import check, checks, explain
from migration_gate.config import loading
from migration_gate.config.settings import Settings
from migration_gate.facts import Facts
from migration_gate.replay import examination as gate
from migration_gate.report import deliver, text
from migration_gate.verdict.judge import OWN, judge
from migration_gate.verdict.outcome import ProjectReport, Report, Verdict

EXAMPLES = Path(__file__).resolve().parents[2] / "checks" / "examples"
NAMES = [check.name(one) for one in (*checks.ALL, *OWN)]
CASES = [(name, side) for name in NAMES for side in ("bad", "good")]
RECORDED: TypeAdapter[Facts] = TypeAdapter(Facts)
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
    verdicts = judge(facts, settings, checks.ALL, files, TODAY)
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


def stable(facts: Facts) -> str:
    """The facts as JSON, without times, addresses and object ids that differ from run to run."""
    recorded = RECORDED.dump_json(facts, indent=1).decode()
    recorded = re.sub(r'"seconds": [\d.e-]+', '"seconds": 0', recorded)
    ids: dict[str, str] = {}

    def renumber(found: re.Match[str]) -> str:
        return f'"oid": {ids.setdefault(found[1], str(16384 + len(ids)))}'

    recorded = re.sub(r'"oid": (\d+)', renumber, recorded)
    recorded = re.sub(r'"root": "[^"]*"', '"root": "."', recorded)
    recorded = re.sub(r'("notes": )\[[^\]]*\]', r"\1[]", recorded)
    return re.sub(r'("output": ").*(")', r"\1\2", recorded)


def judged(name: str, side: str, into: Path) -> tuple[str, tuple[Verdict, ...]]:
    """Report and verdicts of the recorded facts."""
    project = lay_out(name, side, into)
    facts = RECORDED.validate_json((EXAMPLES / name / f"{side}.facts.json").read_bytes())
    return rendered(settings_of(project), facts, deliver.texts(facts, project))


def expect(name: str, side: str, verdicts: tuple[Verdict, ...]) -> None:
    """The bad example has the check's finding and no error beside it; the good one has neither."""
    own = [v for v in verdicts if v.check == name]
    others = [v.check for v in verdicts if v.check != name and v.severity == check.Severity.ERROR]
    assert bool(own) == (side == "bad"), [v.finding.says for v in own]
    assert others == [], [v.finding.says for v in verdicts]


@pytest.mark.parametrize(("name", "side"), CASES)
def test_a_check_tells_its_bad_example_from_its_good_one(name: str, side: str, tmp_path: Path) -> None:
    page, verdicts = judged(name, side, tmp_path)
    expect(name, side, verdicts)
    if side == "bad":
        assert page == (EXAMPLES / name / "report.txt").read_text(encoding="utf-8")


@pytest.mark.slow
@pytest.mark.parametrize(("name", "side"), CASES)
def test_the_recorded_facts_are_those_of_a_real_replay(
    name: str, side: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    project = lay_out(name, side, tmp_path)
    settings = settings_of(project)
    facts = replay(settings)
    page, verdicts = rendered(settings, facts, deliver.texts(facts, project))
    expect(name, side, verdicts)
    if request.config.getoption("--update"):
        (EXAMPLES / name / f"{side}.facts.json").write_text(stable(facts) + "\n", encoding="utf-8")
        if side == "bad":
            (EXAMPLES / name / "report.txt").write_text(page, encoding="utf-8")
    if side == "bad":
        assert page == (EXAMPLES / name / "report.txt").read_text(encoding="utf-8")
