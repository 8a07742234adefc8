"""An owner column accepts NULL.

A row without an owner belongs to nobody: it outlives its user, slips past every
`WHERE owner_id = …`, and no later constraint can be added without a clean-up.

Instead, make the column NOT NULL: give each row an owner, then `alter_column(nullable=False)`.
"""

from collections.abc import Iterator

from migration_gate.analysis import op_code, ownership
from migration_gate.analysis.origin import find_origin
from migration_gate.check import Evidence, Finding, Severity
from migration_gate.facts import Facts
from migration_gate.sql.identifiers import name_on_search_path, quote_identifier
from migration_gate.wording import code_block

SEVERITY = Severity.ERROR


def check(facts: Facts) -> Iterator[Finding]:
    """Yield every owner column in which Postgres stores NULL."""
    estate = ownership.OwnedTables(facts)
    for owned in estate.owner_columns():
        if estate.refuses_null(owned):
            continue
        origin = find_origin(facts.replay, owned.column)
        evidence = [Evidence("column", f"{owned.column.name} {owned.column.type} NULL")]
        evidence += [Evidence("foreign key", key.definition) for key in owned.foreign_keys]
        yield Finding(
            object=str(owned.column),
            message=f"`{owned.column}` accepts NULL, so a row can be without an owner",
            location=origin.location,
            revision=origin.revision,
            evidence=tuple(evidence),
            fix=_fix(owned),
        )


def _fix(owned: ownership.OwnerColumn) -> str:
    table, column = owned.table, owned.column
    sql = name_on_search_path(table.schema, table.name)
    name = quote_identifier(column.name)
    backfill = f"UPDATE {sql} SET {name} = ... WHERE {name} IS NULL"  # noqa: S608
    change = op_code.call(
        "alter_column",
        op_code.quoted(table.name),
        op_code.quoted(column.name),
        nullable="False",
        **op_code.schema(table),
    )
    lines = f"# name an owner, or DELETE the rows\nop.execute({op_code.quoted(backfill)})\n{change}"
    fix = "Give every row an owner, then forbid NULL, here and in the model (`nullable=False`):"
    fix += code_block(lines)
    if any(key.on_delete == "set null" for key in owned.foreign_keys):
        fix += (
            "\nIts foreign key says ON DELETE SET NULL, so it is nullable by design: rows outlive their "
            "owner. If that is meant, allow it with the reason; if not, first give the key another ON DELETE."
        )
    return fix
