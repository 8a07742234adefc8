"""The parts of a domain, from its definition as Postgres prints it, and its rules as CHECKs of a column."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from migration_gate.facts import NamedDefinition, Snapshot
from migration_gate.lazy_dataclass import dataclass
from migration_gate.sql.identifiers import split_qualified_name
from migration_gate.sql.lexer import Token, TokenKind, tokenize

DEFINITION = re.compile(
    r"AS (?P<type>.+?)(?: COLLATE (?P<collation>\S+))?(?: DEFAULT (?P<default>.+?))?(?P<required> NOT NULL)?"
    r"(?P<rules>(?: CONSTRAINT .+)?)",
    re.DOTALL,
)
NOT_VALID = " NOT VALID"


@dataclass(frozen=True, slots=True)
class Domain:
    """A domain, with those that it is based on."""

    base_type: str
    """that is no domain"""
    rules: tuple[NamedDefinition, ...] = ()
    """CHECKs, whose `VALUE` is the value of a column"""
    default: str = ""

    def list_checks(self, column: str) -> Iterator[NamedDefinition]:
        """The rules as CHECKs of a column; `column` as SQL takes it."""
        for rule in self.rules:
            yield NamedDefinition(rule.name, _put_in_place(rule.definition.removesuffix(NOT_VALID), column))


def find_domain(catalog: Snapshot, type_name: str) -> Domain | None:
    """The domain of a column's type, as `format_type` prints it; None if the type is none."""
    parts = split_qualified_name(type_name)
    named = (item for item in catalog.types if item.kind == "domain" and (item.schema, item.name) == parts)
    own = next(named, None)
    match = DEFINITION.fullmatch(own.definition) if own is not None else None
    if match is None:
        return None
    base = find_domain(catalog, match["type"])
    rules, default = tuple(_split_rules(match["rules"])), match["default"] or ""
    if base is not None:
        return Domain(base.base_type, (*base.rules, *rules), default or base.default)
    collation = f" COLLATE {match['collation']}" if match["collation"] else ""
    return Domain(match["type"] + collation, rules, default)


def _split_rules(text: str) -> Iterator[NamedDefinition]:
    """Each `CONSTRAINT name CHECK (...)`."""
    starts: list[tuple[int, Token]] = []
    tokens = list(tokenize(text))
    depth = 0
    for token, following in pairwise(tokens):
        depth += (token.text == "(") - (token.text == ")")
        if depth == 0 and token.keyword == "CONSTRAINT":
            starts.append((token.start, following))
    ends = [start for start, _ in starts[1:]] + [len(text)]
    for (_, name), end in zip(starts, ends, strict=True):
        yield NamedDefinition(name.name, text[name.end : end].strip())


def _put_in_place(definition: str, column: str) -> str:
    """The rule with the column in the place of VALUE."""
    parts: list[str] = []
    end = 0
    for token in tokenize(definition):
        if token.kind is TokenKind.WORD and token.text == "VALUE":
            parts += [definition[end : token.start], column]
            end = token.end
    return "".join([*parts, definition[end:]])
