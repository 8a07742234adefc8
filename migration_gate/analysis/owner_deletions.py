"""What trials with rows mean: what keeps an owner from being deleted, and what is left."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from migration_gate.analysis.ownership import OwnerColumn, list_owner_columns
from migration_gate.check import Evidence
from migration_gate.facts import (
    Column,
    Constraint,
    DeletionBlocker,
    Facts,
    OwnershipTrial,
    RowRefusal,
    Snapshot,
)
from migration_gate.lazy_dataclass import dataclass

RAISED = "P0001"
REPLACED_BY_RULE = "XX000"
"""a rule made something else of the deletion that a foreign key wanted"""
INTEGRITY_CLASS = "23"
"""of SQLSTATEs: constraints"""
_OWNERS_OF_LEFT = {
    "gone": "naming an owner who is gone",
    "null": "without an owner",
    "other": "with another owner",
}


@dataclass(frozen=True, slots=True)
class TriedOwner:
    """An owner column, and what its trial showed."""

    owned: OwnerColumn
    trial: OwnershipTrial


@dataclass(frozen=True, slots=True)
class BlockingKey:
    """A foreign key that refused the deletion of an owner, further down than the owner's own key."""

    key: Constraint
    column: Column
    blocker: DeletionBlocker
    owned: OwnerColumn
    """whose row it references, directly or through others"""


def list_tried_owners(facts: Facts) -> Iterator[TriedOwner]:
    """Every owner column that was tried."""
    for owned in list_owner_columns(facts):
        trial = facts.replay.find_ownership_trial(owned.column)
        if trial is not None:
            yield TriedOwner(owned, trial)


def describe_trial(trial: OwnershipTrial | None) -> Iterator[Evidence]:
    """What became of a row, for a finding about its owner column."""
    if trial is None:
        return
    for blocker in trial.blockers[:1]:
        yield Evidence("tried", f"deleting the owner: {blocker.refusal}")
    if trial.rows_left:
        yield Evidence("tried", f"deleting the owner: {describe_left_rows(trial)}")


def describe_left_rows(trial: OwnershipTrial) -> str:
    """`1 row of media was left, without an owner`."""
    table = trial.table if trial.schema == "public" else f"{trial.schema}.{trial.table}"
    rows = "1 row" if trial.rows_left == 1 else f"{trial.rows_left} rows"
    verb = "was" if trial.rows_left == 1 else "were"
    return f"{rows} of `{table}` {verb} left, {_OWNERS_OF_LEFT[trial.left_owner]}"


def list_blocking_keys(facts: Facts, accepted: Sequence[str]) -> Iterator[BlockingKey]:
    """The keys, each once, whose ON DELETE is none of the accepted ones, and that refused a deletion."""
    tried = tuple(list_tried_owners(facts))
    # An owner column whose key does not do what is accepted has a finding of its own.
    seen = {key for item in tried if lacks_action(item.owned, accepted) for key in item.owned.foreign_keys}
    for item in tried:
        for blocking in _list_refusing_keys(item, facts.replay.catalog):
            if blocking.key.on_delete not in accepted and blocking.key not in seen:
                seen.add(blocking.key)
                yield blocking


def _list_refusing_keys(item: TriedOwner, catalog: Snapshot) -> Iterator[BlockingKey]:
    """The keys that refused the deletion itself, and not a statement of a trigger's."""
    for blocker in item.trial.blockers:
        key = None if blocker.refusal.context else find_blocking_key(catalog, blocker.refusal)
        if key is not None:
            column = _find_column(catalog, key, blocker.refusal)
            if column is not None:
                yield BlockingKey(key, column, blocker, item.owned)


def lacks_action(owned: OwnerColumn, accepted: Sequence[str]) -> bool:
    """Whether it has keys, and none of them does what is accepted.

    One accepted key is enough: Postgres checks the others when the rows are gone already.
    """
    actions = {key.on_delete or "no action" for key in owned.foreign_keys}
    return bool(actions) and actions.isdisjoint(accepted)


