"""Real applications from PyPI replay to what was measured on them, and nothing in them is called broken."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
import yaml

from migration_gate import checks
from migration_gate.config.settings import PrepareStep, Settings, Variable
from migration_gate.facts import Facts
from migration_gate.git.git_command import find_repository_root
from migration_gate.replay import examination as gate
from migration_gate.verdict.comment_files import read_comment_files
from migration_gate.verdict.judge import judge_findings

CORPUS = Path(os.environ.get("MIGRATION_GATE_CORPUS", "/nowhere"))
NAMES = ("airflow", "dstack", "fides", "keystone", "mlflow", "optuna", "prefect", "superset")
NEVER = {"raw-sql-file", "broken-history", "several-heads", "failing-upgrade", "missing-models", "unchecked"}
"""checks that have nothing to say about these histories"""
LEFT_OUT = {"keystone": {"token"}}
"""tables that a project's own filters leave out, which is said; airflow leaves out several"""
FIXED = {
    "airflow": 6,
    "dstack": 8,
    "fides": 125,
    "keystone": 1,
    "mlflow": 18,
    "optuna": 4,
    "prefect": 5,
    "superset": 80,
}
"""differences that the one revision for all drift removes: models of an installed project are its own"""
UNCREATED = {"prefect": 7, "mlflow": 3, "fides": 10}
"""how many parts of the models Postgres refuses, which is said of each: gin indexes without an operator
class, indexes without a column, keys that reference no unique column"""

pytestmark = [pytest.mark.slow, pytest.mark.corpus]


def prepared(name: str, scratch: Path) -> tuple[Settings, dict[str, Any]]:
    """The project's settings, with only what its recipe gives, and what was measured on it."""
    described = CORPUS / name / "project.json"
    if not described.exists():
        pytest.skip(f"SKIPPED LOUDLY: {name} is not prepared below MIGRATION_GATE_CORPUS ({CORPUS})")
    project = json.loads(described.read_text())
    recipe = yaml.safe_load(Path(project["recipe"]).read_text())
    prepare: tuple[PrepareStep, ...] = ()
    if "baseline" in recipe:
        baseline = scratch / "baseline.py"
        baseline.write_text(recipe["baseline"])
        prepare = (PrepareStep("python", str(baseline)),)
    folder = Path(project["cwd"])
    settings = Settings(
        name=name,
        root=folder,
        working_directory=folder,
        hook=Path(project["hook"]),
        python=Path(project["python"]),
        env=tuple(Variable(*item) for item in project["env"].items()),
        prepare=prepare,
    )
    return settings, recipe["measured"]


def examined(settings: Settings) -> Facts:
    """The facts of a whole run."""
    examination = gate.examine_project(settings)
    try:
        while True:
            next(examination)
    except StopIteration as end:
        facts: Facts = end.value
        return facts


@pytest.mark.parametrize("name", NAMES)
def test_a_real_project_replays_to_what_was_measured(name: str, tmp_path: Path) -> None:
    settings, measured = prepared(name, tmp_path)
    facts = examined(settings)
    replay = facts.replay
    assert replay.failure is None
    assert len(replay.history.revisions) == measured["revisions"] == len(replay.steps)
    assert len(replay.history.heads) == measured["heads"]
    assert len(replay.history.bases) == measured["bases"]
    # The measurement counts the version table, which is no table of the project's.
    assert len(replay.catalog.tables) + len(replay.version_tables) == measured["tables"]
    verdicts = judge_findings(
        facts, settings, checks.ALL, read_comment_files(facts, find_repository_root(settings.root))
    )
    uncreated = {item.object for item in replay.models.uncreated_objects}
    unexpected = [
        (verdict.check, verdict.finding.message)
        for verdict in verdicts
        if verdict.check in NEVER
        and not _is_left_out(name, verdict.check, verdict.finding.object)
        and not (verdict.check == "unchecked" and verdict.finding.object in uncreated)
    ]
    assert unexpected == []
    assert len(uncreated) == UNCREATED.get(name, 0)
    fixed = replay.drift_revision.differences if replay.drift_revision is not None else 0
    assert fixed == FIXED.get(name, 0)


def _is_left_out(name: str, check: str, table: str) -> bool:
    return check == "unchecked" and (name == "airflow" or table in LEFT_OUT.get(name, ()))
