"""Operations for a revision that do the same, and block others for moments only."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from textwrap import indent

from migration_gate.facts import ColumnState, NamedDefinition
from migration_gate.sql.identifiers import (
    name_on_search_path,
    quote_identifier,
    split_qualified_name,
    truncate_identifier,
)

BLOCK = "with op.get_context().autocommit_block():  # commits what was done before it"
SIMPLE_INDEX = re.compile(
    r"CREATE (?P<unique>UNIQUE )?INDEX (?P<name>[a-z_]\w*) ON (?:ONLY "
    r")?(?P<schema>[a-z_]\w*)\.(?P<table>[a-z_]\w*)"
    r" USING btree \((?P<columns>[a-z_]\w*(?:, [a-z_]\w*)*)\)"
)
CREATE_INDEX = re.compile(r"^CREATE (UNIQUE )?INDEX (CONCURRENTLY )?(IF NOT EXISTS )?", re.IGNORECASE)
PARAMETER = re.compile(r"(?<![:\w\\]):(?=\w+(?![:\w]))")
"""as SQLAlchemy's `text()` finds parameters"""
DEFERRAL = re.compile(r" (?:NOT )?DEFERRABLE.*$")
LATER = "# in a later revision:"
BATCH_ROWS = 1000


def execute(sql: str) -> str:
    """The call that runs a statement. What `text()` would take for a parameter is escaped."""
    text = PARAMETER.sub(r"\\:", sql)
    return f"op.execute({quote_text(text)})"


def quote_text(text: str) -> str:
    """The text as a literal of Python's, with as little escaped as can be."""
    prefix = "r" if "\\" in text else ""
    quotes = ('"""', "'''") if '"' in text or "\n" in text else ('"',)
    for quote in quotes:
        if quote not in text and not text.endswith((quote[0], "\\")):
            return f"{prefix}{quote}{text}{quote}"
    return repr(text)


def join_code(*parts: str | Sequence[str]) -> str:
    """Lines of code, one below the other."""
    lines: list[str] = []
    for part in parts:
        lines += [part] if isinstance(part, str) else list(part)
    return "\n".join(line for line in lines if line)


def in_autocommit(*lines: str) -> str:
    """The lines in a block in which each statement is a transaction by itself."""
    return join_code(BLOCK, indent("\n".join(lines), "    "))


def create_index_concurrently(definition: str) -> str:
    """The call that builds an index, from its definition, while others read and write."""
    match = SIMPLE_INDEX.fullmatch(definition.strip())
    if match is None:
        return execute(CREATE_INDEX.sub(r"CREATE \1INDEX CONCURRENTLY ", definition.strip()))
    columns = ", ".join(f'"{column}"' for column in match["columns"].split(", "))
    unique = "unique=True, " if match["unique"] else ""
    schema = f'schema="{match["schema"]}", ' if match["schema"] != "public" else ""
    return (
        f'op.create_index("{match["name"]}", "{match["table"]}", [{columns}], {unique}{schema}'
        "postgresql_concurrently=True)"
    )


def drop_index_concurrently(schema: str, name: str) -> str:
    """The call that drops an index if it is there: a failed build leaves an invalid one."""
    return execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name_on_search_path(schema, name)}")


def build_index(schema: str, index_name: str, definition: str) -> str:
    """The code that builds an index, and can be repeated."""
    return in_autocommit(drop_index_concurrently(schema, index_name), create_index_concurrently(definition))


def add_checked(table: str, name: str, definition: str) -> str:
    """The code that adds a CHECK or a foreign key, and reads the rows without a lock that blocks."""
    constraint = quote_identifier(name)
    return join_code(
        execute(f"ALTER TABLE {table} ADD CONSTRAINT {constraint} {without_not_valid(definition)} NOT VALID"),
        in_autocommit(execute(f"ALTER TABLE {table} VALIDATE CONSTRAINT {constraint}")),
    )


def drop_constraint(table: str, name: str) -> str:
    """The call that drops a constraint."""
    return execute(f"ALTER TABLE {table} DROP CONSTRAINT {quote_identifier(name)}")


def without_not_valid(definition: str) -> str:
    """A constraint's definition as for one that is valid."""
    return definition.removesuffix(" NOT VALID")


