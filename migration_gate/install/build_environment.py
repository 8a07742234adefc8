"""Builds an environment: its Python, the packages, a driver, the project itself, and last its record."""

from __future__ import annotations

import os
import time
from collections.abc import Generator, Mapping
from dataclasses import replace
from pathlib import Path

from packaging.utils import canonicalize_name

from migration_gate.errors import ProjectNotImported
from migration_gate.install.alembic_group import OptionalPackages, find_group_with
from migration_gate.install.environment_cache import (
    EnvironmentCache,
    EnvironmentFolder,
    EnvironmentRecord,
    change_owner,
    temporary_folder,
)
from migration_gate.install.failure_advice import explain_failure
from migration_gate.install.install_steps import (
    EXPORTED_KINDS,
    InstallOrder,
    InstallStep,
    InstallSteps,
    list_steps,
)
from migration_gate.install.installation_plan import InstallationPlan
from migration_gate.install.installer import FinishedCommand, Installer, select_variables
from migration_gate.install.lock_export import ExportedLock, Selection, export_lock
from migration_gate.install.postgres_driver import MissingDriver, choose_missing_driver
from migration_gate.install.project_link import build_link_command, describe_package
from migration_gate.install.uv_program import find_uv
from migration_gate.install.virtual_environment import create_environment, read_python_version
from migration_gate.lazy_dataclass import dataclass
from migration_gate.project.interpreter import Interpreter, inspect_interpreter
from migration_gate.sandbox.writable_folders import list_writable_folders

MOST_ADDED_GROUPS = 2
"""one for Alembic, one for SQLAlchemy"""


@dataclass(frozen=True, slots=True)
class _Build:
    """One build of an environment: what its steps share, and how they are run."""

    plan: InstallationPlan
    cache: EnvironmentCache
    environment: EnvironmentFolder
    installer: Installer
    uv: str

    def run(self, step: InstallStep, title: str) -> Generator[str, None, None]:
        """Run one command. Raises ProjectNotImported if it fails."""
        finished = yield from self.installer.run(step.command, step.folder, step.variables)
        self.check(finished, title)

    def check(self, finished: FinishedCommand, title: str) -> None:
        """Raise ProjectNotImported if the command failed."""
        if finished.status:
            source = self.plan.source
            where = str(source.file) if source and not self.plan.command else "install"
            raise explain_failure(title, where, finished.lines, finished.status)

    def inspect(self) -> Interpreter:
        """What is installed in the environment by now."""
        return inspect_interpreter(self.environment.python, "", self.environment.folder, {})


@dataclass(frozen=True, slots=True)
class _InstalledSource:
    """What is left to do, and to say, when a source is installed."""

    linked_folders: tuple[Path, ...]
    """the packages of the repository, to be made importable"""
    notes: tuple[str, ...]


def build_environment(
    plan: InstallationPlan,
    cache: EnvironmentCache,
    environment: EnvironmentFolder,
    environ: Mapping[str, str],
) -> Generator[str, None, EnvironmentRecord]:
    """Build it from nothing: yields what the installer prints. Raises ProjectNotImported and TimedOut."""
    _make_folder(environment, cache)
    settings = plan.settings
    variables = select_variables(environ, settings.env_by_name())
    deadline = time.monotonic() + settings.install_seconds
    installer = Installer(
        cache.account,
        variables,
        cache.folder,
        deadline,
        settings.install_seconds,
        compiles_bytecode=cache.is_kept,
        writable_folders=(environment.folder,),
    )
    build = _Build(plan, cache, environment, installer, _require_uv())

    created, note = yield from create_environment(
        plan.python, environment, installer, build.uv, with_pip=bool(plan.command)
    )
    build.check(created, plan.title)
    notes = [note] if note else []
    notes += [f"{name} was not installed (`without`)" for name in settings.without]
    linked_folders: tuple[Path, ...] = ()
    if plan.command:
        # What people install with writes beside the sources: `pip install -e .`, for example.
        caches = [cache.folder]
        temporary_caches = [] if cache.account else caches
        checkout = map(Path, list_writable_folders(plan.top, environment.folder, caches, temporary_caches))
        own = replace(build, installer=installer.allow_writing(*checkout))
        yield from own.run(_own_command(build), plan.title)
    else:
        installed = yield from _install_source(build)
        linked_folders = installed.linked_folders
        notes += installed.notes
    _check_packages(build)
    driver = yield from _add_missing_driver(build)
    if driver:
        notes.append(
            f"the project has no PostgreSQL driver: {driver.packages[0]} was added, because {driver.reason}"
        )
    record = EnvironmentRecord(
        folder=str(environment.folder),
        version=read_python_version(environment),
        notes=tuple(notes),
        driver=driver.packages[0] if driver else "",
    )
    linked = [describe_package(folder) for folder in linked_folders]
    link_command = build_link_command(environment, linked, record)
    yield from build.run(InstallStep(tuple(link_command), cache.folder), "the last step")
    return record


