"""Deleting an owner fails, or leaves their rows behind.

The foreign key's ON DELETE decides what becomes of the rows. Without one, deleting an account fails
as long as a single row is left, and code has to know every table that must be cleared first. It is an
error in a table that the change makes. The rule holds after every revision of a change.

Instead, recreate the foreign key with the ON DELETE that is meant, CASCADE as a rule.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial

from migration_gate.analysis import op_code
from migration_gate.analysis.model_part_locations import list_column_locations
from migration_gate.analysis.new_tables import is_new_table
from migration_gate.analysis.origin import find_origin
from migration_gate.analysis.owner_corrections import set_on_delete
from migration_gate.analysis.owner_windows import KIND as WINDOW_KIND
from migration_gate.analysis.owner_windows import find_owner_windows
from migration_gate.analysis.ownership import OwnerColumn, list_owner_columns
from migration_gate.check import Evidence, Finding, Severity, Subject
from migration_gate.facts import Constraint, Facts, Table
from migration_gate.wording import code_block, join_words

SEVERITY = Severity.WARNING
SUBJECT = Subject.OWNER_COLUMN
KINDS = (WINDOW_KIND,)
DEFAULT_ACTION = "cascade"


def check(facts: Facts) -> Iterator[Finding]:
    """Yield the foreign keys to the owners whose ON DELETE is none of `owners.on_delete`."""
    accepted = facts.owners.on_delete
    expected = join_words((action.upper() for action in accepted), quote="")
    for owned in list_owner_columns(facts):
        if not _lacks_action(owned, accepted):
            continue
        key = owned.foreign_keys[0]
        action = next(iter(accepted), DEFAULT_ACTION)
        origin = find_origin(facts.replay, key, ("definition",)) or find_origin(facts.replay, owned.column)
        found = (key.on_delete or "no action").upper()
        finding = Finding.at_origin(
            origin,
            owned.column,
            f"`{owned.column}` references its owner with ON DELETE {found}, not {expected}",
            evidence=(Evidence("foreign key", f"{key.name}: {key.definition}"),),
            fix=_describe_fix(owned.table, key, on_delete=action),
            corrections=set_on_delete(facts, owned.column, origin, action),
            other_locations=list_column_locations(facts.replay.models, facts.tree, owned.column),
        )
        yield replace(finding, severity=Severity.ERROR) if is_new_table(facts, owned.table) else finding
    yield from find_owner_windows(
        facts,
        partial(_lacks_action, accepted=accepted),
        f"referenced its owner without ON DELETE {expected}",
    )


def _lacks_action(owned: OwnerColumn, accepted: Sequence[str]) -> bool:
    """Whether it has keys, and none of them does what is accepted.

    One accepted key is enough: Postgres checks the others when the rows are gone already.
    """
    actions = {key.on_delete or "no action" for key in owned.foreign_keys}
    return bool(actions) and actions.isdisjoint(accepted)


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
