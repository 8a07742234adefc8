"""Whether a constraint or an index uses a column."""

from __future__ import annotations

from migration_gate.drift.object_pairs import ConstraintOrIndex
from migration_gate.facts import Constraint
from migration_gate.sql.expression import UnreadableExpression, read_tokens
from migration_gate.sql.lexer import TokenKind

_NAMES = (TokenKind.WORD, TokenKind.QUOTED_NAME)


def depends_on_columns(part: ConstraintOrIndex, columns: frozenset[str]) -> bool:
    """Whether the part uses one of these columns of its table, so that Postgres drops it with the column."""
    if not columns:
        return False
    if not columns.isdisjoint(part.columns):
        return True
    if isinstance(part, Constraint) and part.kind not in ("exclusion", "check"):
        return False
    return not columns.isdisjoint(_names_in(part.definition))


def _names_in(definition: str) -> set[str]:
    """The words and the quoted names of a definition; none if it cannot be read."""
    try:
        tokens = read_tokens(definition)
    except UnreadableExpression:
        return set()
    return {token.text.strip('"') for token in tokens if token.kind in _NAMES}
