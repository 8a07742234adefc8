"""What a change does to the revisions of its base: which are new, gone and kept, and which were squashed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from migration_gate.analysis.revision_code import normalize_code
from migration_gate.analysis.revision_graph import build_graph, find_ancestors
from migration_gate.facts import Base, Facts, History, Lineage, Revision


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
    squash: Squash | None
    new_ids: Mapping[str, str]
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
    base = facts.base
    if base is None or base.history is None or base.lineage is Lineage.OTHER:
        return None
    before, now = base.history, facts.replay.history
    if not before.revisions or before.error is not None:
        return None  # nothing ran at the base
    known_ids = {revision.id for revision in now.revisions}
    known_ids |= {file.revision for file in now.files if file.revision}
    if not known_ids or any(file.error for file in now.files):
        return None
    old_ids = {revision.id: revision for revision in before.revisions}
    added = tuple(revision for revision in now.revisions if revision.id not in old_ids)
    gone = tuple(revision for revision in before.revisions if revision.id not in known_ids)
    kept = tuple(
        KeptRevision(old_ids[revision.id], revision) for revision in now.revisions if revision.id in old_ids
    )
    squash = _find_squash(before, now, added, gone, kept)
    squashed = squash.removed_ids if squash is not None else frozenset()
    unexplained = [revision for revision in gone if revision.id not in squashed]
    return HistoryChange(
        base, before, now, added, gone, kept, squash, _find_new_ids(before, now, unexplained, added)
    )


def _find_squash(
    before: History,
    now: History,
    added: tuple[Revision, ...],
    gone: tuple[Revision, ...],
    kept: tuple[KeptRevision, ...],
) -> Squash | None:
    """The squash: the oldest revisions are gone, and the history begins with another one."""
    gone_ids = {revision.id for revision in gone}
    graph = build_graph(before, with_dependencies=True)
    removed = tuple(revision for revision in gone if find_ancestors(graph, revision.id) <= gone_ids)
    new_roots = [revision for revision in added if not revision.parents]
    reused = [
        pair.now
        for pair in kept
        if pair.before.parents and not pair.now.parents and set(pair.before.parents) <= gone_ids
    ]
    if not removed or not (new_roots or reused):
        return None
    if len(removed) == 1 and not reused and _is_same_file(before, now, removed[0], new_roots[0]):
        return None  # it only got another id
    replacements = tuple(reused[:1]) if reused else _list_line(new_roots[0], added, now)
    first_ids = {revision.id for revision in replacements}
    survivors = tuple(pair.now for pair in kept if pair.now.id not in first_ids)
    return Squash(removed, replacements, reused[0] if reused else None, survivors)


def _list_line(root: Revision, added: tuple[Revision, ...], now: History) -> tuple[Revision, ...]:
    """The new revision without a parent, and the new ones that follow it."""
    graph = build_graph(now)
    return (
        root,
        *(
            revision
            for revision in added
            if revision is not root and root.id in find_ancestors(graph, revision.id)
        ),
    )


def _find_new_ids(
    before: History, now: History, gone: Iterable[Revision], added: Iterable[Revision]
) -> Mapping[str, str]:
    """The old and the new id of the files that were given another one."""
    waiting = list(added)
    new_ids = {}
    for revision in gone:
        other = next((item for item in waiting if _is_same_file(before, now, revision, item)), None)
        if other is not None:
            waiting.remove(other)
            new_ids[revision.id] = other.id
    return new_ids


def _is_same_file(before: History, now: History, old: Revision, new: Revision) -> bool:
    """Whether both are the same file but for the id."""
    if old.message != new.message and old.location.file != new.location.file:
        return False
    old_text, new_text = find_text(before, old), find_text(now, new)
    if old_text and new_text:
        return normalize_code(old_text) == normalize_code(new_text)
    return old.location.file == new.location.file


def find_text(history: History, revision: Revision) -> str:
    """The text of a revision's file; empty if it was not read."""
    return next((file.text for file in history.files if file.path == revision.location.file), "")


def name_revision(revision: Revision) -> str:
    """`3f2a "add users" (migrations/versions/3f2a.py)`."""
    message = f' "{revision.message}"' if revision.message else ""
    return f"{revision.id}{message} ({revision.location.file})"
