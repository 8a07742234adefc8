"""The projects of a repository, all or those that a change touches, and GitHub's matrix of them."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from migration_gate import git
from migration_gate.ci import base_revision
from migration_gate.config import loading
from migration_gate.config.settings import Settings
from migration_gate.errors import Misconfigured
from migration_gate.monorepo import watched_files
from migration_gate.project import search
from migration_gate.project.alembic_config import find_config_in_folder

CONFIGS = ("alembic.ini", "pyproject.toml")
NOT_A_HOME = frozenset({"src", "migrations", "alembic", "db", "database"})
"""folders inside a project that may hold its alembic.ini"""


@dataclass(frozen=True, slots=True)
class Entry:
    """One project of the repository."""

    project: str
    """its name in reports"""
    path: str
    """its folder, from the top of the repository: what `check` is given"""
    why: str = ""
    """why the change concerns it"""


@dataclass(frozen=True, slots=True)
class Selection:
    """The projects to examine."""

    entries: tuple[Entry, ...]
    others: tuple[str, ...] = ()
    """names of those that the change does not touch"""
    note: str = ""
    """what a reader should know of the choice"""


def select(
    path: Path, options: Mapping[str, object], environ: Mapping[str, str], *, changed: bool
) -> Selection:
    """The projects at and below `path`; with `changed` those that the change touches.

    Where the change is not known, all of them: a project that nobody looked at must not pass.
    """
    every = projects(path, options, environ)
    entries = [Entry(settings.name, _path(settings)) for settings in every]
    if not changed:
        return Selection(tuple(entries))
    compared = base_revision.compare_with_base(every[0].root, every[0].base, environ)
    if compared.files is None:
        why = compared.base.note or f"There is nothing to compare with: {compared.base.reason}"
        return Selection(tuple(entries), note=f"{why.rstrip('.')}. Every project is examined.")
    paths = compared.changed_paths()
    known = [watched_files.of(settings, environ).touched(paths) for settings in every]
    chosen = [replace(entry, why=why) for entry, why in zip(entries, known, strict=True) if why]
    others = tuple(entry.project for entry, why in zip(entries, known, strict=True) if not why)
    revision = (compared.base.commit or "")[:12]
    return Selection(tuple(chosen), others, f"Compared with {revision} ({compared.base.reason}).")


def projects(path: Path, options: Mapping[str, object], environ: Mapping[str, str]) -> tuple[Settings, ...]:
    """The settings of each project: those under `projects:`, else those that a search finds."""
    loaded = loading.load(path, options, environ)
    alone = loaded[0]
    if alone.is_named_project or alone.alembic or alone.hook or alone.flask_app:
        return loaded
    start = alone.project_folder or alone.working_directory
    homes = list(dict.fromkeys(_homes(start)))
    found = [settings for home in homes for settings in loading.load(home, options, environ)]
    counts = Counter(settings.name for settings in found)
    if double := next((name for name, count in counts.items() if count > 1), None):
        places = [_path(settings) for settings in found if settings.name == double]
        lines = "\n".join(f"      {place.replace('/', '-')}: {{path: {place}}}" for place in places)
        raise Misconfigured(
            f"{len(places)} projects would be called `{double}`: {', '.join(f'`{p}`' for p in places)}.",
            where=str(start),
            advice=f"Name them in `.migration-gate.yml`:\n\n    projects:\n{lines}",
        )
    return tuple(found) or loaded


def _homes(start: Path) -> Iterator[Path]:
    """The folders that `check` is to be given, so that each finds one configuration of Alembic's."""
    files = [*search.find_ini_files(start), *_toml(start)]
    above = {file: _above(file.parent, start) for file in sorted(files)}
    counts = Counter(
        {home: len({f.parent for f, h in above.items() if h == home}) for home in above.values()}
    )
    for file, home in above.items():
        yield home if counts[home] == 1 else file.parent


def _above(folder: Path, start: Path) -> Path:
    while folder.name in NOT_A_HOME and folder != start:
        folder = folder.parent
    return folder


def _toml(start: Path) -> Iterator[Path]:
    """Every pyproject.toml that configures Alembic by itself, as far as git tracks it."""
    for path in git.list_tracked_files(start).paths:
        *folders, name = path.split("/")
        if name == "pyproject.toml" and not search.SKIPPED & set(folders):
            config = find_config_in_folder((start / path).parent, "alembic")
            if config is not None and config.kind == "toml":
                yield start / path


def _path(settings: Settings) -> str:
    folder = Path(os.path.realpath(settings.project_folder or settings.working_directory))
    top = Path(os.path.realpath(git.find_repository_root(settings.root)))
    return folder.relative_to(top).as_posix() if folder.is_relative_to(top) else str(folder)


def render(selection: Selection, form: str) -> str:
    """The projects as text for people, as JSON, or as GitHub's matrix on one line."""
    if form == "matrix":
        rows = [{"project": entry.project, "path": entry.path} for entry in selection.entries]
        return json.dumps({"include": rows}, separators=(",", ":"))
    if form == "json":
        rows = [
            {"project": entry.project, "path": entry.path, "why": entry.why} for entry in selection.entries
        ]
        return json.dumps({"projects": rows, "others": selection.others, "note": selection.note}, indent=2)
    width = max((len(entry.project) for entry in selection.entries), default=0)
    lines = [f"{entry.project:<{width}}  {entry.path}" for entry in selection.entries]
    for number, entry in enumerate(selection.entries):
        lines[number] += f"  ({entry.why})" if entry.why else ""
    if selection.others:
        lines.append(f"not touched by the change: {', '.join(selection.others)}")
    return "\n".join(filter(None, (*lines, selection.note)))
