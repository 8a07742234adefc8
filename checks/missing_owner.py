"""A table that must name an owner has no owner column.

Nobody knows whose rows these are: they cannot be shown to their owner alone, exported
on request, or deleted with the account.

Instead, add the column with a foreign key, or exempt the table under `owners.exempt`.
"""

from collections.abc import Iterator

from migration_gate.analysis import op_code, ownership
from migration_gate.analysis.model_part_locations import find_definition
from migration_gate.analysis.owner_origin import find_origin_of_missing_owner
from migration_gate.check import Evidence, Finding, Severity, Subject
from migration_gate.facts import Facts, Owners, Table
from migration_gate.wording import code_block, join_words

SEVERITY = Severity.ERROR
SUBJECT = Subject.OWNED_TABLE
DEFAULT_COLUMN = "owner_id"


def check(facts: Facts) -> Iterator[Finding]:
    """Yield the tables that the settings call owned and that have no column with an owner's name."""
    owners_key = ownership.find_owners_key(facts)
    for table in ownership.list_ownable_tables(facts):
        reason = ownership.find_ownership_reason(facts, table)
        if reason is None or ownership.find_named_columns(facts, table):
            continue
        definition = find_definition(facts.replay.models, facts.tree, table.full_name)
        columns = ", ".join(column.name for column in facts.replay.catalog.columns_of(table))
        yield Finding.at_origin(
            find_origin_of_missing_owner(facts, table),
            table,
            f"`{table}` has no owner column: none of {join_words(facts.owners.columns)}",
            evidence=(Evidence("columns", columns), Evidence("because", reason)),
            fix=_describe_fix(facts.owners, owners_key, table),
            other_locations=(definition.location,) if definition is not None else (),
        )


def _describe_fix(owners: Owners, key: ownership.OwnersKey, table: Table) -> str:
    column = _choose_column_name(owners)
    sqlalchemy_type = op_code.find_sqlalchemy_type(key.type or "") or "..."
    foreign_key = f'sa.ForeignKey({op_code.quote_python(str(key))}, ondelete="CASCADE")'
    name = op_code.quote_python(table.name)
    schema = op_code.schema_keyword(table.schema)
    steps = (
        op_code.format_operation(
            "add_column", name, f'sa.Column("{column}", {sqlalchemy_type}, {foreign_key})', **schema
        ),
        "# then set the owner of each row, and",
        op_code.format_operation("alter_column", name, f'"{column}"', nullable="False", **schema),
    )
    return (
        "Add the column:"
        + code_block("\n".join(steps))
        + f"\nOr, if its rows belong to nobody, list `{table}` under `owners.exempt`."
    )


def _choose_column_name(owners: Owners) -> str:
    """The first name in the settings that is no pattern."""
    names = (name for name in owners.columns if not set(name) & set("*?["))
    return next(names, DEFAULT_COLUMN)
