"""An owner column has no foreign key to its owner.

Nothing keeps the number in it true: it can name a user who never was, and it stays behind
when the user goes.

Instead, add the foreign key, with the ON DELETE that deleting an owner calls for.
"""

from collections.abc import Iterator

from migration_gate.analysis import op_code, ownership
from migration_gate.analysis.origin import find_origin
from migration_gate.check import Evidence, Finding, Severity
from migration_gate.facts import Facts
from migration_gate.wording import code_block, join_words

SEVERITY = Severity.ERROR


def check(facts: Facts) -> Iterator[Finding]:
    """Yield the owner columns that Postgres checks against no table, or against the wrong one."""
    estate = ownership.OwnedTables(facts)
    for owned in estate.owner_columns():
        if owned.foreign_keys:
            continue
        origin = find_origin(facts.replay, owned.column)
        says = f"`{owned.column}` has no foreign key"
        if owned.other_foreign_keys:
            wrong = join_words(
                (key.references or "").removeprefix("public.") for key in owned.other_foreign_keys
            )
            says = f"`{owned.column}` references {wrong}, not `{facts.owners.references}`"
        yield Finding(
            object=str(owned.column),
            message=says,
            location=origin.location,
            revision=origin.revision,
            evidence=tuple(Evidence("foreign key", key.definition) for key in owned.other_foreign_keys),
            fix=_fix(estate, owned),
        )


def _fix(estate: ownership.OwnedTables, owned: ownership.OwnerColumn) -> str:
    table, column = owned.table, owned.column
    owners, key = estate.owners_key()
    if (kind := estate.type_of(owners, key)) is None:
        return "Add one, here and in the model, and name the table of owners under `owners.references`."
    schema, _, bare = owners.rpartition(".")
    delete = (estate.owners.on_delete or ("cascade",))[0].upper()
    schemas = {f"source_{word}": value for word, value in op_code.schema(table).items()}
    schemas |= {"referent_schema": op_code.quoted(schema)} if schema else {}
    create = op_code.call(
        "create_foreign_key",
        op_code.quoted(op_code.short(table.name, column.name, "fkey")),
        *(op_code.quoted(name) for name in (table.name, bare)),
        f"[{op_code.quoted(column.name)}]",
        f"[{op_code.quoted(key)}]",
        ondelete=f'"{delete}"',
        **schemas,
    )
    first = "" if kind == column.type else f" and giving `{column}` the type of `{owners}.{key}`, {kind}"
    fix = (
        f"Add it, here and in the model, after removing rows whose owner is gone{first}:{code_block(create)}"
    )
    tells = estate.type_column(owned)
    return fix + (f"\nIf `{tells}` says which table it means, allow it instead." if tells else "")
