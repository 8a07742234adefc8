"""What is installed for a Python: read from the folders of a virtual environment, else asked of it."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import field, replace
from pathlib import Path

from packaging.utils import canonicalize_name
from packaging.version import Version

from migration_gate.config.gate_variables import is_private
from migration_gate.errors import WorkerDied
from migration_gate.lazy_dataclass import dataclass
from migration_gate.project.search import read_text_file
from migration_gate.sandbox.child_process import NOT_STARTED
from migration_gate.sandbox.command import sandbox_command, sandbox_environment
from migration_gate.sandbox.process_end import ENDED_FROM_OUTSIDE, describe_exit, is_own_end
from migration_gate.sandbox.seccomp import supports_seccomp
from migration_gate.sandbox.user import choose_account

REQUIRED_PACKAGES = {"alembic": Version("1.7"), "sqlalchemy": Version("1.4")}
"""what the project must have installed, and the oldest version that is known to work"""
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
PROBE = f"""
import json, sys
packages = {{}}
try:
    from importlib import metadata
    for name in {OF_INTEREST!r}:
        try:
            packages[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            pass
except ImportError:
    pass
print(json.dumps([list(sys.version_info[:3]), packages, sys.executable]))
"""
PROBE_SECONDS = 300.0
METADATA_FOLDER = re.compile(r"(?P<name>.+?)-(?P<version>[^-]+)(?:-py[\d.]+)?\.(?:dist|egg)-info")


@dataclass(frozen=True, slots=True)
class Interpreter:
    """A Python, and what is installed for it."""

    python: Path
    why: str
    """why it is a candidate, after "because of" """
    version: tuple[int, ...] = ()
    """three numbers; empty if it is not known"""
    packages: Mapping[str, str] = field(default_factory=dict)
    """those of `OF_INTEREST` that are installed, and their versions"""
    problem: str = ""
    """why it could not be asked"""
    notes: tuple[str, ...] = ()

    @property
    def missing(self) -> tuple[str, ...]:
        """The packages that the gate needs and that are not installed."""
        return tuple(name for name in REQUIRED_PACKAGES if name not in self.packages)

    @property
    def is_usable(self) -> bool:
        """Whether it answered, and has what a migration needs."""
        return not self.missing and not self.problem


def inspect_interpreter(python: Path, why: str, root: Path, environ: Mapping[str, str]) -> Interpreter:
    """What is installed for a Python. `Interpreter.problem` says where that could not be found out.

    It is started in the sandbox, if at all: the repository (`root`) may name any program as its interpreter,
    and hold it.
    """
    interpreter = Interpreter(python, why)
    prefix = python.parent.parent
    if (prefix / "pyvenv.cfg").is_file():
        interpreter = _read_virtual_environment(prefix, interpreter)
        if not interpreter.missing or prefix.resolve().is_relative_to(root.resolve()):
            return interpreter
    return _ask_interpreter(interpreter, root, {**environ, "PYENV_DIR": str(root)})


def list_package_folders(prefix: Path) -> tuple[Path, ...]:
    """Where the virtual environment's packages are; empty if there is none at this place."""
    settings = read_text_file(prefix / "pyvenv.cfg")
    return tuple(_list_package_folders(prefix, settings, _read_version(settings))) if settings else ()


def _read_virtual_environment(prefix: Path, interpreter: Interpreter) -> Interpreter:
    """The interpreter with its version and packages, from the files below `prefix`."""
    settings = read_text_file(prefix / "pyvenv.cfg")
    version = _read_version(settings)
    packages: dict[str, str] = {}
    for folder in _list_package_folders(prefix, settings, version):
        for name, package_version in _list_packages(folder):
            packages.setdefault(name, package_version)
    return replace(
        interpreter,
        version=version,
        packages={name: packages[name] for name in OF_INTEREST if name in packages},
    )


def _read_version(settings: str) -> tuple[int, ...]:
    """From the text of a pyvenv.cfg; empty if it names none."""
    match = re.search(r"^version(?:_info)?\s*=\s*(\d+)\.(\d+)(?:\.(\d+))?", settings, re.MULTILINE)
    return tuple(int(number) for number in match.groups() if number) if match else ()


def _list_package_folders(prefix: Path, settings: str, version: tuple[int, ...]) -> Iterator[Path]:
    """The environment's own folders, then the system's where the environment includes those."""
    yield from prefix.glob("lib/python3*/site-packages")
    yield from prefix.glob("lib64/python3*/site-packages")
    if not re.search(r"^include-system-site-packages\s*=\s*true", settings, re.MULTILINE | re.IGNORECASE):
        return
    home = re.search(r"^home\s*=\s*(.+)$", settings, re.MULTILINE)
    base = Path(home[1].strip()).parent if home else Path("/usr")
    python = f"python{version[0]}.{version[1]}" if version else "python3"
    yield base / "lib" / python / "site-packages"
    yield base / "lib/python3/dist-packages"
    yield base / "local/lib" / python / "dist-packages"


def _list_packages(folder: Path) -> Iterator[tuple[str, str]]:
    """The normalised name and the version of every package in a folder."""
    if not folder.is_dir():
        return
    for entry in folder.iterdir():
        match = METADATA_FOLDER.fullmatch(entry.name)
        if match:
            yield canonicalize_name(match["name"]), match["version"]


def _ask_interpreter(interpreter: Interpreter, root: Path, environ: Mapping[str, str]) -> Interpreter:
    """The interpreter with what it says itself; our secrets are not passed to it. Raises WorkerDied."""
    variables = {name: value for name, value in environ.items() if not is_private(name)}
    try:
        completed = subprocess.run(
            sandbox_command(
                [str(interpreter.python), "-c", PROBE],
                account=choose_account(root, [interpreter.python]).account,
                unix_sockets_only=supports_seccomp(),
                writable_folders=(),  # the settings may name any program
            ),
            capture_output=True,
            check=False,
            cwd="/",
            env=sandbox_environment(variables),
            stdin=subprocess.DEVNULL,
            text=True,
            timeout=PROBE_SECONDS,
        )
    except subprocess.TimeoutExpired:
        return replace(interpreter, problem=f"it did not answer within {PROBE_SECONDS:.0f} s")
    except OSError as error:
        return replace(interpreter, problem=_not_a_python(error.strerror))
    except ValueError:  # what it printed is no text
        return replace(interpreter, problem=_not_a_python(None))
    if not is_own_end(completed.returncode):
        raise WorkerDied(
            f"The project's interpreter `{interpreter.python}` "
            f"{describe_exit(completed.returncode)} while it was asked for its packages.",
            advice=ENDED_FROM_OUTSIDE,
        )
    try:
        # The last line, because a sitecustomize may print before the probe does.
        version, packages, executable = json.loads(completed.stdout.strip().splitlines()[-1])
    except (ValueError, IndexError):
        last_error = completed.stderr.strip().rpartition("\n")[2].removeprefix(NOT_STARTED)
        return replace(interpreter, problem=_not_a_python(last_error))
    # The stand-in of a version manager (pyenv's shims) costs 0.1 s at every start.
    is_stand_in = "shims" in interpreter.python.parts and executable
    return replace(
        interpreter,
        python=Path(executable) if is_stand_in else interpreter.python,
        version=tuple(version),
        packages=packages,
    )


def _not_a_python(reason: str | None) -> str:
    return f"it is not a Python that starts ({reason or 'it printed nothing'})"
