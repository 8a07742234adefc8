"""Tables and columns that a change drops, of which the rehearsal did not see whether values go with them."""

from __future__ import annotations

from collections.abc import Iterator

from migration_gate.analysis.origin import find_removing_command
from migration_gate.analysis.schema_pair import SchemaPair, pair_schemas
from migration_gate.facts import Column, DdlCommand, Facts, Origin, Replay, Table
from migration_gate.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class UnseenDrop:
    """A table or a column that is gone."""

    item: Table | Column
    origin: Origin


def find_unseen_drops(facts: Facts) -> Iterator[UnseenDrop]:
    """What new revisions drop whose table had no rows in the rehearsal: it refused them, or a step failed."""
    replay = facts.replay
    pair = pair_schemas(facts)
    if pair is None or not replay.rehearsal.tables:
        return
    seen = {str(change) for _, change in replay.rehearsal.list_changes()}
    first_without_rows = _find_first_failure(replay)
    rowless = {str(table) for table in replay.rehearsal.rowless}
    for item in _list_missing(pair):
        command = find_removing_command(replay, item)
        if command is None or command.step not in pair.new_steps or not _is_drop(command, item):
            continue
        table = str(item) if isinstance(item, Table) else str(item).rpartition(".")[0]
        has_no_rows = command.step >= first_without_rows or table in rowless
        if has_no_rows and str(item) not in seen:
            yield UnseenDrop(item, pair.find_removal(item))


def _find_first_failure(replay: Replay) -> float:
    """The number of the first step that failed with any rows: from there on, tables it names have none."""
    failed = {
        rehearsed.revision
        for rehearsed in replay.rehearsal.revisions
        if rehearsed.failure is not None and rehearsed.failure.rows in ("plain", "filled")
    }
    return min((step.number for step in replay.steps if step.revision in failed), default=float("inf"))


def _list_missing(pair: SchemaPair) -> Iterator[Table | Column]:
    """The tables of the base that are gone, and the columns of those that are not."""
    for table in pair.earlier.tables:
        after = pair.later.find_table(table.schema, table.name)
        if after is None:
            if table.partition_bound is None:
                yield table
            continue
        kept = {column.name for column in pair.later.columns_of(after)}
        yield from (
            column
            for column in pair.earlier.columns_of(table)
            if column.name not in kept and not column.generated
        )


def _is_drop(command: DdlCommand, item: Table | Column) -> bool:
    """Whether it has another name than before: then nothing is lost."""
    if isinstance(item, Table):
        return command.dropped
    return all(state.number != item.number for state in command.columns)
