"""The shape of the revision graph: ancestors, forks, separate trees and circles.

The graph comes from what Alembic loaded, or from the text of the revision files if Alembic could load
nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from itertools import chain

from migration_gate.facts import History, Location
from migration_gate.lazy_dataclass import dataclass

Graph = Mapping[str, tuple[str, ...]]
"""the parents of every revision, oldest revision first if Alembic loaded the history"""

SHORTEST_SIMILAR_ID = 6
"""shorter ids resemble each other by chance"""
SIMILARITY = 0.75
"""ratio of `difflib` from which an id counts as a typing mistake for another"""
SHORTEST_ABBREVIATION = 4
"""characters of an id that Alembic accepts in place of all"""


@dataclass(frozen=True, slots=True)
class Fork:
    """Where two or more lines of history separated."""

    ancestor: str
    """the youngest common ancestor"""
    first_revisions: Mapping[str, str]
    """for each head, the first revision after the fork that leads to it"""


def build_graph(history: History, *, with_dependencies: bool = False) -> Graph:
    """The parents of every revision; with `with_dependencies` also the revisions in its `depends_on`."""
    if not history.revisions:
        return {file.revision: file.parents for file in history.files if file.revision}
    if with_dependencies:
        return {revision.id: revision.parents + revision.depends_on for revision in history.revisions}
    return {revision.id: revision.parents for revision in history.revisions}


def find_location(history: History, identifier: str) -> Location | None:
    """The location of a revision, whether or not Alembic loaded its file."""
    if revision := history.find_revision(identifier):
        return revision.location
    file = next((file for file in history.files if file.revision == identifier), None)
    return Location(file.path, file.line) if file else None


def list_locations(history: History, identifiers: Iterable[str]) -> tuple[Location, ...]:
    """The locations of several revisions, as far as they are known."""
    locations = (find_location(history, identifier) for identifier in identifiers)
    return tuple(location for location in locations if location is not None)


def describe_revision(history: History, identifier: str) -> str:
    """A revision on one line, as far as it is known: `3f2a "add users" (migrations/versions/3f2a.py:12)`."""
    words = [identifier]
    revision = history.find_revision(identifier)
    if revision and revision.message:
        words.append(f'"{revision.message}"')
    if location := find_location(history, identifier):
        words.append(f"({location})")
    return " ".join(words)


def find_similar_id(identifier: str, known_ids: Iterable[str]) -> str | None:
    """The known id that `identifier` is most likely a typing mistake for, if there is one."""
    same_letters = [known for known in sorted(known_ids) if known.lower() == identifier.lower()]
    if same_letters:
        return same_letters[0]
    if len(identifier) < SHORTEST_SIMILAR_ID:
        return None
    matches = get_close_matches(identifier, sorted(known_ids), n=1, cutoff=SIMILARITY)
    return matches[0] if matches else None


def find_ancestors(graph: Graph, *identifiers: str) -> set[str]:
    """The revisions themselves and all that run before them."""
    ancestors: set[str] = set()
    waiting = list(identifiers)
    while waiting:
        revision = waiting.pop()
        if revision not in ancestors:
            ancestors.add(revision)
            waiting.extend(parent for parent in graph.get(revision, ()) if parent in graph)
    return ancestors


def find_fork(graph: Graph, heads: tuple[str, ...]) -> Fork | None:
    """Where the lines to `heads` separated; None when they have no common ancestor."""
    lines = {head: find_ancestors(graph, head) for head in heads}
    common = set.intersection(*lines.values())
    ancestor = _find_youngest(graph, common)
    if ancestor is None:
        return None
    after_fork = [
        revision for revision, parents in graph.items() if ancestor in parents and revision not in common
    ]
    first_revisions = {
        head: next(filter(line.__contains__, after_fork), head) for head, line in lines.items()
    }
    return Fork(ancestor, first_revisions)


def _find_youngest(graph: Graph, revisions: set[str]) -> str | None:
    """The last of the revisions that is no parent of another one of them."""
    parents = {parent for revision in revisions for parent in graph[revision]}
    youngest = None
    for revision in graph:
        if revision in revisions - parents:
            youngest = revision
    return youngest


def split_into_trees(graph: Graph) -> tuple[frozenset[str], ...]:
    """The sets of connected revisions, in the order in which the graph names them."""
    neighbours: dict[str, set[str]] = {revision: set() for revision in graph}
    for revision, parents in graph.items():
        for parent in parents:
            if parent in graph:
                neighbours[revision].add(parent)
                neighbours[parent].add(revision)
    trees: list[frozenset[str]] = []
    visited: set[str] = set()
    for revision in graph:
        if revision not in visited:
            tree = frozenset(_visit_connected(neighbours, revision))
            visited |= tree
            trees.append(tree)
    return tuple(trees)


def _visit_connected(neighbours: Mapping[str, Iterable[str]], start: str) -> Iterator[str]:
    visited = {start}
    waiting = [start]
    while waiting:
        revision = waiting.pop()
        yield revision
        unvisited = [neighbour for neighbour in neighbours[revision] if neighbour not in visited]
        visited.update(unvisited)
        waiting.extend(unvisited)


def find_circle(graph: Graph) -> tuple[str, ...]:
    """The revisions of a circle, each followed by its parent; empty when there is none.

    A depth-first search with a stack of its own: a history may be longer than Python's recursion limit.
    """
    finished: set[str] = set()
    for start in graph:
        if start in finished:
            continue
        path = [start]
        position = {start: 0}
        parents_left = [iter(graph[start])]
        while path:
            parent = _next_unfinished(parents_left[-1], graph, finished)
            if parent is None:
                revision = path.pop()
                parents_left.pop()
                del position[revision]
                finished.add(revision)
            elif parent in position:
                return tuple(path[position[parent] :])
            else:
                position[parent] = len(path)
                path.append(parent)
                parents_left.append(iter(graph[parent]))
    return ()


def _next_unfinished(parents: Iterator[str], graph: Graph, finished: set[str]) -> str | None:
    return next((parent for parent in parents if parent in graph and parent not in finished), None)


def find_heads_of_trees(history: History) -> dict[str, str]:
    """For each separate history its base and one of its heads. Histories that depend on each other are one.

    A tree whose base is missing is left out: the missing parent is reported already.
    """
    parents = build_graph(history)
    bases = [revision for revision in parents if not parents[revision]]
    heads_by_base = {}
    for tree in split_into_trees(build_graph(history, with_dependencies=True)):
        base = next(filter(tree.__contains__, bases), None)
        if base is not None:
            heads_by_base[base] = next(filter(tree.__contains__, history.heads), base)
    return heads_by_base


def are_deliberate(history: History, heads: tuple[str, ...]) -> bool:
    """Whether several heads are meant: each has a branch label of its own, or the target names it.

    One of them may be without: it is the main line, unless the target names heads and leaves this one out.
    """
    targets = _list_named_targets(history)
    labels = {head: _labels_of(history, head) for head in heads}
    label_counts = Counter(chain.from_iterable(labels.values()))
    own_labels = {label for label, count in label_counts.items() if count == 1}
    unexplained = [
        head
        for head in heads
        if labels[head].isdisjoint(own_labels | targets) and not _is_named(head, targets)
    ]
    return not unexplained or (len(unexplained) == 1 and not targets)


def _list_named_targets(history: History) -> set[str]:
    """The ids and branch labels in the target: `users@head` names the branch `users`."""
    return {name.rpartition("@")[0] or name for name in history.target} - {"head", "heads"}


def _labels_of(history: History, identifier: str) -> set[str]:
    revision = history.find_revision(identifier)
    return set(revision.labels) if revision else set()


def _is_named(identifier: str, targets: set[str]) -> bool:
    """Whether one of the targets is the id, or an abbreviation of it that Alembic accepts."""
    long_enough = tuple(target for target in targets if len(target) >= SHORTEST_ABBREVIATION)
    return identifier in targets or identifier.startswith(long_enough)