def list_other_refusals(item: TriedOwner, catalog: Snapshot) -> Iterator[RowRefusal]:
    """What refused the deletion of an owner, and is no foreign key: a trigger as a rule."""
    for blocker in item.trial.blockers:
        refusal = blocker.refusal
        is_of_key = find_blocking_key(catalog, refusal) is not None and not refusal.context
        if is_rule(refusal) and not is_of_key:
            yield refusal


def has_unexpected_rows(item: TriedOwner, accepted: Sequence[str]) -> bool:
    """Whether rows were left that the key's ON DELETE, which is accepted, does not leave."""
    actions = {key.on_delete for key in item.owned.foreign_keys}.intersection(accepted)
    is_meant = (item.trial.left_owner == "null" and "set null" in actions) or (
        item.trial.left_owner == "other" and "set default" in actions
    )
    return item.trial.rows_left > 0 and not is_meant


def list_unproven(item: TriedOwner) -> Iterator[RowRefusal]:
    """Why it is not known, or not altogether, what becomes of the rows."""
    if item.trial.obstacle is not None:
        yield item.trial.obstacle
    blockers = (blocker.refusal for blocker in item.trial.blockers)
    yield from (refusal for refusal in blockers if not is_rule(refusal))
    if item.trial.owner_refusal is not None and not is_rule(item.trial.owner_refusal):
        yield item.trial.owner_refusal
    yield from item.trial.unmade


def is_rule(refusal: RowRefusal) -> bool:
    """Whether a constraint, a trigger or a rule refused: it is no fault of the trial."""
    return refusal.sqlstate in (RAISED, REPLACED_BY_RULE) or refusal.sqlstate.startswith(INTEGRITY_CLASS)


def find_blocking_key(catalog: Snapshot, refusal: RowRefusal) -> Constraint | None:
    """The foreign key that refused, or that sets a column to NULL which cannot be."""
    keys = [key for key in catalog.constraints_in(refusal.schema, refusal.table) if key.kind == "foreign key"]
    named = [key for key in keys if key.name == refusal.constraint]
    nulling = [key for key in keys if refusal.column in key.columns and key.on_delete == "set null"]
    return next(iter(named or nulling), None)


def _find_column(catalog: Snapshot, key: Constraint, refusal: RowRefusal) -> Column | None:
    name = refusal.column or key.columns[0]
    columns = catalog.columns_in(key.schema, key.table)
    return next((column for column in columns if column.name == name), None)


def keep_earlier_trials(
    trials: Sequence[OwnershipTrial], catalog: Snapshot, earlier: Snapshot
) -> tuple[OwnershipTrial, ...]:
    """What trials in `catalog` say of an earlier state of that database: nothing that may have come later."""
    has_same_code = (catalog.triggers, catalog.routines, catalog.rules, catalog.types) == (
        earlier.triggers,
        earlier.routines,
        earlier.rules,
        earlier.types,
    )
    return tuple(
        _cut_trial(trial, catalog, earlier, has_same_code=has_same_code)
        for trial in trials
        if earlier.columns_in(trial.schema, trial.table)
    )


def _cut_trial(
    trial: OwnershipTrial, catalog: Snapshot, earlier: Snapshot, *, has_same_code: bool
) -> OwnershipTrial:
    blockers = []
    for blocker in trial.blockers:
        key = find_blocking_key(catalog, blocker.refusal)
        is_known = has_same_code if key is None else key in earlier.constraints_in(key.schema, key.table)
        if is_known:
            blockers.append(blocker)
    cut = replace(trial, blockers=tuple(blockers))
    table = (trial.schema, trial.table)
    has_same_table = catalog.columns_in(*table) == earlier.columns_in(*table) and catalog.constraints_in(
        *table
    ) == earlier.constraints_in(*table)
    if has_same_code and has_same_table:
        return cut
    return OwnershipTrial(
        trial.schema, trial.table, trial.column, trial.owners_table, blockers=tuple(blockers)
    )
