"""What the project declares beside its models: tried with the models' fixes, for the one revision.

The operations (of alembic_utils, of a comparator) ran in the project's interpreter, each way, on a copy of
the replayed database. Here the statements that they ran follow the fixes of the models, and are undone first.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

import psycopg

from migration_gate.drift.declared_differences import find_undeclared_objects
from migration_gate.facts import DeclaredOperation, Difference, Replay, Snapshot
from migration_gate.lazy_dataclass import dataclass
from migration_gate.replay.catalog_losses import describe_changes, find_lost_objects
from migration_gate.replay.fix_outcome import (
    DifferenceKey,
    FixFailures,
    OutcomeCheck,
    difference_key,
    list_losses,
)
from migration_gate.replay.fix_trial import FixTrial, OpenTrial, TrialFailed, needs_copy


def select_declared_fixes(
    open_trial: OpenTrial,
    replay: Replay,
    together: Sequence[Difference],
    declared: Sequence[Difference],
    known: Iterable[Difference],
) -> tuple[Difference, ...]:
    """Those of the `declared` differences that the one revision removes as well; none if their run fails.

    `together` are the fixes of the models that make it up, which ran both ways; `known` all differences
    between the migrations and the models.
    """
    operations = _find_operations(replay, declared)
    if not operations or any(context.default_schema != "public" for context in replay.contexts):
        return ()
    trial = _DeclaredTrial(replay, tuple(together), operations, frozenset(map(difference_key, known)))
    after = _run_trial(open_trial, trial)
    if after is None:
        return ()
    remaining = find_undeclared_objects(replay, after)
    if any(item.object in remaining for item in operations):
        return ()
    return tuple(item for item in declared if item in operations or _follows(item, remaining))


def _run_trial(open_trial: OpenTrial, trial: _DeclaredTrial) -> Snapshot | None:
    """As `run_both_ways`; None also if it cannot be run."""
    try:
        with open_trial(any(map(needs_copy, trial.together))) as opened:
            return trial.run_both_ways(opened)
    except (TrialFailed, psycopg.Error):
        return None


def _find_operations(replay: Replay, declared: Sequence[Difference]) -> dict[Difference, DeclaredOperation]:
    """The operation of each difference whose lines ran both ways, and whose statements are known."""
    by_lines = {item.upgrade: item for item in replay.models.declared_operations if item.upgrade}
    return {
        item: by_lines[item.upgrade]
        for item in declared
        if item.downgrade and not _takes_rows(item) and _has_statements(by_lines.get(item.upgrade))
    }


def _has_statements(operation: DeclaredOperation | None) -> bool:
    return operation is not None and None not in (
        operation.upgrade_statements,
        operation.downgrade_statements,
    )


def _takes_rows(difference: Difference) -> bool:
    """Whether rows or values go with it, so that a person has to decide."""
    return difference.models is None and difference.object_noun in ("table", "column")


def _follows(difference: Difference, remaining: Collection[str]) -> bool:
    """Whether the operation of another object changed this one as well."""
    has_own_lines = bool(difference.upgrade) or difference.object_noun == "operation"
    return not has_own_lines and difference.object not in remaining


@dataclass(frozen=True, slots=True)
class _DeclaredTrial:
    """Fixes of the models, and the operations that follow them."""

    replay: Replay
    together: tuple[Difference, ...]
    operations: dict[Difference, DeclaredOperation]
    known: frozenset[DifferenceKey]

    def run_both_ways(self, trial: FixTrial) -> Snapshot | None:
        """The catalog after all upgrades; None if something is wrong there, or after all downgrades."""
        after = self._run_upgrades(trial)
        return after if after is not None and self._run_downgrades(trial) else None

    def _run_upgrades(self, trial: FixTrial) -> Snapshot | None:
        if any(trial.run(item.upgrade) for item in self.together):
            return None
        for operation in self.operations.values():
            _execute_all(trial, operation.upgrade_statements or ())
        after = trial.read_snapshot()
        return after if self._is_as_it_should_be(after) else None

    def _run_downgrades(self, trial: FixTrial) -> bool:
        """Whether the catalog is as it was before the upgrades."""
        for operation in reversed(self.operations.values()):
            _execute_all(trial, operation.downgrade_statements or ())
        if any(trial.run(item.downgrade) for item in reversed(self.together)):
            return False
        return not describe_changes(self.replay, trial.read_snapshot())

    def _is_as_it_should_be(self, after: Snapshot) -> bool:
        """Whether nothing remains, is new or is lost, but for what the project's operations drop."""
        failures = FixFailures()
        OutcomeCheck(self.replay, self.known).compare_with_models(after, self.together, failures)
        declared = self.replay.models.declared_snapshot or self.replay.catalog
        dropped = set(list_losses(find_lost_objects(self.replay.catalog, declared)))
        return not failures.reasons and dropped.issuperset(failures.problems)


def _execute_all(trial: FixTrial, statements: Iterable[str]) -> None:
    """Run the statements as they are. Raises psycopg.Error."""
    for statement in statements:
        trial.driver_connection.execute(statement.encode())
