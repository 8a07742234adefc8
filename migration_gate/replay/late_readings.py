"""Which statement took a lock, or went through a table, where that was not read after each of them.

The locks of a session are read after each statement, and so is which tables it went through, until a revision
has read too much of it; then after every few statements, whose number grows with what there is to read.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from migration_gate.facts import StoredRelation
from migration_gate.lazy_dataclass import dataclass
from migration_gate.replay.observed_sql import ROW_TAGS, find_tag


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
    name = _name_pattern(relation)
    about = (item for item in late if oid in item.targets)
    named = (item for item in late if name.search(item.sql))
    return next(about, next(named, late[0])).number


def choose_reader(late: Sequence[LateStatement], oid: int, relation: StoredRelation) -> int:
    """The same of the one that went through it: UPDATE and its like before commands that change the table."""
    name = _name_pattern(relation)
    named = (item for item in late if find_tag(item.sql) in ROW_TAGS and name.search(item.sql))
    reader = next(named, None)
    return reader.number if reader is not None else choose_statement(late, oid, relation)


def _name_pattern(relation: StoredRelation) -> re.Pattern[str]:
    return re.compile(rf"(?<![\w$]){re.escape(relation.table or relation.name)}(?![\w$])", re.IGNORECASE)
