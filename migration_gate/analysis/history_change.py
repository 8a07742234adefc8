"""What a change does to the revisions of its base: which are new, gone and kept, and which were squashed."""

from __future__ import annotations

import shlex
from collections.abc import Collection, Mapping
from dataclasses import field, replace

from migration_gate.analysis.revision_code import normalize_code
from migration_gate.analysis.revision_graph import build_graph, find_ancestors
from migration_gate.facts import Base, Facts, History, Lineage, Revision
from migration_gate.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class KeptRevision:
    """A revision that stands on the base, and has not been removed."""

    before: Revision
    now: Revision


@dataclass(frozen=True, slots=True)
class Squash:
    """Old revisions that were replaced by one, or by a few."""

    removed: tuple[Revision, ...]
    """in their order; the one whose id was used again is not among them"""
    replacements: tuple[Revision, ...]
    """the first one has no parent"""
    reused: Revision | None = None
    """the replacement whose id stood on the base, as it is now"""
    survivors: tuple[Revision, ...] = ()
    """revisions of the base that follow"""

    @property
    def removed_ids(self) -> frozenset[str]:
        """The ids that no file has any more."""
        return frozenset(revision.id for revision in self.removed)

    @property
    def replaced_count(self) -> int:
        """How many revisions it replaced."""
        return len(self.removed) + (self.reused is not None)


@dataclass(frozen=True, slots=True)
class HistoryChange:
    """The revisions of the base beside those of the change."""

    base: Base
    before: History
    now: History
    added: tuple[Revision, ...]
    """in the order of the change's history"""
    gone: tuple[Revision, ...]
    """in the order of the base's history"""
    kept: tuple[KeptRevision, ...]
    squash: Squash | None = None
    new_ids: Mapping[str, str] = field(default_factory=dict)
    """of revisions that were given another id: the old one, and the new one"""

    def is_added(self, identifier: str) -> bool:
        """Whether the change adds the revision."""
        return any(revision.id == identifier for revision in self.added)

    def list_unexplained(self) -> tuple[Revision, ...]:
        """The revisions that are gone, without those that a squash replaced."""
        squashed = self.squash.removed_ids if self.squash is not None else frozenset()
        return tuple(revision for revision in self.gone if revision.id not in squashed)


def compare_histories(facts: Facts) -> HistoryChange | None:
    """The histories of the base and of the change; None where they cannot be compared.

    If Alembic could not read the change's history, only what is gone is known.
    """
    base, now = facts.base, facts.replay.history
    if base is None or base.history is None or base.lineage is Lineage.OTHER:
        return None
    before = base.history
    if not before.revisions or before.error is not None:
        return None  # nothing ran at the base
    known_ids = _list_known_ids(now)
    if any(file.error for file in now.files) or (not known_ids and now.error is not None):
        return None
    change = _match_revisions(base, before, now, known_ids)
    change = replace(change, squash=_find_squash(change))
    return replace(change, new_ids=_find_new_ids(change))


def _list_known_ids(history: History) -> frozenset[str]:
    """The ids of all revisions that have a file, whether or not Alembic loaded it."""
    loaded = {revision.id for revision in history.revisions}
    return frozenset(loaded | {file.revision for file in history.files if file.revision})


def _match_revisions(base: Base, before: History, now: History, known_ids: Collection[str]) -> HistoryChange:
    """Which revisions are new, gone and kept, by their ids."""
    old = {revision.id: revision for revision in before.revisions}
    return HistoryChange(
        base,
        before,
        now,
        added=tuple(revision for revision in now.revisions if revision.id not in old),
        gone=tuple(revision for revision in before.revisions if revision.id not in known_ids),
        kept=tuple(
            KeptRevision(old[revision.id], revision) for revision in now.revisions if revision.id in old
        ),
    )


def _find_squash(change: HistoryChange) -> Squash | None:
    """The squash: the oldest revisions are gone, and the history begins with another one."""
    removed = _list_removed_start(change)
    if not removed:
        return None
    reused = _find_reused(change)
    replacements = (reused,) if reused is not None else _list_new_start(change, removed)
    if not replacements:
        return None
    survivors = tuple(pair.now for pair in change.kept if pair.now not in replacements)
    return Squash(removed, replacements, reused, survivors)


def _list_removed_start(change: HistoryChange) -> tuple[Revision, ...]:
    """The revisions that are gone with all that came before them."""
    gone_ids = {revision.id for revision in change.gone}
    graph = build_graph(change.before, with_dependencies=True)
    return tuple(revision for revision in change.gone if find_ancestors(graph, revision.id) <= gone_ids)


def _find_reused(change: HistoryChange) -> Revision | None:
    """The revision that lost its parents, which are gone, and is the first one now."""
    gone_ids = {revision.id for revision in change.gone}
    for pair in change.kept:
        parents = {*pair.before.parents}
        if parents and parents <= gone_ids and not pair.now.parents:
            return pair.now
    return None


def _list_new_start(change: HistoryChange, removed: tuple[Revision, ...]) -> tuple[Revision, ...]:
    """The new revision without a parent, and the new ones that follow it; empty if there is none.

    A single revision that only got another id does not count.
    """
    root = next((revision for revision in change.added if not revision.parents), None)
    if root is None or (len(removed) == 1 and _is_same_file(change, removed[0], root)):
        return ()
    graph = build_graph(change.now)
    others = (revision for revision in change.added if revision is not root)
    return (root, *(revision for revision in others if root.id in find_ancestors(graph, revision.id)))


def _find_new_ids(change: HistoryChange) -> Mapping[str, str]:
    """The old and the new id of the files that were given another one."""
    waiting = list(change.added)
    new_ids = {}
    for revision in change.list_unexplained():
        other = next((item for item in waiting if _is_same_file(change, revision, item)), None)
        if other is not None:
            waiting.remove(other)
            new_ids[revision.id] = other.id
    return new_ids


def _is_same_file(change: HistoryChange, old: Revision, new: Revision) -> bool:
    """Whether both are the same file but for the id."""
    if old.message != new.message and old.location.file != new.location.file:
        return False
    old_text, new_text = find_text(change.before, old), find_text(change.now, new)
    if old_text and new_text:
        return normalize_code(old_text) == normalize_code(new_text)
    return old.location.file == new.location.file


def find_text(history: History, revision: Revision) -> str:
    """The text of a revision's file; empty if it was not read."""
    return next((file.text for file in history.files if file.path == revision.location.file), "")


def write_restoring_command(base: Base, *revisions: Revision) -> str:
    """What brings the files of these revisions of the base back; a submodule has them in its own commit."""
    files = [revision.location.file for revision in revisions]
    commit = base.commit[:12]
    for folder in base.submodules:
        if all(file.startswith(f"{folder}/") for file in files):
            names = shlex.join(file.removeprefix(f"{folder}/") for file in files)
            return (
                f"git -C {shlex.quote(folder)} checkout "
                f'"$(git rev-parse {shlex.quote(f"{commit}:{folder}")})" -- {names}'
            )
    return f"git checkout {commit} -- {shlex.join(files)}"


def name_revision(revision: Revision) -> str:
    """`3f2a "add users" (migrations/versions/3f2a.py)`."""
    message = f' "{revision.message}"' if revision.message else ""
    return f"{revision.id}{message} ({revision.location.file})"
