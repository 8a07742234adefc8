"""Repositories to run the action on: the examples of the checks, as a commit upon their skeleton."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.support.action_runner import commit, git

EXAMPLES = Path(__file__).resolve().parents[2] / "checks" / "examples"
NAMES = sorted(folder.name for folder in EXAMPLES.iterdir() if (folder / "bad").is_dir())
REVISION = '''"""{name}"""

revision = "{name}"
down_revision = "0001"


def upgrade() -> None:
{body}


def downgrade() -> None:
    pass
'''


def skeleton(folder: Path, below: str = "") -> Path:
    """The clean project, committed on main."""
    shutil.copytree(EXAMPLES / "skeleton", folder / below, ignore=shutil.ignore_patterns("__pycache__"))
    git(folder, "init", "--quiet", "--initial-branch", "main")
    commit(folder, "the project")
    return folder


def example(folder: Path, name: str, side: str = "bad") -> Path:
    """An example of a check: main is the clean project, and `change` is one commit upon it."""
    skeleton(folder)
    git(folder, "switch", "--quiet", "--create", "change")
    overlay = EXAMPLES / name / side
    shutil.copytree(overlay, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
    commit(folder, name)
    return folder


def revision(folder: Path, body: str, name: str = "0002") -> Path:
    """A revision upon the skeleton's, committed; `body` is Python, at the level of a module."""
    lines = "\n".join(f"    {line}" if line else "" for line in body.strip().splitlines())
    (folder / "migrations" / "versions" / f"{name}.py").write_text(REVISION.format(name=name, body=lines))
    commit(folder, f"revision {name}")
    return folder
