"""The one revision that removes all drift: which head it follows, and its text as a file."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator

from migration_gate.analysis.engine_bodies import (
    IDENTIFIER_LENGTH,
    describe_databases,
    fit_environment,
    format_functions,
    has_line,
)
from migration_gate.analysis.origin import find_origin
from migration_gate.analysis.revision_graph import build_graph, find_ancestors
from migration_gate.facts import Difference, DriftRevision, Replay
from migration_gate.wording import count_noun, join_words

SHOWN_OBJECTS = 10
"""of those that the revision leaves out"""


def make_drift_revision(
    replay: Replay, differences: Iterable[Difference], together: tuple[Difference, ...]
) -> DriftRevision | None:
    """The revision of the fixes that ran `together`, in their order; None where there is none.

    `differences` are all, of which those that it does not remove are named.
    """
    if not together:
        return None
    bodies = dict.fromkeys((item.upgrade, item.downgrade) for item in together)  # once for all tenants
    upgrade = _join_lines(body for body, _ in bodies)
    downgrade = _join_lines(body for _, body in reversed(bodies)) or _restore_nothing(together)
    head, others = _choose_heads(replay, together)
    content = "\0".join((head or "", *others, upgrade, downgrade))
    removed = {(item.kind, item.object) for item in together}
    remaining = (item for item in differences if item.kind != "unmanaged")
    left_out = (item.object for item in remaining if (item.kind, item.object) not in removed)
    revision = DriftRevision(
        identifier=hashlib.sha256(content.encode()).hexdigest()[:IDENTIFIER_LENGTH],
        down_revision=() if head is None else (head,),
        depends_on=others,
        upgrade=upgrade,
        downgrade=downgrade,
        differences=len(together),
        left_out=tuple(dict.fromkeys(left_out)),
    )
    return fit_environment(revision, replay)


def _join_lines(bodies: Iterable[str]) -> str:
    """The bodies one after the other, without those that are only comments."""
    return "\n".join(body.strip("\n") for body in bodies if _has_statement(body))


def _restore_nothing(together: tuple[Difference, ...]) -> str:
    """The comments of downgrades that have nothing to do, and `pass`; empty where one cannot be undone."""
    bodies = dict.fromkeys(item.downgrade.strip("\n") for item in together)
    return "\n".join(bodies) if all(map(has_line, bodies)) else ""


def _has_statement(body: str) -> bool:
    lines = (line.strip() for line in body.splitlines())
    return any(line and line != "pass" and not line.startswith("#") for line in lines)


def _choose_heads(replay: Replay, differences: Iterable[Difference]) -> tuple[str | None, tuple[str, ...]]:
    """The head whose line made most of what is changed, and the others that made some of it."""
    history = replay.history
    heads = [head for head in dict.fromkeys(replay.arrived_heads) if history.find_revision(head)]
    heads = heads or list(history.heads)
    if len(heads) <= 1:
        return (heads[0] if heads else None), ()
    graph = build_graph(history, with_dependencies=True)
    lines = {head: find_ancestors(graph, head) for head in heads}
    counts = Counter[str]()
    for revision in _introducing_revisions(replay, differences):
        # What lies before a fork belongs to every line, and so to the first head as well as to any other.
        counts.update([head for head in heads if revision in lines[head]][:1])
    chosen = max(heads, key=lambda head: counts[head])
    return chosen, tuple(head for head in heads if head != chosen and counts[head])


def _introducing_revisions(replay: Replay, differences: Iterable[Difference]) -> Iterator[str]:
    """The revisions that made the objects, or else the tables, that the differences are about."""
    tables = {f"{table.schema}.{table.name}": table for table in replay.catalog.tables}
    for difference in differences:
        table = tables.get(difference.table or "")
        revision = difference.revision or (find_origin(replay, table).revision if table else None)
        if revision is not None:
            yield revision


def describe_drift_revision(revision: DriftRevision) -> str:
    """What it does, and what it leaves to the reader."""
    head = f"after {', '.join(revision.down_revision)}" if revision.down_revision else "as the first"
    depends = f", depending on {', '.join(revision.depends_on)}" if revision.depends_on else ""
    number = count_noun(revision.differences, "difference")
    text = f"It removes {number}, {head}{depends}; it was run both ways on a copy of the replayed database."
    text += describe_databases(revision)
    if revision.left_out:
        shown = revision.left_out[:SHOWN_OBJECTS]
        more = len(revision.left_out) - len(shown)
        text += f" Left to you: {join_words(shown)}{f' and {more} more' if more else ''}."
    return text


def format_revision_file(revision: DriftRevision) -> str:
    """The text of the file; without a date, so that it is the same in every run."""
    down_revision = repr(revision.down_revision[0]) if revision.down_revision else "None"
    depends_on = repr(revision.depends_on) if revision.depends_on else "None"
    lines = [
        f'"""make the database agree with the models ({count_noun(revision.differences, "difference")})',
        "",
        f"Revision ID: {revision.identifier}",
        f"Revises: {', '.join(revision.down_revision)}",
        *_list_left_out(revision),
        '"""',
        "",
        "import sqlalchemy as sa",
        "from alembic import op",
        *(["from sqlalchemy.dialects import postgresql"] if _uses_postgresql(revision) else []),
        "",
        f"revision = {revision.identifier!r}",
        f"down_revision = {down_revision}",
        "branch_labels = None",
        f"depends_on = {depends_on}",
        "",
        "",
        *format_functions(revision),
    ]
    return "\n".join(lines) + "\n"


def _list_left_out(revision: DriftRevision) -> list[str]:
    """What the reader still has to do, as a line of the docstring."""
    if not revision.left_out:
        return []
    return ["", f"Left out, to be decided: {', '.join(revision.left_out)}"]


def _uses_postgresql(revision: DriftRevision) -> bool:
    bodies = [revision.upgrade, revision.downgrade]
    bodies += [body.upgrade + body.downgrade for body in revision.engines]
    return any("postgresql." in body for body in bodies)
