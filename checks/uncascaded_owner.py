"""Deleting an owner does not delete, or otherwise settle, what they own.

The foreign key's ON DELETE decides what becomes of the rows. Without one, deleting an
account fails as long as a single row is left, and the clean-up lives in code that forgets tables.

Instead, recreate the foreign key with the ON DELETE that is meant, CASCADE as a rule.
"""

from collections.abc import Iterator

from migration_gate.analysis import op_code, ownership
from migration_gate.analysis.origin import find_origin
from migration_gate.check import Evidence, Finding, Severity
from migration_gate.facts import Constraint, Facts, Table
from migration_gate.wording import code_block, join_words

SEVERITY = Severity.WARNING


def check(facts: Facts) -> Iterator[Finding]:
    """Yield the owners' foreign keys whose ON DELETE is none of `owners.on_delete`."""
    estate = ownership.OwnedTables(facts)
    for owned in estate.owner_columns():
        # One key that settles it is enough: the others are checked when its rows are gone.
        settled = any((key.on_delete or "no action") in facts.owners.on_delete for key in owned.foreign_keys)
        for key in owned.foreign_keys[: 0 if settled else 1]:
            action = key.on_delete or "no action"
            origin = find_origin(facts.replay, key) or find_origin(facts.replay, owned.column)
            wanted = join_words((right.upper() for right in facts.owners.on_delete), quote="")
            yield Finding(
                object=str(owned.column),
                message=f"`{owned.column}` references its owner with ON DELETE {action.upper()}, "
                f"not {wanted}",
                location=origin.location,
                revision=origin.revision,
                evidence=(Evidence("foreign key", f"{key.name}: {key.definition}"),),
                fix=_fix(facts, owned.table, key),
            )


def _fix(facts: Facts, table: Table, key: Constraint) -> str:
    schema, _, target = (key.references or "").rpartition(".")
    name = op_code.quoted(key.name)
    drop = op_code.call(
        "drop_constraint", name, op_code.quoted(table.name), type_='"foreignkey"', **op_code.schema(table)
    )
    schemas = {f"source_{word}": value for word, value in op_code.schema(table).items()}
    if schema not in ("", "public"):
        schemas["referent_schema"] = op_code.quoted(schema)
    columns = f"[{', '.join(map(op_code.quoted, key.columns))}]"
    referenced = f"[{', '.join(map(op_code.quoted, key.referenced_columns))}]"
    create = op_code.call(
        "create_foreign_key",
        *(name, op_code.quoted(table.name), op_code.quoted(target), columns, referenced),
        ondelete=op_code.quoted((facts.owners.on_delete or ("cascade",))[0].upper()),
        **schemas,
    )
    return f"Recreate it, here and in the model (`ondelete=`):{code_block(drop + chr(10) + create)}"
