"""A git repository made for a test, and what the gate reads in it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from migration_gate.config.settings import Settings
from migration_gate.facts import SqlFile, Tree
from migration_gate.scan.repository import read_repository
from tests.support.project_files import run_git, write_files

EMPTY_HOME = {"HOME": "/nonexistent", "PATH": os.environ["PATH"], "GIT_CONFIG_NOSYSTEM": "1"}
ALTER = 'conn.execute("ALTER TABLE users ADD COLUMN x int")\n'


def git(folder: Path, *arguments: str) -> None:
    """Run git; submodules may be cloned from folders."""
    run_git(folder, "-c", "protocol.file.allow=always", *arguments)


def tracked_repository(folder: Path, files: Mapping[str, str | bytes]) -> Path:
    write_files(folder, files)
    if not (folder / ".git").exists():
        git(folder, "init", "-q")
    git(folder, "add", "-A")
    return folder


def read_tree(root: Path, *revisions: Path, allow: tuple[str, ...] = ()) -> Tree:
    settings = Settings("x", root, root, raw_sql_allow=allow)
    return read_repository(settings, [str(revision) for revision in revisions])


def only_sql_file(tree: Tree) -> SqlFile:
    assert len(tree.sql_files) == 1, tree.sql_files
    return tree.sql_files[0]


def sql_paths(tree: Tree) -> list[str]:
    return [file.path for file in tree.sql_files]
