"""Every check, in report order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migration_gate.checks import (
    broken_history,
    deleted_migration,
    drift,
    edited_migration,
    failing_downgrade,
    failing_reupgrade,
    failing_upgrade,
    incomplete_downgrade,
    loosened_gate,
    lossy_downgrade,
    missing_downgrade,
    missing_models,
    missing_owner,
    models_in_migration,
    nullable_owner,
    raw_sql_file,
    reparented_migration,
    reused_revision_id,
    schema_change_outside_migrations,
    several_heads,
    silent_upgrade,
    squash_differs,
    stale_parent,
    uncascaded_owner,
    unchecked,
    unindexed_owner,
    unnamed_constraint,
    unreferenced_owner,
    unregistered_model,
    version_difference,
)

if TYPE_CHECKING:
    from migration_gate.check import Check

ALL: tuple[Check, ...] = (
    raw_sql_file,
    schema_change_outside_migrations,
    broken_history,
    several_heads,
    stale_parent,
    deleted_migration,
    squash_differs,
    edited_migration,
    reparented_migration,
    reused_revision_id,
    failing_upgrade,
    silent_upgrade,
    missing_downgrade,
    unnamed_constraint,
    failing_downgrade,
    incomplete_downgrade,
    failing_reupgrade,
    lossy_downgrade,
    models_in_migration,
    missing_models,
    unregistered_model,
    drift,
    version_difference,
    nullable_owner,
    missing_owner,
    unreferenced_owner,
    uncascaded_owner,
    unindexed_owner,
    loosened_gate,
    unchecked,
)
