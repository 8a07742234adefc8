"""The change drops something that rows or the live release may depend on, and no model shows it.

A column takes indexes and constraints with it, CASCADE takes views and foreign keys: nobody has named them,
and nobody has read that they go. Without a unique index, rows appear twice; without a trigger, a column stays
empty; without a primary key, replication and upserts fail. A constraint, a NOT NULL or a default that goes by
its name is a note, and so is a foreign key that does not delete or update rows itself any more.

Instead, name in the revision what is dropped, and drop it when no release that is live needs it.
"""

from collections.abc import Iterator

from migration_gate.analysis import removed_parts
from migration_gate.analysis.history_change import compare_histories
from migration_gate.analysis.removed_parts import RemovedPart, find_removed_parts
from migration_gate.analysis.schema_pair import SchemaPair, pair_schemas
from migration_gate.check import Evidence, Finding, Severity, Subject
from migration_gate.facts import Column, Constraint, Facts

SEVERITY = Severity.WARNING
SUBJECT = Subject.OBSERVED
KINDS = removed_parts.KINDS
_SEVERITIES = {
    "implicit-drop": Severity.ERROR,
    "primary-key": Severity.ERROR,
    "constraint": Severity.NOTE,
    "referential-action": Severity.NOTE,
    "not-null": Severity.NOTE,
    "default": Severity.NOTE,
}
_LATER = "See that the release that is live can do with that, or change it in a later release."


def check(facts: Facts) -> Iterator[Finding]:
    """Yield a finding for each object that is gone."""
    pair = pair_schemas(facts)
    change = compare_histories(facts)
    if change is not None and change.squash is not None:
        return  # squash-differs says what is not there any more
    if pair is not None:
        for part in find_removed_parts(pair):
            yield _describe(pair, part)


def _describe(pair: SchemaPair, part: RemovedPart) -> Finding:
    if isinstance(part.item, Column):
        return _describe_column(pair, part.item, part)
    if part.kind == "referential-action" and isinstance(part.item, Constraint):
        return _describe_action(pair, part.item, part)
    origin = pair.find_removal(part.item)
    is_implicit = part.kind == "implicit-drop"
    message = f"`{part.item}`: the {part.noun} is gone"
    if is_implicit:
        message += ", and no statement of the change names it"
    elif part.kind == "trigger":
        message = f"`{part.item}`: the trigger does not fire any more"
    fix = "Drop it in a later release, when the one that is live now does not run any more."
    if is_implicit:
        fix = "Drop it by its name, in front of what takes it away; or make it anew behind that."
    return Finding(
        object=str(part.item),
        message=message,
        location=origin.location,
        revision=origin.revision,
        evidence=(Evidence("was", str(getattr(part.item, "definition", part.noun))),),
        fix=fix,
        kind=part.kind,
        severity=Severity.NOTE if part.is_whole else _SEVERITIES.get(part.kind, SEVERITY),
    )


def _describe_column(pair: SchemaPair, column: Column, part: RemovedPart) -> Finding:
    """What the live release may count on: that it reads no NULL, and what it need not send."""
    if part.kind == "not-null":
        message = f"`{column}` accepts NULL now, and the release that is live may read one"
        fix = "Write no NULL before the release that is live has been replaced by one that expects it."
    else:
        message = f"`{column}` has another default now, which rows of the live release get"
        if column.default is None:
            left_out = "NULL" if column.nullable else "refused"
            message = f"`{column}` has no default now: what the live release leaves out is {left_out}"
        fix = _LATER
    return Finding.at_origin(
        pair.find_change(column, "nullable" if part.kind == "not-null" else "default"),
        column,
        message,
        evidence=(Evidence("was", part.noun),),
        fix=fix,
    ).with_kind(part.kind, _SEVERITIES[part.kind])


def _describe_action(pair: SchemaPair, key: Constraint, part: RemovedPart) -> Finding:
    """What the live release may leave to Postgres."""
    event = "DELETE" if part.noun.startswith("ON DELETE") else "UPDATE"
    action = (key.on_delete if event == "DELETE" else key.on_update) or ""
    message = f"`{key}` is ON {event} {action.upper()} now, and was {part.noun}"
    if action in ("no action", "restrict"):
        table = (key.references or "").removeprefix("public.")
        message = (
            f"`{key}` has no {part.noun} any more: a {event} in `{table}` fails while it leads to the row"
        )
    return Finding.at_origin(
        pair.find_addition(key),
        key,
        message,
        evidence=(Evidence("was", part.noun), Evidence("is", key.definition)),
        fix=_LATER,
    ).with_kind(part.kind, _SEVERITIES[part.kind])
