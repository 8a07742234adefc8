"""What is tried with owner columns in the replayed database."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from migration_gate.analysis.ownership import OwnerColumn, find_owners_key, list_owner_columns
from migration_gate.catalog.owned_rows import TriedColumn
from migration_gate.catalog.ownerless_rows import try_ownerless_rows
from migration_gate.catalog.ownership_trials import try_owned_rows
from migration_gate.facts import (
    Facts,
    NullTrial,
    Owners,
    OwnershipTrial,
    Replay,
    Snapshot,
    Unchecked,
    display_name,
)
from migration_gate.lazy_dataclass import dataclass
from migration_gate.wording import join_words

if TYPE_CHECKING:
    import psycopg

PART = "ownership"
ADVICE = "A trigger that sleeps or loops is the usual reason: let it do that with few rows, too, in no time."


@dataclass(frozen=True, slots=True)
class OwnerTrials:
    """What Postgres did with rows, and with their owners."""

    null_trials: tuple[NullTrial, ...] = ()
    """of columns of which the catalog alone does not say whether NULL is accepted"""
    ownership_trials: tuple[OwnershipTrial, ...] = ()

    def list_unchecked(self) -> Iterator[Unchecked]:
        """What was ended, as a statement took too long."""
        ended = [trial for trial in self.ownership_trials if trial.ended_by is not None]
        if ended:
            yield Unchecked(PART, _describe_end(ended), ADVICE)


def try_owner_columns(connection: psycopg.Connection[Any], snapshot: Snapshot, owners: Owners) -> OwnerTrials:
    """Try every owner column of the database; nothing is left of it. No statement without owner columns."""
    facts = Facts(replay=Replay(catalog=snapshot), owners=owners)
    owned = tuple(list_owner_columns(facts))
    nullable = [(item.table, item.column) for item in owned if item.column.nullable]
    return OwnerTrials(
        try_ownerless_rows(connection, snapshot, nullable),
        try_owned_rows(connection, snapshot, tuple(_list_tried_columns(facts, owned))),
    )


def _describe_end(ended: Sequence[OwnershipTrial]) -> str:
    names = [f"{display_name(trial.schema, trial.table)}.{trial.column}" for trial in ended]
    return (
        f"a row was made, or deleted, on trial, and that took too long ({ended[0].ended_by}): what becomes "
        f"of rows whose owner is deleted is not known of {join_words(names)}"
    )


def _list_tried_columns(facts: Facts, owned: tuple[OwnerColumn, ...]) -> Iterator[TriedColumn]:
    """The columns whose owners are in a table that is known."""
    for item in owned:
        tried = _follow_key(facts, item) if item.foreign_keys else _follow_settings(facts, item)
        if tried is not None:
            yield tried


def _follow_key(facts: Facts, owned: OwnerColumn) -> TriedColumn | None:
    accepted = facts.owners.on_delete
    # A key over several columns may be one to a row of the same owner.
    key = min(owned.foreign_keys, key=lambda key: (len(key.columns), key.on_delete not in accepted))
    schema, _, name = (key.references or "").partition(".")
    table = facts.replay.catalog.find_table(schema, name)
    if table is None:
        return None
    return TriedColumn(owned.table, owned.column, table, key.referenced_columns, key.columns, key)


def _follow_settings(facts: Facts, owned: OwnerColumn) -> TriedColumn | None:
    """A column without a key: of the table that the other owner columns reference, or the settings name."""
    if owned.other_foreign_keys or owned.type_column is not None:
        return None
    key = find_owners_key(facts)
    table = facts.replay.catalog.find_table(key.schema, key.table)
    if table is None or key.type != owned.column.type:
        return None
    return TriedColumn(owned.table, owned.column, table, (key.column,), (owned.column.name,), None)
