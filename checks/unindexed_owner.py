"""No index starts with the owner column.

Finding what a user owns reads the whole table, and so does every deletion of a user:
Postgres looks for referencing rows one user at a time, and does not index foreign keys itself.

Instead, create an index that starts with the owner column.
"""

from collections.abc import Iterator

from migration_gate.analysis import op_code
from migration_gate.analysis.model_part_locations import list_column_locations
from migration_gate.analysis.owner_corrections import index_column
from migration_gate.analysis.owner_origin import find_origin_of_missing_index
from migration_gate.analysis.ownership import OwnerColumn, list_owner_columns
from migration_gate.check import Evidence, Finding, Severity, Subject
from migration_gate.facts import Facts, Index
from migration_gate.wording import code_block

SEVERITY = Severity.WARNING
SUBJECT = Subject.OWNER_COLUMN


def check(facts: Facts) -> Iterator[Finding]:
    """Yield the owner columns that are the first column of no usable index."""
    for owned in list_owner_columns(facts):
        if not owned.has_usable_index:
            origin = find_origin_of_missing_index(facts.replay, owned)
            yield Finding.at_origin(
                origin,
                owned.column,
                f"`{owned.column}` leads no index",
                evidence=tuple(_describe_index(index) for index in owned.containing_indexes),
                fix=_describe_fix(owned),
                corrections=() if owned.containing_indexes else index_column(facts, owned.column, origin),
                other_locations=list_column_locations(facts.replay.models, facts.tree, owned.column),
            )


def _describe_index(index: Index) -> Evidence:
    if not index.valid:
        return Evidence("invalid index", index.definition)
    return Evidence("partial index" if index.partial else "index", index.definition)


def _describe_fix(owned: OwnerColumn) -> str:
    table, column = owned.table, owned.column
    create = op_code.format_operation(
        "create_index",
        op_code.quote_python(op_code.join_name("ix", table.name, column.name)),
        op_code.quote_python(table.name),
        op_code.list_of_names([column.name]),
        **op_code.schema_keyword(table.schema),
    )
    return f"Create one, here and in the model (`index=True`):{code_block(create)}"
