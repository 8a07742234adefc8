"""Which revision made a difference: the last that gave the property its value, or dropped what is missing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields

from migration_gate.analysis.object_history import find_change_of_domain
from migration_gate.analysis.origin import find_command, find_removing_command, make_origin, sought_part
from migration_gate.analysis.step_location import SoughtPart, find_index_statement
from migration_gate.drift.difference import CatalogDifference
from migration_gate.drift.object_pairs import ObjectPair, object_identity
from migration_gate.drift.uniqueness import uniqueness_guarantee
from migration_gate.facts import (
    CatalogObject,
    Column,
    Constraint,
    DdlCommand,
    DifferenceKind,
    EnumType,
    Index,
    NamedType,
    Origin,
    Replay,
    Sequence,
    Table,
)
from migration_gate.lazy_dataclass import dataclass

_COLUMN_PROPERTIES: Mapping[DifferenceKind, tuple[str, ...]] = {
    "type": ("type", "collation"),
    "nullability": ("nullable",),
    "default": ("default", "generated", "identity"),
    "comment": ("comment",),
}
_INDEX_TAGS = ("CREATE INDEX", "ALTER INDEX", "REINDEX", "DROP INDEX")
"""of commands that may leave an invalid index"""
_NAME_FIELDS = ("schema", "name")
_OPTION_FIELDS = ("persistence", "partition_key", "partition_bound", "inherits", "options", "kind")
_SEQUENCE_FIELDS = ("type", "start", "increment", "minimum", "maximum", "cache", "cycle", "owner")


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A command that may have made the difference, and what it did."""

    command: DdlCommand
    part: SoughtPart
    removes: CatalogObject | None = None
    """what the models have, if the command dropped that"""


def find_difference_origin(
    replay: Replay, item: CatalogDifference, renamed: Iterable[CatalogDifference] = ()
) -> Origin:
    """The revision and line that made the difference; empty if no revision did, or if it is not known.

    A difference of several objects (a unique constraint here, an index there) is as old as the last of them;
    but where it is that nothing makes the values unique any more, what dropped the constraint made it, and
    no index that came later. `renamed` are the columns and tables whose names make the difference: it is as
    old as they are, too.
    """
    candidates = [
        candidate
        for source in (item, *renamed)
        for pair in source.pairs
        for candidate in _find_candidates(replay, source.difference.kind, pair)
    ]
    candidates = [c for c in candidates if _is_lost_guarantee(item, c.removes)] or candidates
    latest = max(candidates, key=lambda c: (c.command.step, c.command.query_number), default=None)
    if latest is None:
        return _origin_of_invalid_index(replay, item.database)
    return make_origin(replay, latest.command, latest.part)


def _find_candidates(
    replay: Replay, kind: DifferenceKind, pair: ObjectPair[CatalogObject]
) -> Iterator[_Candidate]:
    database, models = pair
    if database is not None:
        current = _find_current(replay, database)
        properties = _changed_properties(kind, database, models)
        command = None if properties is None else _find_change(replay, current, models, properties)
        if command is not None and properties is not None:
            yield _Candidate(command, sought_part(current, properties))
    if models is not None and type(models) is not type(database):
        command = find_removing_command(replay, models)
        if command is not None:
            yield _Candidate(command, sought_part(models, ()), removes=models)


def _is_lost_guarantee(item: CatalogDifference, removed: CatalogObject | None) -> bool:
    """Whether the object made values unique, and nothing of the database's side does."""
    if not isinstance(removed, Constraint | Index) or uniqueness_guarantee(removed) is None:
        return False
    parts = [pair.database for pair in item.pairs if isinstance(pair.database, Constraint | Index)]
    return not any(map(uniqueness_guarantee, parts))


def _find_change(
    replay: Replay, current: CatalogObject, models: CatalogObject | None, properties: tuple[str, ...]
) -> DdlCommand | None:
    """The command that gave the object these properties; None if the log does not explain them."""
    if isinstance(current, NamedType) and isinstance(models, NamedType) and properties == ("definition",):
        return find_change_of_domain(replay, current, models.definition)
    command = find_command(replay, current, properties)
    if command is not None and "valid" in properties and command.tag not in _INDEX_TAGS:
        return None  # it became invalid at a moment that the log does not hold
    return command


def _find_current(replay: Replay, item: CatalogObject) -> CatalogObject:
    """The object as the catalog has it: comparisons may have changed the names of types in it."""
    candidates: tuple[CatalogObject, ...]
    match item:
        case Column():
            candidates = replay.catalog.columns_in(item.schema, item.table)
        case Constraint():
            candidates = replay.catalog.constraints_in(item.schema, item.table)
        case Index():
            candidates = replay.catalog.indexes_in(item.schema, item.table)
        case _:
            return item
    identity = object_identity(item)
    return next((candidate for candidate in candidates if object_identity(candidate) == identity), item)


def _changed_properties(
    kind: DifferenceKind, database: CatalogObject, models: CatalogObject | None
) -> tuple[str, ...] | None:
    """The fields of the database's object that the difference is about; none if it is its existence.

    None if the log does not hold them.
    """
    if models is None or type(models) is not type(database):
        return _name_properties(database)
    if kind == "comment" or (kind == "unmanaged" and _differ_in_comment(database, models)):
        return ("comment",)
    if isinstance(database, Constraint | Index):
        return _part_properties(kind, database, models)
    return _changed_fields(kind, database, models)


def _changed_fields(
    kind: DifferenceKind, database: CatalogObject, models: CatalogObject
) -> tuple[str, ...] | None:
    """The fields in which two objects of one type differ, as far as the difference is about them.

    None if the log does not hold them.
    """
    match database:
        case Column():
            names = _COLUMN_PROPERTIES.get(kind, ())
            return _differing_fields(database, models, names) or names or None
        case Table():
            return _differing_fields(database, models, _OPTION_FIELDS) or None
        case Sequence():
            names = _NAME_FIELDS if kind == "name-only" else _SEQUENCE_FIELDS
            return _differing_fields(database, models, names)
        case EnumType() | NamedType():
            return _differing_fields(database, models, (*_NAME_FIELDS, "labels", "definition"))
        case _:
            return None


def _name_properties(database: CatalogObject) -> tuple[str, ...]:
    """What makes an object one that the other side lacks: its name, or, for a constraint, its creation."""
    match database:
        case Table():
            return _NAME_FIELDS
        case Column():
            return ("name",)
        case _:
            return ()


def _differ_in_comment(database: CatalogObject, models: CatalogObject) -> bool:
    """Whether an unmanaged difference is the comment of a type or sequence, which models cannot express."""
    is_standalone = isinstance(database, EnumType | NamedType | Sequence)
    return is_standalone and getattr(database, "comment", None) != getattr(models, "comment", None)


def _part_properties(
    kind: DifferenceKind, database: Constraint | Index, models: CatalogObject
) -> tuple[str, ...]:
    if kind == "name-only":
        return ("name",)
    is_valid = getattr(models, "valid", True) == getattr(database, "valid", True)
    return ("definition",) if is_valid else ("definition", "valid")


def _differing_fields(
    database: CatalogObject, models: CatalogObject, names: tuple[str, ...]
) -> tuple[str, ...]:
    known = {field.name for field in fields(database)}
    return tuple(
        name for name in names if name in known and getattr(database, name) != getattr(models, name, None)
    )


def _origin_of_invalid_index(replay: Replay, item: CatalogObject | None) -> Origin:
    """An index that a failed command left invalid, or that was made so in pg_index: the log lacks both."""
    if not isinstance(item, Index) or item.valid:
        return Origin()
    return find_index_statement(replay, item.name)
