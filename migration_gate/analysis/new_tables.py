"""Which tables the change makes."""

from __future__ import annotations

from migration_gate.analysis.origin import find_origin
from migration_gate.facts import Facts, Table


def is_new_table(facts: Facts, table: Table) -> bool:
    """Whether the table is not in the database of the base. False if that is not known.

    One that the change only renames is none.
    """
    base = facts.base
    if base is None or base.is_unchanged:
        return False
    if base.is_new_project:
        return True
    if base.facts is None or base.facts.replay.failure is not None:
        return False
    earlier = base.facts.replay
    if earlier.history.error is not None or earlier.catalog.find_table(table.schema, table.name) is not None:
        return False
    creation = find_origin(facts.replay, table, ())
    return creation.revision is None or earlier.history.find_revision(creation.revision) is None
