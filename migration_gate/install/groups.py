"""In which groups and extras a package is listed that the main dependencies do not bring."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from migration_gate.install.lock import MAIN, canonical
from migration_gate.install.plan import READERS
from migration_gate.install.source import Source, pyproject
from migration_gate.project.search import read_text_file

BRINGS = {
    "alembic": ("alembic", "flask-migrate"),
    "sqlalchemy": ("sqlalchemy", "sqlmodel", "flask-sqlalchemy", "alembic"),
}
"""a package, and which others bring it"""


def holding(found: Source, package: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The group, or else the extra, to add for a package: one of them at most, the smallest."""
    names = BRINGS.get(package, (package,))
    home = found.project or found.folder
    data = pyproject(home)
    groups: dict[str, list[str]] = {
        name: [str(each) for each in listed if isinstance(each, str)]
        for name, listed in data.get("dependency-groups", {}).items()
    }
    if found.kind in READERS:
        lock = READERS[found.kind](found.file)
        for group in lock.groups:
            inside = [each.name for each in lock.packages if group in (each.groups or ())]
            groups[group] = inside or [text for root, text in lock.roots if root == group]
    if found.kind == "requirements":
        groups = _files(found)
    extras = _plain(data.get("project", {}).get("optional-dependencies", {}))
    extras |= _plain(data.get("tool", {}).get("poetry", {}).get("extras", {}))
    if group := _smallest(groups, names):
        return (group,), ()
    extra = _smallest({name: each for name, each in extras.items() if name not in MAIN}, names)
    return (), (extra,) if extra else ()


def _plain(table: Mapping[str, Any]) -> dict[str, list[str]]:
    return {name: [str(each) for each in listed] for name, listed in table.items()}


def _smallest(groups: Mapping[str, list[str]], names: Iterable[str]) -> str:
    wanted = set(names)
    fitting = [
        (len(listed), group) for group, listed in groups.items() if wanted & {_name(each) for each in listed}
    ]
    return min(fitting)[1] if fitting else ""


def _name(requirement: str) -> str:
    match = re.match(r"[\w.-]+", requirement)
    return canonical(match[0]) if match else ""


def _files(found: Source) -> dict[str, list[str]]:
    """Other files of requirements beside the chosen one, by the group they stand for."""
    home = found.folder.parent if found.folder.name == "requirements" else found.folder
    every = [*home.glob("*requirements*.txt"), *home.glob("requirements/*.txt")]
    groups = {}
    for file in every:
        group = re.sub(r"^requirements[-_.]?|[-_.]?requirements$", "", file.stem)
        if group and file != found.file:
            groups[group] = read_text_file(file).splitlines()
    return groups