def set_not_null(table: str, columns: Iterable[str]) -> str:
    """The code that makes columns NOT NULL: a valid CHECK spares Postgres the scan under its lock."""
    names = [(quote_identifier(column), truncate_identifier(f"{column}_not_null")) for column in columns]
    adds = [
        execute(
            f"ALTER TABLE {table} ADD CONSTRAINT {quote_identifier(check)} CHECK ({column} IS NOT NULL) NOT "
            f"VALID"
        )
        for column, check in names
    ]
    validations = [
        execute(f"ALTER TABLE {table} VALIDATE CONSTRAINT {quote_identifier(check)}") for _, check in names
    ]
    sets = [execute(f"ALTER TABLE {table} ALTER COLUMN {column} SET NOT NULL") for column, _ in names]
    drops = [execute(f"ALTER TABLE {table} DROP CONSTRAINT {quote_identifier(check)}") for _, check in names]
    return join_code(adds, in_autocommit(*validations), sets, drops)


def use_index(table: str, schema: str, constraint: NamedDefinition, index: str) -> str:
    """The code that adds a UNIQUE constraint or a primary key on an index, from its definition."""
    return join_code(build_index(schema, constraint.name, index), add_on_index(table, constraint))


def add_on_index(table: str, constraint: NamedDefinition) -> str:
    """The call that makes a constraint of the index that has its name."""
    return execute(f"ALTER TABLE {table} {constraint_on_index(constraint, constraint.name)}")


def constraint_on_index(constraint: NamedDefinition, index: str) -> str:
    """The part of an ALTER TABLE that makes a constraint of an index."""
    kind = "PRIMARY KEY" if constraint.definition.startswith("PRIMARY KEY") else "UNIQUE"
    deferral = DEFERRAL.search(constraint.definition)
    name = quote_identifier(constraint.name)
    addition = f"ADD CONSTRAINT {name} {kind} USING INDEX {quote_identifier(index)}"
    return addition + (deferral[0] if deferral else "")


def update_in_batches(table: str, assignment: str, condition: str) -> str:
    """The code that changes rows some at a time, each time in a transaction of its own."""
    update = (
        f"UPDATE {table} SET {assignment} WHERE ctid = ANY (ARRAY("  # noqa: S608 - nobody runs it here
        f"SELECT ctid FROM {table} WHERE {condition} LIMIT {BATCH_ROWS})) AND {condition}"
    )
    return repeat_statement(update)


def repeat_statement(sql: str) -> str:
    """The code that runs a statement until it changes no row, each time in a transaction of its own."""
    return in_autocommit(f"while {run_unparsed(sql)}.rowcount:", "    pass")


def run_unparsed(sql: str) -> str:
    """The call that runs a statement as the driver takes it, and returns its result."""
    return f"op.get_bind().exec_driver_sql({quote_text(sql.replace('%', '%%'))})"


def add_column(table: str, column: ColumnState, type_name: str | None = None) -> str:
    """The call that adds a column which accepts NULL, without a default."""
    return execute(f"ALTER TABLE {table} ADD COLUMN {describe_column(column, type_name)}")


def describe_column(column: ColumnState, type_name: str | None = None) -> str:
    """The column's name, its type and its collation, as SQL takes them."""
    collation = f" COLLATE {column.collation}" if column.collation and type_name is None else ""
    return f"{quote_identifier(column.name)} {type_name or column.type}{collation}"


def keep_filled(tables: Sequence[str], name: str, assignments: str) -> tuple[str, str]:
    """The calls that create a trigger which fills columns of new and changed rows, and that drop it.

    The function is in the schema of the first table: another schema may have a table of that name, too.
    """
    function = name_beside(tables[0], name)
    name = quote_identifier(truncate_identifier(name))
    body = f"$body$BEGIN {assignments} RETURN NEW; END$body$"
    calls = f"FOR EACH ROW EXECUTE FUNCTION {function}()"
    return (
        join_code(
            execute(f"CREATE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql AS {body}"),
            [
                execute(f"CREATE TRIGGER {name} BEFORE INSERT OR UPDATE ON {table} {calls}")
                for table in tables
            ],
        ),
        join_code(
            [execute(f"DROP TRIGGER {name} ON {table}") for table in tables],
            execute(f"DROP FUNCTION {function}()"),
        ),
    )


def name_beside(table: str, name: str) -> str:
    """A name as SQL takes it, in the schema of a table that is given so, too."""
    *schemas, _ = split_qualified_name(table)
    return name_on_search_path(schemas[0] if schemas else "public", truncate_identifier(name))


def in_later_revision(lines: str) -> str:
    """The lines as comments: what is done when no release uses the old state any more."""
    return "\n".join(["", LATER, *(f"# {line}" for line in lines.splitlines())])
