"""Chooses the interpreter that the project's code runs in, mostly without starting one."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from migration_gate.config.gate_variables import is_private
from migration_gate.errors import ProjectNotImported
from migration_gate.project.search import read_text_file

OLDEST_PYTHON = (3, 9)
REQUIRED_PACKAGES = {"alembic": (1, 7), "sqlalchemy": (1, 4)}
"""what the project must bring, and the oldest version that is known to work"""
DRIVERS = ("psycopg2", "psycopg2-binary", "psycopg", "asyncpg", "pg8000")
OF_INTEREST = (
    *REQUIRED_PACKAGES,
    *DRIVERS,
    "flask-migrate",
    "flask-sqlalchemy",
    "sqlmodel",
    "geoalchemy2",
    "pgvector",
)
PROBE = """
import json, sys
found = {}
try:
    from importlib import metadata
    for name in %r:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            pass
except ImportError:
    pass
print(json.dumps([list(sys.version_info[:3]), found, sys.executable]))
"""
PROBE_SECONDS = 30.0
LOCKS = {
    "uv.lock": "uv sync",
    "poetry.lock": "poetry install",
    "pdm.lock": "pdm install",
    "Pipfile.lock": "pipenv install",
    "environment.yml": "conda env create",
}
"""the command that installs what a file lists"""


@dataclass(frozen=True, slots=True)
class Interpreter:
    """A Python, and what is installed for it."""

    python: Path
    why: str
    version: tuple[int, ...] = ()
    packages: tuple[tuple[str, str], ...] = ()
    problem: str = ""
    """why it could not be asked"""
    notes: tuple[str, ...] = ()

    @property
    def missing(self) -> tuple[str, ...]:
        """The packages that the gate needs and that are not there."""
        return tuple(name for name in REQUIRED_PACKAGES if name not in dict(self.packages))


def choose_interpreter(
    setting: Path | None, directory: Path, root: Path, environ: Mapping[str, str], installed: str = ""
) -> Interpreter:
    """The project's interpreter; ProjectNotImported when none has what a migration needs.

    `installed` says how the one of the setting came to be, where the gate installed it.
    """
    if setting is not None:
        found = inspect_interpreter(setting, installed or "the setting `python`", root, environ)
        return _checked(found, directory, root)
    passed: list[Interpreter] = []
    for python, why in _candidates(directory, root, environ):
        found = inspect_interpreter(python, why, root, environ)
        if not found.missing and not found.problem:
            notes = tuple(f"`{each.python}` was passed over: {_lack(each)}" for each in passed)
            return _checked(replace(found, notes=notes), directory, root)
        passed.append(found)
    if passed:
        return _checked(passed[0], directory, root)
    raise ProjectNotImported(
        "No Python with the project's packages was found: no virtual environment near the project, "
        "none active, none on PATH.",
        where=str(directory),
        advice=f"Install the project: `{suggest_install_command('python3', directory, root)}`. "
        "Or name its interpreter with `python:`.",
    )


def find_ready_environment(directory: Path, root: Path, environ: Mapping[str, str]) -> Interpreter | None:
    """An environment near the project, or an active one, that has what a migration needs; not the gate's."""
    for prefix, why in _prefixes(directory, root, environ):
        python = prefix / "bin" / "python"
        if python.exists() and not _is_ours(prefix):
            found = inspect_interpreter(python, why, root, environ)
            if not found.missing and not found.problem:
                return found
    return None


def _candidates(directory: Path, root: Path, environ: Mapping[str, str]) -> Iterator[tuple[Path, str]]:
    """Environments near the project, active ones, then PATH; the gate's own only as the last resort."""
    own: list[tuple[Path, str]] = []
    for prefix, why in _prefixes(directory, root, environ):
        python = prefix / "bin" / "python"
        if not python.exists():
            continue
        if _is_ours(prefix):
            own.append((python, f"{why}, which is the gate's own environment too"))
        else:
            yield python, why
    seen: set[Path] = set()
    for folder in environ.get("PATH", os.defpath).split(os.pathsep):
        for name in ("python3", "python"):
            python = Path(folder or ".") / name
            if os.access(python, os.X_OK) and python.is_file() and python.resolve() not in seen:
                seen.add(python.resolve())
                if not _is_ours(python.parent.parent) and not own:
                    yield python.absolute(), f"`{name}` on PATH"
    yield from own


def _prefixes(directory: Path, root: Path, environ: Mapping[str, str]) -> Iterator[tuple[Path, str]]:
    above = [directory, *directory.parents]
    above = above[: above.index(root) + 1] if root in above else [directory, root]
    for folder in above:
        for name in (".venv", "venv"):
            if (folder / name / "pyvenv.cfg").is_file():
                yield folder / name, f"the virtual environment `{folder / name}`"
    for variable in ("VIRTUAL_ENV", "CONDA_PREFIX"):
        if environ.get(variable):
            yield Path(environ[variable]), f"the active environment (${variable})"


def _is_ours(prefix: Path) -> bool:
    return prefix.resolve() == Path(sys.prefix).resolve()


