"""A table that must name an owner has no owner column.

Nobody can say whose rows these are: they cannot be shown to their owner alone, handed
out on request, or deleted with the account.

Instead, add the column with a foreign key, or exempt the table under `owners.exempt`.
"""

from collections.abc import Iterator

from migration_gate.analysis import op_code, ownership
from migration_gate.analysis.origin import find_origin
from migration_gate.check import Evidence, Finding, Severity
from migration_gate.facts import Facts, Table
from migration_gate.wording import code_block, join_words

SEVERITY = Severity.ERROR


def check(facts: Facts) -> Iterator[Finding]:
    """Yield the tables that the settings call owned and that have no column of an owner's name."""
    estate = ownership.OwnedTables(facts)
    for table in estate.ownable_tables():
        why = estate.reason_for_owner(table)
        if why is None or estate.owner_named_columns(table):
            continue
        origin = find_origin(facts.replay, table)
        there = ", ".join(column.name for column in estate.columns[table.schema, table.name])
        yield Finding(
            object=str(table),
            message=f"`{table}` has no owner column: none of {join_words(facts.owners.columns)}",
            location=origin.location,
            revision=origin.revision,
            evidence=(Evidence("columns", there), Evidence("because", why)),
            fix=_fix(estate, table),
        )


def _fix(estate: ownership.OwnedTables, table: Table) -> str:
    owners, key = estate.owners_key()
    # A pattern names no column; the usual name does.
    plain = (name for name in estate.owners.columns if not set(name) & set("*?["))
    column = next(plain, "owner_id")
    name, target = op_code.quoted(table.name), op_code.quoted(f"{owners}.{key}")
    sort = op_code.sql_type(estate.type_of(owners, key) or "") or "..."
    new = f'sa.Column("{column}", {sort}, sa.ForeignKey({target}, ondelete="CASCADE"))'
    steps = (
        op_code.call("add_column", name, new, **op_code.schema(table)),
        "# then name an owner for each row, and",
        op_code.call("alter_column", name, f'"{column}"', nullable="False", **op_code.schema(table)),
    )
    return (
        f"Add the column:{code_block(chr(10).join(steps))}\n"
        f"Or, if its rows belong to nobody, list `{table}` under `owners.exempt`."
    )
