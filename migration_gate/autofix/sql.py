"""SQL for what Alembic has no words for, with every name quoted where it must be."""

from __future__ import annotations

import re

from migration_gate.autofix.state import World, is_serial, sequence_of
from migration_gate.facts.catalog import Column, Constraint, Index, Sequence, Snapshot, Table
from migration_gate.sql.identifiers import qualified_name, quote_identifier


def quoted(name: str) -> str:
    """The name as SQL takes it."""
    return quote_identifier(name)


def literal(text: str) -> str:
    """The text as an SQL literal."""
    body = text.replace("'", "''")
    return f"E'{body.replace(chr(92), chr(92) * 2)}'" if "\\" in text else f"'{body}'"


def labels_in(text: str) -> frozenset[str]:
    """The strings of an expression, and the elements of its arrays."""
    strings = [string.replace("''", "'") for string in re.findall(r"'((?:[^']|'')*)'", text)]
    arrays = [string[1:-1].split(",") for string in strings if string.startswith("{")]
    return frozenset(strings) | {element.strip('" ') for array in arrays for element in array}


def path(schema: str, name: str) -> str:
    """The qualified name as SQL takes it."""
    return qualified_name(schema, name)


def executed(sql: str) -> str:
    """The line of a revision that runs the statement; Alembic would take `:name` for a parameter."""
    text = re.sub(r"(?<!:):(?=\w)|(?<=\\):(?!:)", r"\\:", sql)
    shown = repr(text)
    if '"' not in text and shown.startswith("'"):
        shown = '"' + shown[1:-1].replace("\\'", "'") + '"'
    return f"op.execute({shown})"


def relabelled(have: tuple[str, ...], want: tuple[str, ...]) -> list[tuple[str, str]]:
    """The labels that only have another name, old and new; none where more than names differ."""
    turned = [(a, b) for a, b in zip(have, want, strict=False) if a != b]
    alone = all(a not in want and b not in have for a, b in turned)
    return turned if alone and len(have) == len(want) else []


def follows_labels(have: str | None, want: str | None, world: World) -> bool:
    """Whether renaming labels leads from the one expression to the other: Postgres turns it by itself."""
    if have is None or want is None:
        return False
    labels = {str(enum): enum.labels for enum in world.want.enums}
    text = have
    for enum in world.have.enums:
        name = path(enum.schema, enum.name)
        for old, new in relabelled(enum.labels, labels.get(str(enum), enum.labels)):
            text = text.replace(f"{literal(old)}::{name}", f"{literal(new)}::{name}")
    return text == want != have


def names_lost_label(text: str | None, world: World) -> bool:
    """Whether an expression of the replayed database names a label that the models' enum lacks."""
    models = world.have if world.undo else world.want
    labels = {str(enum): enum.labels for enum in models.enums}
    return text is not None and any(
        f"::{path(enum.schema, enum.name)}" in text
        and not relabelled(enum.labels, labels.get(str(enum), enum.labels))
        and not (labels_in(text) & frozenset(enum.labels)).issubset(labels.get(str(enum), enum.labels))
        for enum in world.around.enums
    )


def column_sql(column: Column, snapshot: Snapshot) -> str:
    """The column as CREATE TABLE takes it."""
    type_ = column.type
    serial = is_serial(snapshot, column)
    if serial:
        type_ = {"smallint": "smallserial", "integer": "serial", "bigint": "bigserial"}.get(type_, type_)
    parts = [quoted(column.name), type_]
    if column.collation:
        parts.append(f"COLLATE {column.collation}")
    if column.generated:
        how, _, expression = column.generated.partition(": ")
        parts.append(f"GENERATED ALWAYS AS ({expression}) {how.upper()}")
    elif column.identity:
        parts.append(identity_sql(column, snapshot))
    elif column.default is not None and not serial:
        parts.append(f"DEFAULT {column.default}")
    if not column.nullable:
        parts.append("NOT NULL")
    return " ".join(parts)


def identity_sql(column: Column, snapshot: Snapshot) -> str:
    """The identity of a column with its sequence's options."""
    sequence = sequence_of(snapshot, column)
    options = f" ({_named(sequence, column)}{sequence_options(sequence, typed=False)})" if sequence else ""
    return f"GENERATED {(column.identity or 'by default').upper()} AS IDENTITY{options}"


def _named(sequence: Sequence, column: Column) -> str:
    if (sequence.schema, sequence.name) == (column.schema, f"{column.table}_{column.name}_seq"):
        return ""
    return f"SEQUENCE NAME {path(sequence.schema, sequence.name)} "


def sequence_options(sequence: Sequence, *, typed: bool = True) -> str:
    """All options of a sequence, without its owner."""
    return (
        f"{f'AS {sequence.type} ' if typed else ''}START WITH {sequence.start} "
        f"INCREMENT BY {sequence.increment} MINVALUE {sequence.minimum} MAXVALUE {sequence.maximum} "
        f"CACHE {sequence.cache}{' CYCLE' if sequence.cycle else ' NO CYCLE'}"
    )


def constraint_sql(constraint: Constraint) -> str:
    """The statement that adds a constraint."""
    table = path(constraint.schema, constraint.table)
    return f"ALTER TABLE {table} ADD CONSTRAINT {quoted(constraint.name)} {constraint.definition}"


def index_sql(index: Index) -> str:
    """The statement that makes an index; on a partitioned table for its partitions too."""
    return re.sub(r'^(CREATE (?:UNIQUE )?INDEX (?:"(?:[^"]|"")*"|\S+)) ON ONLY ', r"\1 ON ", index.definition)


def table_sql(table: Table, snapshot: Snapshot) -> str:
    """The statement that makes a table with its columns and options, without constraints."""
    columns = ", ".join(column_sql(column, snapshot) for column in snapshot.columns_of(table))
    unlogged = "UNLOGGED " if table.persistence == "unlogged" else ""
    text = f"CREATE {unlogged}TABLE {path(table.schema, table.name)} ({columns})"
    if table.inherits and table.partition_bound is None:
        parents = (parent.partition(".") for parent in table.inherits)
        text += f" INHERITS ({', '.join(path(schema, name) for schema, _, name in parents)})"
    if table.partition_key:
        text += f" PARTITION BY {table.partition_key}"
    if table.options:
        text += f" WITH ({', '.join(table.options)})"
    return text
