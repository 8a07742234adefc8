"""Repositories to run the action on: the examples of the checks, as a commit upon their skeleton."""

from __future__ import annotations

from pathlib import Path

from tests.support.action_runner import commit, git
from tests.support.check_examples import write_example, write_skeleton

COMPARED_WHOLE = ("broken-history", "drift", "failing-upgrade", "raw-sql-file", "several-heads")
"""examples whose output in a workflow is compared whole: an object, a file, a revision, and what failed"""
REVISION = '''"""{name}"""

revision = "{name}"
down_revision = "0001"


def upgrade() -> None:
{body}


def downgrade() -> None:
    pass
'''


def commit_skeleton(folder: Path, below: str = "") -> Path:
    """The clean project, committed on main."""
    write_skeleton(folder / below)
    git(folder, "init", "--quiet", "--initial-branch", "main")
    commit(folder, "the project")
    return folder


def copy_example(folder: Path, name: str, side: str = "bad") -> Path:
    """An example of a check: main is the clean project, and `change` is one commit upon it."""
    commit_skeleton(folder)
    git(folder, "switch", "--quiet", "--create", "change")
    write_example(folder, name, side)
    commit(folder, name)
    return folder


def add_revision(folder: Path, body: str, name: str = "0002") -> Path:
    """A revision upon the skeleton's, committed; `body` is Python, at the level of a module."""
    lines = "\n".join(f"    {line}" if line else "" for line in body.strip().splitlines())
    (folder / "migrations" / "versions" / f"{name}.py").write_text(REVISION.format(name=name, body=lines))
    commit(folder, f"revision {name}")
    return folder
