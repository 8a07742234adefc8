"""Finds uv, which installs packages."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path


def find_uv() -> str | None:
    """The path of uv: the one beside the gate's Python, else the one on PATH; None if there is none."""
    beside_python = Path(sys.executable).parent / "uv"
    return str(beside_python) if beside_python.is_file() else shutil.which("uv")
