"""The example projects of the checks: the skeleton, with a check's `bad` or `good` folder over it.

Where there is a `base` folder, too, the example is a change: from the skeleton with `base` over it, which is
committed, to the same with `bad` or `good` over that.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from migration_gate import explain
from migration_gate.check import check_name

EXAMPLES = Path(__file__).resolve().parents[2] / "checks" / "examples"
REMOVED = "removed.txt"
"""lists the files that an example removes"""
CHECK_NAMES = tuple(check_name(check) for check in explain.known_checks())


def write_skeleton(folder: Path) -> None:
    """The project that has no finding: two tables, one revision."""
    _copy_over(EXAMPLES / "skeleton", folder)


def has_base(check: str) -> bool:
    """Whether the example is a change."""
    return (EXAMPLES / check / "base").is_dir()


def write_base(folder: Path, check: str) -> None:
    """The project before the change; `write_example` makes the change."""
    write_skeleton(folder)
    _copy_over(EXAMPLES / check / "base", folder)


def write_example(folder: Path, check: str, side: str) -> None:
    """The skeleton with an example over it; a check without a `good` folder has none but the skeleton."""
    if not has_base(check):
        write_skeleton(folder)
    overlay = EXAMPLES / check / side
    if side == "bad" or overlay.is_dir():
        _copy_over(overlay, folder)


def _copy_over(source: Path, folder: Path) -> None:
    # With times of their own: git takes a file of the same size and time for unchanged.
    shutil.copytree(
        source,
        folder,
        dirs_exist_ok=True,
        ignore=shutil.ignore_patterns("__pycache__"),
        copy_function=shutil.copyfile,
    )
    removed = folder / REMOVED
    if removed.exists():
        for path in (REMOVED, *removed.read_text().split()):
            (folder / path).unlink()
