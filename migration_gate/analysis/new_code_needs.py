"""What the change's models name that the schema of the base lacks."""

from __future__ import annotations

from collections.abc import Iterator

from migration_gate.facts import (
    Column,
    MappedColumn,
    MappedTable,
    RefusalCause,
    RefusedStatement,
    Replay,
    Snapshot,
    StatementKind,
)

ROWS = (StatementKind.INSERT, StatementKind.UPDATE)


def find_new_code_needs(earlier: Snapshot, replay: Replay) -> Iterator[RefusedStatement]:
    """What statements of the models would fail at the base, and do not on the change's schema."""
    for mapped in replay.models.mapped_tables:
        yield from _compare(mapped, earlier, replay.catalog)


def _compare(mapped: MappedTable, earlier: Snapshot, later: Snapshot) -> Iterator[RefusedStatement]:
    if later.find_table(mapped.schema, mapped.name) is None:
        return
    if earlier.find_table(mapped.schema, mapped.name) is None:
        kinds = tuple(StatementKind)
        yield _need(mapped, RefusalCause.MISSING_TABLE, kinds, f"the base has no table `{mapped}`")
        return
    old = {column.name: column for column in earlier.columns_in(mapped.schema, mapped.name)}
    new = {column.name: column for column in later.columns_in(mapped.schema, mapped.name)}
    for column in mapped.columns:
        if column.name in new:
            yield from _compare_column(mapped, column, old.get(column.name), earlier, later)
    sent = {column.name for column in mapped.columns if column.is_inserted}
    for name, required in old.items():
        if name not in sent and _is_required(required) and not _is_required(new.get(name)):
            message = f"the base has `{name}` NOT NULL, without a default"
            yield _need(mapped, RefusalCause.REQUIRED_COLUMN, (StatementKind.INSERT,), message, name)


def _compare_column(
    mapped: MappedTable, column: MappedColumn, old: Column | None, earlier: Snapshot, later: Snapshot
) -> Iterator[RefusedStatement]:
    if old is None:
        kinds = (*((StatementKind.SELECT,) if column.is_loaded else ()), *ROWS)
        message = f"the base has no column `{column.name}`"
        yield _need(mapped, RefusalCause.MISSING_COLUMN, kinds, message, column.name)
        return
    labels = {enum.full_name: enum.labels for enum in earlier.enums}.get(old.type.replace('"', ""))
    stored = {enum.full_name: enum.labels for enum in later.enums}.get(old.type.replace('"', ""), ())
    if labels is None:
        return
    for label in column.labels:
        if label not in labels and label in stored:
            message = f"the enum of the base has no label '{label}'"
            yield _need(mapped, RefusalCause.LABEL, ROWS, message, column.name)


def _need(
    mapped: MappedTable,
    cause: RefusalCause,
    kinds: tuple[StatementKind, ...],
    message: str,
    column: str = "",
) -> RefusedStatement:
    return RefusedStatement(mapped.schema, mapped.name, mapped.classes, cause, kinds, "", message, column)


def _is_required(column: Column | None) -> bool:
    if column is None or column.nullable:
        return False
    return column.default is None and column.identity is None and column.generated is None
