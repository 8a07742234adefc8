"""Which other head could be meant, if a revision fails that not every head of the history needs."""

from __future__ import annotations

from migration_gate.analysis.revision_graph import build_graph, find_ancestors
from migration_gate.facts import Replay
from migration_gate.wording import code_block, count_noun

ALL_HEADS = ("heads",)
"""the target of a run whose settings name none"""
SHOWN_HEADS = 4


def advise_on_target(replay: Replay, revision: str | None) -> str:
    """A paragraph that names `target:`; empty if every head needs the revision, or it is set."""
    history = replay.history
    if revision is None or len(history.heads) < 2 or history.target != ALL_HEADS:
        return ""
    graph = build_graph(history, with_dependencies=True)
    others = [head for head in history.heads if revision not in {head, *find_ancestors(graph, head)}]
    if not others:
        return ""
    shown = ", ".join(f"`{head}`" for head in others[:SHOWN_HEADS])
    more = f" and {len(others) - SHOWN_HEADS} more" if len(others) > SHOWN_HEADS else ""
    return (
        f"\nThe history has {count_noun(len(history.heads), 'head')}, of which {shown}{more} can be reached "
        "without this revision. If production upgrades to one of them alone, name it:"
        f"{code_block(f'target: {others[0]}')}"
    )
