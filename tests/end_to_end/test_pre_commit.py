"""Our hooks as pre-commit runs them, in a repository of its own: text at commit, the whole gate at push."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.support.git_repositories import ENVIRON, commit, git, started

ROOT = Path(__file__).resolve().parents[2]
HOOKS = ".pre-commit-hooks.yaml"
FILES = {
    "alembic.ini": "[alembic]\nscript_location = migrations\n",
    "migrations/env.py": "raise SystemExit('imported')\n",
    "migrations/versions/a.py": "revision = 'a1'\ndown_revision = None\n",
}


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """Where pre-commit keeps its clones, and our command on PATH."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    home = {"PRE_COMMIT_HOME": str(tmp_path / "cache"), "HOME": str(tmp_path), "PATH": path}
    return {**ENVIRON, **home, "MIGRATION_GATE_POSTGRES": "9.1"}


@pytest.fixture
def repository(tmp_path: Path, environ: dict[str, str]) -> Path:
    """A project that uses our hooks, from a clone of them; our own environment stands in for a new one."""
    hooks = started(tmp_path / "hooks", {HOOKS: (ROOT / HOOKS).read_text()})
    config = (
        f"repos:\n  - repo: {hooks.as_uri()}\n    rev: {git(hooks, 'rev-parse', 'HEAD')}\n    hooks:\n"
        "      - {id: migration-gate-static, language: system}\n"
        "      - {id: migration-gate, language: system}\n"
    )
    root = started(tmp_path / "project", {**FILES, ".pre-commit-config.yaml": config})
    run(root, environ, sys.executable, "-m", "pre_commit", "install", "-t", "pre-commit", "-t", "pre-push")
    return root


def run(folder: Path, environ: Mapping[str, str], *command: str) -> tuple[int, str]:
    done = subprocess.run(
        command, cwd=folder, env=dict(environ), capture_output=True, text=True, check=False, timeout=120
    )
    return done.returncode, done.stdout + done.stderr


@pytest.mark.slow
def test_a_second_head_does_not_get_into_a_commit(repository: Path, environ: dict[str, str]) -> None:
    (repository / "migrations/versions/b.py").write_text("revision = 'b1'\ndown_revision = 'a1'\n")
    git(repository, "add", "-A")
    status, said = run(repository, environ, "git", "commit", "-m", "one head")
    assert status == 0, said
    assert "migration gate (text only)...............................................Passed" in said
    (repository / "migrations/versions/c.py").write_text("revision = 'c1'\ndown_revision = 'a1'\n")
    git(repository, "add", "-A")
    status, said = run(repository, environ, "git", "commit", "-m", "two heads")
    assert status == 1
    assert "2 heads where one is expected" in said
    assert "imported" not in said


@pytest.mark.slow
def test_a_commit_without_schema_files_runs_no_hook(repository: Path, environ: dict[str, str]) -> None:
    (repository / "README.md").write_text("y")
    git(repository, "add", "-A")
    status, said = run(repository, environ, "git", "commit", "-m", "text")
    assert (status, "(no files to check)Skipped" in said) == (0, True)


@pytest.mark.slow
def test_a_push_runs_the_whole_gate(tmp_path: Path, repository: Path, environ: dict[str, str]) -> None:
    git(repository, "init", "-q", "--bare", str(tmp_path / "origin"))
    git(repository, "remote", "add", "origin", str(tmp_path / "origin"))
    commit_without_hooks(repository)
    status, said = run(repository, environ, "git", "push", "origin", "main")
    assert status == 1  # no Postgres 9.1 is to be had, so the project was not checked
    assert "Not checked" in said


def commit_without_hooks(repository: Path) -> None:
    hook = repository / ".git/hooks/pre-commit"
    kept = hook.with_suffix(".kept")
    shutil.move(hook, kept)
    commit(repository, {"migrations/versions/b.py": "revision = 'b1'\ndown_revision = 'a1'\n"})
    shutil.move(kept, hook)
