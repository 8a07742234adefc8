"""A revision that the change edits has run in production, and is rolled back at the base as in the change."""

from __future__ import annotations

import sys
from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import pytest

from migration_gate.change.earlier_files import find_earlier_files
from migration_gate.config.settings import Settings
from migration_gate.judgement import judge_facts
from migration_gate.replay import examination
from migration_gate.verdict.outcome import ProjectReport
from tests.support.alembic_projects import STANDARD, Rev, lay
from tests.support.git_repositories import commit, git, started
from tests.support.project_files import write_files

SPELLED_OTHERWISE = replace(
    STANDARD[-1], body=STANDARD[-1].body.replace('"email", null', 'column_name="email", null')
)
NEW = Rev("0006", 'op.create_index("ix_users_name", "users", ["name"])', "0005")
VERSIONS = "migrations/versions"


def judge(root: Path, base: str) -> ProjectReport:
    settings = Settings("x", root, root, python=Path(sys.executable), base=base)
    stages = examination.examine_project(settings)
    try:
        while True:
            next(stages)
    except StopIteration as end:
        return judge_facts(end.value, settings, [])


def list_novelties(report: ProjectReport, check: str) -> dict[str, set[str]]:
    """The revisions that findings of a check are about, by their novelty."""
    revisions: dict[str, set[str]] = defaultdict(set)
    for verdict in report.verdicts:
        if verdict.check == check:
            revisions[verdict.novelty].add(verdict.finding.revision or "")
    return revisions


@pytest.mark.slow
@pytest.mark.parametrize("name", ["0005", "moved"])
def test_what_an_edited_revision_lacked_before_is_old(tmp_path: Path, name: str) -> None:
    """And its locks and rows, which no deployment meets again, are none of the change's."""
    root = started(lay(tmp_path / "project"), {"README.md": "x"})
    base = git(root, "rev-parse", "HEAD")
    git(root, "rm", "-q", f"{VERSIONS}/0005.py")
    commit(root, {f"{VERSIONS}/{name}.py": SPELLED_OTHERWISE.text(), f"{VERSIONS}/0006.py": NEW.text()})
    report = judge(root, base)
    assert list_novelties(report, "missing-downgrade") == {"old": {"0005"}, "new": {"0006"}}
    assert not list_novelties(report, "edited-migration")
    assert not report.fixed

    replay = report.facts.replay
    assert {rollback.revision for rollback in replay.rollbacks} == {"0005", "0006"}
    assert replay.observation.revisions == ("0006",)
    assert [item.revision for item in replay.rehearsal.revisions] == ["0006"]
    (statement,) = (item for item in replay.observation.statements if "ix_users_name" in item.sql)
    assert {lock.mode for lock in statement.locks if lock.relation.name == "users"} == {"SHARE"}


@pytest.mark.slow
def test_a_draft_that_is_moved_to_the_revisions_is_no_old_one(tmp_path: Path) -> None:
    """No line of it is new, and production has not run it: it must not pass untried."""
    root = started(lay(tmp_path / "project"), {"migrations/drafts/0006.py": NEW.text()})
    base = git(root, "rev-parse", "HEAD")
    git(root, "mv", "migrations/drafts/0006.py", f"{VERSIONS}/0006.py")
    git(root, "commit", "-q", "-m", "x")
    report = judge(root, base)
    assert report.facts.replay.observation.revisions == ()
    assert [item.finding.object for item in report.verdicts if item.check == "unchecked"] == ["0006"]


def test_the_place_of_an_edited_revision_at_the_base(tmp_path: Path) -> None:
    tree, checkout = tmp_path / "tree", tmp_path / "checkout"
    text = Rev("a1", "pass").text()
    write_files(tree, {"v/kept.py": text, "v/old.py": Rev("b1", "pass").text(), "v/gone.py": "x = 1\n"})
    write_files(checkout, {"v/kept.py": f"{text}\n", "v/new.py": Rev("b1", "pass").text(), "models.py": ""})
    changed = ("models.py", "v/gone.py", "v/kept.py", "v/new.py", "v/old.py")
    edited = ("models.py", "v/kept.py", "v/new.py")
    assert set(find_earlier_files(tree, checkout, edited, changed)) == {"v/kept.py", "v/old.py"}
    assert set(find_earlier_files(tree, checkout, ("models.py", "v/missing.py"), changed)) == set()
