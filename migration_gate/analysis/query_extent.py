"""Whether a query stops at the first rows that it finds, as far as its text tells."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from functools import partial

from migration_gate.sql.identifiers import split_qualified_name
from migration_gate.sql.lexer import Token, tokenize

LITTLE = re.compile(r"\bLIMIT\b|\bEXISTS\s*\(|\bFETCH\s+(FIRST|NEXT|FROM|1)\b", re.IGNORECASE)
"""in blocks, and in statements that are no plain query"""
ORDER_END = ("LIMIT", "OFFSET", "FETCH", "FOR")
ORDER_WORDS = frozenset({"ASC", "DESC", "NULLS", "FIRST", "LAST"})
ALL_ROWS = frozenset({"ORDER", "GROUP", "DISTINCT", "HAVING", "OVER", "UNION", "INTERSECT", "EXCEPT"})
"""clauses that need each row before the first one is out"""
AGGREGATES = frozenset({
    "COUNT", "SUM", "AVG", "MIN", "MAX", "BOOL_AND", "BOOL_OR", "EVERY", "ARRAY_AGG", "STRING_AGG",
    "JSON_AGG", "JSONB_AGG", "JSON_OBJECT_AGG", "JSONB_OBJECT_AGG",
})  # fmt: skip
QUERIES = ("SELECT", "WITH")


def reads_little(sql: str, keys: Collection[Sequence[str | None]] = ()) -> bool:
    """Whether the first rows are enough for a statement that only reads: it has LIMIT, or only EXISTS.

    `keys`: columns of the indexes of its tables, which give their rows in that order.
    """
    if LITTLE.search(sql) is None:
        return False
    tokens = list(tokenize(sql))
    if next((token.keyword for token in tokens if token.text != "("), "") not in QUERIES:
        return True
    return _stops_early(tokens, keys)


def _stops_early(tokens: Sequence[Token], keys: Collection[Sequence[str | None]]) -> bool:
    outer = _list_outer(tokens)
    words = [token.keyword for token in outer]
    if words[:1] == ["SELECT"] and "FROM" in words and not {"LIMIT", "FETCH"} & set(words):
        inner = _find_only_source(tokens)
        return bool(inner) and _stops_early(inner, keys)
    tokens = _leave_out_order(tokens, keys)
    return not any(
        token.keyword in ALL_ROWS or (token.keyword in AGGREGATES and following.text == "(")
        for token, following in zip(tokens, [*tokens[1:], Token(tokens[-1].kind, "", 0)], strict=True)
    )


def _leave_out_order(tokens: Sequence[Token], keys: Collection[Sequence[str | None]]) -> Sequence[Token]:
    """The tokens without the outermost ORDER BY, if an index begins with its columns."""
    tokens = _strip_parentheses(tokens)
    depth, start = 0, -1
    for position, token in enumerate(tokens):
        depth += (token.text == "(") - (token.text == ")")
        if depth == 0 and token.keyword == "ORDER":
            start = position
        elif depth == 0 and start >= 0 and token.keyword in ORDER_END:
            columns = _list_order(tokens[start + 2 : position])
            is_of_index = bool(columns) and any(map(partial(_gives_order, columns), keys))
            return (*tokens[:start], *tokens[position:]) if is_of_index else tokens
    return tokens


def _gives_order(columns: Sequence[str], key: Sequence[str | None]) -> bool:
    """Whether an index gives the order; columns behind its own sort a few rows at a time."""
    return bool(key) and all(column == own for column, own in zip(columns, key, strict=False))


def _list_order(tokens: Sequence[Token]) -> list[str]:
    """The columns of an ORDER BY, without those of its tables; nothing if there is an expression."""
    columns: list[str] = []
    is_next = True
    for number, token in enumerate(tokens):
        following = tokens[number + 1].text if number + 1 < len(tokens) else ","
        if token.text == ",":
            is_next = True
        elif token.text == "." or following == ".":
            continue
        elif is_next:
            columns += split_qualified_name(token.text)
            is_next = False
        elif token.keyword not in ORDER_WORDS:
            return []
    return columns


def _strip_parentheses(tokens: Sequence[Token]) -> Sequence[Token]:
    while tokens and tokens[0].text == "(" and tokens[-1].text == ")":
        tokens = tokens[1:-1]
    return tokens


def _list_outer(tokens: Sequence[Token]) -> list[Token]:
    """The tokens outside of parentheses, and of those around the whole."""
    depth, outer = 0, []
    for token in _strip_parentheses(tokens):
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
