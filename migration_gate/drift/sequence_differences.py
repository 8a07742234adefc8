"""Sequences that one side lacks, or whose options or names differ."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Set
from dataclasses import replace

from migration_gate.drift.column_sequences import map_column_sequences
from migration_gate.drift.comparison_scope import ComparisonScope
from migration_gate.drift.difference import CatalogDifference, make_described_difference
from migration_gate.drift.difference_text import comment_text, sequence_text
from migration_gate.drift.object_pairs import is_copied, pair_objects, without_identifiers
from migration_gate.drift.type_use import is_used, make_unmodelled_difference
from migration_gate.facts import Sequence, Snapshot
from migration_gate.lazy_dataclass import dataclass


def find_sequence_differences(scope: ComparisonScope) -> Iterator[CatalogDifference]:
    """The sequences of a column are paired by their column, all others by name.

    A sequence of one side only is a difference, unless the models use it without defining it; one that
    belongs to a missing column is none.
    """
    owned = list(_pair_owned_sequences(scope))
    for pair in owned:
        yield from _compare_owned_sequences(pair)
    paired = {_name_of(sequence) for pair in owned for sequence in (pair.database, pair.models)}
    shared_columns = _column_types(scope.database).keys() & _column_types(scope.models).keys()
    free = pair_objects(
        _unpaired_sequences(scope.database.sequences, paired, shared_columns),
        _unpaired_sequences(scope.models.sequences, paired, shared_columns),
    )
    for database, models in free:
        yield from _compare_free_sequences(database, models, scope)


@dataclass(frozen=True, slots=True)
class _OwnedPair:
    """The sequences that one column has on both sides, and the types of the column there."""

    database: Sequence
    models: Sequence
    database_type: str | None
    models_type: str | None
    """None if that side lacks the column"""


def _pair_owned_sequences(scope: ComparisonScope) -> Iterator[_OwnedPair]:
    """A pair for each column that has a sequence on both sides, whatever their names."""
    database, models = (map_column_sequences(side) for side in scope.sides)
    database_types, models_types = (_column_types(side) for side in scope.sides)
    for owner, sequence in database.items():
        if owner in models:
            yield _OwnedPair(sequence, models[owner], database_types.get(owner), models_types.get(owner))


def _column_types(snapshot: Snapshot) -> dict[str, str]:
    """By `schema.table.column`."""
    return {column.full_name: column.type for column in snapshot.columns}


def _compare_owned_sequences(pair: _OwnedPair) -> Iterator[CatalogDifference]:
    """Nothing if a side lacks the column, or only one is an identity: other differences report that."""
    database, models = pair.database, pair.models
    if pair.database_type is None or pair.models_type is None or database.identity != models.identity:
        return
    # Where the column's type differs, its sequence's type is a part of that difference.
    yield from _compare_options(database, models, with_type=pair.database_type == pair.models_type)
    if _name_of(database) != _name_of(models):
        yield make_described_difference("name-only", database, models, str)


def _name_of(sequence: Sequence) -> tuple[str, str]:
    return sequence.schema, sequence.name


def _unpaired_sequences(
    sequences: Iterable[Sequence], paired: Set[tuple[str, str]], shared_columns: Set[str]
) -> Iterator[Sequence]:
    """Sequences still to be compared: those of a missing column come and go with it."""
    for sequence in sequences:
        has_column = sequence.owner is None or sequence.owner in shared_columns
        if has_column and _name_of(sequence) not in paired:
            yield sequence


def _compare_free_sequences(
    database: Sequence | None, models: Sequence | None, scope: ComparisonScope
) -> Iterator[CatalogDifference]:
    """Sequences of one name; one that the models' database only copied is not made by the models.

    One that numbers a column is a part of its default; another one that belongs to the column is not.
    """
    if database is None:
        if models is not None and models.owner is None:
            yield make_described_difference("sequence", None, models, sequence_text)
    elif models is not None and not is_copied(database, models):
        yield from _compare_options(database, models, with_type=True)
        yield from _compare_comments(database, models)
    elif database.owner is None or map_column_sequences(scope.database).get(database.owner) != database:
        has_users = is_used(database, *scope.sides)
        yield make_unmodelled_difference("sequence", database, sequence_text, has_users=has_users)


def _compare_comments(database: Sequence, models: Sequence) -> Iterator[CatalogDifference]:
    if database.comment != models.comment:
        yield make_described_difference("unmanaged", database, models, comment_text, object_noun="comment")


def _compare_options(database: Sequence, models: Sequence, *, with_type: bool) -> Iterator[CatalogDifference]:
    """The options, with or without those that follow from the sequence's type."""
    if _options_of(database, with_type=with_type) != _options_of(models, with_type=with_type):
        yield make_described_difference("sequence", database, models, sequence_text)


def _options_of(sequence: Sequence, *, with_type: bool) -> Sequence:
    options = without_identifiers(replace(sequence, schema="", name="", comment=None))
    return options if with_type else replace(options, type="", minimum=0, maximum=0)
