"""Constraints, indexes and expressions that spell the name of a column or table that may be renamed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from migration_gate.drift.difference import CatalogDifference
from migration_gate.drift.rename_hints import RenamePair
from migration_gate.facts import Column, Difference, DifferenceKind, Table
from migration_gate.sql.identifiers import qualified_name, quote_identifier

_SPELLING_KINDS: frozenset[DifferenceKind] = frozenset(
    {"primary key", "foreign key", "unique", "check", "exclusion", "index", "default"}
)
"""whose definition holds the names of columns and tables"""


class SpelledRenames(NamedTuple):
    """The renames whose names a definition spells."""

    pairs: tuple[RenamePair, ...]
    is_all: bool
    """whether it would be the same under the names of the models"""


def find_spelled_renames(
    differences: Iterable[CatalogDifference], renames: Sequence[RenamePair]
) -> Mapping[Difference, SpelledRenames]:
    """For each difference of a definition that spells names of the database: the renames of these."""
    spelled: dict[Difference, SpelledRenames] = {}
    for item in differences if renames else ():
        if item.difference.kind in _SPELLING_KINDS:
            found = _find_spelled(item.difference, renames)
            if found.pairs:
                spelled[item.difference] = found
    return spelled


def _find_spelled(difference: Difference, renames: Sequence[RenamePair]) -> SpelledRenames:
    """None where the models' definition spells none of the names that the models have."""
    text, models, pairs = difference.database, difference.models, []
    if text is None or models is None:
        return SpelledRenames((), is_all=False)
    for pair in renames:
        renamed = _rename_in(text, difference, pair)
        if renamed != text:
            text = renamed
            pairs.append(pair)
    if text == models:
        return SpelledRenames(tuple(pairs), is_all=True)
    both_spell = (pair for pair in pairs if _spells_model(models, pair))
    return SpelledRenames(tuple(both_spell), is_all=False)


def _spells_model(text: str, pair: RenamePair) -> bool:
    """Whether the models' definition has the models' name."""
    match pair.missing.models:
        case Column() as column:
            return _replace_name(text, quote_identifier(column.name), "") != text
        case Table() as table:
            return _replace_name(text, qualified_name(table.schema, table.name), "") != text
    return False


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
    """The text with a name as Postgres prints it in the place of another; a part of a longer one stays.

    So does what a literal holds, but for the name of an object (`'t'::regclass`).
    """
    pattern = rf"""(?P<literal>'(?:[^']|'')*'(?!::regclass))|(?<![\w."$]){re.escape(name)}(?![\w."$])"""
    return re.sub(pattern, lambda match: match["literal"] or other_name, text)
