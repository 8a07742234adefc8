"""What the text of a statement asks for that Postgres's log of commands does not show: a COMMIT."""

from __future__ import annotations

import re

from migration_gate.sql.statements import split_statements

_TRANSACTION_END = re.compile(
    r"(COMMIT|END|ROLLBACK|ABORT)( WORK| TRANSACTION)?( AND( NO)? CHAIN)?", re.IGNORECASE
)
_MENTIONS_TRANSACTION_END = re.compile(r"\b(?:COMMIT|END|ROLLBACK|ABORT)\b", re.IGNORECASE)
"""a quick test: most statements need not be split"""


def find_transaction_end(sql: str) -> str | None:
    """COMMIT, END, ROLLBACK or ABORT: the first word of a statement in the text that ends a transaction."""
    if not _MENTIONS_TRANSACTION_END.search(sql):
        return None
    for statement in split_statements(sql):
        words = " ".join(token.keyword for token in statement.tokens[:5])
        if _TRANSACTION_END.fullmatch(words):
            return statement.tokens[0].keyword
    return None
