"""Git repositories with a history, for tests: an origin, clones of it, and their commits."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

ENVIRON = {
    "HOME": "/nonexistent",
    "PATH": os.environ["PATH"],
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_AUTHOR_NAME": "a",
    "GIT_AUTHOR_EMAIL": "a@example.org",
    "GIT_COMMITTER_NAME": "a",
    "GIT_COMMITTER_EMAIL": "a@example.org",
}


def git(folder: Path, *arguments: str) -> str:
    """What git prints; raises where it fails."""
    found = subprocess.run(
        ["git", *arguments], cwd=folder, env=ENVIRON, check=True, capture_output=True, text=True
    )
    return found.stdout.strip()


def commit(folder: Path, files: Mapping[str, str | None]) -> str:
    """Write (None: delete) the files, commit all, and give the commit's full id."""
    for name, text in files.items():
        path = folder / name
        if text is None:
            path.unlink()
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "x", "--allow-empty")
    return git(folder, "rev-parse", "HEAD")


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
