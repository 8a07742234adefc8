"""An owner column has no foreign key to its owner.

Nothing keeps its values correct: it can name a user who never existed, and the row stays when the
user is deleted. The rule holds after every revision of a change. A key that is NOT VALID, or not enforced,
keeps only some of it.

Instead, add the foreign key, with the ON DELETE that is right for what a user owns.
"""

from collections.abc import Iterator
from dataclasses import replace

from migration_gate.analysis import op_code
from migration_gate.analysis.model_part_locations import list_column_locations
from migration_gate.analysis.origin import find_origin
from migration_gate.analysis.owner_deletions import describe_trial
from migration_gate.analysis.owner_origin import find_origin_of_missing_key
from migration_gate.analysis.owner_windows import KIND as WINDOW_KIND
from migration_gate.analysis.owner_windows import find_owner_windows
from migration_gate.analysis.ownership import OwnerColumn, OwnersKey, find_owners_key, list_owner_columns
from migration_gate.check import Evidence, Finding, Severity, Subject
from migration_gate.facts import Facts, Owners
from migration_gate.sql.identifiers import name_on_search_path, quote_identifier
from migration_gate.wording import code_block, join_words

SEVERITY = Severity.ERROR
SUBJECT = Subject.OWNER_COLUMN
KINDS = ("unenforced", "not-valid", WINDOW_KIND)
ENFORCE = """
Its triggers were turned off (`DISABLE TRIGGER ALL`), or it is NOT ENFORCED. Turn them on again, after \
removing rows whose owner is not there."""
VALIDATE = "After removing rows whose owner is gone, validate it, in a revision of its own:"
DEFAULT_ACTION = "cascade"


def check(facts: Facts) -> Iterator[Finding]:
    """Yield the owner columns that Postgres checks against no table, or against the wrong one.

    Where another column says which table the owner is in, no foreign key is possible.
    """
    owners_key = find_owners_key(facts)
    for owned in list_owner_columns(facts):
        if not owned.foreign_keys and not owned.is_polymorphic:
            yield Finding.at_origin(
                find_origin_of_missing_key(facts.replay, owned),
                owned.column,
                _describe_column(owned, facts.owners),
                evidence=(
                    *(Evidence("foreign key", key.definition) for key in owned.other_foreign_keys),
                    *describe_trial(facts.replay.find_ownership_trial(owned.column)),
                ),
                fix=_describe_fix(owned, owners_key, facts.owners),
                other_locations=list_column_locations(facts.replay.models, facts.tree, owned.column),
            )
        else:
            yield from _list_unchecked_keys(facts, owned)
    yield from find_owner_windows(facts, _surely_lacks_key, "had no foreign key")


def _list_unchecked_keys(facts: Facts, owned: OwnerColumn) -> Iterator[Finding]:
    """Keys that Postgres does not check: for rows that are written, or for those that were there before."""
    trial = facts.replay.find_ownership_trial(owned.column)
    for key in owned.foreign_keys:
        origin = find_origin(facts.replay, key, ("definition",)) or find_origin(facts.replay, owned.column)
        evidence = (Evidence("foreign key", f"{key.name}: {key.definition}"),)
        if trial is not None and trial.stranger_is_accepted:
            message = f"`{owned.column}` has a foreign key that accepted an owner who did not exist"
            finding = Finding.at_origin(origin, owned.column, message, evidence=evidence, fix=ENFORCE)
            yield replace(finding, kind="unenforced")
            return
        if not key.validated:
            message = f"`{owned.column}` has a foreign key that is NOT VALID: older rows were not checked"
            table = name_on_search_path(owned.table.schema, owned.table.name)
            validate = f"ALTER TABLE {table} VALIDATE CONSTRAINT {quote_identifier(key.name)}"
            fix = VALIDATE + code_block(f"op.execute({op_code.quote_python(validate)})")
            finding = Finding.at_origin(origin, owned.column, message, evidence=evidence, fix=fix)
            yield replace(finding, kind="not-valid", severity=Severity.WARNING)


def _surely_lacks_key(owned: OwnerColumn) -> bool:
    """Whether there is no key, and no column beside it that says which table the owner is in."""
    return not owned.foreign_keys and not owned.other_foreign_keys and owned.type_column is None


def _describe_column(owned: OwnerColumn, owners: Owners) -> str:
    if not owned.other_foreign_keys:
        return f"`{owned.column}` has no foreign key"
    return f"`{owned.column}` references {_name_other_tables(owned)}, not `{owners.references}`"


def _name_other_tables(owned: OwnerColumn) -> str:
    return join_words([(key.references or "").removeprefix("public.") for key in owned.other_foreign_keys])


def _describe_fix(owned: OwnerColumn, key: OwnersKey, owners: Owners) -> str:
    if key.type is None:
        if owners.references:
            return (
                f"`owners.references` names `{key.table_name}`, and the migrations make no `{key}`. Name the "
                "table of owners there, and add the foreign key, here and in the model."
            )
        return "Add one, here and in the model, and name the table of owners under `owners.references`."
    table, column = owned.table, owned.column
    create = op_code.format_create_foreign_key(
        op_code.join_name(table.name, column.name, "fkey"),
        source=op_code.ColumnsOfTable(table.schema, table.name, (column.name,)),
        target=op_code.ColumnsOfTable(key.schema, key.table, (key.column,)),
        on_delete=next(iter(owners.on_delete), DEFAULT_ACTION),
    )
    change_type = ""
    if key.type != column.type:
        change_type = f" and giving `{column}` the type of `{key}`, {key.type}"
    fix = (
        "Add it, here and in the model, after removing rows whose owner is gone"
        f"{change_type}:{code_block(create)}"
    )
    if owned.type_column:
        fix += f"\nIf `{owned.type_column}` says which table it means, allow it instead."
    if owned.other_foreign_keys:
        fix += f"\nIf it is meant to reference {_name_other_tables(owned)} alone, allow it instead."
    return fix
