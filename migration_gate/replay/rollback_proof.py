"""What comes of the rollbacks, and what is to be said of it; it loads nothing that makes one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from migration_gate.lazy_dataclass import dataclass

if TYPE_CHECKING:
    from migration_gate.catalog.row_source import FilledTable
    from migration_gate.facts import RevisionRollback


@dataclass(frozen=True, slots=True)
class RollbackProof:
    """What came of all rollbacks."""

    rollbacks: tuple[RevisionRollback, ...] = ()
    refused_tables: tuple[FilledTable, ...] = ()
    """tables that took no row"""
    simple_tables: tuple[FilledTable, ...] = ()
    """tables that took simple rows alone"""


def find_refused_notes(proof: RollbackProof) -> Iterator[str]:
    """What is to be said of tables without rows, and of revisions that are one-way."""
    for table in proof.refused_tables:
        name = table.name if table.schema == "public" else f"{table.schema}.{table.name}"
        yield (
            f"no row could be made for `{name}` before the downgrades ({table.refusal}): "
            "whether its rows survive them is not known"
        )
    for table in proof.simple_tables:
        name = table.name if table.schema == "public" else f"{table.schema}.{table.name}"
        yield (
            f"`{name}` got simple rows alone before the downgrades ({table.refusal}): "
            "whether NULL, long texts and the like survive them is not known"
        )
    one_way = [rollback for rollback in proof.rollbacks if rollback.refusal]
    if one_way:
        names = ", ".join(f"`{rollback.revision}` ({rollback.refusal})" for rollback in one_way)
        noun = "revision is" if len(one_way) == 1 else "revisions are"
        yield f"{len(one_way)} {noun} declared one-way, and not rolled back: {names}"
