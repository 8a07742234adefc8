"""Creates the virtual environment with a Python of this machine, or with one that uv downloads."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Generator, Mapping, Sequence
from pathlib import Path

from packaging.specifiers import SpecifierSet

from migration_gate.errors import ProjectNotImported
from migration_gate.install.environment_cache import EnvironmentFolder
from migration_gate.install.installer import FinishedCommand, Installer
from migration_gate.install.python_version import PythonRequest

NO_PYTHON = re.compile(r"No interpreter found|Failed to download|No download found|not compatible with", re.I)


def create_environment(
    request: PythonRequest,
    environment: EnvironmentFolder,
    installer: Installer,
    uv: str,
    *,
    with_pip: bool,
) -> Generator[str, None, tuple[FinishedCommand, str]]:
    """Create it with the requested Python, else with one that the project says it runs on.

    Yields what uv prints. Returns the last command, and a note if it is not the requested Python.
    Raises ProjectNotImported if no Python can be had.
    """
    variables = {"PATH": _build_search_path(installer.variables), "UV_PYTHON_PREFERENCE": "system"}
    command = [uv, "venv", "--no-project", *(["--seed"] if with_pip else []), str(environment.folder)]

    first = yield from installer.run([*command, "--python", request.specifier], variables=variables)
    if not first.status or not NO_PYTHON.search(first.tail):
        return first, ""
    if request.alternative:
        second = yield from installer.run([*command, "--python", request.alternative], variables=variables)
        if not second.status:
            note = (
                f"Python {request.specifier} ({request.origin}) is not here and could not be downloaded: "
                f"{read_python_version(environment)} was taken, which `{request.alternative}` allows"
            )
            return second, note
    listed = yield from installer.run([uv, "python", "list", "--only-installed"], variables=variables)
    versions = dict.fromkeys(re.findall(r"^cpython-([\d.]+)", "\n".join(listed.lines), re.MULTILINE))
    raise ProjectNotImported(
        f"Python {request.specifier} is needed ({request.origin}); here are {', '.join(versions) or 'none'}, "
        "and it could not be downloaded.",
        where=str(installer.folder / "python"),
        advice="Install it on this machine,"
        f"{_suggest_version(request.project_range, list(versions))} or let uv reach its "
        "downloads (`UV_PYTHON_INSTALL_MIRROR` names another address).",
        evidence=first.tail,
    )


def _suggest_version(project_range: str, versions: Sequence[str]) -> str:
    """Those of the versions to choose from; none that the project's own range rules out."""
    allowed = [version for version in versions if SpecifierSet(project_range).contains(version)]
    return f" set `python_version:` to one of these ({', '.join(allowed)})," if allowed else ""


def read_python_version(environment: EnvironmentFolder) -> str:
    """The version of the environment's Python, such as 3.12.1."""
    text = (environment.folder / "pyvenv.cfg").read_text("utf-8")
    match = re.search(r"^version(?:_info)?\s*=\s*([\d.]+)", text, re.MULTILINE)
    return match[1] if match else "?"


def _build_search_path(variables: Mapping[str, str]) -> str:
    """PATH, and before it the folder of the gate's own Python."""
    own = Path(getattr(sys, "_base_executable", "") or sys.executable).resolve().parent
    return os.pathsep.join([str(own), variables.get("PATH", os.defpath)])
