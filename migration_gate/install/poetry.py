"""Reads poetry.lock, of Poetry 1.1 to the newest, without Poetry."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from migration_gate.install.lock import MAIN, OPTIONAL, Lock, Package, canonical, git
from migration_gate.install.source import pyproject, toml
from migration_gate.install.span import pep440


def read(file: Path) -> Lock:
    """The lock; the project's own requirements stand beside it, in pyproject.toml."""
    data = toml(file)
    old = data.get("metadata", {}).get("files", {})
    packages = tuple(_package(each, old, file.parent) for each in data.get("package", ()))
    indexes = {
        str(source.get("reference") or "index"): str(source["url"])
        for each in data.get("package", ())
        if (source := each.get("source", {})).get("type") == "legacy"
    }
    extras = tuple((name, tuple(_first(e) for e in each)) for name, each in data.get("extras", {}).items())
    roots = tuple(_roots(pyproject(file.parent)))
    groups = {group for each in packages for group in each.groups or ()}
    groups |= {group for group, _ in roots if not group.startswith(OPTIONAL)}
    return Lock(packages, roots, tuple(indexes.items()), tuple(sorted(groups - {*MAIN})), extras)


def _package(row: dict[str, Any], old: dict[str, Any], home: Path) -> Package:
    source = row.get("source", {})
    kind, url = source.get("type", ""), str(source.get("url", ""))
    markers = row.get("markers", "")
    listed = tuple(markers.items()) if isinstance(markers, dict) else (("", markers),) if markers else ()
    if "groups" not in row:
        needed = pep440(str(row.get("python-versions", "*")))
        listed = (("", _of_python(needed)),) if needed else ()
    groups = row.get("groups")
    path = (home / url).resolve()
    address = {"git": git(url, str(source.get("resolved_reference") or source.get("reference")),
                          str(source.get("subdirectory", ""))),
               "url": url, "file": path.as_uri()}.get(kind, "")  # fmt: skip
    files = row.get("files") or old.get(row["name"], ())
    return Package(
        name=str(row["name"]),
        version=str(row["version"]),
        groups=frozenset(map(str, groups)) if groups is not None else None,
        markers=listed,
        needs=tuple(_needs(row.get("dependencies", {}))),
        hashes=() if kind in ("git", "directory") else tuple(str(each["hash"]) for each in files),
        address=address,
        folder=path if kind == "directory" else None,
    )


def _of_python(specifier: str) -> str:
    """A range of Pythons as a marker: only what is compared can stand in one."""
    parts = [part.strip() for part in specifier.split(",") if part.strip() and "*" not in part]
    spelt = [(each[:2], each[2:]) if each[1:2] == "=" else (each[:1], each[1:]) for each in parts]
    return " and ".join(
        f"python_full_version {sign} '{number.strip()}'" for sign, number in spelt if sign.strip("~=")
    )


def _needs(dependencies: dict[str, Any]) -> Iterator[str]:
    """`[package.dependencies]` as requirements."""
    for name, value in dependencies.items():
        for each in value if isinstance(value, list) else [value]:
            yield _requirement(name, each)


def _requirement(name: str, value: Any) -> str:
    table = {"version": value} if isinstance(value, str) else value if isinstance(value, dict) else {}
    version = pep440(str(table.get("version", "*")))
    conditions = [str(table[key]) for key in ("markers",) if table.get(key)]
    if python := _of_python(pep440(str(table.get("python", "*")))):
        conditions.append(python)
    if platform := table.get("platform"):
        conditions.append(f"sys_platform == '{platform}'")
    marker = " and ".join(f"({each})" for each in conditions)
    extras = ",".join(table.get("extras", ()))
    return f"{name}{f'[{extras}]' if extras else ''} {version}{f' ; {marker}' if marker else ''}".strip()


def _roots(data: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Each group, and what the project itself requires in it."""
    tool = data.get("tool", {}).get("poetry", {})
    for text in data.get("project", {}).get("dependencies", ()):
        yield "main", str(text)
    tables = {"main": tool.get("dependencies", {}), "dev": tool.get("dev-dependencies", {})}
    tables |= {f"{name}": each.get("dependencies", {}) for name, each in tool.get("group", {}).items()}
    for group, table in tables.items():
        for name, value in table.items():
            optional = isinstance(value, dict) and value.get("optional")
            if canonical(name) != "python":
                place = f"{OPTIONAL}{canonical(name)}" if optional else group
                yield from ((place, text) for text in _needs({name: value}))
    for group, listed in data.get("dependency-groups", {}).items():
        yield from ((group, str(text)) for text in listed if isinstance(text, str))


def _first(text: str) -> str:
    """The name of a requirement as older locks spell it: `psycopg (>=3.1)`."""
    return text.partition(" ")[0].partition("[")[0]