def _make_folder(environment: EnvironmentFolder, cache: EnvironmentCache) -> None:
    """Make an empty folder, which is all of `environments` that the commands may write to."""
    environment.remove()
    environment.folder.mkdir()
    if cache.account:
        os.chown(environment.folder, cache.account.uid, cache.account.gid)


def _add_missing_driver(build: _Build) -> Generator[str, None, MissingDriver | None]:
    """Install a PostgreSQL driver where the project's packages have none."""
    driver = choose_missing_driver(build.inspect().packages, build.plan.scripts)
    if driver is not None:
        command = (build.uv, "pip", "install", "--python", str(build.environment.python), *driver.packages)
        step = InstallStep(command, build.cache.folder)
        yield from build.run(step, f"adding {' and '.join(driver.packages)}")
    return driver


def _install_source(build: _Build) -> Generator[str, None, _InstalledSource]:
    """Install what the source lists; again with one more group where only that has Alembic or SQLAlchemy."""
    plan, source = build.plan, build.plan.source
    assert source is not None  # noqa: S101 - there is no command
    without = tuple(canonicalize_name(name) for name in plan.settings.without)
    selection = Selection(plan.settings.groups, plan.settings.extras)
    order = InstallOrder(source, build.environment, selection, build.uv, without)
    added_notes: list[str] = []
    while True:
        steps = yield from _run_steps(build, order)
        missing = build.inspect().missing
        if not missing or len(added_notes) == MOST_ADDED_GROUPS:
            break
        addition = find_group_with(source, missing[0])
        if addition is None or _is_selected(order.selection, addition):
            break
        added_notes.append(f"the {addition.kind} `{addition.name}` was installed too: {missing[0]} is in it")
        order = replace(order, selection=_add_packages(order.selection, addition))
    notes = [replacement.note for replacement in steps.replacements]
    return _InstalledSource(steps.linked_folders, (*notes, *added_notes))


def _run_steps(build: _Build, order: InstallOrder) -> Generator[str, None, InstallSteps]:
    """Export the lock file where it needs that, and run the commands of the order."""
    title = f"installing from {build.plan.title}"
    exported: ExportedLock | None = None
    if order.source.kind in EXPORTED_KINDS:
        exported = yield from export_lock(
            order.source, order.selection, order.environment.python, order.uv, build.installer
        )
        build.check(exported.finished, f"reading {build.plan.title}")
    # A new folder each time: build scripts of the round before may have changed what was in it.
    with temporary_folder(build.cache) as scratch:
        steps = list_steps(order, exported, scratch)
        if build.cache.account:
            change_owner(scratch, build.cache.account.uid, build.cache.account.gid, build.cache.owners)
        installer = build.installer.allow_writing(scratch)
        for step in steps.steps:
            yield from replace(build, installer=installer).run(step, title)
    return steps


def _is_selected(selection: Selection, packages: OptionalPackages) -> bool:
    return packages.name in (selection.groups if packages.kind == "group" else selection.extras)


def _add_packages(selection: Selection, packages: OptionalPackages) -> Selection:
    if packages.kind == "group":
        return replace(selection, groups=(*selection.groups, packages.name))
    return replace(selection, extras=(*selection.extras, packages.name))


def _check_packages(build: _Build) -> None:
    """Raise ProjectNotImported if Alembic or SQLAlchemy is missing in the environment."""
    missing, plan = build.inspect().missing, build.plan
    if not missing:
        return
    listed = " and no ".join(missing)
    if plan.command or plan.source is None:
        raise ProjectNotImported(
            f"The command {plan.title} succeeded, and there is no {listed} in the environment.",
            where="install",
            advice=f"It is made for `{build.environment.folder}`, which is $VIRTUAL_ENV and first on PATH: "
            "install there.",
        )
    raise ProjectNotImported(
        f"Everything in {plan.title} was installed, and there is no {listed} in it.",
        where=str(plan.source.file),
        advice="Name the group or the extra that has it (`groups:`, `extras:`), or give the command that "
        f"installs it: `install: pip install {' '.join(missing)} …`.",
    )


def _own_command(build: _Build) -> InstallStep:
    """The user's own command, in a shell, with the environment active. It has our uv where PATH has none."""
    folder = str(build.environment.folder)
    search = (f"{folder}/bin", os.environ.get("PATH", os.defpath), str(Path(build.uv).parent))
    variables = {"VIRTUAL_ENV": folder, "UV_PROJECT_ENVIRONMENT": folder, "PATH": os.pathsep.join(search)}
    return InstallStep(
        ("/bin/sh", "-c", build.plan.command), build.plan.settings.working_directory, variables
    )


def _require_uv() -> str:
    """The path of uv. Raises ProjectNotImported if it is not here."""
    uv = find_uv()
    if uv is None:
        raise ProjectNotImported(
            "The project's packages have to be installed, and uv, which installs them, is not on PATH.",
            where="install",
            advice="Install uv (https://docs.astral.sh/uv), or install the packages yourself and name the "
            "interpreter with `python:`.",
        )
    return uv
