"""Which of several heads is the newer one, and how its line is put on top of the other."""

from __future__ import annotations

from itertools import chain

from migration_gate.analysis.history_change import HistoryChange
from migration_gate.analysis.revision_graph import Fork, build_graph, find_ancestors, find_location
from migration_gate.facts import Correction, History, Replay, SetVariable

_INTRODUCTION = "If `{head}` has not run on any database yet, put it on top of `{other}`:"


def sort_by_age(replay: Replay, heads: tuple[str, ...]) -> tuple[str, ...]:
    """The heads, those last which the change adds or edits; Alembic's order is no order of time."""
    return tuple(sorted(heads, key=lambda head: _is_changed(replay, head)))


def _is_changed(replay: Replay, head: str) -> bool:
    location = find_location(replay.history, head)
    return location is not None and location.file in replay.changed_files


def name_as_at_base(change: HistoryChange | None, heads: tuple[str, ...]) -> tuple[tuple[str, ...], ...]:
    """For each head the heads of the base that it follows, or is; the head itself where the base has others.

    So several heads of the base stay the same ones when a revision is put on one of them.
    """
    own_names = tuple((head,) for head in heads)
    if change is None:
        return own_names
    graph = build_graph(change.now)
    ancestors = [find_ancestors(graph, head) for head in heads]
    names = tuple(tuple(head for head in change.before.heads if head in line) for line in ancestors)
    is_clear = all(names) and len({*chain.from_iterable(names)}) == sum(map(len, names))
    return names if is_clear else own_names


def put_on_top(history: History, heads: tuple[str, ...], fork: Fork | None) -> tuple[Correction, ...]:
    """The `down_revision` that puts the last of two heads on top of the first one.

    None where the other line depends on the revision that would move, which would make a circle, or where
    that revision joins several.
    """
    if fork is None or len(heads) != 2:
        return ()
    other, newest = heads
    moved = history.find_revision(fork.first_revisions[newest])
    if moved is None or moved.parents != (fork.ancestor,):
        return ()
    if moved.id in find_ancestors(build_graph(history, with_dependencies=True), other):
        return ()
    introduction = _INTRODUCTION.format(head=newest, other=other)
    return (SetVariable(moved.location.file, "down_revision", fork.ancestor, other, introduction),)
