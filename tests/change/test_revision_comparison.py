"""What git tells of the base's revisions: the newest state of its branch, and how HEAD is related to it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from migration_gate.change.revision_comparison import complete_base
from migration_gate.ci.base_revision import Comparison, compare_with_base
from migration_gate.config.settings import Settings
from migration_gate.facts import Base, Facts, Lineage, Replay
from tests.support.fact_builders import make_chain
from tests.support.git_repositories import clone, commit, git, started

pytestmark = pytest.mark.slow  # each starts git many times
VERSIONS = "migrations/versions"


def revision(name: str, parent: str | None) -> str:
    return f"revision = {name!r}\ndown_revision = {parent!r}\n"


@pytest.fixture
def origin(tmp_path: Path) -> Path:
    return started(tmp_path / "origin", {f"{VERSIONS}/a1.py": revision("a1", None)})


@pytest.fixture
def branch(origin: Path, tmp_path: Path) -> Path:
    folder = clone(origin, tmp_path / "branch")
    git(folder, "checkout", "-qb", "feature")
    commit(folder, {f"{VERSIONS}/n1.py": revision("n1", "a1")})
    return folder


def complete(folder: Path, comparison: Comparison, *, has_facts: bool = True) -> tuple[Base, tuple[str, ...]]:
    """The base of a change whose history is a1, n1; and the notes."""
    settings = Settings(name="p", root=folder, working_directory=folder)
    facts = Facts("p") if has_facts else None
    base = Base(comparison.base.commit or "", comparison.base.reason, facts)
    history = make_chain("a1", "n1")
    completed = complete_base(Facts("p", Replay(history=history), base=base), settings, comparison)
    assert completed.base is not None
    return completed.base, completed.replay.notes


def test_what_the_branch_has_got_since_is_read_as_text(origin: Path, branch: Path) -> None:
    commit(
        origin,
        {
            f"{VERSIONS}/t1.py": revision("t1", "a1"),
            f"{VERSIONS}/broken.py": "revision = (",
            f"{VERSIONS}/deeper/t2.py": revision("t2", "t1"),
            "README.md": "more",
            "shop/models.py": "revision = 'x'",
        },
    )
    tip = commit(origin, {f"{VERSIONS}/a1.py": None})
    git(branch, "fetch", "-q")
    base, notes = complete(branch, compare_with_base(branch, None, {}))
    assert base.tip is not None
    assert (base.tip.name, base.tip.commit, notes) == ("origin/main", tip, ())
    assert {file.revision: file.parents for file in base.tip.files} == {"t1": ("a1",), None: ()}
    assert base.tip.removed_files == (f"{VERSIONS}/a1.py",)


def test_a_branch_that_has_everything_has_no_tip(origin: Path, branch: Path) -> None:
    commit(origin, {f"{VERSIONS}/t1.py": revision("t1", "a1")})
    git(branch, "fetch", "-q")
    git(branch, "merge", "-q", "-m", "merge", "origin/main")
    base, _ = complete(branch, compare_with_base(branch, None, {}))
    assert (base.tip, base.lineage) == (None, Lineage.ANCESTOR)


def test_a_tip_that_cannot_be_fetched_is_a_note_and_nothing_else(branch: Path) -> None:
    comparison = compare_with_base(branch, None, {})
    missing = replace(comparison, base=replace(comparison.base, tip="d" * 40, tip_name="origin/main"))
    base, (note,) = complete(branch, missing)
    assert base.tip is None
    assert "What origin/main has got since the base is not known" in note
    assert "commit dddddddddddd could not be fetched" in note


def test_the_revisions_of_a_base_that_could_not_be_examined_are_read_as_text(branch: Path) -> None:
    base, _ = complete(branch, compare_with_base(branch, None, {}), has_facts=False)
    assert base.history is not None
    assert base.history.heads == ("a1",)


def test_a_base_that_head_does_not_descend_from_is_said_to_be_none(branch: Path) -> None:
    git(branch, "checkout", "-q", "--orphan", "other")
    commit(branch, {})
    base, (note,) = complete(branch, compare_with_base(branch, "origin/main", {}))
    assert base.lineage is Lineage.OTHER
    assert "HEAD does not descend from the base" in note


def test_a_submodule_with_the_revisions_is_said_not_to_be_compared(tmp_path: Path, branch: Path) -> None:
    other = started(tmp_path / "other", {"versions/a1.py": revision("a1", None)})
    options = ("-c", "protocol.file.allow=always")
    git(branch, "rm", "-rqf", "migrations")
    git(branch, *options, "submodule", "add", "-q", str(other), "migrations")
    base_commit = commit(branch, {})
    commit(branch / "migrations", {"versions/n1.py": revision("n1", "a1")})
    commit(branch, {})
    _, (note,) = complete(branch, compare_with_base(branch, base_commit, {}))
    assert "the submodule `migrations`" in note


def test_a_link_to_the_revisions_is_no_submodule(branch: Path) -> None:
    base_commit = git(branch, "rev-parse", "HEAD")
    git(branch, "mv", "migrations", "moved")
    (branch / "migrations").symlink_to("moved")
    commit(branch, {})
    assert complete(branch, compare_with_base(branch, base_commit, {}))[1] == ()


def push(folder: Path, before: str, ref: str) -> dict[str, str]:
    event = folder.parent / "event.json"
    payload = {
        "before": before,
        "after": git(folder, "rev-parse", "HEAD"),
        "ref": ref,
        "repository": {"default_branch": "main", "full_name": "o/r"},
    }
    event.write_text(json.dumps(payload))
    return {"GITHUB_EVENT_NAME": "push", "GITHUB_EVENT_PATH": str(event)}


@pytest.mark.parametrize(
    ("ref", "lineage"),
    [("refs/heads/main", Lineage.ANCESTOR), ("refs/heads/feature", Lineage.SAME_BRANCH)],
)
def test_a_push_to_the_main_branch_is_another_thing_than_one_to_a_branch(
    branch: Path, ref: str, lineage: Lineage
) -> None:
    before = git(branch, "rev-parse", "HEAD~1")
    base, _ = complete(branch, compare_with_base(branch, None, push(branch, before, ref)))
    assert base.lineage is lineage


def test_a_forced_push_on_gitlab_has_no_base_to_miss_revisions_of(branch: Path) -> None:
    before = git(branch, "rev-parse", "HEAD")
    git(branch, "commit", "-q", "--amend", "-m", "other")
    variables = {
        "GITLAB_CI": "true",
        "CI_PIPELINE_SOURCE": "push",
        "CI_COMMIT_BEFORE_SHA": before,
        "CI_COMMIT_BRANCH": "feature",
        "CI_DEFAULT_BRANCH": "main",
    }
    base, _ = complete(branch, compare_with_base(branch, None, variables))
    assert base.lineage is Lineage.OTHER


def test_the_target_of_a_merge_request_on_gitlab_is_the_tip(origin: Path, branch: Path) -> None:
    tip = commit(origin, {f"{VERSIONS}/t1.py": revision("t1", "a1")})
    git(branch, "fetch", "-q")
    variables = {
        "GITLAB_CI": "true",
        "CI_PIPELINE_SOURCE": "merge_request_event",
        "CI_MERGE_REQUEST_IID": "7",
        "CI_MERGE_REQUEST_DIFF_BASE_SHA": git(branch, "rev-parse", "HEAD~1"),
        "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main",
    }
    base, _ = complete(branch, compare_with_base(branch, None, variables))
    assert base.tip is not None
    assert (base.tip.commit, base.lineage) == (tip, Lineage.ANCESTOR)


def test_it_is_said_if_the_packages_of_the_base_may_have_been_others(branch: Path) -> None:
    commit(branch, {"requirements/base.txt": "alembic", "docs/requirements.md": "text", "poetry.lock": ""})
    comparison = compare_with_base(branch, None, {})
    _, notes = complete(branch, comparison)
    assert notes == (
        "The base was examined with the packages of the change, though `poetry.lock` and "
        "`requirements/base.txt` may differ.",
    )
    assert complete(branch, comparison, has_facts=False)[1] == ()
