"""Interpreters with a project's packages, made once and kept in `.venvs/` (which git ignores)."""

from __future__ import annotations

import fcntl
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / ".venvs"


def venv(name: str, *packages: str) -> str:
    """The interpreter of an environment with these packages; skips where they cannot be had."""
    FOLDER.mkdir(exist_ok=True)
    place = FOLDER / name
    ready = place / "ready.txt"
    wanted = "\n".join((sys.version, *packages))
    with (FOLDER / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # the tests run side by side
        if not ready.is_file() or ready.read_text() != wanted:
            shutil.rmtree(place, ignore_errors=True)
            _make(place, packages)
            ready.write_text(wanted)
    return str(place / "bin" / "python")


def _make(place: Path, packages: tuple[str, ...]) -> None:
    python = str(place / "bin" / "python")
    if shutil.which("uv"):
        make = ["uv", "venv", "-q", "-p", sys.executable, str(place)]
        install = ["uv", "pip", "install", "-q", "-p", python, *packages]
    else:
        make = [sys.executable, "-m", "venv", str(place)]
        install = [python, "-m", "pip", "install", "-q", "--disable-pip-version-check", *packages]
    for command in (make, install):
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
        if done.returncode:
            shutil.rmtree(place, ignore_errors=True)
            last = (done.stderr or done.stdout).strip().splitlines()[-1:]
            pytest.skip(f"{' '.join(packages)} could not be installed: {' '.join(last)}")
