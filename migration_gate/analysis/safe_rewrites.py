"""How a change that writes every row of a table anew can be made without that, by its cause."""

from __future__ import annotations

from migration_gate.analysis import safe_operations as code
from migration_gate.analysis.blocking_works import BlockingWork
from migration_gate.analysis.observed_changes import TypeChange
from migration_gate.facts import ColumnState
from migration_gate.sql.identifiers import quote_identifier
from migration_gate.wording import code_block

SERIAL_TYPES = {"smallint": "smallint", "integer": "integer", "bigint": "bigint"}
IN_ONE_REVISION = (
    "Fill old rows some at a time, while others read and write. `autocommit_block()` commits what was done "
    "before it."
)


def describe_rewrite(table: str, item: BlockingWork) -> str:
    """What to write instead: for new columns, or for columns of another type."""
    new = [column for column in item.change.new_columns if _needs_rewrite(column)]
    if new:
        return _add_columns(table, new)
    if item.change.type_changes:
        return _change_types(table, item.change.type_changes)
    return (
        "Make the change on a new column or a new table that is filled some rows at a time, and switch to it."
    )


def _needs_rewrite(column: ColumnState) -> bool:
    return bool(column.generated or column.identity or column.default) or column.type not in SERIAL_TYPES


def _add_columns(table: str, columns: list[ColumnState]) -> str:
    blocks = [_add_column(table, column) for column in columns]
    words = [_EXPLANATIONS[_find_cause(column)].format(column=column.name) for column in columns]
    return " ".join(dict.fromkeys([*words, IN_ONE_REVISION])) + code_block(code.join_code(*blocks))


_EXPLANATIONS = {
    "generated": "A stored generated column is computed for every row at once: a plain column that a trigger "
    "fills does the same.",
    "identity": "Numbers for all rows are drawn at once: add the column without them first.",
    "default": "The default of `{column}` is another one for each row: set it after the column was added, "
    "for new "
    "rows.",
    "domain": "A domain with a rule is verified by writing each row anew: add the column with its base "
    "type, or with "
    "a CHECK that is NOT VALID first.",
}


def _find_cause(column: ColumnState) -> str:
    if column.generated:
        return "generated"
    if column.identity:
        return "identity"
    return "default" if column.default else "domain"


def _add_column(table: str, column: ColumnState) -> str:
    cause = _find_cause(column)
    if cause == "generated":
        return _add_generated(table, column)
    if cause == "identity":
        return _add_identity(table, column)
    if cause == "domain":
        return _add_domain(table, column)
    name = quote_identifier(column.name)
    sequence = _find_sequence(column)
    return code.join_code(
        code.execute(f"CREATE SEQUENCE {sequence}") if sequence else "",
        code.add_column(table, column),
        code.execute(f"ALTER TABLE {table} ALTER COLUMN {name} SET DEFAULT {column.default}"),
        code.execute(f"ALTER SEQUENCE {sequence} OWNED BY {table}.{name}") if sequence else "",
        code.update_in_batches(table, f"{name} = DEFAULT", f"{name} IS NULL"),
        "" if column.nullable else code.set_not_null(table, [column.name]),
    )


def _find_sequence(column: ColumnState) -> str:
    """The sequence that `serial` makes with its column; '' without one."""
    prefix, suffix = "nextval('", "'::regclass)"
    default = column.default or ""
    if not (default.startswith(prefix) and default.endswith(suffix)):
        return ""
    return default[len(prefix) : -len(suffix)]


def _add_generated(table: str, column: ColumnState) -> str:
    name = quote_identifier(column.name)
    expression = (column.generated or "").partition(": ")[2]
    function = f"fill_{table.rpartition('.')[2].strip(chr(34))}_{column.name}"
    select = f"SELECT {expression} INTO NEW.{name} FROM (SELECT NEW.*) AS new_row;".replace("'", "''")  # noqa: S608
    trigger, _ = code.keep_filled(table, function, select)
    return code.join_code(
        code.add_column(table, column),
        trigger,
        code.update_in_batches(table, f"{name} = {expression}", f"{name} IS DISTINCT FROM ({expression})"),
        "" if column.nullable else code.set_not_null(table, [column.name]),
    )


def _add_identity(table: str, column: ColumnState) -> str:
    name = quote_identifier(column.name)
    plain = table.replace('"', "")
    sequence = quote_identifier(f"{plain.rpartition('.')[2]}_{column.name}_fill")
    kind = "ALWAYS" if column.identity == "always" else "BY DEFAULT"
    return code.join_code(
        code.execute(f"CREATE SEQUENCE {sequence}"),
        code.add_column(table, column),
        code.execute(f"ALTER TABLE {table} ALTER COLUMN {name} SET DEFAULT nextval('{sequence}')"),
        code.update_in_batches(table, f"{name} = DEFAULT", f"{name} IS NULL"),
        code.set_not_null(table, [column.name]),
        code.execute(f"ALTER TABLE {table} ALTER COLUMN {name} DROP DEFAULT"),
        code.execute(f"ALTER TABLE {table} ALTER COLUMN {name} ADD GENERATED {kind} AS IDENTITY"),
        code.execute(
            f"SELECT setval(pg_get_serial_sequence('{table}', '{column.name}'), nextval('{sequence}'))"
        ),
        code.execute(f"DROP SEQUENCE {sequence}"),
    )


def _add_domain(table: str, column: ColumnState) -> str:
    name = quote_identifier(column.name)
    return code.join_code(
        f"# the base type of the domain {column.type} in the place of text",
        code.add_column(table, column, "text"),
        f"# and the rule of the domain, for {name}, as in: CHECK ({name} ...) NOT VALID, and VALIDATE "
        f"CONSTRAINT",
    )


def _change_types(table: str, changes: tuple[TypeChange, ...]) -> str:
    blocks = [_change_type(table, change) for change in changes]
    return (
        "Keep the new type in a column of its own: a trigger fills it for new rows, old ones are filled "
        "some at a "
        "time. A later revision, when nothing reads the old column any more, takes the trigger away and "
        "renames." + code_block(code.join_code(*blocks))
    )


def _change_type(table: str, change: TypeChange) -> str:
    old, type_name = change.column.name, change.column.type
    new = quote_identifier(f"{old}_new")
    column = quote_identifier(old)
    function = f"fill_{table.rpartition('.')[2].strip(chr(34))}_{old}_new"
    trigger, removal = code.keep_filled(table, function, f"NEW.{new} := NEW.{column}::{type_name};")
    later = code.join_code(
        removal,
        code.execute(f"ALTER TABLE {table} RENAME COLUMN {column} TO {quote_identifier(f'{old}_old')}"),
        code.execute(f"ALTER TABLE {table} RENAME COLUMN {new} TO {column}"),
    )
    return code.join_code(
        code.execute(f"ALTER TABLE {table} ADD COLUMN {new} {type_name}"),
        trigger,
        code.update_in_batches(
            table, f"{new} = {column}::{type_name}", f"{new} IS DISTINCT FROM {column}::{type_name}"
        ),
        "" if change.column.nullable else code.set_not_null(table, [f"{old}_new"]),
        "",
        "# in a later revision:",
        [f"# {line}" for line in later.splitlines()],
    )
