"""Constraints, indexes and expressions that differ in one name alone: that of a renamed column or table."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from migration_gate.drift.difference import CatalogDifference
from migration_gate.drift.rename_hints import RenamePair
from migration_gate.facts import Column, Difference, DifferenceKind, Table
from migration_gate.sql.identifiers import qualified_name, quote_identifier

_SPELLING_KINDS: frozenset[DifferenceKind] = frozenset(
    {"primary key", "foreign key", "unique", "check", "exclusion", "index", "default"}
)
"""whose definition holds the names of columns and tables"""


def find_followed_renames(
    differences: Iterable[CatalogDifference], renames: Sequence[RenamePair]
) -> Mapping[Difference, tuple[RenamePair, ...]]:
    """For each difference that would be none under the names of the models: the renames that it follows."""
    followed: dict[Difference, tuple[RenamePair, ...]] = {}
    for item in differences if renames else ():
        if item.difference.kind in _SPELLING_KINDS:
            pairs = tuple(_list_followed(item.difference, renames))
            if pairs:
                followed[item.difference] = pairs
    return followed


def _list_followed(difference: Difference, renames: Sequence[RenamePair]) -> Iterator[RenamePair]:
    """The renames whose names the definition spells; none if it differs in something else, too."""
    text, pairs = difference.database, []
    if text is None or difference.models is None:
        return
    for pair in renames:
        renamed = _rename_in(text, difference, pair)
        if renamed != text:
            text = renamed
            pairs.append(pair)
    if text == difference.models:
        yield from pairs


def _rename_in(text: str, difference: Difference, pair: RenamePair) -> str:
    """The definition with the models' name in the place of the database's."""
    match pair.extra.database, pair.missing.models:
        case Column() as database, Column() as models:
            table = qualified_name(database.schema, database.table)
            if difference.table == database.full_table_name or f"REFERENCES {table}(" in text:
                return _replace_name(text, quote_identifier(database.name), quote_identifier(models.name))
        case Table() as database_table, Table() as models_table:
            names = (qualified_name(table.schema, table.name) for table in (database_table, models_table))
            return _replace_name(text, *names)
    return text


def _replace_name(text: str, name: str, other_name: str) -> str:
    """The text with a name as Postgres prints it in the place of another; a part of a longer one stays."""
    return re.sub(rf'(?<![\w."$]){re.escape(name)}(?![\w."$])', lambda _: other_name, text)
