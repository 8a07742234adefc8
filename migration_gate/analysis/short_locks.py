"""How a statement that locks a table it does not name does so for a moment only, or not at all."""

from __future__ import annotations

import re

from migration_gate.analysis import safe_operations as code
from migration_gate.wording import code_block

DROP_INDEX = re.compile(
    r"^\s*DROP\s+INDEX\s+(?!CONCURRENTLY\b)(?P<names>(?:IF\s+EXISTS\s+)?(?:[^;,]|\"[^\"]*\")+?)\s*"
    r"(?P<behaviour>CASCADE|RESTRICT)?\s*;?\s*$",
    re.IGNORECASE,
)
"""of one index: CONCURRENTLY drops no more at once"""
DROP_CONSTRAINT = re.compile(r"\bDROP\s+CONSTRAINT\b", re.IGNORECASE)
AT_ONCE = (
    "Nothing is wrong with it if it gets its lock at once: set a `lock_timeout`, and expect it to be "
    "repeated."
)


def describe_short_lock(sql: str) -> str:
    """What to write instead, or how to run the statement."""
    index = DROP_INDEX.match(sql)
    if index is not None and (index["behaviour"] or "").upper() != "CASCADE":
        drop = code.in_autocommit(code.execute(f"DROP INDEX CONCURRENTLY {index['names']}"))
        return (
            "Drop it while others read and write: `autocommit_block()` commits what was done before it. (An "
            f"index of a partitioned table cannot be dropped so.){code_block(drop)}"
        )
    if DROP_CONSTRAINT.search(sql):
        return f"{AT_ONCE} In a revision of its own, it holds the lock no longer than it needs."
    return (
        f"{AT_ONCE} A foreign key that is dropped before, in a transaction of its own, makes each lock "
        "shorter."
    )
