"""The history has more than one head.

Two revisions were written on top of the same one, and neither builds on the other. `alembic
upgrade head` stops there, and which of the two a database gets depends on who deploys it.

Instead, join them with `alembic merge`, or put one on top of the other; name them with
branch labels where several lines are meant.
"""

import shlex
from collections.abc import Iterator
from itertools import chain

from migration_gate.analysis.head_corrections import name_as_at_base, put_on_top, sort_by_age
from migration_gate.analysis.history_change import HistoryChange, compare_histories
from migration_gate.analysis.history_defects import list_uncertain_revisions
from migration_gate.analysis.revision_graph import (
    Fork,
    are_deliberate,
    build_graph,
    describe_revision,
    find_fork,
    find_location,
    list_locations,
    split_into_trees,
)
from migration_gate.analysis.stale_parents import find_stale_parents
from migration_gate.check import Evidence, Finding, Severity, Subject
from migration_gate.facts import Facts, History, Replay
from migration_gate.wording import code_block, count_noun, join_words

SEVERITY = Severity.ERROR
SUBJECT = Subject.REVISION


def check(facts: Facts) -> Iterator[Finding]:
    """Yield one finding for each tree of revisions that ends in several unexplained heads.

    Where a new revision that does not follow the base's head is the only reason, `stale-parent` says so.
    """
    history = facts.replay.history
    graph = build_graph(history)
    uncertain = list_uncertain_revisions(history)
    change = compare_histories(facts)
    stale = {item.line_head for item in find_stale_parents(change)} if change is not None else set()
    for tree in split_into_trees(graph):
        heads = tuple(head for head in history.heads if head in tree and head not in uncertain)
        if len(heads) > 1 and not are_deliberate(history, heads) and stale.isdisjoint(heads):
            yield _describe_heads(facts.replay, heads, change)


def _describe_heads(replay: Replay, heads: tuple[str, ...], change: HistoryChange | None) -> Finding:
    history, by_age = replay.history, sort_by_age(replay, heads)
    names = name_as_at_base(change, heads)
    fork = find_fork(build_graph(history), heads)
    evidence = [Evidence("head", describe_revision(history, head)) for head in heads]
    if fork:
        evidence.append(Evidence("forked at", describe_revision(history, fork.ancestor)))
    movable = fork if _is_new(change, fork, by_age[-1]) else None
    return Finding(
        object=" ".join(sorted(chain.from_iterable(names))),
        message=f"{join_words(name[0] for name in names)}: {count_noun(len(heads), 'head')} where one is "
        "expected",
        location=find_location(history, by_age[-1]),
        revision=by_age[-1],
        evidence=tuple(evidence),
        fix=_describe_fix(history, by_age, movable),
        corrections=put_on_top(history, by_age, movable),
        other_locations=list_locations(history, heads),
    )


def _is_new(change: HistoryChange | None, fork: Fork | None, head: str) -> bool:
    """Whether the line to a head may be moved: its first revision does not stand on the base."""
    return change is None or (fork is not None and change.is_added(fork.first_revisions[head]))


def _describe_fix(history: History, heads: tuple[str, ...], fork: Fork | None) -> str:
    merge = f'alembic merge -m "merge heads" {shlex.join(heads)}'
    fix = f"Join them:{code_block(merge)}"
    moved = history.find_revision(fork.first_revisions[heads[-1]]) if fork else None
    if fork is None or moved is None:
        return fix
    parents = [heads[0] if parent == fork.ancestor else parent for parent in moved.parents]
    quoted = ", ".join(f'"{parent}"' for parent in parents)
    move = code_block(f"down_revision = {quoted if len(parents) == 1 else f'({quoted})'}")
    return (
        f"{fix}\nOr, if `{heads[-1]}` has not run on any database yet, put it on top of the other one, "
        f"in {moved.location.file}:{move}"
    )
