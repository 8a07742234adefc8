"""What one statement is, and which relations it changes, from its first words."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from migration_gate.scan.sql_lexer import (
    DATA,
    QUERY,
    SCHEMA,
    Sentence,
    SqlStatement,
    Token,
    sentences,
    shorten,
)

_SCHEMA_HEADS = frozenset(
    {"CREATE", "ALTER", "DROP", "COMMENT", "GRANT", "REVOKE", "RENAME", "REASSIGN", "SECURITY", "IMPORT"}
)
_DATA_HEADS = frozenset(
    {"INSERT", "UPDATE", "DELETE", "MERGE", "TRUNCATE", "REPLACE", "LOAD", "CALL", "REFRESH"}
)
_QUERY_HEADS = frozenset(
    {"SELECT", "WITH", "VALUES", "TABLE", "EXPLAIN", "SHOW", "FETCH", "DECLARE", "PREPARE"}
)
_ADJECTIVES = frozenset(
    {"OR", "REPLACE", "GLOBAL", "LOCAL", "UNLOGGED", "UNIQUE", "MATERIALIZED", "RECURSIVE", "CONSTRAINT"}
    | {"FOREIGN", "CONCURRENTLY", "EXTERNAL", "TRUSTED", "PROCEDURAL", "EVENT"}
)
_FOREIGN = re.compile(r"\bAUTOINCREMENT\b|\bAUTO_INCREMENT\b|\bENGINE\s*=|\bNVARCHAR2?\b|`", re.IGNORECASE)
_IN_BODY = re.compile(
    r"\b(?:CREATE|ALTER|DROP)\s+(?:\w+\s+){0,4}?(?:TABLE|INDEX|TYPE|VIEW|TRIGGER)\b", re.IGNORECASE
)
_DATA_IN_BODY = re.compile(r"\b(?:INSERT\s+INTO|DELETE\s+FROM|UPDATE\s+\S+\s+SET|TRUNCATE)\b", re.IGNORECASE)
_PARTITIONING = frozenset({"ATTACH", "DETACH"})


def classify(sentence: Sentence) -> SqlStatement:
    """The statement's kind and what it changes."""
    tokens = _after_holes(sentence.tokens)
    kind = _kind(tokens)
    return SqlStatement(
        kind=kind,
        line=sentence.line,
        text=shorten(sentence.text),
        relations=tuple(dict.fromkeys(_relations(tokens))) if kind == SCHEMA else (),
        foreign=bool(_FOREIGN.search(sentence.text)),
    )


def _after_holes(tokens: Sequence[Token]) -> Sequence[Token]:
    """Without the brackets, and the templates (dbt's `{{ config() }}`), that stand before the first word."""
    first = next((i for i, t in enumerate(tokens) if t.kind != "hole" and t.value != "("), len(tokens))
    return tokens[first:]


def _kind(tokens: Sequence[Token]) -> str:
    head = tokens[0].value.upper() if tokens and tokens[0].kind in ("word", "command") else ""
    words = [token.upper for token in tokens]
    kind = SCHEMA if head in _SCHEMA_HEADS else DATA if head in _DATA_HEADS else ""
    if head == "CREATE" and {"TEMP", "TEMPORARY"} & set(words[1:5]):
        kind = QUERY
    elif head == "IMPORT" and words[1:2] != ["FOREIGN"]:
        kind = ""
    elif head in ("COPY", "\\COPY"):
        kind = DATA if "FROM" in words else QUERY
    elif head == "DO":
        kind = _kind_of_body(tokens)
    elif head in _QUERY_HEADS:
        kind = _kind_of_query(tokens, words)
    return kind


def _kind_of_body(tokens: Sequence[Token]) -> str:
    body = next((token.value for token in tokens if token.kind == "string"), "")
    if _IN_BODY.search(body):
        return SCHEMA
    return DATA if _DATA_IN_BODY.search(body) else QUERY


def _kind_of_query(tokens: Sequence[Token], words: Sequence[str]) -> str:
    depth = 0
    for i, word in enumerate(words):
        depth += {"(": 1, ")": -1}.get(tokens[i].value, 0)
        after = words[i + 1] if i + 1 < len(words) else ""
        if (word, after) in (("INSERT", "INTO"), ("DELETE", "FROM"), ("MERGE", "INTO")):
            return DATA
        if word == "UPDATE" and i and tokens[i - 1].value in "()":
            return DATA
        if words[0] == "SELECT" and depth == 0 and word == "INTO":
            return QUERY if after in ("TEMP", "TEMPORARY") else SCHEMA
        if word in ("SETVAL", "SET_CONFIG") and words[0] == "SELECT" and i < 5:
            return DATA if word == "SETVAL" else ""
    return QUERY


