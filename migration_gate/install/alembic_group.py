"""Finds the group or extra that has Alembic, where the project's main packages do not."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any, Literal

from packaging.utils import canonicalize_name

from migration_gate.install.package_source import PackageSource
from migration_gate.install.project_metadata import Table, get_table, read_pyproject, read_toml
from migration_gate.install.requirement_files import list_other_groups
from migration_gate.lazy_dataclass import dataclass
from migration_gate.project.search import read_text_file

MAIN_GROUPS = ("main", "default")
"""the names that Poetry, and that PDM and Pipenv give the packages that are in no group"""
PROVIDERS = {
    "alembic": {"alembic", "flask-migrate"},
    "sqlalchemy": {"sqlalchemy", "sqlmodel", "flask-sqlalchemy", "alembic"},
}
"""a package, and the packages that require it"""


@dataclass(frozen=True, slots=True)
class OptionalPackages:
    """A group or an extra of the project."""

    kind: Literal["group", "extra"]
    name: str


def find_group_with(source: PackageSource, package: str) -> OptionalPackages | None:
    """The smallest group that has the package, else the smallest extra; None if none has it."""
    providers = PROVIDERS.get(package, {package})
    data = read_pyproject(source.project or source.folder)
    if group := _choose_smallest(_list_groups(source, data), providers):
        return OptionalPackages("group", group)
    if extra := _choose_smallest(_list_extras(data), providers):
        return OptionalPackages("extra", extra)
    return None


def _list_groups(source: PackageSource, data: Table) -> dict[str, list[str]]:
    """Each group, and the packages that are in it."""
    if source.kind == "requirements":
        files = list_other_groups(source.file)
        return {group: read_text_file(file).splitlines() for group, file in files.items()}
    groups = {name: _list_strings(members) for name, members in get_table(data, "dependency-groups").items()}
    if source.kind == "poetry":
        tool = get_table(data, "tool.poetry")
        groups["dev"] = [*groups.get("dev", ()), *get_table(tool, "dev-dependencies")]
        for name, group in get_table(tool, "group").items():
            groups[name] = [*groups.get(name, ()), *get_table(group, "dependencies")]
    if source.kind == "pdm":
        tables = get_table(data, "tool.pdm.dev-dependencies")
        groups |= {name: _list_strings(members) for name, members in tables.items()}
    return groups | _list_locked_groups(source)


def _list_locked_groups(source: PackageSource) -> dict[str, list[str]]:
    """Each group that the lock file names, with all packages that are installed for it."""
    groups: dict[str, list[str]] = {}
    if source.kind in ("poetry", "pdm"):
        for row in read_toml(source.file).get("package", ()):
            for group in row.get("groups", ()):
                groups.setdefault(group, []).append(str(row["name"]))
    if source.kind == "pipenv":
        sections: dict[str, Any] = json.loads(source.file.read_bytes())
        groups = {("dev" if name == "develop" else name): list(rows) for name, rows in sections.items()}
        groups.pop("_meta", None)
    return {name: members for name, members in groups.items() if name not in MAIN_GROUPS}


def _list_extras(data: Table) -> dict[str, list[str]]:
    tables = get_table(data, "project.optional-dependencies") | get_table(data, "tool.poetry.extras")
    return {name: _list_strings(members) for name, members in tables.items() if name not in MAIN_GROUPS}


def _list_strings(values: Iterable[object]) -> list[str]:
    return [value for value in values if isinstance(value, str)]


def _choose_smallest(groups: Mapping[str, list[str]], names: set[str]) -> str:
    """The group with the fewest packages among those that have one of the names; empty if none has."""
    fitting = [
        (len(requirements), group)
        for group, requirements in groups.items()
        if names.intersection(map(_parse_name, requirements))
    ]
    return min(fitting)[1] if fitting else ""


def _parse_name(requirement: str) -> str:
    match = re.match(r"[\w.-]+", requirement)
    return canonicalize_name(match[0]) if match else ""
