"""All differences between the replayed database and the models, each of them once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import chain

from migration_gate.drift.alembic_differences import list_alembic_differences
from migration_gate.drift.column_differences import find_column_differences
from migration_gate.drift.comparison_scope import ComparisonScope, limit_scope
from migration_gate.drift.constraint_and_index_differences import find_constraint_and_index_differences
from migration_gate.drift.difference import CatalogDifference
from migration_gate.drift.difference_origin import find_difference_origin
from migration_gate.drift.enum_differences import find_enum_differences
from migration_gate.drift.fix_order import FixOrder
from migration_gate.drift.frozen_defaults import FrozenDefaults
from migration_gate.drift.harmless_differences import explain_harmlessness
from migration_gate.drift.named_type_differences import find_named_type_differences
from migration_gate.drift.rename_hints import RenamePair, find_renames, list_rename_hints
from migration_gate.drift.renamed_enums import apply_enum_renames, find_renamed_enums
from migration_gate.drift.sequence_differences import find_sequence_differences
from migration_gate.drift.spelled_renames import find_spelled_renames
from migration_gate.drift.table_behind_view import apply_to_scope, find_tables_behind_views
from migration_gate.drift.table_differences import find_table_differences
from migration_gate.drift.unmanaged_differences import find_unmanaged_differences
from migration_gate.drift.view_model_differences import find_view_model_differences
from migration_gate.facts import Difference, FilteredObject, NamePair, Replay

_COLUMN_PROPERTIES = ("type", "default", "nullability", "comment")


def compare_with_models(replay: Replay) -> tuple[Difference, ...]:
    """Every difference between the replayed database and the models, what models cannot express included.

    Sorted so that one revision can fix them in this order. Types and defaults that the project's own
    compare_type or compare_server_default calls equal are left out.
    """
    return _leave_out_called_equal(replay, list_differences(replay))


def compare_after_trial(replay: Replay) -> tuple[Difference, ...]:
    """The same of a catalog in which fixes were tried, in any order, and without explanations.

    Where a difference comes from, why it is harmless and what may be a rename takes most of the time, and
    nobody asks for it after a trial.
    """
    differences = list_alembic_differences(replay)
    if replay.models.snapshot is not None:
        differences = chain(differences, _compare_catalogs(replay)[1])
    return _leave_out_called_equal(replay, differences)


def _leave_out_called_equal(
    replay: Replay, differences: Iterable[CatalogDifference]
) -> tuple[Difference, ...]:
    called_equal = frozenset((*replay.models.filtered_objects, *replay.models.dismissed_objects))
    return tuple(
        item.difference for item in differences if not _is_called_equal(item.difference, called_equal)
    )


def list_called_equal(replay: Replay) -> tuple[Difference, ...]:
    """The differences of types and defaults that env.py's own compare functions call equal, one by one."""
    called_equal = frozenset(
        item
        for item in replay.models.filtered_objects
        # (Without an option it is the model that says so, with `FetchedValue()`.)
        if item.kind in ("type", "default") and item.schema != "*" and item.option
    )
    if not called_equal:
        return ()
    differences = (item.difference for item in list_differences(replay))
    return tuple(item for item in differences if _is_called_equal(item, called_equal))


def list_differences(replay: Replay) -> tuple[CatalogDifference, ...]:
    """All differences of a replay with their catalog objects, in the order in which they can be fixed."""
    alembic_differences = tuple(list_alembic_differences(replay))
    if replay.models.snapshot is None:
        return alembic_differences
    scope, differences = _compare_catalogs(replay)
    explained = _add_explanations(differences, scope, replay)
    return tuple(sorted((*explained, *alembic_differences), key=FixOrder.for_scope(scope).sort_key))


def _compare_catalogs(replay: Replay) -> tuple[ComparisonScope, list[CatalogDifference]]:
    """What differs in the catalogs, and the scope in which it does."""
    scope = limit_scope(replay.catalog, replay.models)
    scope = replace(scope, frozen=FrozenDefaults.from_replay(replay))
    # Renames are found, and applied to the scope, before the rest is compared: otherwise every column of the
    # enum's type, and every part of the table behind a view, would be a difference too.
    renamed_enums = tuple(find_renamed_enums(scope))
    scope = apply_enum_renames(scope, renamed_enums)
    tables_behind_views = tuple(find_tables_behind_views(scope))
    found_at_views = [table.make_difference(scope) for table in tables_behind_views]
    scope = apply_to_scope(scope, tables_behind_views)
    return scope, [*renamed_enums, *found_at_views, *_find_differences(scope)]


def _find_differences(scope: ComparisonScope) -> Iterator[CatalogDifference]:
    for find_differences in (
        find_enum_differences,
        find_named_type_differences,
        find_sequence_differences,
        find_table_differences,
        find_column_differences,
        find_view_model_differences,
        find_constraint_and_index_differences,
        find_unmanaged_differences,
    ):
        yield from find_differences(scope)


def _add_explanations(
    differences: Iterable[CatalogDifference], scope: ComparisonScope, replay: Replay
) -> Iterator[CatalogDifference]:
    """The differences with the revision they come from, why they are harmless, and what may be a rename."""
    differences = tuple(differences)
    renames = find_renames(differences, scope)
    rename_hints = list_rename_hints(renames)
    spelled_renames = find_spelled_renames(differences, [rename.pair for rename in renames])
    for item in differences:
        spelled = spelled_renames.get(item.difference)
        followed = [pair.extra for pair in spelled.pairs] if spelled and spelled.is_all else []
        origin = find_difference_origin(replay, item, followed)
        rename = rename_hints.get(item.difference)
        explained = replace(
            item.difference,
            revision=origin.revision,
            location=origin.location,
            harmless_because=item.difference.harmless_because or explain_harmlessness(item, scope),
            rename_hint=rename.name if rename else "",
            rename_is_likely=rename is not None and rename.is_likely,
            spelled_renames=tuple(_name_pairs(spelled.pairs)) if spelled else (),
            differs_in_names_alone=bool(followed),
        )
        yield replace(item, difference=explained)


def _name_pairs(pairs: Iterable[RenamePair]) -> Iterator[NamePair]:
    for pair in pairs:
        yield NamePair(pair.extra.difference.object, pair.missing.difference.object)


def _is_called_equal(difference: Difference, called_equal: frozenset[FilteredObject]) -> bool:
    """Whether env.py's own functions call the two sides the same, or take the change out of a revision."""
    if difference.kind not in _COLUMN_PROPERTIES or difference.table is None or difference.column is None:
        return False
    schema, _, table = difference.table.partition(".")
    everywhere = FilteredObject(difference.kind, "*", "*", "*")
    here = FilteredObject(difference.kind, schema, table, difference.column)
    return everywhere in called_equal or here in called_equal
