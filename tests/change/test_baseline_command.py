"""`migration-gate baseline`, and a run without a base beside the file that it wrote."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator

import pytest

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


def test_a_history_that_does_not_run_gets_no_baseline(place: World) -> None:
    place.lay(project(two_py=revision("two", "one", 'op.drop_table("nothing")')), git=False)
    ran = write_baseline(place)
    assert ran.status == 2, ran.said
    assert "no baseline can hold" in ran.err
    assert not (place.project / ".migration-gate-baseline").exists()
