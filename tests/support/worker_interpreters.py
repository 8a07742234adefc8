"""Interpreters with other versions of what the worker runs on; made once, kept in `.venvs/`."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / ".venvs"
DRIVERS = ("psycopg2-binary", "asyncpg", "pg8000")
WANTED = {
    "oldest": ("3.9", ("alembic==1.8.*", "sqlalchemy[asyncio]==1.4.*", *DRIVERS)),
    "middle": (
        "",
        (
            "alembic",
            "sqlalchemy[asyncio]==2.0.*",
            *DRIVERS,
            "psycopg[binary]",
            "flask-migrate",
            "flask-sqlalchemy",
        ),
    ),
}
"""Python's version ('' is ours) and requirements; `newest` is the environment of these tests"""


@cache
def python(name: str) -> Path:
    """The interpreter of an environment. Skips the test where it cannot be made."""
    if name == "newest":
        return Path(sys.executable)
    version, requirements = WANTED[name]
    text = "\n".join((version, *requirements))
    folder = FOLDER / f"tests-{name}"
    made = folder / f"made-{hashlib.sha256(text.encode()).hexdigest()[:12]}"
    FOLDER.mkdir(exist_ok=True)
    with (FOLDER / f"tests-{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # several processes of pytest-xdist want it at once
        if not made.exists():
            shutil.rmtree(folder, ignore_errors=True)
            wrong = _make(folder, version, requirements)
            if wrong:
                pytest.skip(f"no environment {text!r}: {wrong}")
            made.touch()
    return folder / "bin" / "python"


def _make(folder: Path, version: str, requirements: tuple[str, ...]) -> str:
    """Make it with uv or with venv and pip; '' or what went wrong."""
    base = _interpreter(version)
    wrong = f"no Python {version}"
    if uv := shutil.which("uv"):
        wrong = _run(uv, "venv", "-q", "--python", base or version, str(folder)) or _run(
            uv,
            "pip",
            "install",
            "-q",
            "--compile-bytecode",
            "--python",
            str(folder / "bin" / "python"),
            *requirements,
        )
    if wrong and base:
        shutil.rmtree(folder, ignore_errors=True)
        wrong = _run(base, "-m", "venv", str(folder)) or _run(
            str(folder / "bin" / "python"), "-m", "pip", "install", "-q", "--disable-pip-version-check",
            *requirements,
        )  # fmt: skip
    return wrong


def _interpreter(version: str) -> str | None:
    if not version:
        return sys.executable
    for found in sorted(Path.home().glob(f".pyenv/versions/{version}.*/bin/python")):
        return str(found)
    return shutil.which(f"python{version}")


def _run(*command: str) -> str:
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=300, check=False, stdin=subprocess.DEVNULL,
        env={**os.environ, "VIRTUAL_ENV": ""},
    )  # fmt: skip
    return "" if done.returncode == 0 else (done.stderr or done.stdout)[-600:] or f"exit {done.returncode}"
