"""The example projects of the checks: the skeleton, with a check's `bad` or `good` folder over it."""

from __future__ import annotations

import shutil
from pathlib import Path

from migration_gate import explain
from migration_gate.check import check_name

EXAMPLES = Path(__file__).resolve().parents[2] / "checks" / "examples"
CHECK_NAMES = tuple(check_name(check) for check in explain.known_checks())


def write_skeleton(folder: Path) -> None:
    """The project that has no finding: two tables, one revision."""
    _copy_over(EXAMPLES / "skeleton", folder)


def write_example(folder: Path, check: str, side: str) -> None:
    """The skeleton with an example over it; a check without a `good` folder has none but the skeleton."""
    write_skeleton(folder)
    overlay = EXAMPLES / check / side
    if side == "bad" or overlay.is_dir():
        _copy_over(overlay, folder)


def _copy_over(source: Path, folder: Path) -> None:
    shutil.copytree(source, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
