"""A constraint or an index of the change is not valid when it has run.

A constraint that is NOT VALID says nothing of the rows which were there before it: queries do not rely on
it, and neither should anybody. An index that is not valid costs each write, and serves no query.

Instead, validate the constraint in a later transaction, and drop and build the index again.
"""

from collections.abc import Iterator

from migration_gate.analysis import safe_operations
from migration_gate.analysis.new_parts import find_invalid_indexes, find_unvalidated_constraints
from migration_gate.check import Evidence, Finding, Severity, Subject
from migration_gate.facts import Constraint, Facts, display_name
from migration_gate.sql.identifiers import name_on_search_path, quote_identifier
from migration_gate.wording import code_block

SEVERITY = Severity.ERROR
SUBJECT = Subject.OBSERVED
KINDS = ("constraint", "index")


def check(facts: Facts) -> Iterator[Finding]:
    """Yield a note for each constraint of which drift says nothing, and an error for each index."""
    for item in find_unvalidated_constraints(facts):
        rule = item.constraint
        if _is_drift(facts, rule):
            continue
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
            "Build it on each partition and attach these, or drop it and build it again."
            + code_block(safe_operations.build_index(index.schema, index.name, index.definition)),
            kind="index",
        )


def _is_drift(facts: Facts, rule: Constraint) -> bool:
    """Whether drift reports the constraint already: the models have it, and there it is valid."""
    name = f"{display_name(rule.schema, rule.table)}.{rule.name}"
    return bool(facts.replay.models.tables) and any(
        (difference.object, difference.database) == (name, rule.definition)
        for difference in facts.replay.differences
    )
