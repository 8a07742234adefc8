"""Catalog objects as text, in the words of SQL: what a reader sees of either side."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from migration_gate.drift.frozen_defaults import describe_frozen
from migration_gate.facts import Column, Constraint, EnumType, Index, Sequence


def type_text(column: Column) -> str:
    """The type, with its collation if that is not the type's own."""
    return f"{column.type} COLLATE {column.collation}" if column.collation else column.type


def value_text(column: Column) -> str | None:
    """Where the column's value comes from when none is given: identity, expression or default."""
    if column.identity:
        return f"GENERATED {column.identity.upper()} AS IDENTITY"
    if column.generated:
        return generated_text(column.generated)
    return describe_frozen(column) or column.default


def generated_text(generated: str) -> str:
    """The clause for an expression that the catalog has as `stored: …` or `virtual: …`."""
    storage, _, expression = generated.partition(": ")
    return f"GENERATED ALWAYS AS ({expression}) {storage.upper()}"


def column_text(column: Column) -> str:
    """The column as CREATE TABLE takes it, without its name."""
    parts = [type_text(column)]
    value = value_text(column)
    if value is not None:
        is_default = not (column.identity or column.generated)
        parts.append(f"DEFAULT {value}" if is_default else value)
    if not column.nullable:
        parts.append("NOT NULL")
    return " ".join(parts)


class _Commented(Protocol):
    @property
    def comment(self) -> str | None: ...


class _Defined(Protocol):
    @property
    def definition(self) -> str: ...


def comment_text(item: _Commented) -> str | None:
    """The comment of any object that may have one."""
    return item.comment


def definition_text(item: _Defined) -> str:
    """The definition that Postgres prints, of any object that it prints one for."""
    return item.definition


def columns_text(columns: Iterable[Column]) -> str:
    """A table's columns on one line."""
    definitions = ", ".join(f"{column.name} {column_text(column)}" for column in columns)
    return f"({definitions})"


def index_text(index: Index) -> str:
    """An index as Postgres prints it, and whether it is unusable."""
    return index.definition if index.valid else f"{index.definition} (INVALID)"


def part_text(part: Constraint | Index) -> str:
    """A constraint or an index as Postgres prints it."""
    return part.definition if isinstance(part, Constraint) else index_text(part)


def labels_text(enum: EnumType) -> str:
    """The labels as CREATE TYPE takes them."""
    literals = ("'" + label.replace("'", "''") + "'" for label in enum.labels)
    return f"({', '.join(literals)})"


def sequence_text(sequence: Sequence) -> str:
    """A sequence's options as CREATE SEQUENCE takes them."""
    options = [
        f"AS {sequence.type} START {sequence.start} INCREMENT {sequence.increment}",
        f"MINVALUE {sequence.minimum} MAXVALUE {sequence.maximum} CACHE {sequence.cache}",
    ]
    if sequence.cycle:
        options.append("CYCLE")
    if sequence.owner:
        options.append(f"OWNED BY {sequence.owner}")
    return " ".join(options)
