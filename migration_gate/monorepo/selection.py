"""The projects of a repository, all or those that a change touches, and GitHub's matrix of them."""

from __future__ import annotations

import json
import os
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from migration_gate.ci.base_revision import Comparison, compare_with_base
from migration_gate.config import loading
from migration_gate.config.settings import Settings
from migration_gate.errors import Misconfigured
from migration_gate.git.git_command import find_repository_root
from migration_gate.git.tracked_files import list_tracked_files, list_tracked_links
from migration_gate.lazy_dataclass import dataclass
from migration_gate.monorepo.watched_files import find_watched_files
from migration_gate.project import search
from migration_gate.project.alembic_config import find_config_in_folder

FOLDERS_INSIDE_PROJECTS = frozenset({"src", "migrations", "alembic", "db", "database"})
"""folders of a project that may hold its alembic.ini: the project's own folder is above them"""


@dataclass(frozen=True, slots=True)
class ProjectEntry:
    """One project of the repository."""

    project: str
    """its name in reports"""
    path: str
    """its folder, from the top of the repository: the argument of `check`"""
    why: str = ""
    """why the change concerns it"""


@dataclass(frozen=True, slots=True)
class Selection:
    """The projects to examine."""

    entries: tuple[ProjectEntry, ...]
    untouched_names: tuple[str, ...] = ()
    """names of those that the change does not touch"""
    note: str = ""
    """how the choice was made, for readers of the list"""


def select_projects(
    path: Path, options: Mapping[str, object], environ: Mapping[str, str], *, changed: bool
) -> Selection:
    """The projects at and below `path`; with `changed` those that the change touches.

    Where the change is not known, all of them: a project that was not examined must not pass.
    """
    projects = find_projects(path, options, environ)
    entries = tuple(ProjectEntry(settings.name, _path_in_repository(settings)) for settings in projects)
    if not changed:
        return Selection(entries)
    comparison = compare_with_base(projects[0].root, projects[0].base, environ)
    if comparison.files is None:
        return Selection(entries, note=_note_about_unknown_change(comparison))
    changed_paths = comparison.changed_paths()
    links = list_tracked_links(projects[0].root)
    touched, untouched = [], []
    for settings, entry in zip(projects, entries, strict=True):
        reason = find_watched_files(settings, environ, links).reason_touched(changed_paths)
        if reason is None:
            untouched.append(entry.project)
        else:
            touched.append(replace(entry, why=reason))
    revision = (comparison.base.commit or "")[:12]
    return Selection(
        tuple(touched), tuple(untouched), f"Compared with {revision} ({comparison.base.reason})."
    )


def _note_about_unknown_change(comparison: Comparison) -> str:
    reason = comparison.base.note or f"There is nothing to compare with: {comparison.base.reason}"
    return f"{reason.rstrip('.')}. Every project is examined."


def find_projects(
    path: Path, options: Mapping[str, object], environ: Mapping[str, str]
) -> tuple[Settings, ...]:
    """The settings of each project: those under `projects:`, else those that a search finds.

    Raises Misconfigured if two projects would have the same name.
    """
    configured = loading.load_settings(path, options, environ)
    first = configured[0]
    if first.is_named_project or first.alembic or first.hook or first.flask_app:
        return configured
    start = _project_folder(first)
    projects: list[Settings] = []
    for folder in dict.fromkeys(_find_project_folders(start)):
        projects += loading.load_settings(folder, options, environ)
    if len({settings.name for settings in projects}) < len(projects):  # copies of one template, for example
        projects = [_name_after_folder(settings) for settings in projects]
    _demand_different_names(projects, start)
    return tuple(projects) or configured


def _project_folder(settings: Settings) -> Path:
    return settings.project_folder or settings.working_directory


def _name_after_folder(settings: Settings) -> Settings:
    return replace(settings, name=_project_folder(settings).name or settings.name)


def _demand_different_names(projects: Sequence[Settings], start: Path) -> None:
    paths_by_name: dict[str, list[str]] = defaultdict(list)
    for settings in projects:
        paths_by_name[settings.name].append(_path_in_repository(settings))
    for name, paths in paths_by_name.items():
        if len(paths) > 1:
            lines = "\n".join(f"      {path.replace('/', '-')}: {{path: {path}}}" for path in paths)
            listed_paths = ", ".join(f"`{path}`" for path in paths)
            raise Misconfigured(
                f"{len(paths)} projects would be called `{name}`: {listed_paths}.",
                where=str(start),
                advice=f"Name them in `.migration-gate.yml`:\n\n    projects:\n{lines}",
            )


def _find_project_folders(start: Path) -> Iterator[Path]:
    """The folders to give to `check`, so that each has one configuration of Alembic."""
    config_files = sorted([*search.find_ini_files(start), *_find_pyproject_files(start)])
    outer_folders = {file: _outer_folder(file.parent, start) for file in config_files}
    environments = Counter(
        outer for outer, _ in {(outer, file.parent) for file, outer in outer_folders.items()}
    )
    for file, outer in outer_folders.items():
        yield outer if environments[outer] == 1 else file.parent


def _outer_folder(folder: Path, start: Path) -> Path:
    """The folder of the project that this folder is a part of."""
    while folder.name in FOLDERS_INSIDE_PROJECTS and folder != start:
        folder = folder.parent
    return folder


def _find_pyproject_files(start: Path) -> Iterator[Path]:
    """Every tracked pyproject.toml that configures Alembic by itself."""
    for path in list_tracked_files(start).paths:
        *folders, name = path.split("/")
        if name != "pyproject.toml" or search.SKIPPED & set(folders):
            continue
        config = find_config_in_folder((start / path).parent, "alembic")
        if config is not None and config.kind == "toml":
            yield start / path


def _path_in_repository(settings: Settings) -> str:
    """The project's folder from the repository's top; absolute where it lies elsewhere."""
    folder = Path(os.path.realpath(_project_folder(settings)))
    repository_root = Path(os.path.realpath(find_repository_root(settings.root)))
    if folder.is_relative_to(repository_root):
        return folder.relative_to(repository_root).as_posix()
    return str(folder)


def render_selection(selection: Selection, form: str) -> str:
    """The projects as `text` for people, as `json`, or as GitHub's `matrix` on one line."""
    if form == "matrix":
        return _render_matrix(selection)
    if form == "json":
        return _render_json(selection)
    return _render_text(selection)


def _render_matrix(selection: Selection) -> str:
    rows = [{"project": entry.project, "path": entry.path} for entry in selection.entries]
    return json.dumps({"include": rows}, separators=(",", ":"))


def _render_json(selection: Selection) -> str:
    rows = [{"project": entry.project, "path": entry.path, "why": entry.why} for entry in selection.entries]
    document = {"projects": rows, "others": selection.untouched_names, "note": selection.note}
    return json.dumps(document, indent=2)


def _render_text(selection: Selection) -> str:
    width = max((len(entry.project) for entry in selection.entries), default=0)
    lines = []
    for entry in selection.entries:
        reason = f"  ({entry.why})" if entry.why else ""
        lines.append(f"{entry.project:<{width}}  {entry.path}{reason}")
    if selection.untouched_names:
        lines.append(f"not touched by the change: {', '.join(selection.untouched_names)}")
    if selection.note:
        lines.append(selection.note)
    return "\n".join(lines)
