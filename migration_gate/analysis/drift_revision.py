"""The one revision that removes all drift: which head it follows, and its text as a file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from migration_gate.analysis.engine_bodies import describe_databases, fit_environment, format_functions
from migration_gate.analysis.origin import find_origin
from migration_gate.analysis.revision_bodies import has_code, has_statement, make_identifier
from migration_gate.analysis.revision_graph import build_graph, find_ancestors
from migration_gate.facts import Difference, DriftRevision, Replay
from migration_gate.lazy_dataclass import dataclass
from migration_gate.wording import count_noun, join_words

SHOWN_OBJECTS = 10
"""of those that the revision leaves out"""


def make_drift_revision(
    replay: Replay, differences: Iterable[Difference], together: tuple[Difference, ...]
) -> DriftRevision | None:
    """The revision of the fixes that ran `together`, in their order; None if there is none.

    `differences` are all, of which those that it does not remove are named.
    """
    if not together:
        return None
    bodies = dict.fromkeys((item.upgrade, item.downgrade) for item in together)  # once for all tenants
    upgrade = _join_lines(body for body, _ in bodies)
    downgrade = _join_lines(body for _, body in reversed(bodies)) or _write_empty_downgrade(together)
    ancestry = _choose_heads(replay, together)
    left = [*_find_remaining(differences, together)]
    revision = DriftRevision(
        identifier=make_identifier((ancestry.head or "", *ancestry.dependencies, upgrade, downgrade)),
        down_revision=() if ancestry.head is None else (ancestry.head,),
        depends_on=ancestry.dependencies,
        upgrade=upgrade,
        downgrade=downgrade,
        differences=len(together),
        left_out=tuple(dict.fromkeys(item.object for item in left)),
        left_kinds=frozenset((item.kind, item.object) for item in left),
    )
    return fit_environment(revision, replay)


def _find_remaining(
    differences: Iterable[Difference], together: Iterable[Difference]
) -> Iterator[Difference]:
    """The differences that the revision leaves, but for what models cannot express."""
    removed = {(item.kind, item.object) for item in together}
    for item in differences:
        if item.kind != "unmanaged" and (item.kind, item.object) not in removed:
            yield item


def _join_lines(bodies: Iterable[str]) -> str:
    """The bodies one after the other, without those that are only comments."""
    return "\n".join(body.strip("\n") for body in bodies if has_statement(body))


def _write_empty_downgrade(together: tuple[Difference, ...]) -> str:
    """The comments of downgrades that have nothing to do, and `pass`; empty if one cannot be undone."""
    bodies = dict.fromkeys(item.downgrade.strip("\n") for item in together)
    return "\n".join(bodies) if all(map(has_code, bodies)) else ""


@dataclass(frozen=True, slots=True)
class _Ancestry:
    """What a revision follows, and what else must have run before it."""

    head: str | None
    """None in a history without revisions"""
    dependencies: tuple[str, ...] = ()


def _choose_heads(replay: Replay, differences: Iterable[Difference]) -> _Ancestry:
    """The head whose line made most of what is changed, and the others that made some of it."""
    heads = _list_heads(replay)
    if len(heads) <= 1:
        return _Ancestry(next(iter(heads), None))
    counts = _count_by_head(replay, heads, differences)
    chosen = max(heads, key=lambda head: counts[head])
    return _Ancestry(chosen, tuple(head for head in heads if head != chosen and counts[head]))


def _list_heads(replay: Replay) -> Sequence[str]:
    """The heads that the run arrived at; those of the history if it arrived at none that is known."""
    arrived = dict.fromkeys(replay.arrived_heads)
    known = [head for head in arrived if replay.history.find_revision(head)]
    return known or replay.history.heads


def _count_by_head(replay: Replay, heads: Sequence[str], differences: Iterable[Difference]) -> Counter[str]:
    """How many of the differences each head's line made."""
    graph = build_graph(replay.history, with_dependencies=True)
    lines = {head: find_ancestors(graph, head) for head in heads}
    counts = Counter[str]()
    for revision in _introducing_revisions(replay, differences):
        # What lies before a fork belongs to every line, and so to the first head as well as to any other.
        counts.update([head for head in heads if revision in lines[head]][:1])
    return counts


def _introducing_revisions(replay: Replay, differences: Iterable[Difference]) -> Iterator[str]:
    """The revisions that made the objects, or else the tables, that the differences are about."""
    tables = {table.full_name: table for table in replay.catalog.tables}
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
