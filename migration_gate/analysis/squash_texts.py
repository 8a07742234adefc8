"""What a squash means for databases and rows, in words."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator

from migration_gate.analysis.history_change import HistoryChange, Squash
from migration_gate.check import Evidence
from migration_gate.facts import Facts, Replay, Revision
from migration_gate.lazy_dataclass import dataclass
from migration_gate.wording import code_block, count_noun, join_words

_WRITES_ROWS = re.compile(r"\s*(?:INSERT|UPDATE|DELETE|MERGE|COPY)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class RowStatements:
    """How many statements that write rows ran before a squash, and after it."""

    before: int
    now: int


def has_same_catalog(change: HistoryChange) -> bool:
    """Whether there is a squash that was shown to leave the same catalog."""
    proof = change.base.squash_proof
    return change.squash is not None and proof is not None and not proof.differences


def list_replacements(change: HistoryChange, squash: Squash) -> tuple[Revision, ...]:
    """The revisions of the squash, without further new ones behind it."""
    ids = [revision.id for revision in squash.replacements]
    proof = change.base.squash_proof
    end = ids.index(proof.revision) + 1 if proof is not None and proof.revision in ids else len(ids)
    return squash.replacements[:end]


def count_row_statements(facts: Facts, squash: Squash) -> RowStatements:
    """The statements that write rows, of the removed revisions and of those that replace them."""
    base = facts.base.facts if facts.base is not None else None
    replaced = {*squash.removed_ids, *([squash.reused.id] if squash.reused is not None else [])}
    return RowStatements(
        _count(base.replay, replaced) if base is not None else 0,
        _count(facts.replay, {revision.id for revision in squash.replacements}),
    )


def _count(replay: Replay, revisions: set[str]) -> int:
    return sum(
        1
        for step in replay.steps
        if step.revision in revisions
        for statement in step.list_run()
        if _WRITES_ROWS.match(statement.sql)
    )


def describe_row_statements(rows: RowStatements) -> Iterator[Evidence]:
    """What the catalog does not show; nothing if no row was written."""
    if rows.before or rows.now:
        yield Evidence(
            "rows",
            f"{count_noun(rows.before, 'statement')} that wrote rows before, {rows.now} now: rows are not "
            "compared",
        )


def describe_squash(change: HistoryChange, squash: Squash) -> str:
    """`squash of 12 revisions into `3f2a``."""
    names = join_words(revision.id for revision in list_replacements(change, squash))
    return f"squash of {count_noun(squash.replaced_count, 'revision')} into {names}"


def describe_stamp(change: HistoryChange, squash: Squash) -> str:
    """What to do with databases that stand on a removed revision."""
    last = list_replacements(change, squash)[-1]
    heads = [head for head in change.before.heads if head in squash.removed_ids]
    if not heads:
        kept = squash.reused.id if squash.reused is not None else "".join(_first_survivors(squash))
        return (
            f"A database that stands on `{kept}` or later needs nothing. Upgrade every other one to it with "
            "the old code first. This is one way: no database can be downgraded below it."
        )
    stamp = code_block(f"alembic stamp --purge {shlex.quote(last.id)}")
    return (
        f"Upgrade every database to {join_words(heads)} with the old code first. Then, before the new code "
        f"upgrades it:{stamp}\nThis is one way: the old revisions are gone, and no database can be "
        "downgraded to them."
    )


def _first_survivors(squash: Squash) -> list[str]:
    replacements = {revision.id for revision in squash.replacements}
    return [revision.id for revision in squash.survivors if {*revision.parents} & replacements][:1]
