"""Which commits this clone has, and fetches more of them: a shallow clone may lack some.

What cannot be fetched without a password is not.
"""

from __future__ import annotations

from pathlib import Path

from migration_gate.git.git_command import run_git
from migration_gate.lazy_dataclass import dataclass

FETCH_SECONDS = 20.0
"""limit for one fetch; at most three are needed"""
DEPTHS = (50, 1000)
"""commits of history that are fetched, one after the other, to find what two branches share"""
_FETCH_OPTIONS = ("--quiet", "--no-tags", "--no-write-fetch-head", "--no-recurse-submodules", "--no-auto-gc")


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit that a name stands for."""

    id: str | None
    """full; None if there is none"""
    failure: str | None = None
    """why git could not be asked"""


def find_commit(folder: Path, name: str) -> Commit:
    """The commit that a branch, a tag or an id stands for."""
    output = run_git(folder, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
    if output.failure is None:
        return Commit(output.text.strip())
    return Commit(None, None if output.is_git_error else output.failure)


def read_parents(folder: Path) -> tuple[str, ...]:
    """The parents that HEAD itself names: a shallow clone has the names, even where it lacks the commits."""
    header = run_git(folder, "cat-file", "commit", "HEAD").text.partition("\n\n")[0]
    return tuple(line.removeprefix("parent ") for line in header.splitlines() if line.startswith("parent "))


def find_shared_commit(folder: Path, commit: str) -> str | None:
    """The newest commit that HEAD and `commit` have in common, as far as the clone knows."""
    return run_git(folder, "merge-base", "HEAD", commit).text.strip() or None


def is_ancestor(folder: Path, commit: str) -> bool:
    """Whether HEAD has all of a commit's history, as far as the clone knows."""
    return run_git(folder, "merge-base", "--is-ancestor", commit, "HEAD").failure is None


def _is_shallow(folder: Path) -> bool:
    return run_git(folder, "rev-parse", "--is-shallow-repository").text.strip() == "true"


def fetch_commits(folder: Path, depth: int | None, *commits: str) -> str | None:
    """Fetch commits from origin with the rights that the clone already has; why it failed, or None."""
    limit = [f"--depth={depth}"] if depth else []
    arguments = ("fetch", *_FETCH_OPTIONS, *limit, "origin", *commits)
    return run_git(folder, *arguments, seconds=FETCH_SECONDS, fetches=True).failure


def fetch_missing_commit(folder: Path, commit: str) -> str | None:
    """Fetch that very commit if the clone lacks it; why it is still not there, or None."""
    if find_commit(folder, commit).id is not None:
        return None
    failure = fetch_commits(folder, 1 if _is_shallow(folder) else None, commit)
    if failure is None and find_commit(folder, commit).id is None:
        return "it is not there"
    return failure


def fetch_shared_commit(folder: Path, base: str, head: str | None) -> str | None:
    """Fetch more and more history, until HEAD and `base` share a commit; None if they never do."""
    depths = DEPTHS if _is_shallow(folder) else (None,)
    for depth in depths:
        if fetch_commits(folder, depth, base, *([head] if head else [])) is not None:
            return None
        shared = find_shared_commit(folder, base)
        if shared is not None:
            return shared
    return None
