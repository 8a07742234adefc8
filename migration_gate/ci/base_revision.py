"""What the change is compared with: the base revision, and the files that differ from it.

The base comes from the user, from the CI's event, or from the branch that the clone came from. In a shallow
clone that lacks it, it is fetched where that needs no password; else `Base.note` says what to do.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from migration_gate import git
from migration_gate.ci import event as events
from migration_gate.ci.event import COMMIT_ID, Event
from migration_gate.errors import Misconfigured

FETCH_SECONDS = 20.0
"""limit for one fetch; at most three are needed"""
DEPTHS = (50, 1000)
"""commits of history that are fetched to find what two branches share, in turn"""


@dataclass(frozen=True, slots=True)
class BaseRevision:
    """The commit that the change is compared with."""

    commit: str | None
    """its full id"""
    reason: str
    """where it is from, or why there is none"""
    note: str = ""
    """for people, where a base was wanted and could not be had"""


@dataclass(frozen=True, slots=True)
class Comparison:
    """The base, and what is different since."""

    base: BaseRevision
    files: tuple[tuple[str, str], ...] | None = None
    """git's letter (A new, M changed, D gone) and the path from the top of the repository; None: no base"""

    def changed_paths(self, letters: str = "ADMT") -> frozenset[str]:
        """The files that differ in one of these ways."""
        return frozenset(path for letter, path in self.files or () if letter in letters)


def compare_with_base(folder: Path, wanted: str | None, environ: Mapping[str, str]) -> Comparison:
    """The change that is checked out in `folder`. Raises Misconfigured where `wanted` is no commit."""
    event = events.read_event(environ)
    base = find_base(folder, wanted, event)
    if base.commit is None:
        return Comparison(base)
    files, why = _differences(folder, base.commit, work_tree=not event.ci)
    if why is not None:
        return Comparison(BaseRevision(None, why, f"The files that changed are not known: {why}"))
    return Comparison(base, files)


def find_base(folder: Path, wanted: str | None, event: Event) -> BaseRevision:
    """The base of what is checked out in `folder`."""
    head, why = _commit(folder, "HEAD")
    if head is None:
        return BaseRevision(None, why or "there is no commit yet")
    if wanted:
        return _wanted(folder, wanted, event)
    if event.base is not None:
        return _of_event(folder, event)
    if event.ci:
        return BaseRevision(None, event.reason)
    return _upstream(folder)


def _wanted(folder: Path, wanted: str, event: Event) -> BaseRevision:
    """What the user named; a branch may be there under its remote's name alone."""
    for name in (wanted, f"origin/{wanted}"):
        found, _ = _commit(folder, name)
        if found:
            return BaseRevision(_shared(folder, found) or found, f"`base: {wanted}`")
    if event.ci and re.fullmatch(COMMIT_ID, wanted) and _fetch(folder, 1, wanted) is None:
        return BaseRevision(_shared(folder, wanted) or wanted, f"`base: {wanted}`")
    raise Misconfigured(
        f"`base` names the revision `{wanted}`, which git does not have here.",
        where="base",
        advice="Mend its name. In a shallow clone, fetch the whole history (`fetch-depth: 0`).",
    )


def _of_event(folder: Path, event: Event) -> BaseRevision:
    """What the event names; of a merge commit made for the change, its first parent is exact."""
    base = event.base or ""
    parents = _parents(folder)
    if len(parents) == 2 and parents[1] == event.head:
        return _had(folder, parents[0], f"{event.reason}, as it was merged for this run")
    if event.is_exact:
        return _had(folder, base, event.reason)
    found = _shared(folder, base)
    for depth in () if found else DEPTHS if _shallow(folder) else (None,):
        if _fetch(folder, depth, base, *filter(None, [event.head])) is not None:
            break
        if found := _shared(folder, base):
            break
    return (
        BaseRevision(found, event.reason)
        if found
        else _had(folder, base, f"{event.reason}, the newest commit of it")
    )


