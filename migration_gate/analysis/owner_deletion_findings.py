"""Findings about owners that cannot be deleted, and rows that are left, as trials with rows showed them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from migration_gate.analysis import op_code
from migration_gate.analysis.model_part_locations import list_column_locations
from migration_gate.analysis.new_tables import is_new_table
from migration_gate.analysis.origin import find_origin
from migration_gate.analysis.owner_corrections import set_on_delete
from migration_gate.analysis.owner_deletions import (
    BlockingKey,
    TriedOwner,
    describe_left_rows,
    has_unexpected_rows,
    is_rule,
    lacks_action,
    list_blocking_keys,
    list_other_refusals,
    list_tried_owners,
    list_unproven,
)
from migration_gate.check import Evidence, Finding, Severity
from migration_gate.facts import Constraint, Facts, Origin, RowRefusal, Table, display_name
from migration_gate.wording import code_block

DEFAULT_ACTION = "cascade"
RAISES = " at RAISE"
"""how the context of an error ends that a function's own code raises"""
MEANT = """
If that is meant, allow it with the reason. If not, change the trigger or rule that does it, so that what a \
user owns goes with the user."""


def find_tried_deletions(facts: Facts) -> Iterator[Finding]:
    """What trials with rows showed of foreign keys whose ON DELETE is an accepted one."""
    accepted = facts.owners.on_delete
    for blocking in list_blocking_keys(facts, accepted):
        yield _describe_blocking(facts, blocking)
    seen_owners: set[str] = set()
    for item in list_tried_owners(facts):
        refusal = item.trial.owner_refusal
        if refusal is not None and is_rule(refusal) and item.trial.owners_table not in seen_owners:
            seen_owners.add(item.trial.owners_table)
            yield _describe_undeletable(facts, item, refusal)
        if item.owned.foreign_keys and not lacks_action(item.owned, accepted):
            yield from _list_left(facts, item)


def _describe_blocking(facts: Facts, blocking: BlockingKey) -> Finding:
    key, column = blocking.key, blocking.column
    action = next(iter(facts.owners.on_delete), DEFAULT_ACTION)
    table = Table(column.schema, column.table)
    condition = " if somebody else's row references it" if blocking.blocker.needs_other_owner else ""
    is_new = any(is_new_table(facts, item) for item in (table, blocking.owned.table))
    origin = find_origin(facts.replay, key, ("definition",)) or find_origin(facts.replay, column)
    finding = Finding.at_origin(
        origin,
        column,
        f"`{column}` stops the deletion of an owner of `{blocking.owned.table}`{condition}: its foreign key "
        f"says ON DELETE {(key.on_delete or 'no action').upper()}",
        evidence=(
            Evidence("foreign key", f"{key.name}: {key.definition}"),
            Evidence("tried", f"deleting the owner: {blocking.blocker.refusal}"),
        ),
        fix=describe_recreated_key(table, key, on_delete=action),
        corrections=set_on_delete(facts, column, origin, action),
        other_locations=list_column_locations(facts.replay.models, facts.tree, column),
    )
    severity = Severity.ERROR if is_new else None
    return replace(finding, kind="blocked", severity=Severity.WARNING if condition else severity)


def _describe_undeletable(facts: Facts, item: TriedOwner, refusal: RowRefusal) -> Finding:
    schema, _, name = item.trial.owners_table.partition(".")
    owners = display_name(schema, name)
    table = facts.replay.catalog.find_table(schema, name)
    return replace(
        Finding.at_origin(
            find_origin(facts.replay, table) if table is not None else Origin(),
            owners,
            f"A row of `{owners}` cannot be deleted, not even one that owns nothing",
            evidence=(Evidence("tried", f"deleting an owner: {refusal}"),),
            fix=MEANT,
        ),
        kind="blocked",
        severity=Severity.WARNING,
    )


def _list_left(facts: Facts, item: TriedOwner) -> Iterator[Finding]:
    """What a trigger refuses, what is left, and what is not known, of one column."""
    owned = item.owned
    key = owned.foreign_keys[0]
    origin = find_origin(facts.replay, key, ("definition",)) or find_origin(facts.replay, owned.column)
    definition = Evidence("foreign key", f"{key.name}: {key.definition}")
    for refusal in list_other_refusals(item, facts.replay.catalog):
        message = f"`{owned.column}`: deleting an owner of a row fails: {_name_refusing(refusal)}"
        evidence = (definition, Evidence("tried", f"deleting the owner: {refusal}"))
        finding = Finding.at_origin(origin, owned.column, message, evidence=evidence, fix=MEANT)
        yield replace(finding, kind="blocked", severity=Severity.WARNING)
    if has_unexpected_rows(item, facts.owners.on_delete):
        message = f"`{owned.column}`: after the owner was deleted, {describe_left_rows(item.trial)}"
        triggers = (
            Evidence("trigger", trigger.definition)
            for trigger in facts.replay.catalog.triggers
            if (trigger.schema, trigger.table) == (owned.table.schema, owned.table.name)
        )
        finding = Finding.at_origin(
            origin, owned.column, message, evidence=(definition, *triggers), fix=MEANT
        )
        severity = Severity.ERROR if is_new_table(facts, owned.table) else None
        yield replace(finding, kind="rows-left", severity=severity)
    unproven = tuple(dict.fromkeys(str(refusal) for refusal in list_unproven(item)))
    if unproven:
        message = f"`{owned.column}`: what becomes of rows whose owner is deleted was not proved"
        finding = Finding.at_origin(
            origin,
            owned.column,
            message,
            evidence=tuple(Evidence("tried", text) for text in unproven),
        )
        yield replace(finding, kind="unproven", severity=Severity.NOTE)


def _name_refusing(refusal: RowRefusal) -> str:
    """What refuses the deletion, and is no foreign key of the rows that go."""
    if not refusal.context:
        return "no foreign key refuses it"
    if refusal.context.endswith(RAISES):
        return "a trigger refuses it"
    return "a statement of a trigger is refused"


def describe_recreated_key(table: Table, key: Constraint, on_delete: str) -> str:
    """The advice to make the key anew with another ON DELETE."""
    drop = op_code.format_operation(
        "drop_constraint",
        op_code.quote_python(key.name),
        op_code.quote_python(table.name),
        type_='"foreignkey"',
        **op_code.schema_keyword(table.schema),
    )
    schema, _, referenced_table = (key.references or "").rpartition(".")
    create = op_code.format_create_foreign_key(
        key.name,
        source=op_code.ColumnsOfTable(table.schema, table.name, key.columns),
        target=op_code.ColumnsOfTable(schema or "public", referenced_table, key.referenced_columns),
        on_delete=on_delete,
    )
    code = code_block(f"{drop}\n{create}")
    return f"Recreate it, here and in the model (`ondelete=`):{code}"
