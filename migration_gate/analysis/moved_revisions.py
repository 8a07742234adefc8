"""Revisions of the base that have another place in the history, for no other reason that is reported."""

from __future__ import annotations

from collections.abc import Iterator

from migration_gate.analysis.history_change import HistoryChange, KeptRevision
from migration_gate.analysis.reused_ids import is_other_revision
from migration_gate.analysis.revision_graph import build_graph, find_ancestors
from migration_gate.facts import Revision
from migration_gate.lazy_dataclass import dataclass
from migration_gate.wording import join_words


@dataclass(frozen=True, slots=True)
class Move:
    """A revision with another parent or dependency."""

    pair: KeptRevision
    added: tuple[str, ...]
    """the revisions that run before it now, and did not at the base"""
    lost: tuple[str, ...]
    """those that ran before it at the base, and do not now"""

    def describe(self) -> tuple[str, str]:
        """What it followed and what it follows: `followed `a``, `follows `b``."""
        before, now = self.pair.before, self.pair.now
        if set(before.parents) == set(now.parents):
            return (
                _describe_dependencies("depended on", before),
                _describe_dependencies("depends on", now),
            )
        return _describe_parents("followed", "was", before), _describe_parents("follows", "is", now)


def _describe_parents(verb: str, be: str, revision: Revision) -> str:
    return f"{verb} {join_words(revision.parents)}" if revision.parents else f"{be} a first revision"


def _describe_dependencies(verb: str, revision: Revision) -> str:
    return f"{verb} {join_words(revision.depends_on) or 'nothing'}"


def list_moves(change: HistoryChange) -> Iterator[Move]:
    """The revisions that were moved: not those that only follow from a removal, a squash or a new id."""
    before = build_graph(change.before, with_dependencies=True)
    now = build_graph(change.now, with_dependencies=True)
    for pair in change.kept:
        if _is_moved(change, pair) and not is_other_revision(change, pair):
            old = find_ancestors(before, pair.now.id)
            new = find_ancestors(now, pair.now.id)
            gone = {revision.id for revision in change.gone}
            added = new - old - {*change.new_ids.values()}
            yield Move(pair, _in_order(now, added), _in_order(before, old - new - gone))


def _in_order(graph: object, ids: set[str]) -> tuple[str, ...]:
    assert isinstance(graph, dict)  # noqa: S101 - tells mypy
    return tuple(revision for revision in graph if revision in ids)


def _is_moved(change: HistoryChange, pair: KeptRevision) -> bool:
    old_parents, new_parents = {*pair.before.parents}, {*pair.now.parents}
    if old_parents == new_parents:
        return {*pair.before.depends_on} != {*pair.now.depends_on} and not _is_explained(
            change, {*pair.before.depends_on}, {*pair.now.depends_on}
        )
    squash = change.squash
    if squash is not None and (
        pair.now == squash.reused or (old_parents <= squash.removed_ids and _follows_squash(change, pair))
    ):
        return False
    return not _is_explained(change, old_parents, new_parents)


def _follows_squash(change: HistoryChange, pair: KeptRevision) -> bool:
    squash = change.squash
    return squash is not None and {*pair.now.parents} <= {item.id for item in squash.replacements}


def _is_explained(change: HistoryChange, old: set[str], new: set[str]) -> bool:
    """Whether the new ids are what is left of the old ones after removals and new ids."""
    graph = build_graph(change.before)
    gone = {revision.id for revision in change.gone}
    expected: set[str] = set()
    waiting = list(old)
    visited: set[str] = set()
    while waiting:
        revision = waiting.pop()
        if revision in change.new_ids:
            expected.add(change.new_ids[revision])
        elif revision in gone and revision not in visited:
            visited.add(revision)
            waiting += graph.get(revision, ())
        elif revision not in gone:
            expected.add(revision)
    return expected == new
