"""The base of a pull request: which commit a change is compared with, and which files differ from it.

The base is, in this order: the setting `base`, what the event of the CI names, or the branch of origin from
which the checked out branch came. A shallow clone may lack it: then it is fetched where that needs no
password, else `BaseRevision.note` says what to do.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from migration_gate.ci.changed_lines import read_changed_lines
from migration_gate.ci.clone_history import (
    fetch_commits,
    fetch_missing_commit,
    fetch_shared_commit,
    find_commit,
    find_shared_commit,
    is_ancestor,
    read_parents,
)
from migration_gate.ci.event import COMMIT_ID, Event, read_event
from migration_gate.ci.known_revisions import KnownRevisions, find_known_revisions
from migration_gate.errors import Misconfigured, RepositoryUnreadable
from migration_gate.facts import ChangedFile, Lineage
from migration_gate.git.git_command import find_repository_root, run_git
from migration_gate.lazy_dataclass import dataclass

_DIFF_OPTIONS = ("-z", "--no-renames", "--name-status")


@dataclass(frozen=True, slots=True)
class BaseRevision:
    """The commit that the change is compared with."""

    commit: str | None
    """its full id"""
    reason: str
    """where it is from, or why there is none"""
    note: str = ""
    """for the report, where there should be a base and it could not be read"""
    lineage: Lineage = Lineage.ANCESTOR
    tip: str | None = None
    """full id of the newest commit of the base's branch, if HEAD may lack some of it"""
    tip_name: str = ""
    """that branch, as a reader knows it"""


@dataclass(frozen=True, slots=True, order=True)
class FileChange:
    """A file that differs from the base."""

    status: str
    """git's letter: A added, M modified, T another type, D deleted"""
    path: str
    """from the top of the repository"""


@dataclass(frozen=True, slots=True)
class Comparison:
    """The base, and what is different since."""

    base: BaseRevision
    files: tuple[FileChange, ...] | None = None
    """sorted; None if there is no base"""
    lines: tuple[ChangedFile, ...] = ()
    """what these files have got; only if it was asked for"""
    known_revisions: KnownRevisions = KnownRevisions()
    """files of revisions that stand at the base, too; only with the lines"""

    def changed_paths(self, statuses: str = "ADMT") -> frozenset[str]:
        """The files that differ in one of these ways."""
        return frozenset(file.path for file in self.files or () if file.status in statuses)

    def edited_paths(self) -> frozenset[str]:
        """The files that are new or edited, without those that were only moved: these have no line of it.

        A revision of which only layout, comments and docstrings differ is not edited either.
        """
        paths = self.changed_paths("AMT") - self.known_revisions.reworded
        if not self.lines or not self.changed_paths("D"):
            return paths
        with_lines = {file.path for file in self.lines}
        return paths - {path for path in self.changed_paths("A") if path not in with_lines}

    def pending_paths(self) -> frozenset[str]:
        """Of the new and edited files those that are not of revisions which production has run."""
        return self.edited_paths() - self.known_revisions.edited


def compare_with_base(
    folder: Path, setting: str | None, environ: Mapping[str, str], *, with_lines: bool = False
) -> Comparison:
    """The change that is checked out in `folder`; `setting` is the value of `base`, where one is set.

    Raises Misconfigured if the setting names no commit.
    """
    event = read_event(environ)
    base = find_base(folder, setting, event)
    if base.commit is None:
        return Comparison(base)
    is_laptop = not event.ci
    files, failure = _find_changes(folder, base.commit, include_uncommitted=is_laptop)
    if failure is not None:
        note = f"The files that changed are not known: {failure}"
        return Comparison(BaseRevision(None, failure, note))
    comparison = Comparison(base, files)
    if not files or not with_lines:
        return comparison
    untracked = _list_files(find_repository_root(folder), "--others") if is_laptop else None
    edited, added, removed = map(comparison.changed_paths, "MAD")
    return replace(
        comparison,
        lines=read_changed_lines(folder, base.commit, untracked),
        known_revisions=find_known_revisions(folder, base.commit, edited, added, removed),
    )


def find_base(folder: Path, setting: str | None, event: Event) -> BaseRevision:
    """The base of what is checked out in `folder`. Raises Misconfigured if `setting` names no commit."""
    head = find_commit(folder, "HEAD")
    if head.id is None:
        return BaseRevision(None, head.failure or "there is no commit yet")
    if setting:
        return _find_base_of_setting(folder, setting, event)
    if event.base is not None:
        return _find_base_of_event(folder, event.base, event)
    if event.ci:
        return BaseRevision(None, event.reason)
    return _find_base_on_laptop(folder)


def _find_base_of_setting(folder: Path, setting: str, event: Event) -> BaseRevision:
    """The base that the user named; a branch may be there under its remote's name alone."""
    reason = f"`base: {setting}`"
    for name in (setting, f"origin/{setting}"):
        commit = find_commit(folder, name)
        if commit.id is not None:
            return _make_base(folder, commit.id, reason, name)
    if event.ci and re.fullmatch(COMMIT_ID, setting) and fetch_commits(folder, 1, setting) is None:
        return _make_base(folder, setting, reason, setting[:12])
    raise Misconfigured(
        f"`base` names the revision `{setting}`, which git does not have here.",
        where="base",
        advice="Correct its name. In a shallow clone, fetch the whole history (`fetch-depth: 0`).",
    )


