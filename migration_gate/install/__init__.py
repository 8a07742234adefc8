"""Installs the project's packages into an environment of their own, if no interpreter has them.

The environment is kept in a folder that outlives the run, under a name that says all it was made from.

    installation_plan   what would be installed; package_source: from which file
    lock_export, requirement_files, project_metadata, alembic_group     what those files say
    build_environment   builds it: virtual_environment, python_version, install_steps, installer,
                        postgres_driver, project_link, link_script
    environment_cache   keeps it between runs
    failure_advice      what to do if it failed
    pinned_package      one file by its hash, for the server of the run
    uv_program          finds uv, which installs all of these
"""

from __future__ import annotations

import os
import time
from collections.abc import Generator, Mapping
from dataclasses import replace
from pathlib import Path

from migration_gate.config.settings import Settings
from migration_gate.install.environment_cache import EnvironmentRecord, lock_cache, open_cache
from migration_gate.install.installation_plan import InstallationPlan, needs_installation, plan_installation
from migration_gate.lazy_dataclass import dataclass
from migration_gate.progress import Progress

__all__ = ["InstallationPlan", "Installed", "install_packages", "needs_installation", "plan_installation"]


@dataclass(frozen=True, slots=True)
class Installed:
    """An environment with the project's packages."""

    python: Path
    notes: tuple[str, ...]
    """what a reader of the report should know"""
    cached: bool
    """whether an earlier run installed it"""
    driver_added: str
    """the PostgreSQL driver that the project's packages lacked, or nothing"""
    key: str
    """the environment's name in the cache"""
    title: str
    """the file or the command that it was made from"""

    def apply_to(self, settings: Settings) -> Settings:
        """The settings with this interpreter."""
        return replace(settings, python=self.python, installed=f"the installation from {self.title}")


def install_packages(
    settings: Settings, environ: Mapping[str, str] | None = None
) -> Generator[Progress, None, Installed]:
    """Install the packages, or take the environment of an earlier run.

    Yields what the installer prints. Raises GateError.
    """
    environ = os.environ if environ is None else environ
    started = time.perf_counter()
    plan = plan_installation(settings, environ)
    yield Progress("install", f"from {plan.title.strip('`')}")
    cache = open_cache(settings, plan.top, environ)
    name = plan.name_environment(cache.folder)
    environment = cache.locate_environment(name)
    record = environment.read_record()
    cached = record is not None
    if record is None:
        from migration_gate.install.build_environment import build_environment  # noqa: PLC0415 - 30 ms

        with lock_cache(cache):
            environment = cache.locate_environment(name)
            record = environment.read_record()  # another run may have built it while we waited
            if record is None:
                lines = build_environment(plan, cache, environment, environ)
                record = yield from _show_progress(lines)
            cache.remove_replaced(environment.folder.name)
    seconds = time.perf_counter() - started
    how = "taken from the cache" if cached else f"installed in {seconds:.1f} s"
    note = f"packages from {plan.title} for Python {record.version}, {how} ({environment.folder})"
    return Installed(
        python=environment.python,
        notes=(note, *record.notes),
        cached=cached,
        driver_added=record.driver,
        key=environment.folder.name,
        title=plan.title,
    )


def _show_progress(
    lines: Generator[str, None, EnvironmentRecord],
) -> Generator[Progress, None, EnvironmentRecord]:
    """The lines as progress, and what comes of them at the end."""
    try:
        while True:
            try:
                line = next(lines)
            except StopIteration as end:
                record: EnvironmentRecord = end.value
                return record
            yield Progress("install", line)
    finally:
        lines.close()
