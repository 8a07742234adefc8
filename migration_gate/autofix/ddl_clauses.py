"""Catalog objects as the clauses and statements of SQL's DDL, with every name quoted if it must be."""

from __future__ import annotations

import re
from typing import Protocol

from migration_gate.autofix.autofix_state import find_owned_sequence, is_serial
from migration_gate.drift.difference_text import generated_text
from migration_gate.facts import Column, Constraint, Index, Sequence, Snapshot, Table, TablePart
from migration_gate.sql.identifiers import qualified_name, quote_identifier

_SERIAL_TYPES = {"smallint": "smallserial", "integer": "serial", "bigint": "bigserial"}
_ONLY = re.compile(r'^(CREATE (?:UNIQUE )?INDEX (?:"(?:[^"]|"")*"|\S+)) ON ONLY ')


def table_name(part: TablePart) -> str:
    """The table that a column, constraint or index belongs to."""
    return qualified_name(part.schema, part.table)


def alter_column_clause(column: Column, change: str) -> str:
    """The statement that changes a column: `change` is what follows its name."""
    return f"ALTER TABLE {table_name(column)} ALTER COLUMN {quote_identifier(column.name)} {change}"


def column_clause(column: Column, snapshot: Snapshot) -> str:
    """The column as CREATE TABLE takes it; a serial column makes its sequence."""
    is_serial_column = is_serial(snapshot, column)
    type_name = _SERIAL_TYPES.get(column.type, column.type) if is_serial_column else column.type
    clauses = [quote_identifier(column.name), type_name]
    if column.collation:
        clauses.append(f"COLLATE {column.collation}")
    if column.generated:
        clauses.append(generated_text(column.generated))
    elif column.identity:
        clauses.append(identity_clause(column, snapshot))
    elif column.default is not None and not is_serial_column:
        clauses.append(f"DEFAULT {column.default}")
    if not column.nullable:
        clauses.append("NOT NULL")
    return " ".join(clauses)


def identity_clause(column: Column, snapshot: Snapshot) -> str:
    """The identity of a column with its sequence's name and options."""
    clause = f"GENERATED {(column.identity or 'by default').upper()} AS IDENTITY"
    sequence = find_owned_sequence(snapshot, column)
    if sequence is None:
        return clause
    options = sequence_options_clause(sequence, with_type=False)
    if (sequence.schema, sequence.name) != (column.schema, f"{column.table}_{column.name}_seq"):
        options = f"SEQUENCE NAME {qualified_name(sequence.schema, sequence.name)} {options}"
    return f"{clause} ({options})"


def sequence_options_clause(sequence: Sequence, *, with_type: bool = True) -> str:
    """All options of a sequence, without its owner."""
    clauses = [f"AS {sequence.type}"] if with_type else []
    clauses += [
        f"START WITH {sequence.start}",
        f"INCREMENT BY {sequence.increment}",
        f"MINVALUE {sequence.minimum}",
        f"MAXVALUE {sequence.maximum}",
        f"CACHE {sequence.cache}",
        "CYCLE" if sequence.cycle else "NO CYCLE",
    ]
    return " ".join(clauses)


class _InSchema(Protocol):
    @property
    def schema(self) -> str: ...

    @property
    def name(self) -> str: ...


def rename_statements(noun: str, current: _InSchema, target: _InSchema) -> list[str]:
    """The statements that move a table, type or sequence to its other schema and give it its other name."""
    name = qualified_name(current.schema, current.name)
    statements = []
    if current.schema != target.schema:
        statements.append(f"ALTER {noun} {name} SET SCHEMA {quote_identifier(target.schema)}")
        name = qualified_name(target.schema, current.name)
    if current.name != target.name:
        statements.append(f"ALTER {noun} {name} RENAME TO {quote_identifier(target.name)}")
    return statements


def add_constraint_statement(constraint: Constraint) -> str:
    """The statement that adds a constraint."""
    name = quote_identifier(constraint.name)
    return f"ALTER TABLE {table_name(constraint)} ADD CONSTRAINT {name} {constraint.definition}"


def create_index_statement(index: Index) -> str:
    """The statement that makes an index; on a partitioned table for its partitions too."""
    return _ONLY.sub(r"\1 ON ", index.definition)


def create_table_statement(table: Table, snapshot: Snapshot) -> str:
    """The statement that makes a table with its columns and options, without constraints."""
    columns = ", ".join(column_clause(column, snapshot) for column in snapshot.columns_of(table))
    unlogged = "UNLOGGED " if table.persistence == "unlogged" else ""
    clauses = [f"CREATE {unlogged}TABLE {qualified_name(table.schema, table.name)} ({columns})"]
    if table.inherits and table.partition_bound is None:
        clauses.append(f"INHERITS ({', '.join(map(quote_table_name, table.inherits))})")
    if table.partition_key:
        clauses.append(f"PARTITION BY {table.partition_key}")
    if table.options:
        clauses.append(f"WITH ({', '.join(table.options)})")
    return " ".join(clauses)


def quote_table_name(table: str) -> str:
    """A table that a fact names as `schema.name`, as SQL takes it."""
    schema, _, name = table.partition(".")
    return qualified_name(schema, name)
