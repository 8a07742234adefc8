"""Which files concern a project, so that a monorepo examines only the projects that a change touches.

These are the project's own folders, its configuration, the lock files above it, and the packages in the
repository that it depends on by path. Files that it uses without declaring them are named by `watch`.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from packaging.utils import NormalizedName, canonicalize_name

from migration_gate import git
from migration_gate.config.settings import Settings
from migration_gate.errors import ProjectNotFound
from migration_gate.project.locate import locate_environment
from migration_gate.project.search import read_text_file
from migration_gate.project.version_locations import read_version_locations

LOCK_FILE_NAME = re.compile(
    r"(uv|poetry|pdm)\.lock|Pipfile(\.lock)?|requirements[\w.-]*\.(txt|in)|pyproject\.toml|setup\.(py|cfg)"
    r"|constraints[\w.-]*\.txt|\.python-version"
)
_PATH_IN_PYPROJECT = re.compile(r"file:(?://)?(?:/?\$\{PROJECT_ROOT\}/)?(\.{1,2}(?:/[\w.@+-]+)*)$")
"""a path inside a PEP 508 requirement: `shared @ file:///${PROJECT_ROOT}/../shared`"""
_PATH_IN_REQUIREMENTS = re.compile(
    r"^\s*(?:-e\s+|--editable[ =])?[\"']?(?:[\w.-]+\s*@\s*)?(?:file:(?://)?)?(\.{1,2}(?:/[\w.@+-]+)*)(?=[\"'\[\s;#]|$)",
    re.MULTILINE,
)
"""a folder in requirements.txt: `../shared`, `-e ../shared[extra]`"""


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


def find_watched_files(settings: Settings, environ: Mapping[str, str]) -> WatchedFiles:
    """Find what concerns the project of `settings`; reads its configuration and its dependencies' names."""
    repository_root = Path(os.path.realpath(git.find_repository_root(settings.root)))
    project_folder = Path(os.path.realpath(settings.project_folder or settings.working_directory))
    working_directory = Path(os.path.realpath(settings.working_directory))
    roles: dict[str, str] = {}
    for path, role in _configured_paths(settings):
        roles.setdefault(os.path.realpath(path), role)
    for path, role in _alembic_paths(settings, environ):
        roles.setdefault(os.path.realpath(path), role)
    for folder in dict.fromkeys((project_folder, working_directory)):
        for package in find_path_dependencies(folder, repository_root):
            roles.setdefault(str(package), "in a package that it depends on")
    if workflow := _running_workflow(environ):
        roles.setdefault(str(repository_root / workflow), "the workflow that runs")
    parents = (project_folder, *project_folder.parents)
    return WatchedFiles(
        str(repository_root),
        tuple(WatchedPath(path, role) for path, role in roles.items()),
        tuple(str(folder) for folder in parents if folder.is_relative_to(repository_root)),
        settings.watch,
    )


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


def find_path_dependencies(project_folder: Path, repository_root: Path) -> Iterator[Path]:
    """Folders of the repository that a project depends on, and those that they depend on in turn.

    A folder that holds the project itself is left out.
    """
    waiting, seen = [project_folder], {project_folder}
    while waiting:
        for dependency in _declared_dependencies(waiting.pop(), repository_root):
            package = Path(os.path.realpath(dependency))
            is_inside = package.is_relative_to(repository_root) and package.is_dir()
            if is_inside and package not in seen and not project_folder.is_relative_to(package):
                seen.add(package)
                waiting.append(package)
                yield package


def _declared_dependencies(folder: Path, repository_root: Path) -> Iterator[Path]:
    """Folders that pyproject.toml and the requirements files in `folder` name; some may not exist."""
    for requirements in sorted(folder.glob("*requirements*.txt")):
        for path in _PATH_IN_REQUIREMENTS.findall(read_text_file(requirements)):
            yield folder / path
            yield repository_root / path
    pyproject = _read_toml(folder / "pyproject.toml")
    for path in _paths_in_pyproject(pyproject):
        yield folder / path
        yield repository_root / path
    workspace_names = set(_workspace_dependencies(pyproject))
    if workspace_names:
        for name, package in _workspace_packages(repository_root):
            if name in workspace_names:
                yield package


def _read_toml(file: Path) -> dict[str, object]:
    """The file's contents; empty where it is missing or is no TOML, which the gate reports elsewhere."""
    try:
        return tomllib.loads(read_text_file(file)) if file.is_file() else {}
    except tomllib.TOMLDecodeError:
        return {}


def _tables_in(value: object) -> Iterator[dict[str, object]]:
    """Every table below a value, itself too."""
    if isinstance(value, dict):
        yield value
        for nested_value in value.values():
            yield from _tables_in(nested_value)
    elif isinstance(value, list):
        for item in value:
            yield from _tables_in(item)


def _texts_in(value: object) -> Iterator[str]:
    """Every text in the lists of all tables: requirements are written there."""
    for table in _tables_in(value):
        for nested_value in table.values():
            if isinstance(nested_value, list):
                yield from (item for item in nested_value if isinstance(item, str))


def _paths_in_pyproject(pyproject: dict[str, object]) -> Iterator[str]:
    """Relative paths of dependencies: `{path = "../shared"}`, and `file:` in a requirement."""
    for table in _tables_in(pyproject.get("tool")):
        path = table.get("path")
        if isinstance(path, str) and path.startswith("."):
            yield path
    for text in _texts_in(pyproject):
        requirement = text.partition(";")[0].strip()
        if match := _PATH_IN_PYPROJECT.search(requirement):
            yield match[1]


def _workspace_dependencies(pyproject: dict[str, object]) -> Iterator[NormalizedName]:
    """Names of dependencies that uv takes from the workspace: `shared = {workspace = true}`."""
    for table in _tables_in(pyproject.get("tool")):
        for name, source in table.items():
            if isinstance(source, dict) and source.get("workspace") is True:
                yield canonicalize_name(name)


def _workspace_packages(repository_root: Path) -> Iterator[tuple[NormalizedName, Path]]:
    """The packages of the repository: name and folder of each tracked pyproject.toml."""
    for path in git.list_tracked_files(repository_root).paths:
        if path.rpartition("/")[2] == "pyproject.toml":
            file = repository_root / path
            for name in _package_names(_read_toml(file)):
                yield canonicalize_name(name), file.parent


def _package_names(pyproject: dict[str, object]) -> Iterator[str]:
    """The package's name, as PEP 621 or Poetry writes it."""
    tool = pyproject.get("tool")
    poetry = tool.get("poetry") if isinstance(tool, dict) else None
    for table in (pyproject.get("project"), poetry):
        name = table.get("name") if isinstance(table, dict) else None
        if isinstance(name, str):
            yield name


def _running_workflow(environ: Mapping[str, str]) -> str | None:
    """The file of the workflow that runs, `.github/workflows/x.yml`, from the top of its repository."""
    repository = environ.get("GITHUB_REPOSITORY", "")
    workflow = environ.get("GITHUB_WORKFLOW_REF", "").partition("@")[0]
    if not repository or not workflow.startswith(f"{repository}/"):
        return None
    return workflow.removeprefix(f"{repository}/")
