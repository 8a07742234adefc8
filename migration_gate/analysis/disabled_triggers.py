"""Triggers, and with them foreign keys, that the change leaves disabled."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator

from migration_gate.analysis.new_parts import list_judged_revisions
from migration_gate.analysis.origin import make_origin, sought_part
from migration_gate.facts import AttachedObject, Facts, Origin, Snapshot, display_name
from migration_gate.lazy_dataclass import dataclass
from migration_gate.sql.identifiers import quote_identifier, split_qualified_name

UNENFORCED = "unenforced constraint"
"""the kind that the catalog gives a foreign key whose triggers are disabled on one of its tables"""
_DISABLING = re.compile(r"\b(?:DISABLE|ENABLE\s+REPLICA)\s+TRIGGER\b", re.IGNORECASE)
_FIRING = ("origin", "always")


@dataclass(frozen=True, slots=True)
class UnenforcedConstraint:
    """A foreign key, or a deferrable constraint, for which a table's own triggers do not fire."""

    schema: str
    table: str
    name: str
    definition: str

    def __str__(self) -> str:
        return f"{self.name} on {display_name(self.schema, self.table)}"


@dataclass(frozen=True, slots=True)
class DisabledTriggers:
    """What a table does not do any more when its rows change."""

    schema: str
    table: str
    triggers: tuple[AttachedObject, ...]
    """that fired at the base"""
    constraints: tuple[UnenforcedConstraint, ...]
    unusual: tuple[AttachedObject, ...]
    """its triggers that fired in another way than by default, as they were at the base"""
    origin: Origin


def find_disabled_triggers(facts: Facts) -> Iterator[DisabledTriggers]:
    """The tables of which the change leaves triggers disabled; not those that it made so."""
    revisions = list_judged_revisions(facts)
    if not revisions:
        return
    base = facts.base.facts.replay.catalog if facts.base is not None and facts.base.facts else None
    triggers: dict[tuple[str, str], list[AttachedObject]] = defaultdict(list)
    constraints: dict[tuple[str, str], list[UnenforcedConstraint]] = defaultdict(list)
    for trigger in facts.replay.catalog.triggers:
        if _is_stopped(facts, base, trigger, revisions):
            triggers[trigger.schema, trigger.table].append(trigger)
    for place, constraint in _list_unenforced(facts.replay.catalog, base):
        constraints[place].append(constraint)
    _remove_cloned(facts.replay.catalog, triggers, constraints)
    for schema, table in sorted({*triggers, *constraints}):
        origin = _find_statement(facts, schema, table, revisions)
        if origin is None and base is None:
            continue  # an older revision may have done it
        yield DisabledTriggers(
            schema,
            table,
            tuple(triggers.get((schema, table), ())),
            tuple(constraints.get((schema, table), ())),
            tuple(_list_unusual(base, schema, table)) if base is not None else (),
            origin or Origin(),
        )


def _remove_cloned(
    catalog: Snapshot,
    triggers: dict[tuple[str, str], list[AttachedObject]],
    constraints: dict[tuple[str, str], list[UnenforcedConstraint]],
) -> None:
    """Take out what partitions have from their parents: a command on the parent is one on these, too."""
    names = {place: {trigger.name for trigger in items} for place, items in triggers.items()}
    whole = set(constraints)
    for place in {*triggers, *constraints}:
        for parent in _list_parents(catalog, *place):
            triggers[place] = [item for item in triggers[place] if item.name not in names.get(parent, ())]
            if parent in whole:
                constraints[place] = []
    for items in (triggers, constraints):
        for place in [place for place, rest in items.items() if not rest]:
            del items[place]


def _list_parents(catalog: Snapshot, schema: str, name: str) -> Iterator[tuple[str, str]]:
    table = catalog.find_table(schema, name)
    if table is not None and table.partition_bound is not None:
        for parent in catalog.tables:
            if parent.full_name in table.inherits:
                yield parent.schema, parent.name


def _is_stopped(
    facts: Facts, base: Snapshot | None, trigger: AttachedObject, revisions: frozenset[str]
) -> bool:
    """Whether it does not fire, and did at the base. One that the change makes has stopped nothing."""
    if trigger.enabled in _FIRING:
        return False
    known = base.triggers if base is not None else ()
    key = (trigger.schema, trigger.table, trigger.name)
    earlier = [item for item in known if (item.schema, item.table, item.name) == key]
    earlier = earlier or [item for item in known if item.name == trigger.name]  # its table was renamed
    if earlier:
        return any(item.enabled in _FIRING for item in earlier)
    made = f"{quote_identifier(trigger.name)} on "
    return not any(
        command.kind == "trigger"
        and command.identity.startswith(made)
        and facts.replay.find_revision_of_step(command.step) in revisions
        for command in facts.replay.ddl_commands
    )


def _list_unenforced(
    catalog: Snapshot, base: Snapshot | None
) -> Iterator[tuple[tuple[str, str], UnenforcedConstraint]]:
    """Those that were enforced at the base, each with the schema and the name of the table it is about."""
    earlier = {item.name for item in base.details if item.kind == UNENFORCED} if base is not None else set()
    for item in catalog.details:
        if item.kind == UNENFORCED and item.name not in earlier:
            schema, table, name, _, own_schema, own_table = split_qualified_name(item.name)
            yield (own_schema, own_table), UnenforcedConstraint(schema, table, name, item.definition)


def _list_unusual(catalog: Snapshot, schema: str, table: str) -> Iterator[AttachedObject]:
    for trigger in catalog.triggers:
        if (trigger.schema, trigger.table) == (schema, table) and trigger.enabled != "origin":
            yield trigger


def _find_statement(facts: Facts, schema: str, table: str, revisions: frozenset[str]) -> Origin | None:
    """The last statement that says so of the table; else the last command on it. None if there is neither."""
    named = re.compile(rf"(?<!\w){re.escape(table)}(?!\w)", re.IGNORECASE)
    for statement in reversed(facts.replay.observation.statements):
        sql = statement.sql or statement.client_sql
        if statement.revision in revisions and _DISABLING.search(sql) and named.search(sql):
            return Origin(statement.revision, statement.location)
    for command in reversed(facts.replay.commands_on_named(schema, table)):
        revision = facts.replay.find_revision_of_step(command.step)
        if command.tag == "ALTER TABLE" and revision in revisions and _DISABLING.search(command.query):
            state = facts.replay.catalog.find_table(schema, table)
            return make_origin(facts.replay, command, sought_part(state, ())) if state is not None else None
    return None
