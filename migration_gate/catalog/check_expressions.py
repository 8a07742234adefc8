"""The text of a CHECK, as Postgres prints it: its literals, and how it uses a column.

Nothing is decided from this text but which values are worth trying, and whether they are all that matter.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from migration_gate.facts import Constraint
from migration_gate.sql.identifiers import quote_identifier

TEXT_OR_NUMBER = re.compile(r"\"(?:[^\"]|\"\")*\"|'((?:[^']|'')*)'|(?<![\w.])(-?\d+(?:\.\d+)?)(?![\w.])")
_CAST = r"(?:::[\w ]+)?"
_LITERAL = rf"(?:'(?:[^']|'')*'|-?\d+(?:\.\d+)?|\(-?\d+(?:\.\d+)?\)){_CAST}"
_COMPARISON = rf"(?:=|<>) (?:{_LITERAL}|(?:ANY|ALL) \(\(?ARRAY\[[^\]]*\]\)?(?:::[\w ]+(?:\[\])?)?\))"
"""of a column with literals"""


def list_literals(checks: Iterable[Constraint]) -> tuple[str, ...]:
    """The texts and numbers in the CHECKs, each once."""
    matches = [match for check in checks for match in TEXT_OR_NUMBER.finditer(check.definition)]
    literals = [match for match in matches if not match[0].startswith('"')]  # a name may hold a quote
    return tuple(dict.fromkeys((match[1] or "").replace("''", "'") or match[2] or "" for match in literals))


def only_compares_with_literals(name: str, check: Constraint) -> bool:
    """Whether the CHECK does nothing with the column but compare it with literals, or ask whether it is NULL.

    Then the literals, one other value and NULL are all the values that can make a difference. Postgres prints
    these comparisons in few forms: `(kind = 'a'::text)`, `((kind)::text = ANY ((ARRAY['a'::…])::text[]))`.
    """
    column = _column_pattern(name)
    harmless = rf"{column} (?:{_COMPARISON}|IS (?:NOT )?NULL)"
    if not re.search(rf"\bWHEN (?!{_LITERAL} )", check.definition):
        harmless += rf"|CASE {column}\s"
    rest = re.sub(harmless, "", check.definition)
    return re.search(column, rest) is None


def compares_with_literal(name: str, check: Constraint) -> bool:
    """Whether the CHECK compares the column with a literal."""
    return re.search(rf"{_column_pattern(name)} {_COMPARISON}", check.definition) is not None


def _column_pattern(name: str) -> str:
    """The column in an expression, with the cast that a comparison may need."""
    is_plain = re.fullmatch("[a-z_][a-z0-9_$]*", name) is not None
    column = rf"(?<![\w\".']){name}(?![\w\"'])" if is_plain else re.escape(quote_identifier(name))
    return rf"(?:\({column}\){_CAST}|{column})"
