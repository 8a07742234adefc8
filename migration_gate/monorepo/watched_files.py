"""Which files concern a project, so that a monorepo examines only the projects that a change touches.

These are the project's own folders, its configuration, the lock files above it, the packages in the
repository that it depends on by path, and what symbolic links in all these lead to. Files that it uses
without declaring them are named by `watch`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from migration_gate.config.settings import Settings
from migration_gate.errors import ProjectNotFound
from migration_gate.git.git_command import find_repository_root
from migration_gate.lazy_dataclass import dataclass
from migration_gate.monorepo.path_dependencies import find_path_dependencies
from migration_gate.project.locate import locate_environment
from migration_gate.project.version_locations import read_version_locations

LOCK_FILE_NAME = re.compile(
    r"(uv|poetry|pdm)\.lock|Pipfile(\.lock)?|requirements[\w.-]*\.(txt|in)|pyproject\.toml|setup\.(py|cfg)"
    r"|constraints[\w.-]*\.txt|\.python-version"
)


@dataclass(frozen=True, slots=True)
class WatchedPath:
    """A file or folder that concerns a project."""

    path: str
    """a real path"""
    role: str
    """what it is to the project, to be read after "`x.py` is": `in its folder`, `its configuration`"""


@dataclass(frozen=True, slots=True)
class WatchedFiles:
    """Everything that concerns one project; paths are real ones."""

    repository_root: str
    paths: tuple[WatchedPath, ...]
    lock_folders: tuple[str, ...]
    """the project's folder and those above it, whose lock files count"""
    patterns: tuple[str, ...]
    """the setting `watch`: gitignore patterns, from the repository's top"""

    def reason_touched(self, changed_paths: Iterable[str]) -> str | None:
        """Why a change of these files, named from the repository's top, concerns the project, else None."""
        from pathspec import GitIgnoreSpec  # noqa: PLC0415 - only where there is something to match

        watched_patterns = GitIgnoreSpec.from_lines(self.patterns)
        for changed_path in sorted(changed_paths):
            if role := self._role_of(changed_path):
                return f"`{changed_path}` is {role}"
            if self._is_lock_file(changed_path):
                return f"`{changed_path}` may decide which packages it runs with"
            if self.patterns and watched_patterns.match_file(changed_path):
                return f"`{changed_path}` is one of those to `watch`"
        return None

    def _real_path(self, changed_path: str) -> str:
        return os.path.join(self.repository_root, changed_path)  # noqa: PTH118 - a name in git may be no text

    def _role_of(self, changed_path: str) -> str | None:
        real_path = self._real_path(changed_path)
        for watched in self.paths:
            if real_path == watched.path or real_path.startswith(f"{watched.path}/"):
                return watched.role
        return None

    def _is_lock_file(self, changed_path: str) -> bool:
        folder, _, name = self._real_path(changed_path).rpartition("/")
        return folder in self.lock_folders and LOCK_FILE_NAME.fullmatch(name) is not None


def find_watched_files(
    settings: Settings, environ: Mapping[str, str], links: Sequence[Path] = ()
) -> WatchedFiles:
    """Find what concerns the project of `settings`; reads its configuration and its dependencies' names.

    links: the symbolic links of the repository.
    """
    repository_root = Path(os.path.realpath(find_repository_root(settings.root)))
    project_folder = Path(os.path.realpath(settings.project_folder or settings.working_directory))
    working_directory = Path(os.path.realpath(settings.working_directory))
    watched = [*_configured_paths(settings), *_alembic_paths(settings, environ)]
    for folder in dict.fromkeys((project_folder, working_directory)):
        for package in find_path_dependencies(folder, repository_root):
            watched.append((package, "in a package that it depends on"))
    roles: dict[str, str] = {}
    for path, role in watched:
        roles.setdefault(os.path.realpath(path), role)
    for target in _find_linked_paths(roles, links, project_folder, repository_root):
        roles.setdefault(target, "what a link in it leads to")
    if workflow := _running_workflow(environ):
        # By its own name, which is the one that git reports, also where it is a link.
        roles.setdefault(str(repository_root / workflow), "the workflow that runs")
    parents = (project_folder, *project_folder.parents)
    return WatchedFiles(
        str(repository_root),
        tuple(WatchedPath(path, role) for path, role in roles.items()),
        tuple(str(folder) for folder in parents if folder.is_relative_to(repository_root)),
        settings.watch,
    )


def _find_linked_paths(
    paths: Iterable[str], links: Iterable[Path], project_folder: Path, repository_root: Path
) -> list[str]:
    """Where links in these files and folders lead to, and the links there, and so on.

    A folder that holds the project itself is left out, and what is outside of the repository.
    """
    known, remaining, targets = set(paths), set(links), list[str]()
    while found := {link for link in remaining if _is_below(link, known)}:
        remaining -= found
        for target in sorted({os.path.realpath(link) for link in found} - known):
            if Path(target).is_relative_to(repository_root) and not project_folder.is_relative_to(target):
                targets.append(target)
        known.update(targets)
    return targets


def _is_below(link: Path, folders: Iterable[str]) -> bool:
    place = os.path.realpath(link.parent)
    return any(place == folder or place.startswith(f"{folder}/") for folder in folders)


def _configured_paths(settings: Settings) -> Iterator[tuple[Path, str]]:
    """Folders and files that the settings name, and their roles."""
    yield settings.project_folder or settings.working_directory, "in its folder"
    yield settings.working_directory, "in its working directory"
    for file in (settings.config_file, settings.alembic, settings.hook):
        if file:
            yield file, "its configuration"
    for step in settings.prepare:
        if step.kind in ("sql_file", "python"):
            yield Path(step.text), "run before its first revision"
    if settings.rehearsal_sql:
        yield settings.rehearsal_sql, "rows for its rehearsal"
    if settings.start_from and settings.start_from.dump:
        yield settings.start_from.dump, "what its history starts from"


def _alembic_paths(settings: Settings, environ: Mapping[str, str]) -> Iterator[tuple[Path, str]]:
    """Folders and files of the project's Alembic environment, and their roles."""
    try:
        environment = locate_environment(settings, environ)
    except ProjectNotFound:
        return  # reported when the project is examined
    yield environment.directory, "in the folder that its migrations run in"
    if environment.entry_file:
        yield environment.entry_file.parent, "in its Alembic folder"
    if environment.config:
        yield environment.config, "its configuration"
        for folder in read_version_locations(environment).folders:
            yield folder, "in a folder of its revisions"


def _running_workflow(environ: Mapping[str, str]) -> str | None:
    """The file of the workflow that runs, `.github/workflows/x.yml`, from the top of its repository."""
    repository = environ.get("GITHUB_REPOSITORY", "")
    workflow = environ.get("GITHUB_WORKFLOW_REF", "").partition("@")[0]
    if not repository or not workflow.startswith(f"{repository}/"):
        return None
    return workflow.removeprefix(f"{repository}/")
