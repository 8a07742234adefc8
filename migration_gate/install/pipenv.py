"""Reads Pipfile.lock without Pipenv."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from migration_gate.errors import Misconfigured
from migration_gate.install.lock import Lock, Package, canonical, git


def read(file: Path) -> Lock:
    """The lock; its `develop` is the group dev, as `[dev-packages]` is Pipenv's own."""
    try:
        data: dict[str, Any] = json.loads(file.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise Misconfigured(
            f"`{file.name}` was wanted for the project's packages, and cannot be read: {error}.",
            where=str(file),
            advice="Make it again (`pipenv lock`), or give the command that installs them: `install: …`.",
        ) from error
    found: dict[str, Package] = {}
    for section, rows in data.items():
        if section == "_meta" or not isinstance(rows, dict):
            continue
        group = "dev" if section == "develop" else section
        for name, row in rows.items():
            package = _package(str(name), row, group, file.parent)
            known = found.get(canonical(package.name))
            if known and known.version == package.version:
                package = _package(str(name), row, group, file.parent, known.groups or frozenset())
            found[
                canonical(package.name)
                if not known or known.version == package.version
                else f"{name} {group}"
            ] = package
    sources = data.get("_meta", {}).get("sources", ())
    indexes = tuple((str(each.get("name", "index")), str(each["url"])) for each in sources if "url" in each)
    groups = {group for each in found.values() for group in each.groups or ()} - {"default"}
    return Lock(tuple(found.values()), indexes=indexes, groups=tuple(sorted(groups)))


def _package(
    name: str, row: dict[str, Any], group: str, home: Path, also: frozenset[str] = frozenset()
) -> Package:
    address, folder = "", None
    if "git" in row:
        address = git(str(row["git"]), str(row.get("ref", "HEAD")), str(row.get("subdirectory", "")))
    elif "path" in row or "file" in row:
        text = str(row.get("path") or row.get("file"))
        path = (home / text).resolve()
        if "://" in text:
            address = text
        elif path.is_dir():
            folder = path
        else:
            address = path.as_uri()
    marker = str(row.get("markers", ""))
    return Package(
        name=name,
        version=str(row.get("version", "")).removeprefix("=="),
        groups=also | {group},
        markers=(("", marker),) if marker else (),
        hashes=() if address.startswith("git+") else tuple(map(str, row.get("hashes", ()))),
        address=address,
        folder=folder,
    )