def _find_base_of_event(folder: Path, base: str, event: Event) -> BaseRevision:
    """The base of a pull request or push.

    Where HEAD is the merge commit that the CI made for this run, its first parent is the base. Otherwise the
    base of a pull request is the newest commit that HEAD shares with the branch.
    """
    parents = read_parents(folder)
    if len(parents) == 2 and parents[1] == event.head:
        return _require_commit(folder, parents[0], f"{event.reason}, as it was merged for this run")
    if event.is_exact:
        return _find_exact_base(folder, base, event)
    shared = find_shared_commit(folder, base) or fetch_shared_commit(folder, base, event.head)
    if shared is not None:
        return _make_base(folder, base, event.reason, event.reason)
    newest = _require_commit(folder, base, f"{event.reason}, the newest commit of it")
    return replace(newest, lineage=Lineage.OTHER)


def _find_exact_base(folder: Path, base: str, event: Event) -> BaseRevision:
    """The commit that the event names, and the tip of its branch where that is another one."""
    revision = _require_commit(folder, base, event.reason)
    if event.may_be_forced and not is_ancestor(folder, base):
        return replace(revision, lineage=Lineage.OTHER)
    if event.is_own_branch:
        return replace(revision, lineage=Lineage.SAME_BRANCH)
    if not event.target_branch:
        return revision
    name = f"origin/{event.target_branch}"
    tip = event.target_commit or find_commit(folder, name).id
    return revision if tip in (None, base) else replace(revision, tip=tip, tip_name=name)


def _make_base(folder: Path, tip: str, reason: str, tip_name: str) -> BaseRevision:
    """What HEAD shares with a branch; the tip itself if that is nothing."""
    shared = find_shared_commit(folder, tip)
    if shared is None:
        return BaseRevision(tip, reason, lineage=Lineage.OTHER)
    if shared == tip:
        return BaseRevision(tip, reason)
    return BaseRevision(shared, reason, tip=tip, tip_name=tip_name)


def _find_base_on_laptop(folder: Path) -> BaseRevision:
    """The newest commit that HEAD shares with the branch from which the clone was made."""
    default = run_git(folder, "symbolic-ref", "--quiet", "--short", "refs/remotes/origin/HEAD")
    for name in filter(None, (default.text.strip(), "origin/main", "origin/master")):
        commit = find_commit(folder, name)
        shared = find_shared_commit(folder, commit.id) if commit.id is not None else None
        if commit.id is not None and shared is not None:
            return _make_base(folder, commit.id, f"what HEAD shares with {name}", name)
    return BaseRevision(None, "the clone has no branch of a remote named origin")


def _require_commit(folder: Path, commit: str, reason: str) -> BaseRevision:
    """That very commit, fetched if it is missing; a base with a note if that fails."""
    failure = fetch_missing_commit(folder, commit)
    if failure is None:
        return BaseRevision(commit, reason)
    note = (
        f"{reason[0].upper()}{reason[1:]}, commit {commit[:12]}, is not in this clone, and could not be "
        f"fetched ({failure}): what is new in the change is not known. "
        "Give actions/checkout `fetch-depth: 0` (GitLab: `GIT_DEPTH: 0`)"
    )
    return BaseRevision(None, f"commit {commit[:12]} is not in this clone", note)


def find_missing_tip(folder: Path, commit: str) -> str | None:
    """The tip of a branch, fetched if that is needed; None if HEAD has all of it.

    Raises RepositoryUnreadable if it cannot be fetched.
    """
    failure = fetch_missing_commit(folder, commit)
    if failure is not None:
        raise RepositoryUnreadable(f"commit {commit[:12]} could not be fetched ({failure}).")
    return None if is_ancestor(folder, commit) else commit


def _find_changes(
    folder: Path, base: str, *, include_uncommitted: bool
) -> tuple[tuple[FileChange, ...], str | None]:
    """The files that differ between `base` and HEAD, or the work tree; and why git could not say, if so."""
    top = find_repository_root(folder)
    committed = run_git(top, "diff-tree", "-r", *_DIFF_OPTIONS, base, "HEAD")
    if committed.failure is not None:
        return (), committed.failure
    statuses = _read_statuses(committed.text)
    if include_uncommitted:
        statuses = _add_uncommitted(top, statuses)
    return tuple(sorted(FileChange(status, path) for path, status in statuses.items())), None


def _add_uncommitted(top: Path, committed: Mapping[str, str]) -> dict[str, str]:
    """The statuses with those of the index and the work tree; a new file stays new when it is edited."""
    statuses = dict(committed)
    for status, option in (("M", "--modified"), ("D", "--deleted"), ("A", "--others")):
        for path in _list_files(top, option):
            if statuses.get(path) != "A":
                statuses[path] = status
    staged = run_git(top, "diff-index", "--cached", *_DIFF_OPTIONS, "HEAD")
    return _read_statuses(staged.text) | statuses


def _list_files(top: Path, option: str) -> Iterator[str]:
    listing = run_git(top, "ls-files", "-z", option, "--exclude-standard")
    return filter(None, listing.text.split("\0"))


def _read_statuses(text: str) -> dict[str, str]:
    """Paths and their statuses, from the output of `git diff-tree -z --name-status`."""
    parts = text.split("\0")
    return dict(zip(parts[1::2], parts[0::2], strict=False))


def absolute_paths(folder: Path, paths: Iterable[str]) -> tuple[str, ...]:
    """Paths from the top of the repository, as absolute real ones, sorted."""
    top = os.path.realpath(find_repository_root(folder))
    return tuple(sorted(os.path.join(top, path) for path in paths))  # noqa: PTH118 - they may not be valid text
