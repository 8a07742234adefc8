"""An owner column leads no index.

Finding what a user owns reads the whole table, and so does every deletion of a user:
Postgres looks for referencing rows one user at a time, and does not index foreign keys itself.

Instead, create an index that starts with the owner column.
"""

from collections.abc import Iterator

from migration_gate.analysis import op_code, ownership
from migration_gate.analysis.trace import Trace
from migration_gate.check import Finding, Severity
from migration_gate.facts import Facts, Index
from migration_gate.wording import code

SEVERITY = Severity.WARNING


def check(facts: Facts) -> Iterator[Finding]:
    """Yield the owner columns that are the first column of no usable index."""
    trace, estate = Trace(facts.replay), ownership.Estate(facts)
    for owned in estate.owned():
        if estate.leading(owned):
            continue
        table, column = owned.table, owned.column
        origin = trace.of_column(table, column)
        create = op_code.call(
            "create_index",
            op_code.quoted(op_code.short("ix", table.name, column.name)),
            op_code.quoted(table.name),
            f"[{op_code.quoted(column.name)}]",
            **op_code.schema(table),
        )
        yield Finding(
            at=str(column),
            says=f"`{column}` leads no index",
            place=origin.place,
            revision=origin.revision,
            evidence=tuple((_label(index), index.definition) for index in estate.holding(owned)),
            fix=f"Create one, here and in the model (`index=True`):{code(create)}",
        )


def _label(index: Index) -> str:
    if not index.valid:
        return "invalid index"
    return "partial index" if index.partial else "index"
