"""Which revision of the change made the schema refuse a statement of the release that runs."""

from __future__ import annotations

import re
from collections.abc import Iterator

from migration_gate.analysis.origin import find_origin, find_removal, find_removing_command, make_origin
from migration_gate.analysis.step_location import SoughtPart
from migration_gate.facts import (
    CatalogObject,
    Column,
    Facts,
    Origin,
    RefusalCause,
    RefusedStatement,
    Routine,
    Sequence,
    Snapshot,
    Table,
)

_PROPERTIES: dict[RefusalCause, tuple[str, ...]] = {
    RefusalCause.REQUIRED_COLUMN: ("nullable", "default"),
    RefusalCause.NULL: ("nullable",),
    RefusalCause.TYPE: ("type",),
    RefusalCause.VALUE: ("type",),
    RefusalCause.LABEL: ("type",),
    RefusalCause.GENERATED: ("generated", "identity"),
}
"""fields of a column that a cause is about"""


def find_refusal_origin(facts: Facts, refused: RefusedStatement) -> Origin:
    """The revision and line; of a revision that is not at the base, if any is known."""
    origins = [*_list_origins(facts, refused)]
    history = facts.base.history if facts.base is not None else None
    new = (origin for origin in origins if history is None or history.find_revision(origin.revision) is None)
    return next((origin for origin in new if origin.revision is not None), Origin())


def find_earlier_column(facts: Facts, refused: RefusedStatement) -> Column | None:
    """The column as it is at the base."""
    return _find_column(_earlier_catalog(facts), refused)


def find_later_column(facts: Facts, refused: RefusedStatement) -> Column | None:
    """The column as the change leaves it; None if it is gone."""
    return _find_column(facts.replay.catalog, refused)


def find_new_name(facts: Facts, refused: RefusedStatement) -> str:
    """What the change calls the missing column or table now; '' if it is gone."""
    if refused.cause is RefusalCause.MISSING_COLUMN:
        return _find_new_column_name(facts, refused)
    command = find_removing_command(facts.replay, Table(refused.schema, refused.table))
    if command is None or command.table is None or command.dropped:
        return ""
    table = next((table for table in facts.replay.catalog.tables if table.oid == command.oid), None)
    return str(table) if table is not None else ""


def _find_new_column_name(facts: Facts, refused: RefusedStatement) -> str:
    """Columns keep their number; of the base's own, a new column has none."""
    old = find_earlier_column(facts, refused)
    if old is None or not old.number:
        return ""
    columns = facts.replay.catalog.columns_in(refused.schema, refused.table)
    return next((column.name for column in columns if column.number == old.number), "")


def _find_column(catalog: Snapshot, refused: RefusedStatement) -> Column | None:
    columns = catalog.columns_in(refused.schema, refused.table)
    return next((column for column in columns if column.name == refused.column), None)


def _earlier_catalog(facts: Facts) -> Snapshot:
    base = facts.base.facts if facts.base is not None else None
    return base.replay.catalog if base is not None else Snapshot()


def _list_origins(facts: Facts, refused: RefusedStatement) -> Iterator[Origin]:
    """The best first."""
    replay = facts.replay
    for missing in _list_missing(facts, refused):
        yield find_removal(replay, missing)
    for made in _list_made(facts, refused):
        yield find_origin(replay, made, ())
    column = find_later_column(facts, refused)
    if column is not None:
        properties = _PROPERTIES.get(refused.cause, ())
        yield from (find_origin(replay, column, (name,)) for name in properties)
        type_name = column.type.replace('"', "").removesuffix("[]")
        for enum in replay.catalog.enums:
            if enum.full_name == type_name:
                yield find_origin(replay, enum)
        for named in replay.catalog.types:
            if named.full_name == type_name:
                yield find_origin(replay, named)
    commands = reversed(replay.commands_on_named(refused.schema, refused.table))
    part = SoughtPart("table", refused.table, refused.table)
    yield from (make_origin(replay, command, part) for command in commands)


def _list_made(facts: Facts, refused: RefusedStatement) -> Iterator[Table | Column]:
    """What the base lacks and the change makes."""
    table = facts.replay.catalog.find_table(refused.schema, refused.table)
    column = find_later_column(facts, refused)
    if refused.cause is RefusalCause.MISSING_TABLE and table is not None:
        yield table
    if refused.cause is RefusalCause.MISSING_COLUMN and column is not None:
        yield column


def _list_missing(facts: Facts, refused: RefusedStatement) -> Iterator[CatalogObject]:
    catalog = _earlier_catalog(facts)
    if refused.cause is RefusalCause.MISSING_TABLE:
        table = catalog.find_table(refused.schema, refused.table)
        views = (
            view for view in catalog.views if (view.schema, view.name) == (refused.schema, refused.table)
        )
        yield from filter(None, (table, *views))
    if refused.cause is RefusalCause.DEFAULT:
        words = set(re.findall(r"\w+", refused.value))
        later = facts.replay.catalog
        kept = {str(item) for item in (*later.routines, *later.sequences)}
        named: tuple[Routine | Sequence, ...] = (*catalog.routines, *catalog.sequences)
        yield from (item for item in named if item.name in words and str(item) not in kept)
    if refused.cause is RefusalCause.MISSING_COLUMN:
        column = find_earlier_column(facts, refused)
        if column is not None:
            yield column
