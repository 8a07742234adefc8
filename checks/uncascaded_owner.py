"""Deleting an owner fails, or leaves their rows behind.

The foreign key's ON DELETE decides what becomes of the rows. Without one, deleting an account fails
as long as a single row is left, and code has to know every table that must be cleared first.

Instead, recreate the foreign key with the ON DELETE that is meant, CASCADE as a rule.
"""

from collections.abc import Iterator

from migration_gate.analysis import op_code
from migration_gate.analysis.model_part_locations import list_column_locations
from migration_gate.analysis.origin import find_origin
from migration_gate.analysis.owner_corrections import set_on_delete
from migration_gate.analysis.ownership import list_owner_columns
from migration_gate.check import Evidence, Finding, Severity, Subject
from migration_gate.facts import Constraint, Facts, Table
from migration_gate.wording import code_block, join_words

SEVERITY = Severity.WARNING
SUBJECT = Subject.OWNER_COLUMN
DEFAULT_ACTION = "cascade"


def check(facts: Facts) -> Iterator[Finding]:
    """Yield the foreign keys to the owners whose ON DELETE is none of `owners.on_delete`."""
    accepted = facts.owners.on_delete
    expected = join_words((action.upper() for action in accepted), quote="")
    for owned in list_owner_columns(facts):
        actions = [key.on_delete or "no action" for key in owned.foreign_keys]
        # One accepted key is enough: Postgres checks the others when the rows are gone already.
        if not actions or not set(actions).isdisjoint(accepted):
            continue
        key = owned.foreign_keys[0]
        action = next(iter(accepted), DEFAULT_ACTION)
        origin = find_origin(facts.replay, key, ("definition",)) or find_origin(facts.replay, owned.column)
        yield Finding.at_origin(
            origin,
            owned.column,
            f"`{owned.column}` references its owner with ON DELETE {actions[0].upper()}, not {expected}",
            evidence=(Evidence("foreign key", f"{key.name}: {key.definition}"),),
            fix=_describe_fix(owned.table, key, on_delete=action),
            corrections=set_on_delete(facts, owned.column, origin, action),
            other_locations=list_column_locations(facts.replay.models, facts.tree, owned.column),
        )


def _describe_fix(table: Table, key: Constraint, on_delete: str) -> str:
    drop = op_code.format_operation(
        "drop_constraint",
        op_code.quote_python(key.name),
        op_code.quote_python(table.name),
        type_='"foreignkey"',
        **op_code.schema_keyword(table.schema),
    )
    schema, _, referenced_table = (key.references or "").rpartition(".")
    create = op_code.format_create_foreign_key(
        key.name,
        source=op_code.ColumnsOfTable(table.schema, table.name, key.columns),
        target=op_code.ColumnsOfTable(schema or "public", referenced_table, key.referenced_columns),
        on_delete=on_delete,
    )
    code = code_block(f"{drop}\n{create}")
    return f"Recreate it, here and in the model (`ondelete=`):{code}"
