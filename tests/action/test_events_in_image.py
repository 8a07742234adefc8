"""The built image under each event, and on checkouts as runners make them."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.support.action_checkout import commit_skeleton, copy_example
from tests.support.action_runner import commit, git, merge_group, pull_request, push, run_step

pytestmark = [pytest.mark.docker, pytest.mark.slow, pytest.mark.release]
REPOSITORY = {"repository": {"full_name": "example/hello"}}

ERRORS_BESIDE_BASE = "2"
"""the nullable owner, and that the change edits an old revision for it"""


@pytest.fixture
def change(tmp_path: Path) -> Path:
    """A clean main, and a commit upon it that brings a finding."""
    return copy_example(tmp_path / "hello", "nullable-owner")


def sides(folder: Path) -> tuple[str, str]:
    return git(folder, "rev-parse", "main"), git(folder, "rev-parse", "HEAD")


def test_a_pull_request_is_compared_with_its_base(change: Path) -> None:
    result = run_step(change, "pull_request", pull_request(*sides(change)))
    assert (result.exit_code, result.outputs["errors"]) == (1, ERRORS_BESIDE_BASE)


def test_a_merge_group_is_compared_with_its_base(change: Path) -> None:
    result = run_step(change, "merge_group", merge_group(*sides(change)))
    assert (result.exit_code, result.outputs["errors"]) == (1, ERRORS_BESIDE_BASE)


def test_a_push_is_compared_with_the_commit_before_it(change: Path) -> None:
    result = run_step(change, "push", push(*sides(change)))
    assert (result.exit_code, result.outputs["errors"]) == (1, ERRORS_BESIDE_BASE)


def test_a_push_that_creates_a_branch_is_checked_completely(change: Path) -> None:
    result = run_step(change, "push", push("0" * 40, sides(change)[1]))
    assert (result.exit_code, result.outputs["errors"]) == (1, "1")


@pytest.mark.parametrize("event", ["workflow_dispatch", "schedule"])
def test_an_event_without_a_base_is_checked_completely(event: str, change: Path) -> None:
    result = run_step(change, event, REPOSITORY)
    assert (result.exit_code, result.outputs["errors"]) == (1, "1")


def test_a_shallow_checkout_is_checked_with_a_note(change: Path, tmp_path: Path) -> None:
    shallow = tmp_path / "shallow"
    git(tmp_path, "clone", "--quiet", "--depth", "1", f"file://{change}", str(shallow))
    git(shallow, "remote", "set-url", "origin", "https://git.invalid/example/hello")
    result = run_step(shallow, "pull_request", pull_request(*sides(change)))
    assert result.exit_code == 1
    assert "fetch-depth: 0" in result.log


def test_a_checkout_of_another_owner_is_readable_by_git(change: Path) -> None:
    result = run_step(change, "pull_request", pull_request(*sides(change)))
    assert "dubious ownership" not in result.log
    assert "dubious ownership" not in result.summary


def test_a_folder_that_is_no_repository_is_checked_with_a_note(tmp_path: Path) -> None:
    folder = commit_skeleton(tmp_path / "hello")
    shutil.rmtree(folder / ".git")
    result = run_step(folder)
    assert result.exit_code == 0
    assert "no git repository" in result.log


def test_untrusted_code_does_not_run_with_the_rights_of_the_base(change: Path) -> None:
    payload = pull_request(*sides(change), fork=True)
    result = run_step(change, "pull_request_target", payload, env={"GITHUB_SHA": sides(change)[0]})
    assert (result.exit_code, result.outputs["result"]) == (2, "not-checked")
    assert "rights of the base" in result.log


def test_untrusted_code_runs_where_an_input_allows_it(change: Path) -> None:
    payload = pull_request(*sides(change), fork=True)
    result = run_step(
        change,
        "pull_request_target",
        payload,
        env={"GITHUB_SHA": sides(change)[0]},
        allow_untrusted_code="true",
    )
    assert result.exit_code == 1


def test_a_fork_without_a_right_to_comment_gets_the_summary(change: Path) -> None:
    result = run_step(change, "pull_request", pull_request(*sides(change), fork=True), comment="always")
    assert result.exit_code == 1
    assert any("No comment" in annotation["message"] for annotation in result.annotations)
    assert "nullable-owner" in result.summary


def test_the_base_is_compared_with_the_change(change: Path) -> None:
    git(change, "switch", "--quiet", "main")
    git(change, "merge", "--quiet", "--ff-only", "change")
    base = git(change, "rev-parse", "HEAD")
    result = run_step(change, "pull_request", pull_request(base, commit(change, "nothing of ours")))
    assert result.outputs["findings"] == "1"
