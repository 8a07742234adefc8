"""Deleting an owner fails, or leaves their rows behind.

The foreign key's ON DELETE decides what becomes of the rows. Without one, deleting an account fails
as long as a single row is left, and code has to know every table that must be cleared first. It is an
error in a table that the change makes. The rule holds after every revision of a change. It is tried, too:
an owner is made and deleted, with rows, and all of it rolled back. Keys further down and triggers that
stop the deletion are found so, and rows that are left; where no row could be made, a note says why.

Instead, recreate the foreign key with the ON DELETE that is meant, CASCADE as a rule.
"""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

from migration_gate.analysis.model_part_locations import list_column_locations
from migration_gate.analysis.new_tables import is_new_table
from migration_gate.analysis.origin import find_origin
from migration_gate.analysis.owner_corrections import set_on_delete
from migration_gate.analysis.owner_deletion_findings import (
    DEFAULT_ACTION,
    describe_recreated_key,
    find_tried_deletions,
)
from migration_gate.analysis.owner_deletions import describe_trial, lacks_action
from migration_gate.analysis.owner_windows import KIND as WINDOW_KIND
from migration_gate.analysis.owner_windows import find_owner_windows
from migration_gate.analysis.ownership import list_owner_columns
from migration_gate.check import Evidence, Finding, Severity, Subject
from migration_gate.facts import Facts
from migration_gate.wording import join_words

SEVERITY = Severity.WARNING
SUBJECT = Subject.OWNER_COLUMN
KINDS = ("blocked", "rows-left", "unproven", WINDOW_KIND)


def check(facts: Facts) -> Iterator[Finding]:
    """Yield the foreign keys to the owners whose ON DELETE is none of `owners.on_delete`."""
    accepted = facts.owners.on_delete
    expected = join_words((action.upper() for action in accepted), quote="")
    for owned in list_owner_columns(facts):
        if not lacks_action(owned, accepted):
            continue
        key = owned.foreign_keys[0]
        action = next(iter(accepted), DEFAULT_ACTION)
        origin = find_origin(facts.replay, key, ("definition",)) or find_origin(facts.replay, owned.column)
        found = (key.on_delete or "no action").upper()
        finding = Finding.at_origin(
            origin,
            owned.column,
            f"`{owned.column}` references its owner with ON DELETE {found}, not {expected}",
            evidence=(
                Evidence("foreign key", f"{key.name}: {key.definition}"),
                *describe_trial(facts.replay.find_ownership_trial(owned.column)),
            ),
            fix=describe_recreated_key(owned.table, key, on_delete=action),
            corrections=set_on_delete(facts, owned.column, origin, action),
            other_locations=list_column_locations(facts.replay.models, facts.tree, owned.column),
        )
        yield replace(finding, severity=Severity.ERROR) if is_new_table(facts, owned.table) else finding
    yield from find_tried_deletions(facts)
    yield from find_owner_windows(
        facts,
        partial(lacks_action, accepted=accepted),
        f"referenced its owner without ON DELETE {expected}",
    )
