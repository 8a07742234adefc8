"""Operations for a revision that do the same, and block others for moments only."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from textwrap import indent

from migration_gate.facts import ColumnState, NamedDefinition
from migration_gate.sql.identifiers import name_on_search_path, quote_identifier, truncate_identifier

BLOCK = "with op.get_context().autocommit_block():  # commits what was done before it"
SIMPLE_INDEX = re.compile(
    r"CREATE (?P<unique>UNIQUE )?INDEX (?P<name>[a-z_]\w*) ON (?:ONLY "
    r")?(?P<schema>[a-z_]\w*)\.(?P<table>[a-z_]\w*)"
    r" USING btree \((?P<columns>[a-z_]\w*(?:, [a-z_]\w*)*)\)"
)
CREATE_INDEX = re.compile(r"^CREATE (UNIQUE )?INDEX (CONCURRENTLY )?(IF NOT EXISTS )?", re.IGNORECASE)
BATCH_ROWS = 1000


def execute(sql: str) -> str:
    """The call that runs a statement."""
    quote = '"""' if '"' in sql or "\n" in sql else '"'
    prefix = "r" if "\\" in sql else ""
    return f"op.execute({prefix}{quote}{sql}{quote})"


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


def use_index(table: str, schema: str, constraint: NamedDefinition) -> str:
    """The code that adds a UNIQUE constraint or a primary key on an index that is built before."""
    kind = "PRIMARY KEY" if constraint.definition.startswith("PRIMARY KEY") else "UNIQUE"
    rest = constraint.definition.removeprefix(kind).strip()
    columns, _, options = rest.rpartition(")") if not rest.endswith(")") else (rest[:-1], "", "")
    name = quote_identifier(constraint.name)
    definition = f"CREATE UNIQUE INDEX {name} ON {table} USING btree {columns})"
    addition = f"ALTER TABLE {table} ADD CONSTRAINT {name} {kind} USING INDEX {name}{options}"
    qualified = (
        definition.replace(f" ON {table} ", f" ON {schema}.{table} ") if "." not in table else definition
    )
    return join_code(build_index(schema, constraint.name, qualified), execute(addition))


def update_in_batches(table: str, assignment: str, condition: str) -> str:
    """The code that changes rows some at a time, each time in a transaction of its own."""
    update = (
        f"UPDATE {table} SET {assignment} WHERE ctid = ANY (ARRAY("  # noqa: S608 - nobody runs it here
        f"SELECT ctid FROM {table} WHERE {condition} LIMIT {BATCH_ROWS}))"
    )
    return in_autocommit(
        f"while op.get_bind().exec_driver_sql({_quote(update)}).rowcount:",
        "    pass",
    )


def _quote(sql: str) -> str:
    text = sql.replace("%", "%%")
    return f"'''{text}'''" if '"' in text else f'"{text}"'


def add_column(table: str, column: ColumnState, type_name: str | None = None) -> str:
    """The call that adds a column which accepts NULL, without a default."""
    return execute(
        f"ALTER TABLE {table} ADD COLUMN {quote_identifier(column.name)} {type_name or column.type}"
    )


def keep_filled(table: str, function: str, assignments: str) -> tuple[str, str]:
    """The calls that create a trigger which fills columns of new and changed rows, and that drop it."""
    name = quote_identifier(truncate_identifier(function))
    body = f"BEGIN {assignments} RETURN NEW; END"
    return (
        join_code(
            execute(f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS '{body}'"),
            execute(
                f"CREATE TRIGGER {name} BEFORE INSERT OR UPDATE ON {table} FOR EACH ROW EXECUTE FUNCTION "
                f"{name}()"
            ),
        ),
        join_code(execute(f"DROP TRIGGER {name} ON {table}"), execute(f"DROP FUNCTION {name}()")),
    )