def _relations(tokens: Sequence[Token]) -> Iterator[str]:
    words = [token.upper for token in tokens]
    head = words[0]
    if head == "DO":
        yield from _relations_of_body(tokens)
    elif head == "SELECT":
        at = words.index("INTO") + 1
        yield from _name(tokens, at + (words[at] in ("UNLOGGED", "TABLE")))
    elif head == "COMMENT" and words[2:3] in (["TABLE"], ["COLUMN"], ["VIEW"], ["INDEX"], ["TYPE"]):
        for name in _name(tokens, 3):
            yield name.rpartition(".")[0] if words[2] == "COLUMN" else name
    elif head in ("CREATE", "ALTER", "DROP"):
        at = 1
        while at < len(words) and words[at] in _ADJECTIVES:
            at += 1
        if at < len(words):
            yield from _OBJECTS.get(words[at], _nothing)(tokens, words, at + 1)


def _relations_of_body(tokens: Sequence[Token]) -> Iterator[str]:
    body = next((token.value for token in tokens if token.kind == "string"), "")
    for found in _IN_BODY.finditer(body):
        for sentence in sentences(body[found.start() : found.start() + 600].replace("'", " "), 0.2):
            yield from _relations(sentence.tokens)
            break


def _nothing(_tokens: Sequence[Token], _words: Sequence[str], _at: int) -> Iterator[str]:
    return iter(())


def _named(tokens: Sequence[Token], words: Sequence[str], at: int) -> Iterator[str]:
    """CREATE, ALTER or DROP of something that is named next; DROP may name several."""
    while at < len(words) and words[at] in ("IF", "NOT", "EXISTS", "ONLY", "CONCURRENTLY"):
        at += 1
    name = next(_name(tokens, at), None)
    rest = words[at:]
    if name is None or ("PARTITION" in rest[:8] and (words[0] == "CREATE" or _PARTITIONING & set(rest[:8]))):
        return
    if words[0] == "ALTER" and (
        "RESTART" in rest or ({"ENABLE", "DISABLE"} & set(rest) and "TRIGGER" in rest)
    ):
        return
    yield name
    if words[0] == "DROP":
        for i in range(at, len(tokens)):
            if tokens[i].value == ",":
                yield from _name(tokens, i + 1)


def _behind(*prepositions: str) -> Callable[[Sequence[Token], Sequence[str], int], Iterator[str]]:
    """Something that hangs on a table, which stands behind ON (or TO, or FROM)."""

    def find(tokens: Sequence[Token], words: Sequence[str], at: int) -> Iterator[str]:
        for i in range(at, len(words)):
            if words[i] in prepositions:
                yield from _name(tokens, i + 1 + (words[i + 1 : i + 2] == ["ONLY"]))
                return

    return find


def _index(tokens: Sequence[Token], words: Sequence[str], at: int) -> Iterator[str]:
    return (_behind("ON") if words[0] == "CREATE" else _named)(tokens, words, at)


_OBJECTS: dict[str, Callable[[Sequence[Token], Sequence[str], int], Iterator[str]]] = {
    **dict.fromkeys(("TABLE", "VIEW", "TYPE", "DOMAIN", "SEQUENCE"), _named),
    **dict.fromkeys(("TRIGGER", "POLICY"), _behind("ON")),
    "RULE": _behind("TO", "ON"),
    "STATISTICS": _behind("FROM"),
    "INDEX": _index,
}


def _name(tokens: Sequence[Token], at: int) -> Iterator[str]:
    """The possibly qualified name at `at`, as written; nothing where there is none."""
    parts = ""
    end = -1
    while at < len(tokens):
        token = tokens[at]
        joined = end == token.start or parts.endswith(".") or token.value == "."
        if (token.kind not in ("word", "ident", "hole") and token.value != ".") or (parts and not joined):
            break
        parts += token.value
        end = token.start + len(token.value)
        at += 1
    if parts.strip(".") and not parts.endswith("."):
        yield parts