def inspect_interpreter(python: Path, why: str, root: Path, environ: Mapping[str, str]) -> Interpreter:
    """What is installed: read from the folders of a virtual environment, else asked of the interpreter.

    An interpreter that lies inside the repository is never started here: a stranger may have put it there.
    """
    prefix = python.parent.parent
    found = Interpreter(python, why)
    if (prefix / "pyvenv.cfg").is_file():
        found = _read(prefix, found)
        if not found.missing or prefix.resolve().is_relative_to(root.resolve()):
            return found
    return _ask(found, {**environ, "PYENV_DIR": str(root)})


def _read(prefix: Path, found: Interpreter) -> Interpreter:
    text = read_text_file(prefix / "pyvenv.cfg")
    version = re.search(r"^version(?:_info)?\s*=\s*(\d+)\.(\d+)(?:\.(\d+))?", text, re.M)
    places = [*prefix.glob("lib/python3*/site-packages"), *prefix.glob("lib64/python3*/site-packages")]
    if re.search(r"^include-system-site-packages\s*=\s*true", text, re.M | re.I):
        base = re.search(r"^home\s*=\s*(.+)$", text, re.M)
        home = Path(base[1].strip()).parent if base else Path("/usr")
        dotted = f"python{version[1]}.{version[2]}" if version else "python3"
        places += [home / "lib" / dotted / "site-packages", home / "lib/python3/dist-packages",
                   home / "local/lib" / dotted / "dist-packages"]  # fmt: skip
    packages: dict[str, str] = {}
    for place in places:
        for entry in place.iterdir() if place.is_dir() else ():
            match = re.fullmatch(r"(.+?)-([^-]+)(?:-py[\d.]+)?\.(?:dist|egg)-info", entry.name)
            if match:
                packages.setdefault(re.sub(r"[-_.]+", "-", match[1]).lower(), match[2])
    kept = tuple((name, packages[name]) for name in OF_INTEREST if name in packages)
    numbers = tuple(int(part) for part in version.groups() if part) if version else ()
    return replace(found, version=numbers, packages=kept)


def _ask(found: Interpreter, environ: Mapping[str, str]) -> Interpreter:
    clean = {name: value for name, value in environ.items() if not is_private(name)}
    try:
        done = subprocess.run(
            [str(found.python), "-c", PROBE % (OF_INTEREST,)],
            capture_output=True,
            check=False,
            cwd="/",
            env=clean,
            stdin=subprocess.DEVNULL,
            text=True,
            timeout=PROBE_SECONDS,
        )
        version, packages, real = json.loads(done.stdout.strip().splitlines()[-1])
    except subprocess.TimeoutExpired:
        return replace(found, problem=f"it did not answer within {PROBE_SECONDS:.0f} s")
    except (OSError, ValueError, IndexError) as error:
        last = error.strerror if isinstance(error, OSError) else done.stderr.strip().splitlines()[-1:]
        return replace(found, problem=f"it is not a Python that starts ({last or 'it printed nothing'})")
    # A version manager's stand-in costs 0.1 s at every start.
    python = Path(real) if "shims" in found.python.parts and real else found.python
    return replace(found, python=python, version=tuple(version), packages=tuple(packages.items()))


def _lack(found: Interpreter) -> str:
    return found.problem or f"it has no {' and no '.join(found.missing)}"


def _checked(found: Interpreter, directory: Path, root: Path) -> Interpreter:
    """The interpreter, or ProjectNotImported with the command that mends it."""
    chosen = f"It was chosen because of {found.why}. Another one can be named with `python:`."
    name = f"The project's interpreter `{found.python}`"
    if found.version and found.version < OLDEST_PYTHON:
        raise ProjectNotImported(
            f"{name} is Python {_dots(found.version)}; the gate needs {_dots(OLDEST_PYTHON)} or newer.",
            where=str(found.python),
            advice=chosen,
        )
    if found.problem:
        raise ProjectNotImported(
            f"{name} could not be asked: {found.problem}.", where=str(found.python), advice=chosen
        )
    if found.missing:
        command = suggest_install_command(str(found.python), directory, root)
        raise ProjectNotImported(
            f"{name} has no {' and no '.join(found.missing)}.",
            where=str(found.python),
            advice=f"Install the project there: `{command}`. {chosen}",
        )
    for package, version in found.packages:
        numbers = tuple(int(part) for part in re.findall(r"\d+", version)[:2])
        if package in REQUIRED_PACKAGES and numbers < REQUIRED_PACKAGES[package]:
            raise ProjectNotImported(
                f"{name} has {package} {version}; the gate needs "
                f"{_dots(REQUIRED_PACKAGES[package])} or newer.",
                where=str(found.python),
                advice=f"Upgrade {package}. {chosen}",
            )
    return found


def _dots(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))


def suggest_install_command(python: str, directory: Path, root: Path) -> str:
    """The command that installs the project's packages, by the files that list them."""
    for folder in dict.fromkeys((directory, root)):
        for name, command in LOCKS.items():
            if (folder / name).is_file():
                return command
        if (folder / "requirements.txt").is_file():
            return f"{python} -m pip install -r {folder / 'requirements.txt'}"
        if (folder / "pyproject.toml").is_file() or (folder / "setup.py").is_file():
            return f"{python} -m pip install -e {folder}"
    return f"{python} -m pip install alembic sqlalchemy psycopg2-binary"
