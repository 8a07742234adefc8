"""What the change is compared with, in real clones: deep and shallow, of every event, of another owner."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from migration_gate.ci.base_revision import BaseRevision, FileChange, compare_with_base
from migration_gate.errors import Misconfigured
from migration_gate.facts import ChangedFile, LineRange
from tests.support.git_repositories import clone, commit, git, made_reachable, started

pytestmark = pytest.mark.slow  # each starts another program


@dataclass(frozen=True)
class Change:
    """An origin with a pull request that adds `b.py`, while its base went on to `later.py`."""

    origin: Path
    forked: str
    base: str
    head: str
    merge: str

    def environ(self, tmp_path: Path, name: str = "pull_request") -> dict[str, str]:
        payloads: dict[str, object] = {
            "pull_request": {
                "pull_request": {
                    "number": 1,
                    "base": {"sha": self.base},
                    "head": {"sha": self.head, "repo": {"full_name": "a/b"}},
                },
                "repository": {"full_name": "a/b"},
            },
            "merge_group": {"merge_group": {"base_sha": self.base, "head_sha": self.merge}},
            "push": {"before": self.base, "after": self.merge},
        }
        file = tmp_path / f"{name}.json"
        file.write_text(json.dumps(payloads.get(name, {})))
        return {"GITHUB_EVENT_NAME": name, "GITHUB_EVENT_PATH": str(file), "GITHUB_SHA": self.merge}


@pytest.fixture
def change(tmp_path: Path) -> Change:
    origin = started(tmp_path / "origin", {"a.py": "1", "kept.py": "1"})
    forked = git(origin, "rev-parse", "HEAD")
    git(origin, "checkout", "-qb", "feature")
    commit(origin, {"a.py": "2"})
    head = commit(origin, {"b.py": "1"})
    git(origin, "checkout", "-q", "main")
    base = commit(origin, {"later.py": "1"})
    git(origin, "checkout", "-q", "--detach")
    git(origin, "merge", "-q", "--no-ff", "-m", "merge", head)
    merge = git(origin, "rev-parse", "HEAD")
    git(origin, "update-ref", "refs/pull/1/merge", merge)
    git(origin, "checkout", "-q", "main")
    return Change(origin, forked, base, head, merge)


def checkout(change: Change, folder: Path, what: str, *options: str) -> Path:
    """As actions/checkout does: an empty repository, one fetch, a detached HEAD."""
    folder.mkdir()
    git(folder, "init", "-q")
    git(folder, "remote", "add", "origin", change.origin.as_uri())
    git(folder, "fetch", "-q", "--no-tags", *options, "origin", what)
    git(folder, "checkout", "-q", "--detach", "FETCH_HEAD")
    return folder


DIFFERENT = (FileChange("A", "b.py"), FileChange("M", "a.py"))


@pytest.mark.parametrize("depth", ["--depth=1", "--depth=2", "--depth=1000"])
def test_the_merge_commit_of_a_pull_request_is_compared_with_what_it_was_merged_into(
    tmp_path: Path, change: Change, depth: str
) -> None:
    folder = checkout(change, tmp_path / "clone", "refs/pull/1/merge", depth)
    comparison = compare_with_base(folder, None, change.environ(tmp_path))
    assert (comparison.base.commit, comparison.files, comparison.base.note) == (change.base, DIFFERENT, "")
    assert comparison.base.reason == "the base of pull request 1, as it was merged for this run"


@pytest.mark.parametrize("depth", ["--depth=1", "--depth=1000"])
def test_the_head_of_a_pull_request_is_compared_with_what_it_shares_with_the_base(
    tmp_path: Path, change: Change, depth: str
) -> None:
    folder = checkout(change, tmp_path / "clone", change.head, depth)
    comparison = compare_with_base(folder, None, change.environ(tmp_path))
    assert (comparison.base.commit, comparison.files) == (change.forked, DIFFERENT)


@pytest.mark.parametrize("event", ["merge_group", "push"])
def test_merge_groups_and_pushes_are_compared_with_the_commit_in_their_payload(
    tmp_path: Path, change: Change, event: str
) -> None:
    folder = checkout(change, tmp_path / "clone", "refs/pull/1/merge", "--depth=1")
    comparison = compare_with_base(folder, None, change.environ(tmp_path, event))
    assert (comparison.base.commit, comparison.files) == (change.base, DIFFERENT)


def test_a_base_that_cannot_be_fetched_is_a_note_that_says_what_to_do(tmp_path: Path, change: Change) -> None:
    folder = checkout(change, tmp_path / "clone", "refs/pull/1/merge", "--depth=1")
    shutil.rmtree(change.origin)
    comparison = compare_with_base(folder, None, change.environ(tmp_path))
    assert (comparison.base.commit, comparison.files) == (None, None)
    assert "Give actions/checkout `fetch-depth: 0`" in comparison.base.note
    assert change.base[:12] in comparison.base.note


def test_a_fetch_changes_nothing_in_the_clone_but_adds_the_commit(tmp_path: Path, change: Change) -> None:
    folder = checkout(change, tmp_path / "clone", "refs/pull/1/merge", "--depth=1")
    before = (git(folder, "for-each-ref"), (folder / ".git/config").read_text(), git(folder, "status", "-s"))
    fetched = (folder / ".git/FETCH_HEAD").read_text()
    compare_with_base(folder, None, change.environ(tmp_path))
    assert before == (
        git(folder, "for-each-ref"),
        (folder / ".git/config").read_text(),
        git(folder, "status", "-s"),
    )
    assert (folder / ".git/FETCH_HEAD").read_text() == fetched


def test_an_event_without_a_base_has_none(tmp_path: Path, change: Change) -> None:
    folder = clone(change.origin, tmp_path / "clone")
    comparison = compare_with_base(folder, None, change.environ(tmp_path, "schedule"))
    assert (comparison.base.commit, comparison.base.reason) == (None, "the event `schedule` has no base")
    assert comparison.base.note == ""


def test_a_revision_that_the_user_names_wins_over_the_event(tmp_path: Path, change: Change) -> None:
    folder = clone(change.origin, tmp_path / "clone", "--branch=feature")
    for setting in (change.forked, "main", "HEAD~2"):  # `main` is there as origin/main alone
        comparison = compare_with_base(folder, setting, change.environ(tmp_path))
        assert (comparison.base.commit, comparison.files) == (change.forked, DIFFERENT)


@pytest.mark.parametrize("setting", ["nowhere", "--all", "-h", "a b", "HEAD:a.py"])
def test_a_base_that_git_does_not_have_is_refused(tmp_path: Path, change: Change, setting: str) -> None:
    folder = clone(change.origin, tmp_path / "clone")
    with pytest.raises(Misconfigured, match="which git does not have here"):
        compare_with_base(folder, setting, {})


def test_on_a_laptop_the_branch_of_origin_is_the_base_and_uncommitted_changes_count(
    tmp_path: Path, change: Change
) -> None:
    folder = clone(change.origin, tmp_path / "clone", "--branch=feature")
    (folder / "new.py").write_text("1")
    (folder / "kept.py").unlink()
    (folder / "staged.py").write_text("1")
    git(folder, "add", "staged.py")
    comparison = compare_with_base(folder, None, {})
    assert (comparison.base.commit, comparison.base.reason) == (
        change.forked,
        "what HEAD shares with origin/main",
    )
    assert comparison.files == (
        FileChange("A", "b.py"),
        FileChange("A", "new.py"),
        FileChange("A", "staged.py"),
        FileChange("D", "kept.py"),
        FileChange("M", "a.py"),
    )


def test_the_lines_of_a_change_are_read_where_they_are_asked_for(tmp_path: Path) -> None:
    text = "".join(f"line {number}\n" for number in range(1, 21))
    folder = started(tmp_path / "a", {"edited.py": text, "old name.py": text, "gone.py": text})
    base = git(folder, "rev-parse", "HEAD")
    git(folder, "mv", "old name.py", "new näme.py")
    (folder / "new näme.py").write_text(text.replace("line 7\n", "line 7\nline 7b\n"))
    (folder / "gone.py").unlink()
    git(folder, "add", "-A")
    commit(folder, {"edited.py": text.replace("line 3\n", "").replace("line 9\n", "+++ b/gone.py\n")})
    (folder / "untracked.py").write_text(text)
    expected = (
        ChangedFile("edited.py", (LineRange(3, 2), LineRange(8, 8))),
        ChangedFile("new näme.py", (LineRange(8, 8),)),
    )
    comparison = compare_with_base(folder, base, {}, with_lines=True)
    assert set(comparison.lines) == {*expected, ChangedFile("untracked.py", (LineRange(1, None),))}
    (folder / "event.json").write_text("{}")
    environ = {"GITHUB_EVENT_NAME": "schedule", "GITHUB_EVENT_PATH": str(folder / "event.json")}
    assert set(compare_with_base(folder, base, environ, with_lines=True).lines) == set(expected)
    assert compare_with_base(folder, base, environ).lines == ()


def test_a_repository_without_an_origin_has_no_base(tmp_path: Path) -> None:
    comparison = compare_with_base(started(tmp_path / "alone"), None, {})
    assert comparison.base.reason == "the clone has no branch of a remote named origin"


def test_a_repository_without_a_commit_has_no_base(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    assert compare_with_base(tmp_path, None, {}).base.reason == "there is no commit yet"


def test_a_folder_outside_of_a_repository_has_no_base(tmp_path: Path) -> None:
    assert compare_with_base(tmp_path, "main", {}).base == BaseRevision(None, "no git repository")


def test_file_names_with_spaces_quotes_and_line_ends_are_kept(tmp_path: Path) -> None:
    folder = started(tmp_path / "a")
    base = git(folder, "rev-parse", "HEAD")
    commit(folder, {"ü/a b.py": "1", 'quo"te.py': "1", "new\nline.py": "1"})
    assert compare_with_base(folder, base, {}).changed_paths("A") == {"ü/a b.py", 'quo"te.py', "new\nline.py"}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_a_clone_of_another_owner_is_read_and_fetched_files_stay_theirs(
    tmp_path: Path, change: Change
) -> None:
    folder = checkout(change, tmp_path / "clone", "refs/pull/1/merge", "--depth=1")
    for top in (folder, change.origin):
        for path in (top, *top.rglob("*")):
            os.chown(path, 1001, 1001)
    made_reachable(tmp_path)
    comparison = compare_with_base(folder, None, change.environ(tmp_path))
    assert (comparison.base.commit, comparison.base.note) == (change.base, "")
    assert {path.stat().st_uid for path in folder.rglob("*")} == {1001}


def test_a_file_that_was_only_moved_is_not_edited(tmp_path: Path) -> None:
    text = "".join(f"line {number}\n" for number in range(20))
    folder = started(tmp_path / "moved", {"old/a.py": text, "old/b.py": text.upper(), "ini": "old"})
    base = git(folder, "rev-parse", "HEAD")
    git(folder, "mv", "old", "new")
    commit(folder, {"ini": "new", "new/b.py": text.upper() + "more\n", "new/c.py": "x = 1\n"})
    comparison = compare_with_base(folder, base, {}, with_lines=True)
    assert comparison.edited_paths() == {"ini", "new/b.py", "new/c.py"}
    assert compare_with_base(folder, base, {}).edited_paths() == {"ini", "new/a.py", "new/b.py", "new/c.py"}
