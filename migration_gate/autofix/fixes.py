"""Writes the revision that removes each difference, as code for its two functions.

Alembic's own operations and renderer write it wherever they can express the change; SQL that Postgres itself
printed does the rest. The downgrade is the same change with both sides exchanged.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from migration_gate.analysis.evaluated_defaults import is_evaluated_default
from migration_gate.autofix.autofix_state import AutofixState
from migration_gate.autofix.column_fixes import fix_column
from migration_gate.autofix.constraint_and_index_fixes import fix_part
from migration_gate.autofix.default_fixes import change_default
from migration_gate.autofix.enum_fixes import fix_enum
from migration_gate.autofix.missing_schemas import add_schemas
from migration_gate.autofix.named_type_fixes import fix_named_type
from migration_gate.autofix.sequence_fixes import fix_sequence
from migration_gate.autofix.table_fixes import create_table, drop_table, fix_table
from migration_gate.autofix.view_fixes import add_rename, create_view, drop_view
from migration_gate.drift.difference import CatalogDifference
from migration_gate.drift.frozen_defaults import FrozenDefaults, thaw_default, thaw_snapshot
from migration_gate.drift.model_comparison import list_differences
from migration_gate.facts import (
    CatalogObject,
    Column,
    Constraint,
    Difference,
    DifferenceKind,
    EnumType,
    Index,
    NamedType,
    Replay,
    Sequence,
    Snapshot,
    Table,
    View,
)
from migration_gate.lazy_dataclass import dataclass

NOT_RESTORED = "# The old default was no call: there is nothing to restore.\npass"


def add_fixes(differences: Iterable[Difference], replay: Replay) -> tuple[Difference, ...]:
    """The differences with `upgrade` and `downgrade` filled in; both stay empty if there is no fix.

    Run the upgrades in the order given, the downgrades in the reverse order.
    """
    catalog_differences = {item.difference: item for item in list_differences(replay)}
    frozen = FrozenDefaults.from_replay(replay)
    state = AutofixState(
        thaw_snapshot(replay.catalog, frozen.database),
        thaw_snapshot(replay.models.snapshot or Snapshot(), frozen.models),
    )
    differences = tuple(differences)
    writer = _FixWriter(state, frozen)
    fixes = (writer.add_fix(item, catalog_differences.get(item)) for item in differences)
    return tuple(add_schemas(fixes, catalog_differences, differences, replay.catalog))


@dataclass(frozen=True, slots=True)
class _FixWriter:
    """Writes the lines for differences of one replay."""

    state: AutofixState
    frozen: FrozenDefaults

    def add_fix(self, difference: Difference, found_on: CatalogDifference | None) -> Difference:
        """The difference with its fix; unchanged if there is none, or if models cannot express it."""
        if found_on is None or difference.kind == "unmanaged":
            return difference
        if difference.kind == "default" and any(
            map(is_evaluated_default, (difference.database, difference.models))
        ):
            return self._add_frozen_fix(difference, found_on)
        if isinstance(found_on.database, View) and found_on.renamed_table is not None:
            return add_rename(difference, found_on.database, found_on.renamed_table)
        upgrade: list[str] = []
        for pair in found_on.pairs:
            sides = self._thaw_database(pair.database), self._thaw_models(pair.models)
            upgrade += _write_lines(difference.kind, *sides, self.state)
        if not upgrade:
            return difference
        downgrade: list[str] = []
        for pair in reversed(found_on.pairs):
            sides = self._thaw_models(pair.models), self._thaw_database(pair.database)
            downgrade += _write_lines(difference.kind, *sides, self.state.reversed())
        return replace(difference, upgrade="\n".join(upgrade), downgrade="\n".join(downgrade))

    def _add_frozen_fix(self, difference: Difference, found_on: CatalogDifference) -> Difference:
        """A call in the place of the database's moment, which no downgrade restores.

        Nothing is written if the moment is in the models alone: they are to be corrected. Neither if the call
        is not known: the lines would have a moment again.
        """
        database, models = self._thaw_database(found_on.database), self._thaw_models(found_on.models)
        if not isinstance(database, Column) or not isinstance(models, Column):
            return difference
        if not is_evaluated_default(difference.database):
            return difference
        if is_evaluated_default(difference.models) and models is found_on.models:
            return difference
        lines = change_default(database, models, self.state)
        upgrade = [line.replace("sa.text('now()')", "sa.func.now()") for line in lines]
        return replace(difference, upgrade="\n".join(upgrade), downgrade=NOT_RESTORED)

    def _thaw_database(self, item: CatalogObject | None) -> CatalogObject | None:
        """The object; a column with a call in the place of a moment."""
        return thaw_default(item, self.frozen.database) if isinstance(item, Column) else item

    def _thaw_models(self, item: CatalogObject | None) -> CatalogObject | None:
        """The same for an object of the models."""
        return thaw_default(item, self.frozen.models) if isinstance(item, Column) else item


def _write_lines(
    kind: DifferenceKind,
    current: CatalogObject | None,
    target: CatalogObject | None,
    state: AutofixState,
) -> list[str]:
    """The lines of a revision that turn the one object into the other; None: there is no such object."""
    match current, target:
        case (Table() | None as current, Table() | None as target):
            return fix_table(kind, current, target, state)
        case (View() as current, Table() as target):
            return [drop_view(current), *create_table(target, state)]
        case (Table() as current, View() as target):
            return [*drop_table(current, state), create_view(target)]
        case (Column() | None as current, Column() | None as target):
            return fix_column(kind, current, target, state)
        case (Constraint() | Index() | None as current, Constraint() | Index() | None as target):
            return fix_part(kind, current, target, state)
        case _:
            return _write_lines_of_type(kind, current, target, state)


def _write_lines_of_type(
    kind: DifferenceKind,
    current: CatalogObject | None,
    target: CatalogObject | None,
    state: AutofixState,
) -> list[str]:
    """The same for what is no part of a table."""
    match current, target:
        case (EnumType() | None as current, EnumType() | None as target):
            return fix_enum(current, target, state)
        case (NamedType() | None as current, NamedType() | None as target):
            return fix_named_type(current, target)
        case (Sequence() | None as current, Sequence() | None as target):
            return fix_sequence(kind, current, target, is_downgrade=state.is_downgrade)
        case _:
            return []
