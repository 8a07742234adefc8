"""Installs the project's packages into an environment of their own, where no interpreter has them.

The environment is kept in a folder that outlives the run, under a name that says all it was made from.
"""

from __future__ import annotations

import os
import time
from collections.abc import Generator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from migration_gate.config.settings import Settings
from migration_gate.install import place
from migration_gate.install.build import build
from migration_gate.install.job import Job, job, wanted
from migration_gate.progress import Progress

__all__ = ["Installed", "Job", "install", "job", "wanted"]


@dataclass(frozen=True, slots=True)
class Installed:
    """An environment with the project's packages."""

    python: Path
    notes: tuple[str, ...]
    """what a reader of the report should know"""
    seconds: float
    cached: bool
    driver_added: str
    key: str
    """the environment's name in the cache"""
    folder: Path
    """the cache"""
    title: str
    """the file or the command that it was made from"""

    def applied(self, settings: Settings) -> Settings:
        """The settings with this interpreter."""
        return replace(settings, python=self.python, installed=f"the installation from {self.title}")


def install(
    settings: Settings, environ: Mapping[str, str] | None = None
) -> Generator[Progress, None, Installed]:
    """Install, or take what an earlier run installed: yields what the installer says. Raises GateError."""
    environ = os.environ if environ is None else environ
    started = time.perf_counter()
    work = job(settings, environ)
    yield Progress("install", f"from {work.title.strip('`')}")
    kept = place.cache(settings, work.top, environ)
    name = work.name(kept.folder)
    home = place.home(kept, name)
    record = home.record()
    cached = record is not None
    if record is None:
        with place.building(kept):
            record = home.record()  # another run may have built it while we waited
            record = record or (yield from _shown(build(work, kept, home, environ)))
            place.prune(kept, name)
    seconds = time.perf_counter() - started
    how = "taken from the cache" if cached else f"installed in {seconds:.1f} s"
    first = f"packages from {work.title} for Python {record.get('version', '?')}, {how} ({home.folder})"
    return Installed(
        python=home.python,
        notes=(first, *map(str, record.get("notes", ()))),
        seconds=seconds,
        cached=cached,
        driver_added=str(record.get("driver", "")),
        key=name,
        folder=kept.folder,
        title=work.title,
    )


def _shown(lines: Generator[str, None, dict[str, Any]]) -> Generator[Progress, None, dict[str, Any]]:
    """What the installer says, as progress; its end is ours."""
    try:
        while True:
            try:
                yield Progress("install", next(lines))
            except StopIteration as end:
                record: dict[str, Any] = end.value
                return record
    finally:
        lines.close()
