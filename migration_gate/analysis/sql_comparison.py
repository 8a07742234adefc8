"""Compares the SQL that a revision emits in two runs: what differs, and whether that may be chance."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from difflib import SequenceMatcher
from itertools import groupby, zip_longest
from typing import TypeAlias

from migration_gate.analysis.generated_values import are_generated, mask_random_parts
from migration_gate.facts import Statement
from migration_gate.lazy_dataclass import dataclass
from migration_gate.sql.identifiers import fold_identifier
from migration_gate.sql.lexer import Token, TokenKind, tokenize

StatementKey: TypeAlias = tuple[str, str]
"""a statement without layout, comments and the case of its words, and its parameters"""
MAX_ALIGNED = 400
"""statements that are aligned; more are compared one by one"""
_LITERALS = frozenset({TokenKind.STRING, TokenKind.NUMBER})
_VALUE = re.compile(
    r"datetime\.datetime\((?:[^()]|\([^()]*\))*\)|'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\""
    r"|\d[\w.]*|… [0-9a-f]{12}$|[A-Za-z_]\w*|\S",
    re.DOTALL,
)
_READS_CATALOG = re.compile(r"\s*(?:SELECT|WITH|SHOW)\b.*\b(?:pg_catalog|information_schema)\b", re.I | re.S)
_CREATES_INDEX = re.compile(r"\s*CREATE\s+(?:UNIQUE\s+)?INDEX\b", re.I)
_ASKS_SERVER = re.compile(
    r"\s*(?:SHOW\b.*|SELECT\s+(?:pg_catalog\.)?(?:version|current_schema|current_database)\(\))\s*;?\s*",
    re.I | re.S,
)


@dataclass(frozen=True, slots=True)
class StatementPair:
    """A statement in both runs; None where a run lacks it."""

    before: Statement | None
    now: Statement | None


@dataclass(frozen=True, slots=True)
class ValuePair:
    """A literal or parameter that differs in statements which are the same otherwise."""

    before: str
    now: str

    @property
    def looks_generated(self) -> bool:
        """Whether the same code may have made both."""
        return are_generated(self.before, self.now)


@dataclass(frozen=True, slots=True)
class SqlDifference:
    """How the SQL of two runs differs."""

    pairs: tuple[StatementPair, ...]
    """at least one"""
    values: tuple[ValuePair, ...] | None = None
    """the literals, if nothing else differs"""
    is_order: bool = False
    """the same statements or words in another order"""
    is_name: bool = False
    """nothing but parts of names that look random"""


def compare_sql(before: Sequence[Statement], now: Sequence[Statement]) -> SqlDifference | None:
    """What differs in the meaning of two sequences of statements; None if nothing does.

    Layout, comments, capitals, and queries about the catalog have no meaning; nor has the order of indexes
    that are made one after the other, which SQLAlchemy takes from where they lie in memory.
    """
    if _list_texts(before) == _list_texts(now):
        return None  # (nearly always; what follows reads every token)
    old = _sort_indexes(statement for statement in before if _has_meaning(statement))
    new = _sort_indexes(statement for statement in now if _has_meaning(statement))
    pairs = tuple(_pair_different(old, new))
    if not pairs:
        return None
    values: list[ValuePair] = []
    is_value = all(_collect_values(pair, values) for pair in pairs)
    return SqlDifference(
        pairs,
        tuple(values) if is_value else None,
        is_order=_count_words(old) == _count_words(new),
        is_name=all(map(_differs_in_random_names, pairs)),
    )


def _list_texts(statements: Sequence[Statement]) -> list[tuple[str, str]]:
    return [(statement.sql, statement.parameters) for statement in statements]


def _sort_indexes(statements: Iterable[Statement]) -> list[Statement]:
    """The statements, with those that make indexes one after the other by their texts."""
    result: list[Statement] = []
    for is_index, run in groupby(statements, key=lambda item: bool(_CREATES_INDEX.match(item.sql))):
        result.extend(sorted(run, key=lambda item: item.sql if is_index else ""))
    return result


def _has_meaning(statement: Statement) -> bool:
    return not (_READS_CATALOG.match(statement.sql) or _ASKS_SERVER.fullmatch(statement.sql))


def _pair_different(old: Sequence[Statement], new: Sequence[Statement]) -> Iterator[StatementPair]:
    """The statements that differ, those at the same place together."""
    old_keys, new_keys = [*map(_make_key, old)], [*map(_make_key, new)]
    for old_places, new_places in _align_different(old_keys, new_keys):
        pairs = zip_longest(old[old_places], new[new_places])
        keys = zip_longest(old_keys[old_places], new_keys[new_places])
        for (before, now), (old_key, new_key) in zip(pairs, keys, strict=True):
            if old_key != new_key:
                yield StatementPair(before, now)


def _align_different(
    old: Sequence[StatementKey], new: Sequence[StatementKey]
) -> Iterator[tuple[slice, slice]]:
    """The parts of both that are not the same, each beside what stands in its place."""
    if old == new:
        return
    if len(old) == len(new) or max(len(old), len(new)) > MAX_ALIGNED:
        yield slice(None), slice(None)
        return
    matcher = SequenceMatcher(None, old, new, autojunk=False)
    for tag, old_start, old_end, new_start, new_end in matcher.get_opcodes():
        if tag != "equal":
            yield slice(old_start, old_end), slice(new_start, new_end)


def _make_key(statement: Statement) -> StatementKey:
    words = map(_fold_case, tokenize(statement.sql.rstrip().rstrip(";")))
    return " ".join(words), statement.parameters


def _fold_case(token: Token) -> str:
    """The token as Postgres reads it: keywords and names without quotes are the same in capitals."""
    return fold_identifier(token.text) if token.kind is TokenKind.WORD else token.text


def _collect_values(pair: StatementPair, values: list[ValuePair]) -> bool:
    """Whether two statements differ in literals and parameters alone; these are added to `values`."""
    if pair.before is None or pair.now is None:
        return False
    return _collect_literals(pair.before.sql, pair.now.sql, values) and _collect_parameters(
        pair.before.parameters, pair.now.parameters, values
    )


def _collect_literals(before: str, now: str, values: list[ValuePair]) -> bool:
    old, new = [*tokenize(before.rstrip(";\n "))], [*tokenize(now.rstrip(";\n "))]
    if len(old) != len(new):
        return False
    for token, other in zip(old, new, strict=True):
        if token.kind is not other.kind or (token.text != other.text and token.kind not in _LITERALS):
            return False
        if token.text != other.text:
            values.append(ValuePair(_unquote(token.text), _unquote(other.text)))
    return True


def _collect_parameters(before: str, now: str, values: list[ValuePair]) -> bool:
    old, new = _VALUE.findall(before), _VALUE.findall(now)
    if len(old) != len(new):
        return False
    for word, other in zip(old, new, strict=True):
        if word != other:
            if word.startswith("… "):
                continue  # the hash of values, some of which are there
            if not (_is_value(word) and _is_value(other)):
                return False
            values.append(ValuePair(_unquote(word), _unquote(other)))
    return True


def _is_value(word: str) -> bool:
    return word[0] in "'\"" or word[0].isdigit() or word.startswith("datetime.") or word in _CONSTANTS


_CONSTANTS = frozenset({"True", "False", "None"})


def _unquote(word: str) -> str:
    return word[1:-1] if word[:1] in ("'", '"') else word


def _count_words(statements: Sequence[Statement]) -> Counter[str]:
    words = Counter[str]()
    for statement in statements:
        words.update(token.text for token in tokenize(statement.sql))
        words.update(_VALUE.findall(statement.parameters))
    return words


def _differs_in_random_names(pair: StatementPair) -> bool:
    if pair.before is None or pair.now is None:
        return False
    return mask_random_parts(" ".join(_make_key(pair.before))) == mask_random_parts(
        " ".join(_make_key(pair.now))
    )
