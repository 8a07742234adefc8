"""A constraint or an index of the change is not valid when it has run.

A constraint that is NOT VALID says nothing of the rows which were there before it: queries do not rely on
it, and neither should anybody. An index that is not valid costs each write, and serves no query.

Instead, validate the constraint in a later transaction, and drop and build the index again.
"""

from collections.abc import Iterator

from migration_gate.analysis import safe_indexes, safe_operations
from migration_gate.analysis.new_parts import find_invalid_indexes, find_unvalidated_constraints
from migration_gate.check import Evidence, Finding, Severity, Subject
from migration_gate.facts import Facts, Index, display_name
from migration_gate.sql.identifiers import name_on_search_path, quote_identifier
from migration_gate.wording import code_block

SEVERITY = Severity.ERROR
SUBJECT = Subject.OBSERVED
KINDS = ("constraint", "index")


def check(facts: Facts) -> Iterator[Finding]:
    """Yield a note for each constraint, and an error for each index."""
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
