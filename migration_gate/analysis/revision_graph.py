"""The shape of the revision graph: ancestors, forks, components and cycles.

Read from what Alembic loaded, or from the revision files as text where Alembic could load nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from migration_gate.facts import History, Location

Graph = Mapping[str, tuple[str, ...]]
"""every revision and its parents"""


@dataclass(frozen=True, slots=True)
class Fork:
    """Where lines of history parted: the youngest common ancestor, and the first revision of each line."""

    ancestor: str
    first: Mapping[str, str]
    """head and the first revision after the fork that leads to it"""


def parents(history: History, *, dependencies: bool = False) -> dict[str, tuple[str, ...]]:
    """Every revision with its parents (and what it depends on), from the files where Alembic gave up."""
    if history.revisions:
        return {r.id: r.parents + (r.depends_on if dependencies else ()) for r in history.revisions}
    return {f.revision: f.parents for f in history.files if f.revision}


def place_of(history: History, identifier: str) -> Location | None:
    """The file of a revision, known to Alembic or not."""
    if revision := history.find_revision(identifier):
        return revision.location
    file = next((f for f in history.files if f.revision == identifier), None)
    return Location(file.path, file.line) if file else None


def ancestors(graph: Graph, identifier: str) -> set[str]:
    """The revision itself and all that it stands on."""
    seen: set[str] = set()
    waiting = [identifier]
    while waiting:
        one = waiting.pop()
        if one not in seen:
            seen.add(one)
            waiting.extend(p for p in graph.get(one, ()) if p in graph)
    return seen


def components(graph: Graph) -> tuple[frozenset[str], ...]:
    """Sets of revisions that are connected, in the order in which the graph names them."""
    neighbours: dict[str, set[str]] = {one: set() for one in graph}
    for one, above in graph.items():
        for parent in above:
            if parent in graph:
                neighbours[one].add(parent)
                neighbours[parent].add(one)
    found: list[frozenset[str]] = []
    seen: set[str] = set()
    for one in graph:
        if one not in seen:
            component = frozenset(_reach(neighbours, one))
            seen |= component
            found.append(component)
    return tuple(found)


def _reach(neighbours: Mapping[str, Iterable[str]], start: str) -> Iterator[str]:
    """Every revision that can be reached from `start`."""
    seen, waiting = {start}, [start]
    while waiting:
        one = waiting.pop()
        yield one
        fresh = [n for n in neighbours[one] if n not in seen]
        seen.update(fresh)
        waiting.extend(fresh)


def fork(graph: Graph, heads: tuple[str, ...]) -> Fork | None:
    """Where `heads` parted; None when they share no ancestor."""
    lines = {head: ancestors(graph, head) for head in heads}
    shared = set.intersection(*lines.values())
    # The youngest shared one is no parent of another shared one.
    older = {parent for one in shared for parent in graph[one]}
    youngest = [one for one in graph if one in shared and one not in older]
    if not youngest:
        return None
    ancestor = youngest[-1]
    first = {
        head: next((o for o in graph if o in line and o not in shared and ancestor in graph[o]), head)
        for head, line in lines.items()
    }
    return Fork(ancestor, first)


def cycle(graph: Graph) -> tuple[str, ...]:
    """The revisions of one cycle, each followed by its parent; empty when there is none."""
    done: set[str] = set()
    for start in graph:
        path: list[str] = []
        at: dict[str, int] = {}
        stack = [(start, iter(graph[start]))] if start not in done else []
        if stack:
            path.append(start)
            at[start] = 0
        while stack:
            one, rest = stack[-1]
            parent = next((p for p in rest if p in graph and p not in done), None)
            if parent is None:
                done.add(one)
                stack.pop()
                path.pop()
                del at[one]
            elif parent in at:
                return tuple(path[at[parent] :])
            else:
                at[parent] = len(path)
                path.append(parent)
                stack.append((parent, iter(graph[parent])))
    return ()


def described(history: History, identifier: str) -> str:
    """A revision in one line: id, message and file."""
    revision, place = history.find_revision(identifier), place_of(history, identifier)
    words = [identifier, f'"{revision.message}"' if revision and revision.message else ""]
    return " ".join(filter(None, (*words, f"({place})" if place else "")))


def deliberate(history: History, ends: tuple[str, ...]) -> bool:
    """Several heads, or heads of several trees, are meant: labels of their own, or the target, name them."""
    labels = {
        end: set(revision.labels) if (revision := history.find_revision(end)) else set() for end in ends
    }
    wanted = {name.rpartition("@")[0] or name for name in history.target} - {"head", "heads"}

    def explained(end: str) -> bool:
        others = set[str]().union(*(labels[other] for other in ends if other != end))
        called = any(end == name or (len(name) > 3 and end.startswith(name)) for name in wanted)
        return bool(labels[end] - others) or called or bool(wanted & labels[end])

    unexplained = sum(not explained(end) for end in ends)
    # One line without a name of its own is the main line; beside a target by name it is forgotten.
    return unexplained == 0 or (unexplained == 1 and not wanted)


def trees(history: History) -> dict[str, str]:
    """Unrelated histories: the base and a head of each. Histories that depend on one another are related."""
    graph = parents(history, dependencies=True)
    own = parents(history)
    # A parent that is nowhere makes no base: its child's tree is torn off, and that is said elsewhere.
    found = {}
    for tree in components(graph):
        bases = [one for one in graph if one in tree and not own[one]]
        heads = [head for head in history.heads if head in tree]
        if bases:
            found[bases[0]] = heads[0] if heads else bases[0]
    return found


def similar(wanted: str, known: Iterable[str | None]) -> str | None:
    """The known revision whose id looks most like `wanted`: a typing mistake. Short ids all look alike."""
    if len(wanted) < 6:
        return None
    return next(iter(get_close_matches(wanted, sorted(filter(None, known)), n=1, cutoff=0.75)), None)
