"""An owner column accepts NULL.

A row without an owner belongs to nobody: it stays when its user is deleted, no `WHERE owner_id = …`
finds it, and no later constraint can be added without a clean-up. The rule holds after every
revision of a change: rows can be written between two of them, unless one transaction holds both.

Instead, make the column NOT NULL: give each row an owner, then `alter_column(nullable=False)`.
"""

from collections.abc import Iterator
from dataclasses import replace

from migration_gate.analysis.model_part_locations import list_column_locations
from migration_gate.analysis.op_code import format_operation, quote_python, schema_keyword
from migration_gate.analysis.origin import find_origin
from migration_gate.analysis.owner_corrections import forbid_null
from migration_gate.analysis.owner_windows import KIND as WINDOW_KIND
from migration_gate.analysis.owner_windows import find_owner_windows
from migration_gate.analysis.ownership import OwnerColumn, list_owner_columns
from migration_gate.check import Evidence, Finding, Severity, Subject
from migration_gate.facts import Facts, RowRefusal
from migration_gate.sql.identifiers import name_on_search_path, quote_identifier, truncate_identifier
from migration_gate.wording import code_block, join_lines

SEVERITY = Severity.ERROR
SUBJECT = Subject.OWNER_COLUMN
KINDS = (WINDOW_KIND,)
ONE_REVISION = ": add the column, give each row an owner, and forbid NULL"
NULLABLE_BY_DESIGN = """
Its foreign key says ON DELETE SET NULL, so it is nullable by design: rows stay when their owner is deleted. \
If that is meant, allow it with the reason; if not, first give the key another ON DELETE."""

DEMANDED_BY_CHECK = """Some rows must be without this owner: where {row}, Postgres accepts NULL alone, \
because of the constraint {check}. NOT NULL is therefore not possible. If rows without an owner are meant, \
allow it with the reason, in the revision or the model:

    # migration-gate: allow nullable-owner -- ...

If not, change the constraint so that each row has an owner, as `num_nonnulls(...) = 1` does for one of \
several."""

ONE_OF_SEVERAL = """A row with another reference in the owner's place was accepted. If that is meant, say in \
the schema which of them own it: a CHECK holds for rows that are there, and cannot be switched off as a \
trigger can. In a revision, and in the model's `__table_args__`:"""


def check(facts: Facts) -> Iterator[Finding]:
    """Yield every owner column that Postgres lets be NULL while nothing else owns the row."""
    for owned in list_owner_columns(facts):
        if not owned.always_has_owner:
            origin = find_origin(facts.replay, owned.column, ("nullable",))
            trial = facts.replay.find_ownership_trial(owned.column)
            refusal = trial.null_refusal if trial is not None else None
            beside = trial.null_beside if trial is not None else ()
            finding = Finding.at_origin(
                origin,
                owned.column,
                f"`{owned.column}` accepts NULL, so a row can be without an owner"
                if refusal is None
                else f"`{owned.column}` accepts NULL; a trigger alone did not accept a row without an owner",
                evidence=(*_collect_evidence(owned), *_show_refusal(refusal)),
                fix=_demand_owner(owned, beside) if beside else _describe_fix(owned),
                corrections=()
                if beside or _may_be_meant(owned)
                else forbid_null(facts, owned.column, origin),
                other_locations=list_column_locations(facts.replay.models, facts.tree, owned.column),
            )
            yield finding if refusal is None else replace(finding, severity=Severity.WARNING)
    yield from find_owner_windows(facts, _surely_accepts_null, "accepted NULL", ONE_REVISION)


def _show_refusal(refusal: RowRefusal | None) -> Iterator[Evidence]:
    if refusal is not None:
        yield Evidence("tried", f"a row without an owner: {refusal}")


def _surely_accepts_null(owned: OwnerColumn) -> bool:
    """Whether no CHECK and no domain can refuse NULL, judged by the catalog alone."""
    checks = (item for item in owned.catalog.constraints_of(owned.table) if item.kind == "check")
    domains = {item.full_name for item in owned.catalog.types if item.kind == "domain"}
    is_ruled = any(owned.column.name in check.columns for check in checks)
    return owned.column.nullable and not is_ruled and owned.column.type.replace('"', "") not in domains


def _may_be_meant(owned: OwnerColumn) -> bool:
    """Whether rows without this owner are what a CHECK or the foreign key is for."""
    is_demanded = owned.null_trial is not None and bool(owned.null_trial.demanding_row)
    return is_demanded or any(key.on_delete == "set null" for key in owned.foreign_keys)


def _collect_evidence(owned: OwnerColumn) -> Iterator[Evidence]:
    yield Evidence("column", f"{owned.column.name} {owned.column.type} NULL")
    for key in owned.foreign_keys:
        yield Evidence("foreign key", key.definition)
    trial = owned.null_trial
    if trial and trial.accepted_row:
        yield Evidence("accepted", f"{owned.column.name} IS NULL and {trial.accepted_row}")
    if trial and trial.demanding_row:
        yield Evidence("NULL demanded", f"where {trial.demanding_row}, by {join_lines(trial.demanded_by)}")


def _demand_owner(owned: OwnerColumn, beside: tuple[str, ...]) -> str:
    """A trigger refuses rows in which these references are NULL, too: one of several is the owner."""
    columns = ", ".join(map(quote_identifier, (owned.column.name, *beside)))
    call = format_operation(
        "create_check_constraint",
        quote_python(truncate_identifier(f"ck_{owned.table.name}_owner")),
        quote_python(owned.table.name),
        quote_python(f"num_nonnulls({columns}) >= 1"),
        **schema_keyword(owned.table.schema),
    )
    return ONE_OF_SEVERAL + code_block(call)


def _describe_fix(owned: OwnerColumn) -> str:
    trial = owned.null_trial
    if trial and trial.demanding_row:
        return DEMANDED_BY_CHECK.format(row=trial.demanding_row, check=join_lines(trial.demanded_by))
    table = name_on_search_path(owned.table.schema, owned.table.name)
    column = quote_identifier(owned.column.name)
    backfill = f"UPDATE {table} SET {column} = ... WHERE {column} IS NULL"  # noqa: S608 - a text to show
    forbid_null = format_operation(
        "alter_column",
        quote_python(owned.table.name),
        quote_python(owned.column.name),
        nullable="False",
        **schema_keyword(owned.table.schema),
    )
    code = f"# set the owner, or DELETE the rows\nop.execute({quote_python(backfill)})\n{forbid_null}"
    fix = "Give every row an owner, then forbid NULL, here and in the model (`nullable=False`):"
    fix += code_block(code)
    if any(key.on_delete == "set null" for key in owned.foreign_keys):
        fix += NULLABLE_BY_DESIGN
    return fix
