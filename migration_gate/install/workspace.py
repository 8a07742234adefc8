"""What uv.lock says beside what `uv sync` does with it: members, local packages, archives, versions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from migration_gate.install.lock import canonical
from migration_gate.install.source import Source, pyproject, toml

FOLDERS = ("editable", "virtual", "directory")


@dataclass(frozen=True, slots=True)
class Workspace:
    """The part of a lock file that concerns one project."""

    selection: tuple[str, ...]
    """arguments that choose a member"""
    local: tuple[Path, ...]
    """folders of the packages that lie in the repository, the project's own first"""
    archives: tuple[Path, ...]
    versions: dict[str, str]


def read(found: Source, groups: Sequence[str] = (), extras: Sequence[str] = ()) -> Workspace:
    """The member that the project is, and what it needs with these groups and extras."""
    rows: list[dict[str, Any]] = toml(found.file).get("package", [])
    by_name: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        by_name.setdefault(canonical(str(row["name"])), []).append(row)
    top = pyproject(found.folder)
    own = canonical(str(pyproject(found.project).get("project", {}).get("name", ""))) if found.project else ""
    root = canonical(str(top.get("project", {}).get("name", "")))
    member = own if own in by_name and own != root else ""
    if member:
        selection: tuple[str, ...] = ("--package", member)
        starts = [member]
    elif root in by_name:
        selection, starts = (), [root]
    else:  # the top is no package itself: all of its members are the project
        selection = ("--all-packages",)
        starts = [name for name, each in by_name.items() if any(_folder(row) is not None for row in each)]
    reached = list(_reached(starts, by_name, groups, extras))
    local = [(found.folder / place).resolve() for row in reached if (place := _folder(row)) is not None]
    sources = [row.get("source", {}) for row in reached]
    archives = [(found.folder / str(each["path"])).resolve() for each in sources if "path" in each]
    versions = {canonical(str(row["name"])): str(row.get("version", "")) for row in reached}
    return Workspace(selection, tuple(dict.fromkeys(local)), tuple(archives), versions)


def folders(found: Source) -> list[Path]:
    """The folders of every package of the repository that the lock file names."""
    rows = toml(found.file).get("package", [])
    return [(found.folder / place).resolve() for row in rows if (place := _folder(row)) is not None]


def _folder(row: dict[str, Any]) -> str | None:
    source = row.get("source", {})
    return next((str(source[kind]) for kind in FOLDERS if kind in source), None)


def _reached(
    starts: Sequence[str],
    by_name: dict[str, list[dict[str, Any]]],
    groups: Sequence[str],
    extras: Sequence[str],
) -> Iterator[dict[str, Any]]:
    """The packages that the first ones need, without asking on which machine they do."""
    waiting: list[tuple[str, tuple[str, ...]]] = [(name, tuple(extras)) for name in starts]
    seen: set[tuple[str, tuple[str, ...]]] = set()
    told: set[int] = set()
    while waiting:
        name, asked = each = waiting.pop(0)
        if each in seen:
            continue
        seen.add(each)
        for row in by_name.get(name, ()):
            if id(row) not in told:
                told.add(id(row))
                yield row
            lists = [row.get("dependencies", [])]
            lists += [row.get("optional-dependencies", {}).get(extra, []) for extra in asked]
            if name in starts:
                lists += [row.get("dev-dependencies", {}).get(group, []) for group in groups]
            waiting += [
                (canonical(str(need["name"])), tuple(need.get("extra", ())))
                for listed in lists
                for need in listed
            ]
