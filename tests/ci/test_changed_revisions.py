"""What the base serves: the revisions that a change adds get a catalog before and after."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from migration_gate.config.settings import Settings
from migration_gate.facts import Facts
from migration_gate.replay import examination as gate
from tests.support.alembic_projects import Rev, lay
from tests.support.git_repositories import commit, git, started

ADDED = Rev("0006", 'op.add_column("users", sa.Column("phone", sa.String(20)))', "0005")


def examined(root: Path, **settings: str) -> Facts:
    given = Settings("x", root, root, python=Path(sys.executable), **settings)  # type: ignore[arg-type]
    examination = gate.examine_project(given)
    try:
        while True:
            next(examination)
    except StopIteration as end:
        facts: Facts = end.value
        return facts


def looked_at(facts: Facts) -> list[str]:
    return [
        step.revision for step in facts.replay.steps if step.before is not None and step.after is not None
    ]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project with five old revisions; a sixth is written, and an old one edited, by whoever changes it."""
    return started(lay(tmp_path / "project"), {"README.md": "x"})


@pytest.mark.slow
def test_a_revision_that_the_change_adds_is_looked_at_before_and_after(root: Path) -> None:
    base = git(root, "rev-parse", "HEAD")
    commit(root, {f"migrations/versions/{ADDED.id}.py": ADDED.text()})
    facts = examined(root, base=base)
    assert looked_at(facts) == ["0006"]
    step = facts.replay.steps[-1]
    assert step.before is not None
    assert step.after is not None
    more = {column.name for column in step.after.columns} - {column.name for column in step.before.columns}
    assert more == {"phone"}


@pytest.mark.slow
def test_a_revision_that_is_not_committed_yet_counts_on_a_laptop(root: Path) -> None:
    (root / "migrations/versions/0006.py").write_text(ADDED.text())
    assert looked_at(examined(root, base="HEAD")) == ["0006"]


@pytest.mark.slow
def test_without_a_base_nothing_is_looked_at_and_nothing_is_wrong(root: Path) -> None:
    facts = examined(root)
    assert (looked_at(facts), facts.replay.failure) == ([], None)
    assert not [note for note in facts.replay.notes if "fetch-depth" in note]


@pytest.mark.slow
def test_a_base_that_is_missing_is_a_note_and_changes_no_verdict(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    event = root.parent / "event.json"
    event.write_text(json.dumps({"before": "a" * 40, "after": "b" * 40}))
    monkeypatch.setenv("GITHUB_EVENT_NAME", "push")
    monkeypatch.setenv("GITHUB_EVENT_PATH", str(event))
    facts = examined(root)
    assert facts.replay.failure is None
    assert [note for note in facts.replay.notes if "fetch-depth: 0" in note]
