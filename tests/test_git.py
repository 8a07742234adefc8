"""The git program, asked: other owners, hostile configurations, passwords, and time."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from migration_gate import git
from tests.support.git_repositories import clone, commit, started
from tests.support.git_repositories import git as run

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
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    folder = given_away(started(tmp_path / "a", {"a.sql": "", "b/c.py": ""}))
    config = (folder / ".git/config").read_text()
    assert git.list_tracked_files(folder) == git.TrackedFiles(folder, ("a.sql", "b/c.py"))
    assert git.list_tracked_files(folder / "b").paths == ("c.py",)
    into = tmp_path / "out"
    into.mkdir()
    git.export_revision(folder, "HEAD", into)
    assert sorted(path.name for path in into.iterdir()) == ["a.sql", "b"]
    assert list(home.iterdir()) == []
    assert (folder / ".git/config").read_text() == config


@as_root
def test_what_git_writes_belongs_to_the_owner_of_the_repository(tmp_path: Path) -> None:
    for path in (tmp_path, *tmp_path.parents):
        if path.name.startswith(("pytest-", "popen-", "test_")):
            path.chmod(0o755)
    origin = given_away(started(tmp_path / "origin"))
    folder = given_away(clone(started(tmp_path / "other"), tmp_path / "clone"))
    text, why = git.run_git(folder, "fetch", "-q", origin.as_uri(), "main", as_owner=True)
    assert (text, why) == ("", None)
    assert {path.stat().st_uid for path in folder.rglob("*")} == {1001}


def test_a_program_that_the_repositorys_configuration_names_is_not_run(tmp_path: Path) -> None:
    folder = started(tmp_path / "a")
    ran = tmp_path / "ran"
    run(folder, "config", "core.fsmonitor", f"touch {ran}")
    hook = folder / ".git/hooks/reference-transaction"
    hook.write_text(f"#!/bin/sh\ntouch {ran}\n")
    hook.chmod(0o755)
    assert git.list_tracked_files(folder).paths == ("README.md",)
    assert git.run_git(folder, "status", "--porcelain") == ("", None)
    assert git.run_git(folder, "update-ref", "refs/heads/x", "HEAD") == ("", None)
    assert not ran.exists()


def test_nobody_is_asked_for_a_password(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = tmp_path / "asked"
    program = tmp_path / "ask"
    program.write_text(f"#!/bin/sh\ntouch {asked}\necho secret\n")
    program.chmod(0o755)
    for name in ("GIT_ASKPASS", "SSH_ASKPASS"):
        monkeypatch.setenv(name, str(program))
    folder = started(tmp_path / "a")
    text, why = git.run_git(
        folder, "credential", "fill"
    )  # standard input is empty, so git has nothing to fill
    assert text == ""
    assert why is not None
    assert not asked.exists()


def test_a_git_that_takes_too_long_is_ended_with_all_that_it_started(tmp_path: Path) -> None:
    folder = started(tmp_path / "a")
    pid = tmp_path / "pid"
    run(folder, "config", "alias.wait", f"!echo $$ > {pid}; sleep 60")
    begun = time.monotonic()
    assert git.run_git(folder, "wait", seconds=0.5) == ("", "`git wait` took over 0.5 s")
    assert time.monotonic() - begun < 5
    end = time.monotonic() + 5
    while _alive(int(pid.read_text())) and time.monotonic() < end:
        time.sleep(0.05)
    assert not _alive(int(pid.read_text()))


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
    assert git.list_tracked_files(here).paths == ("here",)


def test_a_worktree_of_a_repository_is_a_repository(tmp_path: Path) -> None:
    folder = started(tmp_path / "a")
    run(folder, "worktree", "add", "-q", str(tmp_path / "b"))
    commit(tmp_path / "b", {"b.sql": ""})
    assert git.list_tracked_files(tmp_path / "b").paths == ("README.md", "b.sql")
    assert git.find_repository_root(tmp_path / "b") == tmp_path / "b"
