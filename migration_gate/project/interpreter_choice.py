"""Chooses the interpreter that the project's code runs in, mostly without starting one."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from packaging.version import InvalidVersion, Version

from migration_gate.errors import ProjectNotImported
from migration_gate.lazy_dataclass import dataclass
from migration_gate.project.interpreter import REQUIRED_PACKAGES, Interpreter, inspect_interpreter

OLDEST_PYTHON = (3, 9)
LOCK_FILES = {
    "uv.lock": "uv sync",
    "poetry.lock": "poetry install",
    "pdm.lock": "pdm install",
    "Pipfile.lock": "pipenv install",
    "environment.yml": "conda env create",
}
"""the command that installs what a file lists"""
TOOL_MARKERS = {
    ".install_state_v1": "pre-commit",
    ".install_state_v2": "pre-commit",
    ".prek-hook.json": "prek",
    "uv-receipt.toml": "uv tool",
    "pipx_metadata.json": "pipx",
}
"""a file in an environment that was made for one tool, and what made it; no project is installed there"""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A Python that may have the project's packages."""

    python: Path
    why: str

    @property
    def prefix(self) -> Path:
        """The folder of its environment."""
        return self.python.parent.parent

    @property
    def is_own_environment(self) -> bool:
        """Whether this gate runs in the same environment."""
        return self.prefix.resolve() == Path(sys.prefix).resolve()

    @property
    def identity(self) -> Path:
        """The environment, or the Python itself: links to one Python are different environments."""
        return self.prefix.resolve() if (self.prefix / "pyvenv.cfg").is_file() else self.python.resolve()


def choose_interpreter(
    setting: Path | None, directory: Path, root: Path, environ: Mapping[str, str], installed: str = ""
) -> Interpreter:
    """The project's interpreter. Raises ProjectNotImported when none has what a migration needs.

    `setting` is the one that the user named, or that the gate installed: then `installed` says how. Without
    it, environments near `directory` and up to `root` come first, then active ones, then the PATH.
    """
    if setting is not None:
        interpreter = inspect_interpreter(setting, installed or "the setting `python`", root, environ)
        return _demand_usable(interpreter, directory, root)
    passed_over: list[Interpreter] = []
    for candidate in _find_candidates(directory, root, environ):
        interpreter = inspect_interpreter(candidate.python, candidate.why, root, environ)
        if interpreter.is_usable:
            notes = tuple(
                f"`{unusable.python}` was passed over: {_describe_lack(unusable)}" for unusable in passed_over
            )
            return _demand_usable(replace(interpreter, notes=notes), directory, root)
        passed_over.append(interpreter)
    if passed_over:
        return _demand_usable(passed_over[0], directory, root)
    maker = find_tool_environment()
    raise ProjectNotImported(
        "No Python with the project's packages was found: no virtual environment near the project, "
        "none active, none on PATH."
        + (f" The gate's own environment, which {maker} made, has none of them." if maker else ""),
        where=str(directory),
        advice=f"Install the project: `{suggest_install_command('python3', directory, root)}`. "
        "Or name its interpreter with `python:`.",
    )


def find_ready_environment(directory: Path, root: Path, environ: Mapping[str, str]) -> Interpreter | None:
    """An environment near the project, or an active one, that has what a migration needs; not the gate's."""
    for candidate in _find_environments(directory, root, environ):
        if not candidate.is_own_environment:
            interpreter = inspect_interpreter(candidate.python, candidate.why, root, environ)
            if interpreter.is_usable:
                return interpreter
    return None


def find_tool_environment() -> str:
    """Who made the gate's own environment, where that was made for the gate alone; '' elsewhere."""
    makers = (maker for name, maker in TOOL_MARKERS.items() if (Path(sys.prefix) / name).exists())
    return next(makers, "")


def _find_candidates(directory: Path, root: Path, environ: Mapping[str, str]) -> Iterator[Candidate]:
    """Environments near the project, active ones, then PATH; the gate's own only as the last resort.

    Never the gate's own where that was made for it alone, as pre-commit does, which makes it the active one.
    """
    is_tool_environment = bool(find_tool_environment())
    own_environment: list[Candidate] = []
    for candidate in _find_environments(directory, root, environ):
        if candidate.is_own_environment and is_tool_environment:
            continue
        if candidate.is_own_environment:
            own_environment.append(
                replace(candidate, why=f"{candidate.why}, which is the gate's own environment too")
            )
        else:
            yield candidate
    if not own_environment:
        for candidate in _find_on_path(environ):
            if not candidate.is_own_environment:
                yield candidate
    yield from own_environment


