"""Which tables the revisions of a change are about: those get rows before the downgrades."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

from migration_gate.facts import Snapshot, Table

_WORD = re.compile(r"\w+")


def list_touched_tables(
    snapshot: Snapshot, touched: Collection[tuple[str, str]], statements: Iterable[str]
) -> tuple[Table, ...]:
    """Tables whose catalog the revisions changed, and those that their statements name.

    Not partitions: their rows come through the table that they are a part of.
    """
    words = {word.lower() for sql in statements for word in _WORD.findall(sql)}
    return tuple(
        table
        for table in snapshot.tables
        if table.partition_bound is None
        and ((table.schema, table.name) in touched or table.name.lower() in words)
    )
