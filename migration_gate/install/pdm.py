"""Reads pdm.lock without PDM."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from migration_gate.install.lock import MAIN, Lock, Package, canonical, git
from migration_gate.install.source import pyproject, toml


def read(file: Path) -> Lock:
    """The lock. A package with extras has an entry of its own for them; it is joined with the plain one."""
    data = toml(file)
    joined: dict[tuple[str, str, str], Package] = {}
    for row in data.get("package", ()):
        package = _package(row, file.parent)
        key = (canonical(package.name), package.version, package.address)
        joined[key] = _join(joined[key], package) if key in joined else package
    packages = tuple(joined.values())
    project = pyproject(file.parent)
    groups = {group for each in packages for group in each.groups or ()} - {*MAIN}
    sources = project.get("tool", {}).get("pdm", {}).get("source", ())
    indexes = tuple((str(each.get("name", "index")), str(each["url"])) for each in sources if "url" in each)
    return Lock(packages, tuple(_roots(project)), indexes, tuple(sorted(groups)))


def _package(row: dict[str, Any], home: Path) -> Package:
    path = (home / str(row["path"])).resolve() if "path" in row else None
    address = ""
    if "git" in row:
        address = git(
            str(row["git"]), str(row.get("revision") or row.get("ref")), str(row.get("subdirectory", ""))
        )
    elif "url" in row:
        address = str(row["url"])
    elif path is not None and path.is_file():
        address = path.as_uri()
    groups = row.get("groups")
    marker = str(row.get("marker", ""))
    hashes = (
        ()
        if address.startswith("git+")
        else tuple(str(f["hash"]) for f in row.get("files", ()) if "hash" in f)
    )
    return Package(
        name=str(row["name"]),
        version=str(row.get("version", "0")),
        groups=frozenset(map(str, groups)) if groups is not None else None,
        markers=(("", marker),) if marker else (),
        needs=tuple(map(str, row.get("dependencies", ()))),
        hashes=hashes,
        address=address,
        folder=path if path is not None and path.is_dir() else None,
    )


def _join(one: Package, other: Package) -> Package:
    groups = None if one.groups is None else one.groups | (other.groups or frozenset())
    markers = (*one.markers, *other.markers) if one.markers and other.markers else ()
    return Package(
        one.name, one.version, groups, markers, (*one.needs, *other.needs), one.hashes or other.hashes,
        one.address, one.folder,
    )  # fmt: skip


def _roots(data: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Each group, and what the project itself requires in it; for locks that name no groups."""
    project = data.get("project", {})
    yield from (("default", str(text)) for text in project.get("dependencies", ()))
    older = data.get("tool", {}).get("pdm", {}).get("dev-dependencies", {})
    for table in (data.get("dependency-groups", {}), older, project.get("optional-dependencies", {})):
        for group, listed in table.items():
            yield from ((group, text) for text in listed if isinstance(text, str))
