"""Git repositories with a history, for tests: an origin, clones of it, and their commits."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from tests.support.project_files import GIT_ENVIRONMENT as ENVIRON
from tests.support.project_files import commit_all, write_files
from tests.support.project_files import run_git as git

__all__ = ["ENVIRON", "clone", "commit", "git", "started"]


def commit(folder: Path, files: Mapping[str, str | None]) -> str:
    """Write (None: delete) the files, commit all, and give the commit's full id."""
    write_files(folder, files)
    return commit_all(folder)


def started(folder: Path, files: Mapping[str, str] | None = None) -> Path:
    """A repository with one commit on `main`."""
    folder.mkdir(parents=True, exist_ok=True)
    git(folder, "init", "-qb", "main")
    commit(folder, files or {"README.md": "x"})
    return folder


def clone(origin: Path, folder: Path, *options: str) -> Path:
    """A clone over git's own protocol, as a runner makes one."""
    git(origin, "clone", "-q", *options, origin.as_uri(), str(folder))
    return folder


def made_reachable(folder: Path) -> Path:
    """The folder, which other users may enter: pytest's own are closed to them."""
    for path in (folder, *folder.parents):
        if path.name.startswith(("pytest-", "popen-", "test_")):
            path.chmod(0o755)
    return folder
