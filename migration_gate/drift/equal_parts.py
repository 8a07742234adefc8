"""Constraints and indexes that do the same on both sides, whatever their names and spellings."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable, Iterator
from typing import Generic

from migration_gate.analysis.index_definitions import remove_index_name
from migration_gate.analysis.storage_parameters import without_default_parameters
from migration_gate.drift.column_types import ColumnTypes
from migration_gate.drift.default_names import is_default_name
from migration_gate.drift.difference import CatalogDifference, make_described_difference, make_difference
from migration_gate.drift.difference_text import comment_text
from migration_gate.drift.normalize import normalize_definition
from migration_gate.drift.object_pairs import ConstraintOrIndex
from migration_gate.drift.part_matching import PartPair, PartT, UnmatchedParts, match_by_keys, match_parts
from migration_gate.facts import Constraint
from migration_gate.lazy_dataclass import dataclass
from migration_gate.sql.identifiers import quote_identifier

_KEY_COLUMNS = re.compile(
    r"""^(FOREIGN\ KEY\ )\((?:[^()"]|"[^"]*")*\)
    (\ REFERENCES\ (?:"(?:[^"]|"")*"|[^\s("]+)+)\((?:[^()"]|"[^"]*")*\)""",
    re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class PartComparison(Generic[PartT]):
    """The differences that were found, and the parts that have no partner yet."""

    differences: tuple[CatalogDifference, ...]
    unmatched: UnmatchedParts[PartT]


@dataclass(frozen=True, slots=True)
class PartNormalizer:
    """Brings the definitions of one side's constraints and indexes into their normal form."""

    column_types: ColumnTypes
    """of that side, with the base of each domain in its place"""

    def normalize(self, part: ConstraintOrIndex) -> str:
        """The normal form of the definition, without the part's name."""
        types = self.column_types.get(part.full_table_name, {})
        definition = without_default_parameters(part.definition)
        if isinstance(part, Constraint):
            return normalize_definition(_sort_key_pairs(part, definition), types)
        definition = normalize_definition(remove_index_name(definition), types)
        return definition if part.valid else f"{definition} (INVALID)"

    def normalize_with_name(self, part: ConstraintOrIndex) -> tuple[str, str]:
        """The name, and the normal form of the definition."""
        return part.name, self.normalize(part)


def compare_equal_parts(
    parts: UnmatchedParts[PartT], database: PartNormalizer, models: PartNormalizer
) -> PartComparison[PartT]:
    """Takes out the parts that do the same; only their names and comments may differ."""
    identical = match_by_keys(parts, _name_and_definition)
    equal = match_parts(identical.unmatched, database.normalize_with_name, models.normalize_with_name)
    renamed = match_parts(equal.unmatched, database.normalize, models.normalize)
    differences = (
        *find_comment_differences(identical.pairs),
        *find_comment_differences(equal.pairs),
        *_find_name_differences(renamed.pairs),
        *find_comment_differences(renamed.pairs),
    )
    return PartComparison(differences, renamed.unmatched)


def _name_and_definition(part: ConstraintOrIndex) -> Hashable:
    is_valid = isinstance(part, Constraint) or part.valid
    return part.name, part.definition, is_valid


def find_comment_differences(pairs: Iterable[PartPair[PartT]]) -> Iterator[CatalogDifference]:
    """The pairs whose comments differ."""
    for database, models in pairs:
        if database.comment != models.comment:
            yield make_described_difference("comment", database, models, comment_text)


def _sort_key_pairs(constraint: Constraint, definition: str) -> str:
    """The definition with the pairs of a foreign key sorted: their order means nothing."""
    if constraint.kind != "foreign key" or len(constraint.columns) < 2:
        return definition
    match = _KEY_COLUMNS.match(definition)
    if match is None or len(constraint.columns) != len(constraint.referenced_columns):
        return definition
    pairs = sorted(zip(constraint.columns, constraint.referenced_columns, strict=True))
    own, referenced = (", ".join(map(quote_identifier, names)) for names in zip(*pairs, strict=True))
    return f"{match[1]}({own}){match[2]}({referenced}){definition[match.end() :]}"


def _find_name_differences(pairs: Iterable[PartPair[PartT]]) -> Iterator[CatalogDifference]:
    """The pairs that have two names; one that the model leaves unnamed has any."""
    for database, models in pairs:
        if isinstance(models, Constraint) and is_default_name(models):
            continue
        yield make_difference(
            "name-only", database, models, database_text=database.name, models_text=models.name
        )
