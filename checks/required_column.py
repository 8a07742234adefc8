"""A new column of an existing table is NOT NULL, and its rows have no value for it.

It works while the table is empty, as it is here. In production the statement fails, and the deployment
with it.

Instead, give the column a `server_default`, or add it as nullable, fill it, and make it NOT NULL then.
"""

from collections.abc import Iterator

from migration_gate.analysis import lock_messages, safe_operations
from migration_gate.analysis.required_columns import RequiredColumn, find_required_columns
from migration_gate.check import Finding, Severity, Subject
from migration_gate.facts import Facts
from migration_gate.sql.identifiers import name_on_search_path, quote_identifier
from migration_gate.wording import code_block

SEVERITY = Severity.ERROR
SUBJECT = Subject.OBSERVED
KINDS = ("without-default", "without-backfill")
ENDINGS = {
    "without-default": "is added NOT NULL without a default: the statement fails as soon as the table has a "
    "row",
    "without-backfill": "is made NOT NULL, and nothing has filled it: the statement fails as soon as the "
    "table has "
    "a row",
}


def check(facts: Facts) -> Iterator[Finding]:
    """Yield each of these columns."""
    for item in find_required_columns(facts):
        yield _describe(facts, item)


def _describe(facts: Facts, item: RequiredColumn) -> Finding:
    name = f"{item.relation}.{item.column.name}"
    statement = item.statement
    return Finding(
        object=name,
        message=f"`{name}` {ENDINGS[item.kind]}",
        location=statement.location,
        revision=statement.revision,
        evidence=tuple(lock_messages.collect_evidence(facts.replay.observation, statement, ())),
        fix=_describe_fix(item),
        kind=item.kind,
    )


def _describe_fix(item: RequiredColumn) -> str:
    table = name_on_search_path(item.relation.schema, item.relation.name)
    column = quote_identifier(item.column.name)
    fill = safe_operations.update_in_batches(table, f"{column} = ...", f"{column} IS NULL")
    add = safe_operations.add_column(table, item.column) if item.kind == "without-default" else ""
    code = safe_operations.join_code(add, fill, safe_operations.set_not_null(table, [item.column.name]))
    return (
        "A constant `server_default` takes a moment. If each row needs a value of its own, put it in the "
        "place of "
        "the three dots:" + code_block(code)
    )
