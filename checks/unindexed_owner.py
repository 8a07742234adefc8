"""An owner column leads no index.

Finding what a user owns reads the whole table, and so does every deletion of a user:
Postgres looks for referencing rows one user at a time, and does not index foreign keys itself.

Instead, create an index that starts with the owner column.
"""

from collections.abc import Iterator

from migration_gate.analysis import op_code, ownership
from migration_gate.analysis.origin import find_origin
from migration_gate.check import Evidence, Finding, Severity
from migration_gate.facts import Facts, Index
from migration_gate.wording import code_block

SEVERITY = Severity.WARNING


def check(facts: Facts) -> Iterator[Finding]:
    """Yield the owner columns that are the first column of no usable index."""
    estate = ownership.OwnedTables(facts)
    for owned in estate.owner_columns():
        if estate.leading_indexes(owned):
            continue
        table, column = owned.table, owned.column
        origin = find_origin(facts.replay, column)
        create = op_code.call(
            "create_index",
            op_code.quoted(op_code.short("ix", table.name, column.name)),
            op_code.quoted(table.name),
            f"[{op_code.quoted(column.name)}]",
            **op_code.schema(table),
        )
        yield Finding(
            object=str(column),
            message=f"`{column}` leads no index",
            location=origin.location,
            revision=origin.revision,
            evidence=tuple(
                Evidence(_label(index), index.definition) for index in estate.containing_indexes(owned)
            ),
            fix=f"Create one, here and in the model (`index=True`):{code_block(create)}",
        )


def _label(index: Index) -> str:
    if not index.valid:
        return "invalid index"
    return "partial index" if index.partial else "index"
