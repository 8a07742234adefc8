"""New revisions that were put on top of an old one: what is to follow what, so that one head is left.

The same is asked of the change as it is, and of what its merge into the tip of the base's branch will be.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import pairwise

from migration_gate.analysis.history_change import HistoryChange
from migration_gate.analysis.revision_graph import (
    Graph,
    are_deliberate,
    build_graph,
    find_ancestors,
    find_circle,
    split_into_trees,
)
from migration_gate.facts import BranchTip, History, Location, Revision, RevisionFile
from migration_gate.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class StaleParent:
    """The first revision of a new line, which is to follow another one."""

    revision: Revision
    parent: str
    new_parent: str
    line_head: str
    """the last revision of the line"""
    is_merge: bool = False
    """the two heads are there only after the merge"""


@dataclass(frozen=True, slots=True)
class MergedHistory:
    """The history that a merge into the tip of the base's branch makes."""

    history: History
    tip_ids: frozenset[str]
    """the revisions that only the tip has"""


def find_stale_parents(change: HistoryChange) -> tuple[StaleParent, ...]:
    """The new lines that leave the base's head beside their own, each with what it is to follow.

    None in a tree of revisions where that would not make one head: there is more than one reason for several.
    """
    added = {revision.id for revision in change.added}
    return tuple(_find_in_history(change.now, added))


def find_stale_after_merge(change: HistoryChange) -> tuple[StaleParent, ...]:
    """The same for the history after the merge, without what is stale before it."""
    merged = merge_histories(change)
    if merged is None or find_stale_parents(change):
        return ()
    tip_files = change.base.tip.files if change.base.tip is not None else ()
    added = {revision.id for revision in change.added} - {file.revision for file in tip_files}
    return tuple(replace(stale, is_merge=True) for stale in _find_in_history(merged.history, added))


@dataclass(frozen=True, slots=True)
class RemovedParent:
    """A new revision that follows one which the tip of the base's branch has removed."""

    revision: Revision
    parent: str
    heads: tuple[str, ...]
    """the other ones after the merge"""


def find_removed_parents(change: HistoryChange) -> Iterator[RemovedParent]:
    """The change's new revisions whose parent no file has after the merge."""
    tip = change.base.tip
    if tip is None:
        return
    removed = _list_removed_ids(change, tip) - {file.revision for file in tip.files}
    merged = _merge_files(change.now, _list_new_files(change.now, tip), removed)
    others = [revision for revision in merged.revisions if not change.is_added(revision.id)]
    for revision in change.added:
        for parent in revision.parents:
            if parent in removed:
                yield RemovedParent(revision, parent, _list_heads(others))


def _find_in_history(history: History, added: Collection[str]) -> Iterable[StaleParent]:
    graph = build_graph(history)
    for tree in split_into_trees(graph):
        heads = tuple(head for head in history.heads if head in tree)
        if len(heads) > 1 and not are_deliberate(history, heads):
            yield from _plan_line_order(history, graph, heads, added)


def _plan_line_order(
    history: History, graph: Graph, heads: tuple[str, ...], added: Collection[str]
) -> list[StaleParent]:
    """Every new line put on top of the one before it; the first one on top of the only old head."""
    old_heads = [head for head in heads if head not in added]
    if len(old_heads) != 1:
        return []
    trunk = find_ancestors(graph, *old_heads)
    order = sorted(heads, key=lambda head: head in added)
    firsts = [_find_first(history, graph, head, trunk, top) for top, head in pairwise(order)]
    plan = [stale for stale in firsts if stale is not None and stale.revision.id in added]
    return plan if len(plan) == len(firsts) and _is_possible(history, plan) else []


def _find_first(history: History, graph: Graph, head: str, trunk: set[str], top: str) -> StaleParent | None:
    """The one revision with which a line leaves the trunk; None if it does so more than once."""
    line = find_ancestors(graph, head) - trunk
    leaving = [revision for revision in line if trunk & {*graph[revision]} or not graph[revision]]
    if len(leaving) != 1 or len(graph[leaving[0]]) != 1:
        return None
    revision = history.find_revision(leaving[0])
    return StaleParent(revision, graph[leaving[0]][0], top, head) if revision is not None else None


def _is_possible(history: History, plan: Collection[StaleParent]) -> bool:
    """Whether each line has a first revision of its own, and no circle comes of the new parents."""
    if len({stale.revision.id for stale in plan}) < len(plan):
        return False
    graph = {**build_graph(history, with_dependencies=True)}
    for stale in plan:
        graph[stale.revision.id] = (*graph[stale.revision.id], stale.new_parent)
    return not find_circle(graph)


def merge_histories(change: HistoryChange) -> MergedHistory | None:
    """The history after the merge into the tip of the base's branch; None if that has nothing more."""
    tip = change.base.tip
    if tip is None or not change.now.revisions:
        return None
    new_files = _list_new_files(change.now, tip)
    tip_ids = frozenset(file.revision or "" for file in new_files)
    base_ids = {revision.id for revision in change.before.revisions}
    if not new_files or tip_ids & base_ids:
        return None  # (what the change removed, and the tip has edited: git reports a conflict)
    return MergedHistory(_merge_files(change.now, new_files, _list_removed_ids(change, tip)), tip_ids)


def _list_new_files(now: History, tip: BranchTip) -> list[RevisionFile]:
    """The revision files of the tip whose ids the change does not have."""
    known_ids = {revision.id for revision in now.revisions}
    return [file for file in tip.files if file.revision and file.revision not in known_ids]


def _merge_files(history: History, files: Collection[RevisionFile], removed_ids: Collection[str]) -> History:
    """The history with the revisions of these files, and without the removed ones."""
    ids = {*(revision.id for revision in history.revisions), *(file.revision or "" for file in files)}
    revisions = [revision for revision in history.revisions if revision.id not in removed_ids]
    revisions += [_make_revision(file, ids) for file in files]
    return replace(history, revisions=tuple(revisions), heads=_list_heads(revisions))


def _list_heads(revisions: Collection[Revision]) -> tuple[str, ...]:
    """Those that are no parents, in the same order."""
    parents = {parent for revision in revisions for parent in revision.parents}
    return tuple(revision.id for revision in revisions if revision.id not in parents)


def _list_removed_ids(change: HistoryChange, tip: BranchTip) -> set[str]:
    removed = {*tip.removed_files}
    return {revision.id for revision in change.before.revisions if revision.location.file in removed}


def _make_revision(file: RevisionFile, ids: Collection[str]) -> Revision:
    parents = tuple(_complete_id(parent, ids) for parent in file.parents)
    return Revision(file.revision or "", parents, "", Location(file.path, file.line))


def _complete_id(parent: str, ids: Collection[str]) -> str:
    """Alembic takes the first characters of an id for all of it."""
    if parent in ids:
        return parent
    return next((identifier for identifier in sorted(ids) if identifier.startswith(parent)), parent)


def list_ids_of_both(change: HistoryChange) -> Mapping[Revision, RevisionFile]:
    """The change's new revisions whose id the tip of the base's branch has given to another file."""
    tip = change.base.tip
    files = {file.revision: file for file in tip.files} if tip is not None else {}
    return {
        revision: files[revision.id]
        for revision in change.added
        if revision.id in files and files[revision.id].path != revision.location.file
    }
