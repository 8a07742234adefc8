"""The name of a project that has none in `projects:`: what its own files or its repository call it.

Asks files only, not git. A folder's name is the last resort: on a CI it is often `workspace` or `repo`.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

MAX_BYTES = 1_000_000
"""of a file that is read; larger ones are not asked"""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_ORIGIN = re.compile(r'^\[remote "origin"\][^\[]*?^\s*url\s*=\s*(?P<url>\S+)', re.MULTILINE)


def choose_project_name(folder: Path, environ: Mapping[str, str]) -> str:
    """The name in pyproject.toml, else at its top the repository's, else the folder's."""
    return _read_package_name(folder) or _find_repository_name(folder, environ) or folder.name or "project"


def _read_package_name(folder: Path) -> str:
    """`name` of `[project]` or `[tool.poetry]`; empty if there is none that a package may have."""
    try:
        document = tomllib.loads(_read_small_file(folder / "pyproject.toml"))
    except tomllib.TOMLDecodeError:
        return ""
    for table in (document.get("project"), _get_poetry_table(document)):
        name = table.get("name") if isinstance(table, dict) else None
        if isinstance(name, str) and _NAME.fullmatch(name):
            return name
    return ""


def _get_poetry_table(document: Mapping[str, Any]) -> object:
    tool = document.get("tool")
    return tool.get("poetry") if isinstance(tool, dict) else None


def _find_repository_name(folder: Path, environ: Mapping[str, str]) -> str:
    """The repository's name where the folder is its top: that of the remote, else the one of the CI."""
    if not (folder / ".git").exists():
        return ""
    config = _read_small_file(_find_git_folder(folder) / "config")
    origin = _ORIGIN.search(config)
    for address in (origin["url"] if origin else "", environ.get("GITHUB_REPOSITORY", "")):
        name = re.split(r"[/:]", address.rstrip("/"))[-1].removesuffix(".git")
        if _NAME.fullmatch(name):
            return name
    return ""


def _find_git_folder(top: Path) -> Path:
    """Where git's configuration is; a worktree has a file that leads there."""
    link = _read_small_file(top / ".git").removeprefix("gitdir:").strip()
    if not link:
        return top / ".git"
    git_folder = top / link
    return git_folder.parent.parent if git_folder.parent.name == "worktrees" else git_folder


def _read_small_file(file: Path) -> str:
    """Its text; empty if it is no such file, or cannot be read."""
    with suppress(OSError, UnicodeDecodeError):
        if file.is_file() and file.stat().st_size <= MAX_BYTES:
            return file.read_text("utf-8-sig")
    return ""
