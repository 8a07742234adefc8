"""Running git: repositories of other owners, hostile configurations, passwords, and time limits."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from migration_gate.git.git_command import GitOutput, find_repository_root, run_git
from migration_gate.git.tracked_files import TrackedFiles, list_tracked_files
from migration_gate.git.tree_export import export_revision
from tests.support.git_repositories import clone, commit, git, made_reachable, started

pytestmark = pytest.mark.slow  # each starts another program

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")


def given_away(folder: Path) -> Path:
    for path in (folder, *folder.rglob("*")):
        os.chown(path, 1001, 1001, follow_symlinks=False)
    return folder


@as_root
def test_a_repository_of_another_owner_is_read_without_touching_any_configuration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = made_reachable(tmp_path) / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    folder = given_away(started(tmp_path / "a", {"a.sql": "", "b/c.py": ""}))
    config = (folder / ".git/config").read_text()
    assert list_tracked_files(folder) == TrackedFiles(folder, ("a.sql", "b/c.py"))
    assert list_tracked_files(folder / "b").paths == ("c.py",)
    into = tmp_path / "out"
    into.mkdir()
    export_revision(folder, "HEAD", into)
    assert sorted(path.name for path in into.iterdir()) == [".git", "a.sql", "b"]
    assert list(home.iterdir()) == []
    assert (folder / ".git/config").read_text() == config


@as_root
def test_what_git_writes_belongs_to_the_owner_of_the_repository(tmp_path: Path) -> None:
    made_reachable(tmp_path)
    origin = given_away(started(tmp_path / "origin"))
    folder = given_away(clone(started(tmp_path / "other"), tmp_path / "clone"))
    assert run_git(folder, "fetch", "-q", origin.as_uri(), "main", fetches=True) == GitOutput()
    assert {path.stat().st_uid for path in folder.rglob("*")} == {1001}


SCRIPT = "{ran}.sh"
HOSTILE_SETTINGS: dict[str, dict[str, str]] = {
    "a monitor": {"core.fsmonitor": SCRIPT},
    "hooks": {"core.hooksPath": "{folder}/hooks"},
    "a filter": {"filter.evil.clean": SCRIPT, "filter.evil.smudge": SCRIPT, "filter.evil.required": "true"},
    "a filter process": {"filter.evil.process": SCRIPT},
    "an external diff": {"diff.external": SCRIPT, "diff.evil.command": SCRIPT, "diff.evil.textconv": SCRIPT},
    "a pager": {"core.pager": SCRIPT, "pager.status": SCRIPT, "pager.diff-tree": SCRIPT},
    "a promisor by ext": {"extensions.partialClone": "origin", "remote.origin.url": "ext::{ran}.sh"},
    "a promisor with a program": {
        "extensions.partialClone": "origin",
        "remote.origin.url": "file://{folder}",
        "remote.origin.uploadpack": SCRIPT,
    },
    "a promisor by ssh": {
        "extensions.partialClone": "origin",
        "remote.origin.url": "ssh://nowhere.invalid/x",
        "core.sshCommand": SCRIPT,
    },
    "another promisor": {"remote.evil.promisor": "true", "remote.evil.url": "ext::{ran}.sh"},
    "a file that is included": {"include.path": "{folder}/included"},
    "refs elsewhere": {"core.alternateRefsCommand": SCRIPT},
    "helpers": {"credential.helper": SCRIPT, "credential.https://a.invalid.helper": SCRIPT},
}
"""each a configuration that names a program; `{ran}` is the file that the program makes"""


@pytest.mark.parametrize("way", HOSTILE_SETTINGS)
def test_a_program_that_the_repositorys_configuration_names_is_not_run(way: str, tmp_path: Path) -> None:
    folder = started(tmp_path / "a", {"a.txt": "a", ".gitattributes": "*.txt filter=evil diff=evil\n"})
    ran = tmp_path / "ran"
    scripts = [
        tmp_path / "ran.sh",
        folder / "hooks/reference-transaction",
        folder / "hooks/post-index-change",
    ]
    for script in scripts:
        script.parent.mkdir(exist_ok=True)
        script.write_text(f"#!/bin/sh\ntouch {ran}\ncat\n")
        script.chmod(0o755)
    (folder / "included").write_text(f'[filter "evil"]\n\tclean = {tmp_path}/ran.sh\n')
    for key, value in HOSTILE_SETTINGS[way].items():
        git(folder, "config", key, value.format(ran=ran, folder=folder))
    (folder / "a.txt").write_text("b")
    assert list_tracked_files(folder).paths == (".gitattributes", "a.txt")
    run_git(folder, "status", "--porcelain")
    run_git(folder, "update-ref", "refs/heads/x", "HEAD")
    run_git(folder, "diff-index", "--name-status", "HEAD")
    run_git(folder, "cat-file", "-p", "0" * 39 + "1")  # an object that a promisor would have
    run_git(folder, "fetch", "--quiet", "https://a.invalid/x", fetches=True)
    run_git(folder, "fetch", "--quiet", "origin", fetches=True)
    (tmp_path / "out").mkdir()
    export_revision(folder, "HEAD", tmp_path / "out")
    assert not ran.exists()


def test_git_asks_for_no_password(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = tmp_path / "asked"
    program = tmp_path / "ask"
    program.write_text(f"#!/bin/sh\ntouch {asked}\necho secret\n")
    program.chmod(0o755)
    for name in ("GIT_ASKPASS", "SSH_ASKPASS"):
        monkeypatch.setenv(name, str(program))
    folder = started(tmp_path / "a")
    output = run_git(folder, "credential", "fill")  # standard input is empty, so git has nothing to fill in
    assert output.is_git_error
    assert not asked.exists()


def test_a_git_command_that_takes_too_long_is_ended_with_all_that_it_started(tmp_path: Path) -> None:
    folder = started(tmp_path / "a")
    pid = tmp_path / "pid"
    git(folder, "config", "alias.wait", f"!echo $$ > {pid}; sleep 600")
    for seconds in (0.5, 4.0, 30.0):  # a busy machine needs longer to start git
        failure = f"`git wait` took over {seconds:g} s"
        assert run_git(folder, "wait", seconds=seconds) == GitOutput(failure=failure)
        if pid.exists() and pid.read_text():
            break
    _wait_for_end(int(pid.read_text()))


def _wait_for_end(pid: int) -> None:
    """Return when the process has ended; the limit keeps the test from waiting for ever."""
    end = time.monotonic() + 120
    while _alive(pid):
        assert time.monotonic() < end
        time.sleep(0.05)


def _alive(pid: int) -> bool:
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False


def test_variables_that_point_git_elsewhere_are_ignored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, there = started(tmp_path / "here", {"here": ""}), started(tmp_path / "there", {"there": ""})
    monkeypatch.setenv("GIT_DIR", str(there / ".git"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(there / ".git/index"))
    assert list_tracked_files(here).paths == ("here",)


def test_a_worktree_of_a_repository_is_a_repository(tmp_path: Path) -> None:
    folder = started(tmp_path / "a")
    git(folder, "worktree", "add", "-q", str(tmp_path / "b"))
    commit(tmp_path / "b", {"b.sql": ""})
    assert list_tracked_files(tmp_path / "b").paths == ("README.md", "b.sql")
    assert find_repository_root(tmp_path / "b") == tmp_path / "b"


def test_a_folder_without_a_repository_and_an_unknown_name_are_different_failures(tmp_path: Path) -> None:
    assert run_git(tmp_path, "rev-parse", "HEAD") == GitOutput(failure="no git repository")
    unknown = run_git(started(tmp_path / "a"), "rev-parse", "--verify", "nowhere")
    assert unknown == GitOutput(failure="git reported `Needed a single revision`", is_git_error=True)