def _find_environments(directory: Path, root: Path, environ: Mapping[str, str]) -> Iterator[Candidate]:
    """The interpreters of virtual environments from `directory` up to `root`, then of active ones."""
    for prefix, why in _find_prefixes(directory, root, environ):
        python = prefix / "bin" / "python"
        if python.exists():
            yield Candidate(python, why)


def _find_prefixes(directory: Path, root: Path, environ: Mapping[str, str]) -> Iterator[tuple[Path, str]]:
    folders = [directory, *directory.parents]
    folders = folders[: folders.index(root) + 1] if root in folders else [directory, root]
    for folder in folders:
        for name in (".venv", "venv"):
            if (folder / name / "pyvenv.cfg").is_file():
                yield folder / name, f"the virtual environment `{folder / name}`"
    for variable in ("VIRTUAL_ENV", "CONDA_PREFIX"):
        if environ.get(variable):
            yield Path(environ[variable]), f"the active environment (${variable})"


def _find_on_path(environ: Mapping[str, str]) -> Iterator[Candidate]:
    """Every Python on PATH, each once, whatever links lead to it."""
    seen: set[Path] = set()
    for folder in environ.get("PATH", os.defpath).split(os.pathsep):
        for name in ("python3", "python"):
            candidate = Candidate((Path(folder or ".") / name).absolute(), f"`{name}` on PATH")
            python = candidate.python
            if os.access(python, os.X_OK) and python.is_file() and candidate.identity not in seen:
                seen.add(candidate.identity)
                yield candidate


def _demand_usable(interpreter: Interpreter, directory: Path, root: Path) -> Interpreter:
    """The interpreter itself. Raises ProjectNotImported, with what helps, if it will not do."""
    name = f"The project's interpreter `{interpreter.python}`"
    reason = f"It was chosen because of {interpreter.why}. Another one can be named with `python:`."
    if interpreter.version and interpreter.version < OLDEST_PYTHON:
        raise ProjectNotImported(
            f"{name} is Python {_join_version(interpreter.version)}; "
            f"the gate needs {_join_version(OLDEST_PYTHON)} or newer.",
            where=str(interpreter.python),
            advice=reason,
        )
    if interpreter.problem:
        raise ProjectNotImported(
            f"{name} could not be asked: {interpreter.problem}.",
            where=str(interpreter.python),
            advice=reason,
        )
    if interpreter.missing:
        command = suggest_install_command(str(interpreter.python), directory, root)
        raise ProjectNotImported(
            f"{name} has no {' and no '.join(interpreter.missing)}.",
            where=str(interpreter.python),
            advice=f"Install the project there: `{command}`. {reason}",
        )
    for package, oldest in REQUIRED_PACKAGES.items():
        version = interpreter.packages[package]
        if _is_older(version, oldest):
            raise ProjectNotImported(
                f"{name} has {package} {version}; the gate needs {oldest} or newer.",
                where=str(interpreter.python),
                advice=f"Upgrade {package}. {reason}",
            )
    return interpreter


def _is_older(version: str, oldest: Version) -> bool:
    """A pre-release of the oldest version will do; so does a version that nobody can read."""
    try:
        return Version(version).release < oldest.release
    except InvalidVersion:
        return False


def _describe_lack(interpreter: Interpreter) -> str:
    return interpreter.problem or f"it has no {' and no '.join(interpreter.missing)}"


def _join_version(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))


def suggest_install_command(python: str, directory: Path, root: Path) -> str:
    """The command that installs the project's packages, by the files that list them."""
    for folder in dict.fromkeys((directory, root)):
        for name, command in LOCK_FILES.items():
            if (folder / name).is_file():
                return command
        if (folder / "requirements.txt").is_file():
            return f"{python} -m pip install -r {folder / 'requirements.txt'}"
        if (folder / "pyproject.toml").is_file() or (folder / "setup.py").is_file():
            return f"{python} -m pip install -e {folder}"
    return f"{python} -m pip install alembic sqlalchemy psycopg2-binary"
