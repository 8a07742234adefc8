"""The revision graph as the revision files tell it in their text, if Alembic does not run."""

from __future__ import annotations

import graphlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from migration_gate.facts import History, Location, MissingParent, Revision, RevisionFile
from migration_gate.lazy_dataclass import dataclass
from migration_gate.scan.revision_files import RevisionSource, RevisionSources

_SHORTEST_PREFIX = 4
"""characters of an id that Alembic takes for the whole one"""


@dataclass(frozen=True, slots=True)
class _Node:
    """A revision with the whole ids of its parents."""

    id: str
    parents: tuple[str, ...]
    source: RevisionSource


def build_history(sources: RevisionSources, target: tuple[str, ...]) -> History:
    """The graph of the revisions. As with Alembic, a broken history has files and no revisions."""
    nodes = _make_nodes(sources.files)
    history = History(
        files=_complete_files(sources.files, nodes),
        locations=sources.locations,
        target=target,
        missing_parents=tuple(_find_missing_parents(nodes)),
    )
    is_broken = history.missing_parents or _has_duplicates(nodes) or _has_cycle(nodes)
    if is_broken or _is_uncertain(sources.files):
        return history
    return replace(
        history, revisions=_make_revisions(nodes), heads=_find_heads(nodes), bases=_find_bases(nodes)
    )


def _complete_files(files: Sequence[RevisionSource], nodes: Sequence[_Node]) -> tuple[RevisionFile, ...]:
    """The files, each with the whole ids of its parents."""
    parents = {node.source.file.path: node.parents for node in nodes}
    return tuple(replace(source.file, parents=parents.get(source.file.path, ())) for source in files)


def _is_uncertain(files: Sequence[RevisionSource]) -> bool:
    """Whether a file could not be read, or not be placed."""
    return any(source.file.error or source.doubt for source in files)


def _find_heads(nodes: Sequence[_Node]) -> tuple[str, ...]:
    """The revisions that are no parent of another."""
    parents = {parent for node in nodes for parent in node.parents}
    return tuple(node.id for node in nodes if node.id not in parents)


def _find_bases(nodes: Sequence[_Node]) -> tuple[str, ...]:
    """The revisions without parents."""
    return tuple(node.id for node in nodes if not node.parents)


def _make_nodes(files: Sequence[RevisionSource]) -> tuple[_Node, ...]:
    """The files that have an id, in their order."""
    ids = [source.file.revision for source in files if source.file.revision]
    known = frozenset(ids)
    nodes = []
    for source in files:
        if source.file.revision:
            parents = (
                parent if parent in known else _complete_id(parent, ids) for parent in source.file.parents
            )
            nodes.append(_Node(source.file.revision, tuple(parents), source))
    return tuple(nodes)


def _complete_id(parent: str, ids: Sequence[str]) -> str:
    """The id that begins with `parent`, since Alembic takes a prefix as well; else `parent` itself."""
    if len(parent) < _SHORTEST_PREFIX:
        return parent
    return next((revision for revision in ids if revision.startswith(parent)), parent)


def _find_missing_parents(nodes: Sequence[_Node]) -> Iterator[MissingParent]:
    """The parents that no file has."""
    known = {node.id for node in nodes}
    for node in nodes:
        for parent in node.parents:
            if parent not in known:
                yield MissingParent(node.id, parent)


def _has_duplicates(nodes: Sequence[_Node]) -> bool:
    """Whether two files have the same id."""
    return len({node.id for node in nodes}) < len(nodes)


def _has_cycle(nodes: Sequence[_Node]) -> bool:
    """Whether a revision is among its own ancestors."""
    try:
        graphlib.TopologicalSorter({node.id: node.parents for node in nodes}).prepare()
    except graphlib.CycleError:
        return True
    return False


def _make_revisions(nodes: Sequence[_Node]) -> tuple[Revision, ...]:
    """The revisions as facts, in the order of their files."""
    labels = _inherit_labels(nodes)
    return tuple(
        Revision(
            node.id,
            node.parents,
            node.source.message,
            Location(node.source.file.path, node.source.upgrade_line),
            node.source.depends_on,
            tuple(sorted(labels[node.id])),
        )
        for node in nodes
    )


def _inherit_labels(nodes: Sequence[_Node]) -> Mapping[str, frozenset[str]]:
    """Branch labels as Alembic passes them on: to all descendants, and back to where the branch began."""
    parents = {node.id: node.parents for node in nodes}
    children: dict[str, list[str]] = {node.id: [] for node in nodes}
    for node in nodes:
        for parent in node.parents:
            children[parent].append(node.id)
    labels: dict[str, frozenset[str]] = dict.fromkeys(parents, frozenset())
    for node in nodes:
        if node.source.branch_labels:
            for revision in _find_branch(node.id, parents, children):
                labels[revision] |= frozenset(node.source.branch_labels)
    return labels


def _find_branch(
    revision: str, parents: Mapping[str, Sequence[str]], children: Mapping[str, Sequence[str]]
) -> set[str]:
    """The revision, all its descendants, and its ancestors up to the point where other branches begin."""
    branch = _find_descendants(revision, children)
    while len(parents[revision]) == 1 and len(children[parents[revision][0]]) == 1:
        revision = parents[revision][0]
        branch.add(revision)
    return branch


def _find_descendants(revision: str, children: Mapping[str, Sequence[str]]) -> set[str]:
    """The revision itself, and everything above it."""
    descendants: set[str] = set()
    waiting = [revision]
    while waiting:
        current = waiting.pop()
        if current not in descendants:
            descendants.add(current)
            waiting += children[current]
    return descendants
