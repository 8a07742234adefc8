"""A flow chart of the newest revisions, if there are several heads or a merge to see.

The chart holds no text of the project as it is: nodes have names of ours, and labels are escaped.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from migration_gate.analysis.revision_graph import build_graph
from migration_gate.facts import History
from migration_gate.lazy_dataclass import dataclass
from migration_gate.report.mermaid import escape_label
from migration_gate.report.verdict_selection import standing_verdicts
from migration_gate.verdict.outcome import ProjectReport
from migration_gate.wording import count_noun

MAX_NODES = 40
"""GitHub draws a larger chart slowly, and nobody can read it, long before Mermaid's own limits"""
MAX_REVISIONS = 4 * MAX_NODES
"""revisions that are considered: several of them can share a node"""
RECENT = 12
"""a merge matters to a reviewer while it is among this many newest revisions"""
LONGEST_RUN = 3
"""more revisions than this in a line without forks become one node"""
ID_LENGTH = 16
"""characters"""
OLDER = "older"
"""the node for parents that are not drawn"""
HISTORY_CHECKS = frozenset({"several-heads", "broken-history", "failing-upgrade"})
"""checks whose findings a picture of the history explains"""
Node = tuple[str, ...]
"""the revisions that one node stands for, newest first"""


@dataclass(frozen=True, slots=True)
class RelatedRevisions:
    """The parents and children of each revision. A missing parent has children but no parents."""

    parents: Mapping[str, tuple[str, ...]]
    """of every revision, oldest revision first"""
    children: Mapping[str, tuple[str, ...]]

    def known_parents(self, revision: str) -> set[str]:
        """Its parents, without those that are missing."""
        return {parent for parent in self.parents[revision] if parent in self.parents}

    def is_head(self, revision: str) -> bool:
        """Whether no revision follows."""
        return not self.children.get(revision)

    def is_in_line(self, revision: str) -> bool:
        """Whether it has one parent and one child, and is its parent's only child."""
        parents = self.parents[revision]
        if len(parents) != 1 or len(self.children[revision]) != 1:
            return False
        return len(self.children.get(parents[0], ())) == 1


def render_history(history: History) -> str:
    """The chart as Mermaid; empty if the newest revisions follow each other in one line."""
    related = _relate_revisions(history)
    heads = [revision for revision in related.parents if related.is_head(revision)]
    merges: list[str] = []
    if len(heads) < 2:
        recent = list(related.parents)[-RECENT:]
        merges = [revision for revision in recent if len(related.parents[revision]) > 1]
        if not merges:
            return ""
    revisions = _select_revisions(related, heads, merges)
    return _draw_chart(history, related, revisions)


def render_concerned_history(project: ProjectReport) -> str:
    """The same for a report; empty too if no finding is about heads, merges or a failure."""
    concerned = any(verdict.check in HISTORY_CHECKS for verdict in standing_verdicts(project.verdicts))
    return render_history(project.facts.replay.history) if concerned else ""


def _relate_revisions(history: History) -> RelatedRevisions:
    graph = build_graph(history, with_dependencies=True)
    parents = {revision: tuple(dict.fromkeys(above)) for revision, above in graph.items()}
    children: dict[str, list[str]] = {revision: [] for revision in parents}
    for revision, above in parents.items():
        for parent in above:
            children.setdefault(parent, []).append(revision)
    return RelatedRevisions(parents, {revision: tuple(below) for revision, below in children.items()})


def _select_revisions(related: RelatedRevisions, heads: Sequence[str], merges: Sequence[str]) -> list[str]:
    """The revisions from the heads and merges back to one behind the point where their lines meet."""
    # A revision comes after all of its parents, so that the newest one is never needed again.
    age = {revision: number for number, revision in enumerate(related.parents)}
    waiting = {*heads, *merges}
    selected: list[str] = []
    lines_have_met = False
    while waiting and len(selected) < MAX_REVISIONS:
        newest = max(waiting, key=lambda revision: age[revision])
        waiting.remove(newest)
        selected.append(newest)
        waiting.update(related.known_parents(newest).difference(selected))
        if len(waiting) > 1 or not set(merges) <= set(selected):
            continue
        if lines_have_met:
            break
        lines_have_met = True
    return selected


def _draw_chart(history: History, related: RelatedRevisions, revisions: Sequence[str]) -> str:
    """The chart of these revisions, newest first."""
    nodes = _group_into_nodes(related, revisions)[:MAX_NODES]
    node_names = {revision: f"r{number}" for number, node in enumerate(nodes) for revision in node}
    lines = ["flowchart LR"]
    for number, node in enumerate(nodes):
        lines.append(f"  r{number}{_draw_node(history, node, is_head=related.is_head(node[0]))}")
    edges = list(dict.fromkeys(_draw_edges(history, related, node_names)))
    lines += edges
    if any(edge.startswith(f"  {OLDER}") for edge in edges):
        undrawn = len(related.parents) - len(node_names)
        label = count_noun(undrawn, "older revision") if undrawn > 0 else "missing"
        lines.append(f'  {OLDER}(["{label}"])')
    if sum(1 for revision in revisions if related.is_head(revision)) > 1:
        lines.append("  classDef head stroke-width:3px,stroke:#cf222e")
    return "\n".join(lines)


def _group_into_nodes(related: RelatedRevisions, revisions: Sequence[str]) -> list[Node]:
    """The nodes of the revisions, newest first: a long line without forks is one node."""
    selected = set(revisions)
    nodes: list[Node] = []
    grouped: set[str] = set()
    for revision in revisions:
        if revision in grouped:
            continue
        run = [revision, *_rest_of_line(related, revision, selected)]
        grouped.update(run)
        if len(run) > LONGEST_RUN:
            nodes.append(tuple(run))
        else:
            nodes += [(member,) for member in run]
    return nodes


def _rest_of_line(related: RelatedRevisions, revision: str, selected: set[str]) -> Iterator[str]:
    """The revisions before this one, as far as they and it form a line without forks."""

    def is_in_selected_line(member: str) -> bool:
        return related.is_in_line(member) and related.parents[member][0] in selected

    while is_in_selected_line(revision):
        revision = related.parents[revision][0]
        if not is_in_selected_line(revision):
            return
        yield revision


def _draw_node(history: History, node: Node, *, is_head: bool) -> str:
    if len(node) > 1:
        return f'(["{count_noun(len(node), "revision")}"])'
    label = escape_label(node[0], ID_LENGTH)
    revision = history.find_revision(node[0])
    if revision and revision.message.strip():
        label = f"{label}<br/>{escape_label(revision.message)}"
    return f'["{label}"]{":::head" if is_head else ""}'


def _draw_edges(history: History, related: RelatedRevisions, node_names: Mapping[str, str]) -> Iterator[str]:
    """From each parent to its children; the line is dotted for a revision that is only depended on."""
    for child, node_name in node_names.items():
        revision = history.find_revision(child)
        for parent in related.parents[child]:
            parent_name = node_names.get(parent, OLDER)
            if parent_name == node_name:
                continue
            is_dependency = revision is not None and parent not in revision.parents
            arrow = "-.->" if is_dependency else "-->"
            yield f"  {parent_name} {arrow} {node_name}"
