"""Whether a query stops at the first rows that it finds, as far as its text tells."""

from __future__ import annotations

import re
from collections.abc import Sequence

from migration_gate.sql.lexer import Token, tokenize

LITTLE = re.compile(r"\bLIMIT\b|\bEXISTS\s*\(|\bFETCH\s+(FIRST|NEXT|FROM|1)\b", re.IGNORECASE)
"""in blocks, and in statements that are no plain query"""
ALL_ROWS = frozenset({"ORDER", "GROUP", "DISTINCT", "HAVING", "OVER", "UNION", "INTERSECT", "EXCEPT"})
"""clauses that need each row before the first one is out; an index that gives the order spares the reading"""
AGGREGATES = frozenset({
    "COUNT", "SUM", "AVG", "MIN", "MAX", "BOOL_AND", "BOOL_OR", "EVERY", "ARRAY_AGG", "STRING_AGG",
    "JSON_AGG", "JSONB_AGG", "JSON_OBJECT_AGG", "JSONB_OBJECT_AGG",
})  # fmt: skip
QUERIES = ("SELECT", "WITH")


def reads_little(sql: str) -> bool:
    """Whether the first rows are enough for a statement that only reads: it has LIMIT, or only EXISTS."""
    if LITTLE.search(sql) is None:
        return False
    tokens = list(tokenize(sql))
    if next((token.keyword for token in tokens if token.text != "("), "") not in QUERIES:
        return True
    return _stops_early(tokens)


def _stops_early(tokens: Sequence[Token]) -> bool:
    outer = _list_outer(tokens)
    words = [token.keyword for token in outer]
    if words[:1] == ["SELECT"] and "FROM" in words and not {"LIMIT", "FETCH"} & set(words):
        inner = _find_only_source(tokens)
        return bool(inner) and _stops_early(inner)
    return not any(
        token.keyword in ALL_ROWS or (token.keyword in AGGREGATES and following.text == "(")
        for token, following in zip(tokens, [*tokens[1:], Token(tokens[-1].kind, "", 0)], strict=True)
    )


def _list_outer(tokens: Sequence[Token]) -> list[Token]:
    """The tokens outside of parentheses, and of those around the whole."""
    depth, outer = 0, []
    while tokens and tokens[0].text == "(" and tokens[-1].text == ")":
        tokens = tokens[1:-1]
    for token in tokens:
        depth += (token.text == "(") - (token.text == ")")
        if depth == 0:
            outer.append(token)
    return outer


def _find_only_source(tokens: Sequence[Token]) -> Sequence[Token]:
    """The query in the FROM of another one, if that reads nothing else; empty otherwise."""
    depth, start = 0, -1
    for position, token in enumerate(tokens):
        depth += (token.text == "(") - (token.text == ")")
        if start < 0 and depth == 0 and token.keyword == "FROM":
            start = position + 1
        elif start >= 0 and depth == 0 and token.text == ")":
            rest = {later.text.upper() for later in tokens[position + 1 :]}
            return () if rest & {",", "JOIN", "("} else tokens[start + 1 : position]
        elif start == position and token.text != "(":
            return ()
    return ()
