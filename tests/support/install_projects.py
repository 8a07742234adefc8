"""Small projects to install: an Alembic folder, and beside it whatever lists the packages."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from migration_gate.config.settings import Settings
from migration_gate.install import Installed, install
from tests.support.project_files import write_files

LOCKS = Path(__file__).parents[1] / "install" / "locks"
INI = "[alembic]\nscript_location = migrations\nsqlalchemy.url = postgresql://app@db.invalid/app\n"
ENV = "from alembic import context\nfrom sqlalchemy import engine_from_config\n"
ASYNC = "from sqlalchemy.ext.asyncio import async_engine_from_config\n"


def uv() -> str:
    """Where uv is. Skips the test where it is nowhere."""
    found = shutil.which("uv")
    if found is None:
        pytest.skip("uv is not on PATH: nothing can be installed, and none of this is tested")
    return found


def write(folder: Path, files: Mapping[str, str], env: str = ENV) -> Path:
    """A project's folder with these files, and an Alembic environment."""
    write_files(folder, {"alembic.ini": INI, "migrations/env.py": env, **files})
    (folder / ".git").mkdir(exist_ok=True)
    return folder


def locked(folder: Path, kind: str, inside: str = "") -> Path:
    """A project with one of the genuine lock files of `tests/locks`; Alembic's folder is in `inside`."""
    shutil.copytree(LOCKS / kind, folder)
    write(folder / inside, {})
    (folder / ".git").mkdir(exist_ok=True)
    return folder / inside


@dataclass(frozen=True, slots=True)
class Ran:
    """An installation, and what was shown while it ran."""

    done: Installed
    lines: tuple[str, ...]


def settings(folder: Path, cache: Path, **more: object) -> Settings:
    """Settings with the installation switched on."""
    given: dict[str, object] = {"install": "auto", "cache": cache, **more}
    return Settings("shop", folder, folder, **given)  # type: ignore[arg-type]


def run(wanted: Settings, environ: Mapping[str, str]) -> Ran:
    """Install to the end."""
    lines = []
    running = install(wanted, environ)
    while True:
        try:
            lines.append(next(running).text)
        except StopIteration as end:
            return Ran(end.value, tuple(lines))


def packages(done: Installed) -> dict[str, str]:
    """What is in an environment, by name."""
    found = {}
    for entry in done.python.parent.parent.glob("lib/python3*/site-packages/*.dist-info"):
        name, _, version = entry.name.removesuffix(".dist-info").partition("-")
        found[name.lower().replace("_", "-")] = version
    return found
