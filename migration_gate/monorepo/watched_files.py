"""Which files concern a project, so that a monorepo examines only the projects that a change touches.

A project's own folders, its configuration, the lock files above it, and the packages in the repository that
it depends on by path. What it imports from elsewhere without saying so is named by the setting `watch`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from migration_gate import git
from migration_gate.config.settings import Settings
from migration_gate.errors import ProjectNotFound
from migration_gate.project.locate import locate_environment
from migration_gate.project.search import read_text_file

LOCKS = re.compile(
    r"(uv|poetry|pdm)\.lock|Pipfile(\.lock)?|requirements[\w.-]*\.(txt|in)|pyproject\.toml|setup\.(py|cfg)"
    r"|constraints[\w.-]*\.txt|\.python-version"
)
_BY_PATH = re.compile(
    r"(?:\bpath\s*=\s*|-e\s+|--editable[ =]|file:(?://)?(?:/?\$\{PROJECT_ROOT\}/)?|^)[\"']?"
    r"(\.{1,2}(?:/[\w.@+-]+)*)(?=[\"'\[\s;]|$)",
    re.MULTILINE,
)
"""a dependency on a folder, in pyproject.toml and in requirements"""
_IN_WORKSPACE = re.compile(r"^\s*[\"']?([\w.-]+)[\"']?\s*=\s*\{[^}\n]*\bworkspace\s*=\s*true", re.MULTILINE)
_NAME = re.compile(r"^name\s*=\s*[\"']([\w.-]+)[\"']", re.MULTILINE)
_VERSIONS = re.compile(r"^version_locations\s*=\s*(.+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Watched:
    """What concerns one project; paths are real ones."""

    top: str
    places: tuple[tuple[str, str], ...]
    """folders and files, and what each of them is to the project"""
    above: tuple[str, ...]
    """folders whose lock files count"""
    patterns: tuple[str, ...]

    def touched(self, paths: Iterable[str]) -> str | None:
        """Why a change of these files, named from the repository's top, concerns it; None: it does not."""
        from pathspec import GitIgnoreSpec  # noqa: PLC0415 - only where there is something to match

        spec = GitIgnoreSpec.from_lines(self.patterns)
        for path in sorted(paths):
            real = os.path.join(self.top, path)  # noqa: PTH118 - a name in git may be no text
            folder, _, name = real.rpartition("/")
            for place, what in self.places:
                if real == place or real.startswith(f"{place}/"):
                    return f"`{path}` is {what}"
            if folder in self.above and LOCKS.fullmatch(name):
                return f"`{path}` may decide which packages it runs with"
            if self.patterns and spec.match_file(path):
                return f"`{path}` is one of those to `watch`"
        return None


def of(settings: Settings, environ: Mapping[str, str]) -> Watched:
    """What concerns the project of `settings`."""
    top = Path(os.path.realpath(git.find_repository_root(settings.root)))
    home = Path(os.path.realpath(settings.project_folder or settings.working_directory))
    found: dict[str, str] = {}
    for place, what in _places(settings, environ):
        found.setdefault(os.path.realpath(place), what)
    for folder in dict.fromkeys((home, Path(os.path.realpath(settings.working_directory)))):
        for needed in _needed(folder, top):
            found.setdefault(str(needed), "in a package that it depends on")
    if workflow := _workflow(environ):
        found.setdefault(str(top / workflow), "the workflow that runs")
    above = [str(each) for each in (home, *home.parents) if each.is_relative_to(top)]
    return Watched(str(top), tuple(found.items()), tuple(above), settings.watch)


def _places(settings: Settings, environ: Mapping[str, str]) -> Iterator[tuple[Path, str]]:
    yield settings.project_folder or settings.working_directory, "in its folder"
    yield settings.working_directory, "in its working directory"
    for file in (settings.config_file, settings.alembic, settings.hook):
        if file:
            yield file, "its configuration"
    for step in settings.prepare:
        if step.kind in ("sql_file", "python"):
            yield Path(step.text), "run before its first revision"
    if settings.start_from and settings.start_from.dump:
        yield settings.start_from.dump, "what its history starts from"
    yield from _alembic(settings, environ)


def _alembic(settings: Settings, environ: Mapping[str, str]) -> Iterator[tuple[Path, str]]:
    try:
        located = locate_environment(settings, environ)
    except ProjectNotFound:
        return  # the gate will say so when it examines the project
    yield located.directory, "in the folder that its migrations run in"
    if located.entry_file:
        yield located.entry_file.parent, "in its Alembic folder"
    if located.config:
        yield located.config, "its configuration"
        if versions := _VERSIONS.search(read_text_file(located.config) if located.config.is_file() else ""):
            for part in re.split(r"[\s:;,]+", versions[1].replace("%(here)s", str(located.config.parent))):
                yield located.directory / part, "in a folder of its revisions"


def _needed(folder: Path, top: Path) -> Iterator[Path]:
    """The folders of the repository that a project depends on, and what those depend on in turn."""
    waiting, seen = [folder], {folder}
    members: dict[str, Path] | None = None
    while waiting:
        one = waiting.pop()
        found: list[Path] = []
        for file in (one / "pyproject.toml", *sorted(one.glob("*requirements*.txt"))):
            text = read_text_file(file) if file.is_file() else ""
            found += [start / path for path in _BY_PATH.findall(text) for start in (one, top)]
            if names := _IN_WORKSPACE.findall(text):
                members = members if members is not None else _members(top)
                found += [members[name] for name in map(_plain, names) if name in members]
        for each in map(Path, map(os.path.realpath, found)):
            inside = each.is_relative_to(top) and each.is_dir() and not folder.is_relative_to(each)
            if inside and each not in seen:
                seen.add(each)
                waiting.append(each)
                yield each


def _members(top: Path) -> dict[str, Path]:
    """The packages of the repository by their names."""
    files = [
        top / path
        for path in git.list_tracked_files(top).paths
        if path.rpartition("/")[2] == "pyproject.toml"
    ]
    named = ((file.parent, _NAME.search(read_text_file(file))) for file in files)
    return {_plain(name[1]): folder for folder, name in named if name}


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _workflow(environ: Mapping[str, str]) -> str | None:
    """The file of the workflow that runs, `.github/workflows/x.yml`, from the top of its repository."""
    repository = environ.get("GITHUB_REPOSITORY", "")
    named = environ.get("GITHUB_WORKFLOW_REF", "").partition("@")[0]
    return named.removeprefix(f"{repository}/") if repository and named.startswith(f"{repository}/") else None
