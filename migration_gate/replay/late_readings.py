"""Which statement took a lock, or went through a table, where that was not read after each of them.

The locks of a session are read after each statement, and so is which tables it went through, until a revision
has read too much of it; then after every few statements, whose number grows with what there is to read.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from migration_gate.facts import StoredRelation
from migration_gate.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class LateStatement:
    """A statement after which not all was read."""

    number: int
    sql: str
    targets: frozenset[int]
    """oids of what its command is about"""


def choose_statement(late: Sequence[LateStatement], oid: int, relation: StoredRelation) -> int:
    """The number of the one that most probably locked the relation, or went through it.

    It is about the relation, or names it; the first one, if none does: a lock is held rather too long.
    """
    name = re.compile(rf"(?<![\w$]){re.escape(relation.table or relation.name)}(?![\w$])", re.IGNORECASE)
    about = (item for item in late if oid in item.targets)
    named = (item for item in late if name.search(item.sql))
    return next(about, next(named, late[0])).number
