"""`migration-gate baseline`, and a run without a base beside the file that it wrote."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from migration_gate.config.settings import Settings
from migration_gate.facts import Base, BaselineLine, Facts, GateFiles, Location
from migration_gate.judgement import judge_base
from migration_gate.verdict.baseline import parse_baseline
from migration_gate.verdict.judge import judge_findings
from migration_gate.verdict.novelty import find_novelties
from tests.support.user_project import COMMAND, MODELS, Ran, World, project, revision, world

pytestmark = pytest.mark.slow
OLD_DRIFT = MODELS.replace("String(50), nullable=False", "String(60), nullable=False")
NEW_DRIFT = OLD_DRIFT + '    note = Column(String(9), comment="new")\n'


@pytest.fixture
def place() -> Iterator[World]:
    with world() as found:
        yield found


def write_baseline(place: World, *options: str) -> Ran:
    command = [COMMAND, "baseline", str(place.project), "--python", sys.executable, *options]
    done = subprocess.run(
        command, env=place.environment(), cwd="/", capture_output=True, text=True, check=False
    )
    return Ran(done.returncode, done.stdout, done.stderr)


@pytest.mark.release
def test_a_baseline_turns_a_run_without_a_base_green_until_something_is_new(place: World) -> None:
    place.lay(project(models_py=OLD_DRIFT), git=False)
    assert place.check().status == 1
    ran = write_baseline(place)
    assert (ran.status, "1 finding" in ran.out) == (0, True), ran.said
    passed = place.check()
    assert passed.status == 0, passed.said
    (place.project / "shop/models.py").write_text(NEW_DRIFT)
    blocked = place.check("--format", "json")
    verdicts = json.loads(blocked.out)["projects"][0]["verdicts"]
    assert blocked.status == 1
    assert {item["object"]: item["novelty"] for item in verdicts} == {"item.note": "new", "item.name": "old"}
    kept = write_baseline(place)
    assert "not in it" in kept.out
    (place.project / "shop/models.py").write_text(MODELS)
    assert "stale-baseline" in place.check("--format", "concise").out
    assert "0 findings, 1 gone" in write_baseline(place).out


def test_a_line_that_held_nothing_at_the_base_is_old() -> None:
    path = ".migration-gate-baseline"
    lines = [f"{number * 10}  drift/column  `item.gone`: `{number}`" for number in "12"]
    entries = [BaselineLine(line[:10], line, Location(path, 4)) for line in lines]
    base_files = GateFiles(baseline_entries=tuple(entries[:1]))
    base = Base("c", "", Facts(), gate_files=base_files)
    facts = Facts(base=base, gate_files=GateFiles(baseline_entries=tuple(entries)))
    settings = Settings("x", Path("/"), Path("/"))
    baseline = parse_baseline(path, "\n".join(lines))
    verdicts = judge_findings(facts, settings, (), baseline=baseline)
    unchanged = replace(facts, base=replace(base, gate_files=None), gate_files=None)
    for given, novelty in ((facts, "new"), (unchanged, "old")):
        found = find_novelties(verdicts, given, judge_base(given, settings, [], baseline)).verdicts
        novelties = {item.finding.object: item.novelty for item in found if item.check == "stale-baseline"}
        assert novelties == {"1111111111": "old", "2222222222": novelty}


def test_a_history_that_does_not_run_gets_no_baseline(place: World) -> None:
    place.lay(project(two_py=revision("two", "one", 'op.drop_table("nothing")')), git=False)
    ran = write_baseline(place)
    assert ran.status == 2, ran.said
    assert "no baseline can hold" in ran.err
    assert not (place.project / ".migration-gate-baseline").exists()
