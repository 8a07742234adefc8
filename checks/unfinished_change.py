"""A constraint, an index or a trigger does not do its work when the change has run.

A constraint that is NOT VALID says nothing of the rows which were there before it: queries do not rely on
it, and neither should anybody. An index that is not valid costs each write, and serves no query. Triggers
that were disabled, for a large load perhaps, stay so until somebody enables them: `DISABLE TRIGGER ALL` takes
those with it that keep foreign keys, and Postgres goes on to call these valid.

Instead, validate the constraint in a later transaction, drop and build the index again, and enable the
triggers in the revision that disables them.
"""

from collections.abc import Iterator

from migration_gate.analysis import safe_indexes, safe_operations
from migration_gate.analysis.disabled_triggers import DisabledTriggers, find_disabled_triggers
from migration_gate.analysis.new_parts import find_invalid_indexes, find_unvalidated_constraints
from migration_gate.check import Evidence, Finding, Severity, Subject
from migration_gate.facts import Facts, Index, display_name
from migration_gate.sql.identifiers import name_on_search_path, quote_identifier
from migration_gate.wording import code_block, join_words

SEVERITY = Severity.ERROR
SUBJECT = Subject.OBSERVED
KINDS = ("constraint", "index", "disabled-trigger")
_FIRING_CLAUSES = {"disabled": "DISABLE", "replica": "ENABLE REPLICA", "always": "ENABLE ALWAYS"}


def check(facts: Facts) -> Iterator[Finding]:
    """Yield a note for each constraint, an error for each index, a warning for each table with triggers."""
    yield from map(_describe_triggers, find_disabled_triggers(facts))
    for item in find_unvalidated_constraints(facts):
        rule = item.constraint
        table = name_on_search_path(rule.schema, rule.table)
        validate = safe_operations.in_autocommit(
            safe_operations.execute(f"ALTER TABLE {table} VALIDATE CONSTRAINT {quote_identifier(rule.name)}")
        )
        name = f"{display_name(rule.schema, rule.table)}.{rule.name}"
        yield Finding(
            name,
            f"`{name}` is NOT VALID when the change has run: rows from before may break it",
            item.origin.location,
            item.origin.revision,
            (Evidence("constraint", rule.definition),),
            f"Validate it, in a transaction that holds no other lock:{code_block(validate)}",
            kind="constraint",
            severity=Severity.NOTE,
        )
    for new in find_invalid_indexes(facts):
        index = new.index
        name = display_name(index.schema, index.name)
        yield Finding(
            name,
            f"`{name}` is not valid when the change has run: each write pays for it, and no query uses it",
            new.origin.location,
            new.origin.revision,
            (Evidence("index", index.definition),),
            _describe_build(facts, index),
            kind="index",
        )


def _describe_build(facts: Facts, index: Index) -> str:
    table = facts.replay.catalog.find_table(index.schema, index.table)
    if table is None or table.kind != "partitioned table":
        build = safe_operations.build_index(index.schema, index.name, index.definition)
        return f"Drop it and build it again:{code_block(build)}"
    build = safe_indexes.complete_index(facts.replay, index)
    if not build:
        return "No partition has it, as there is none. Make it without ONLY: that is an index that is valid."
    return f"Build it for each partition, and attach these:{code_block(build)}"


def _describe_triggers(item: DisabledTriggers) -> Finding:
    name = display_name(item.schema, item.table)
    keys = [key.name for key in item.constraints]
    triggers = [trigger.name for trigger in item.triggers]
    parts = [f"{join_words(keys)} {'is' if len(keys) == 1 else 'are'} not enforced"] if keys else []
    parts += [f"{join_words(triggers)} {'does' if len(triggers) == 1 else 'do'} not fire"] if triggers else []
    return Finding.at_origin(
        item.origin,
        name,
        f"`{name}`: {' and '.join(parts)} any more: triggers are disabled when the change has run",
        evidence=(
            *(Evidence("constraint", f"{key}: {key.definition}") for key in item.constraints),
            *(Evidence("trigger", trigger.definition) for trigger in item.triggers),
        ),
        fix=_enable_triggers(item),
    ).with_kind("disabled-trigger", Severity.WARNING)


def _enable_triggers(item: DisabledTriggers) -> str:
    table = name_on_search_path(item.schema, item.table)
    clauses = {trigger.name: _FIRING_CLAUSES[trigger.enabled] for trigger in item.unusual}
    if not item.constraints:
        names = [trigger.name for trigger in item.triggers]
        enabling = [_set_firing(table, name, clauses.get(name, "ENABLE")) for name in names]
        code = safe_operations.join_code(enabling)
        return f"Enable what was disabled, in the same revision:{code_block(code)}"
    enabling = [safe_operations.execute(f"ALTER TABLE {table} ENABLE TRIGGER ALL")]
    enabling += [_set_firing(table, name, clause) for name, clause in clauses.items()]
    return (
        "Enable them in the same revision. Postgres looks at no row again, so what was written meanwhile may "
        f"break a foreign key:{code_block(safe_operations.join_code(enabling))}"
    )


def _set_firing(table: str, trigger: str, clause: str) -> str:
    return safe_operations.execute(f"ALTER TABLE {table} {clause} TRIGGER {quote_identifier(trigger)}")
