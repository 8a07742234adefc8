"""Which of several heads is the newer one, and how its line is put on top of the other."""

from __future__ import annotations

from migration_gate.analysis.revision_graph import Fork, build_graph, find_ancestors, find_location
from migration_gate.facts import Correction, History, Replay, SetVariable

_INTRODUCTION = "If `{head}` has not run on any database yet, put it on top of `{other}`:"


def sort_by_age(replay: Replay, heads: tuple[str, ...]) -> tuple[str, ...]:
    """The heads, those last which the change adds or edits; Alembic's order is no order of time."""
    return tuple(sorted(heads, key=lambda head: _is_changed(replay, head)))


def _is_changed(replay: Replay, head: str) -> bool:
    location = find_location(replay.history, head)
    return location is not None and location.file in replay.changed_files


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
