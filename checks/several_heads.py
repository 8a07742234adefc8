"""The history has more than one head.

Two revisions were written on top of the same one, and neither knows the other. `alembic
upgrade head` stops there, and which of the two a database gets depends on who deploys it.

Instead, join them with `alembic merge`, or put one on top of the other; name them with
branch labels where several lines are meant.
"""

import shlex
from collections.abc import Iterator

from migration_gate.analysis import revision_graph
from migration_gate.check import Evidence, Finding, Severity
from migration_gate.facts import Facts, History
from migration_gate.wording import code_block, count_noun, join_words

SEVERITY = Severity.ERROR


def check(facts: Facts) -> Iterator[Finding]:
    """Yield one finding for each tree of revisions that ends in several unexplained heads."""
    history = facts.replay.history
    graph = revision_graph.parents(history)
    for tree in revision_graph.components(graph):
        heads = tuple(head for head in history.heads if head in tree)
        if len(heads) > 1 and not revision_graph.deliberate(history, heads):
            yield _finding(history, graph, heads)


def _finding(history: History, graph: revision_graph.Graph, heads: tuple[str, ...]) -> Finding:
    fork = revision_graph.fork(graph, heads)
    parted = [Evidence("forked at", revision_graph.described(history, fork.ancestor))] if fork else []
    last = heads[-1]
    merge = f'alembic merge -m "merge heads" {shlex.join(heads)}'
    fix = f"Join them:{code_block(merge)}"
    if fork and (place := revision_graph.place_of(history, fork.first[last])):
        move = code_block(f'down_revision = "{heads[0]}"')
        fix += (
            f"\nOr, if `{last}` has run nowhere yet, put it on top of the other one, in {place.file}:{move}"
        )
    return Finding(
        object=" ".join(sorted(heads)),
        message=f"{join_words(heads)}: {count_noun(len(heads), 'head')} where one is expected",
        location=revision_graph.place_of(history, last),
        revision=last,
        evidence=(*(Evidence("head", revision_graph.described(history, head)) for head in heads), *parted),
        fix=fix,
    )
