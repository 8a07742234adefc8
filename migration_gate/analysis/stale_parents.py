"""New revisions that were put on top of an old one: what is to follow what, so that one head is left.

The same is asked of the change as it is, and of what its merge into the tip of the base's branch will be.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace

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
    top = old_heads[0]
    trunk = find_ancestors(graph, top)
    plan = []
    for head in (head for head in heads if head in added):
        stale = _find_first(history, graph, head, trunk, top)
        if stale is None or stale.revision.id not in added:
            return []
        plan.append(stale)
        top = head
    firsts = [stale.revision.id for stale in plan]
    return plan if len(firsts) == len({*firsts}) and not _makes_circle(history, plan) else []


def _find_first(history: History, graph: Graph, head: str, trunk: set[str], top: str) -> StaleParent | None:
    """The one revision with which a line leaves the trunk; None if it does so more than once."""
    line = find_ancestors(graph, head) - trunk
    leaving = [revision for revision in line if trunk & {*graph[revision]} or not graph[revision]]
    if len(leaving) != 1 or len(graph[leaving[0]]) != 1:
        return None
    revision = history.find_revision(leaving[0])
    return StaleParent(revision, graph[leaving[0]][0], top, head) if revision is not None else None


def _makes_circle(history: History, plan: Iterable[StaleParent]) -> bool:
    graph = {**build_graph(history, with_dependencies=True)}
    for stale in plan:
        graph[stale.revision.id] = (*graph[stale.revision.id], stale.new_parent)
    return bool(find_circle(graph))


def merge_histories(change: HistoryChange) -> MergedHistory | None:
    """The history after the merge into the tip of the base's branch; None if that has nothing more."""
    tip = change.base.tip
    if tip is None or not change.now.revisions:
        return None
    known_ids = {revision.id for revision in change.now.revisions}
    removed_ids = _list_removed_ids(change, tip)
    new_files = [file for file in tip.files if file.revision and file.revision not in known_ids]
    tip_ids = frozenset(file.revision for file in new_files if file.revision)
    base_ids = {revision.id for revision in change.before.revisions}
    if not new_files or tip_ids & base_ids:
        return None  # (what the change removed, and the tip has edited: git reports a conflict)
    all_ids = known_ids | tip_ids
    revisions = [revision for revision in change.now.revisions if revision.id not in removed_ids]
    revisions += [_make_revision(file, all_ids) for file in new_files]
    parents = {parent for revision in revisions for parent in revision.parents}
    heads = tuple(revision.id for revision in revisions if revision.id not in parents)
    history = replace(change.now, revisions=tuple(revisions), heads=heads)
    return MergedHistory(history, tip_ids)


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
