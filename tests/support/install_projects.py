"""Small projects to install: an Alembic folder, and beside it the files that list the packages."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from migration_gate.config.settings import Settings
from migration_gate.install import Installed, install_packages
from tests.support.project_files import write_files

LOCKS = Path(__file__).parents[1] / "install" / "locks"
INI = "[alembic]\nscript_location = migrations\nsqlalchemy.url = postgresql://app@db.invalid/app\n"
ENV = "from alembic import context\nfrom sqlalchemy import engine_from_config\n"
ASYNC_ENV = "from sqlalchemy.ext.asyncio import async_engine_from_config\n"

INDEX_VARIABLES = ("UV_DEFAULT_INDEX", "UV_INDEX_URL", "UV_INDEX", "PIP_INDEX_URL")


@dataclass(frozen=True, slots=True)
class InstallationRun:
    """An installation, and what was shown while it ran."""

    installed: Installed
    lines: tuple[str, ...]


def find_uv() -> str:
    """The path of uv, which the group `dev` installs."""
    uv = shutil.which("uv", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    assert uv, "uv is missing: the group `dev` has it"
    return uv


def read_index_variables() -> dict[str, str]:
    """This machine's variables, and the package index of pip's configuration, which uv does not read."""
    variables = dict(os.environ)
    if not any(name in variables for name in INDEX_VARIABLES):
        command = [sys.executable, "-m", "pip", "config", "get", "global.index-url"]
        asked = subprocess.run(command, capture_output=True, text=True, check=False)
        if asked.returncode == 0:
            variables["PIP_INDEX_URL"] = asked.stdout.strip()
    return variables


def write_project(folder: Path, files: Mapping[str, str], env: str = ENV) -> Path:
    """A project's folder with these files, and an Alembic environment."""
    write_files(folder, {"alembic.ini": INI, "migrations/env.py": env, **files})
    (folder / ".git").mkdir(exist_ok=True)
    return folder


def copy_locked_project(folder: Path, kind: str, inside: str = "") -> Path:
    """A project with one of the genuine lock files; Alembic's folder is in `inside`."""
    shutil.copytree(LOCKS / kind, folder)
    write_project(folder / inside, {})
    (folder / ".git").mkdir(exist_ok=True)
    return folder / inside


def make_settings(folder: Path, cache: Path | None, **changes: object) -> Settings:
    """Settings with the installation switched on."""
    fields: dict[str, object] = {"install": "auto", "cache": cache, **changes}
    return Settings("shop", folder, folder, **fields)  # type: ignore[arg-type]


def run_installation(settings: Settings, environ: Mapping[str, str]) -> InstallationRun:
    """Install to the end."""
    lines = []
    installation = install_packages(settings, environ)
    while True:
        try:
            lines.append(next(installation).text)
        except StopIteration as end:
            return InstallationRun(end.value, tuple(lines))


def list_installed(installed: Installed) -> dict[str, str]:
    """The packages in an environment, and their versions."""
    packages = {}
    for entry in installed.python.parent.parent.glob("lib/python3*/site-packages/*.dist-info"):
        name, _, version = entry.name.removesuffix(".dist-info").partition("-")
        packages[name.lower().replace("_", "-")] = version
    return packages


def list_files(folder: Path) -> set[Path]:
    """Every file and folder in a folder."""
    return set(folder.rglob("*"))
