"""Reads what pyproject.toml and setup.cfg say about a package, without building it."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from migration_gate.errors import Misconfigured

Table = dict[str, Any]
"""a table of a TOML file"""


def read_toml(file: Path) -> Table:
    """The contents of a TOML file. Raises Misconfigured if it cannot be read."""
    try:
        return tomllib.loads(file.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise Misconfigured(
            f"`{file.name}` is needed for the project's packages, and cannot be read: {error}.",
            where=str(file),
            advice="Fix it, or give the command that installs them: `install: …`.",
        ) from error


def read_pyproject(folder: Path) -> Table:
    """The contents of the folder's `pyproject.toml`; empty if there is none."""
    file = folder / "pyproject.toml"
    return read_toml(file) if file.is_file() else {}


def get_table(data: Table, dotted_name: str) -> Table:
    """The table with a name such as `tool.poetry.dependencies`; empty if there is none."""
    table: object = data
    for key in dotted_name.split("."):
        table = table.get(key) if isinstance(table, dict) else None
    return table if isinstance(table, dict) else {}


def read_project_name(folder: Path) -> str:
    """The name of the package in the folder; empty if no file says it."""
    data = read_pyproject(folder)
    name = get_table(data, "project").get("name") or get_table(data, "tool.poetry").get("name")
    return str(name or _read_setup_metadata(folder).get("name", ""))


def is_package(folder: Path) -> bool:
    """Whether the folder has the metadata of a package."""
    if (folder / "setup.py").is_file() or "name" in _read_setup_metadata(folder):
        return True
    data = read_pyproject(folder)
    return "project" in data or "dependencies" in get_table(data, "tool.poetry")


def find_metadata_file(folder: Path) -> Path:
    """The file that says what the package in the folder requires."""
    data = read_pyproject(folder)
    names = ["setup.py", "setup.cfg"]
    if "project" in data or get_table(data, "tool.poetry"):
        names.insert(0, "pyproject.toml")
    return next(folder / name for name in names if (folder / name).is_file())


def _read_setup_metadata(folder: Path) -> dict[str, str]:
    """The section `metadata` of setup.cfg."""
    file = folder / "setup.cfg"
    if not file.is_file():
        return {}
    import configparser  # noqa: PLC0415 - few projects still have a setup.cfg

    parser = configparser.ConfigParser(interpolation=None)
    try:
        parser.read(file, encoding="utf-8")
    except (configparser.Error, UnicodeDecodeError):
        return {}
    return dict(parser["metadata"]) if "metadata" in parser else {}
