"""A git repository made for a test, and what the gate reads in it."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from migration_gate.config.settings import Settings
from migration_gate.facts import SqlFile, Tree
from migration_gate.scan.repository import read_repository

EMPTY_HOME = {"HOME": "/nonexistent", "PATH": os.environ["PATH"], "GIT_CONFIG_NOSYSTEM": "1"}
ALTER = 'conn.execute("ALTER TABLE users ADD COLUMN x int")\n'


def git(folder: Path, *arguments: str) -> None:
    who = ("-c", "user.name=a", "-c", "user.email=a@b.c", "-c", "protocol.file.allow=always")
    subprocess.run(["git", *who, *arguments], cwd=folder, env=EMPTY_HOME, check=True, capture_output=True)


def tracked_repository(folder: Path, files: Mapping[str, str | bytes]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
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