def _had(folder: Path, revision: str, why: str) -> BaseRevision:
    """That very commit, fetched where it is missing."""
    if _commit(folder, revision)[0]:
        return BaseRevision(revision, why)
    failed = _fetch(folder, 1 if _shallow(folder) else None, revision)
    if failed is None and _commit(folder, revision)[0]:
        return BaseRevision(revision, why)
    says = (
        f"{why[0].upper()}{why[1:]}, commit {revision[:12]}, is not in this clone, and could not be fetched "
        f"({failed or 'it is not there'}): what is new in the change is not known. "
        "Give actions/checkout `fetch-depth: 0` (GitLab: `GIT_DEPTH: 0`)"
    )
    return BaseRevision(None, f"commit {revision[:12]} is not in this clone", says)


def _upstream(folder: Path) -> BaseRevision:
    """What the checked out branch shares with the branch that the clone came from."""
    named, _ = git.run_git(folder, "symbolic-ref", "--quiet", "--short", "refs/remotes/origin/HEAD")
    for name in filter(None, (named.strip(), "origin/main", "origin/master")):
        found, _ = _commit(folder, name)
        if found and (shared := _shared(folder, found)):
            return BaseRevision(shared, f"what HEAD shares with {name}")
    return BaseRevision(None, "the clone has no branch of a remote named origin")


def _commit(folder: Path, name: str) -> tuple[str | None, str | None]:
    """The full id of the commit that `name` means; else why git could not be asked, if it could not."""
    arguments = ("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
    text, why = git.run_git(folder, *arguments)
    if why is None:
        return text.strip(), None
    return None, None if why.startswith("git said") else why


def _parents(folder: Path) -> tuple[str, ...]:
    """The parents that the commit itself names: a shallow clone has the names, if not the commits."""
    text, _ = git.run_git(folder, "cat-file", "commit", "HEAD")
    lines = text.partition("\n\n")[0].splitlines()
    return tuple(line.removeprefix("parent ") for line in lines if line.startswith("parent "))


def _shared(folder: Path, revision: str) -> str | None:
    """The newest commit that HEAD and `revision` have in common, as far as the clone knows."""
    text, why = git.run_git(folder, "merge-base", "HEAD", revision)
    return text.strip() or None if why is None else None


def _shallow(folder: Path) -> bool:
    return git.run_git(folder, "rev-parse", "--is-shallow-repository")[0].strip() == "true"


def _fetch(folder: Path, depth: int | None, *revisions: str) -> str | None:
    """Bring commits from origin with the rights that the clone has by itself; why it failed, or None."""
    limit = [f"--depth={depth}"] if depth else []
    options = ("--quiet", "--no-tags", "--no-write-fetch-head", "--no-recurse-submodules", "--no-auto-gc")
    arguments = ("fetch", *options, *limit, "origin", *revisions)
    return git.run_git(folder, *arguments, seconds=FETCH_SECONDS, as_owner=True)[1]


def _differences(
    folder: Path, base: str, *, work_tree: bool
) -> tuple[tuple[tuple[str, str], ...], str | None]:
    """What differs between `base` and HEAD; on a person's machine, also what is not committed yet."""
    top = git.find_repository_root(folder)
    options = ("-r", "-z", "--no-renames", "--name-status")
    text, why = git.run_git(top, "diff-tree", *options, base, "HEAD")
    if why is not None:
        return (), why
    parts = text.split("\0")
    found = dict(zip(parts[1::2], parts[0::2], strict=False))
    if work_tree:
        for letter, option in (("M", "--modified"), ("D", "--deleted"), ("A", "--others")):
            names, _ = git.run_git(top, "ls-files", "-z", option, "--exclude-standard")
            found |= {name: letter for name in names.split("\0") if name and found.get(name) != "A"}
        staged, _ = git.run_git(top, "diff-index", "--cached", "-z", "--no-renames", "--name-status", "HEAD")
        parts = staged.split("\0")
        found = dict(zip(parts[1::2], parts[0::2], strict=False)) | found
    return tuple(sorted((letter, path) for path, letter in found.items())), None


def absolute_paths(folder: Path, paths: Iterable[str]) -> tuple[str, ...]:
    """Paths from the top of the repository, as absolute real ones, sorted."""
    top = os.path.realpath(git.find_repository_root(folder))
    return tuple(sorted(os.path.join(top, path) for path in paths))  # noqa: PTH118 - they may be no text
