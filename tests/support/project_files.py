"""Writes example projects: files into a folder, revisions as text, and all of it into git."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from textwrap import dedent, indent

GIT_ENVIRONMENT = {
    "HOME": "/nonexistent",
    "PATH": os.environ["PATH"],
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_AUTHOR_NAME": "a",
    "GIT_AUTHOR_EMAIL": "a@example.org",
    "GIT_COMMITTER_NAME": "a",
    "GIT_COMMITTER_EMAIL": "a@example.org",
}
"""git without anybody's configuration"""
REVISION = '''\
"""{message}"""
import sqlalchemy as sa
from alembic import context, op
{imports}
revision = {identifier!r}
down_revision = {parent!r}
branch_labels = {labels!r}
depends_on = {depends_on!r}


def upgrade(**keywords):
{upgrade}


def downgrade(**keywords):
{downgrade}
'''


def write_files(folder: Path, files: Mapping[str, str | bytes | None]) -> Path:
    """Write the files, by their paths in the folder; None removes one. Returns the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        file = folder / name
        if content is None:
            file.unlink()
            continue
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder


def revision_text(
    identifier: str,
    parent: str | tuple[str, ...] | None,
    upgrade: str,
    downgrade: str = "pass",
    *,
    message: str = "a change",
    imports: str = "",
    labels: tuple[str, ...] | None = None,
    depends_on: str | tuple[str, ...] | None = None,
) -> str:
    """The text of a revision file; `upgrade` and `downgrade` are the bodies of its functions."""
    return REVISION.format(
        identifier=identifier,
        parent=parent,
        message=message,
        imports=imports,
        labels=labels,
        depends_on=depends_on,
        upgrade=_function_body(upgrade),
        downgrade=_function_body(downgrade),
    )


def _function_body(text: str) -> str:
    return indent(dedent(text).strip("\n") or "pass", "    ")


def run_git(folder: Path, *arguments: str) -> str:
    """What git prints; raises where it fails."""
    done = subprocess.run(
        ["git", *arguments], cwd=folder, env=GIT_ENVIRONMENT, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


def commit_all(folder: Path, message: str = "x") -> str:
    """Commit every change of the folder, which becomes a repository if it is none; the commit's full id."""
    if not (folder / ".git").exists():
        run_git(folder, "init", "-qb", "main")
    run_git(folder, "add", "-A")
    run_git(folder, "commit", "-qm", message, "--allow-empty")
    return run_git(folder, "rev-parse", "HEAD")
