"""One drift with the objects it was seen on, and the words that both sides are shown in."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from migration_gate.drift.snapshot_diff import Noun
from migration_gate.facts.catalog import AttachedObject, Column, Constraint, Index, Sequence, Table
from migration_gate.facts.history import Difference, DifferenceKind


@dataclass(frozen=True, slots=True)
class Drift:
    """A difference together with the objects on both sides; None where a side lacks it."""

    difference: Difference
    before: Noun | None = None
    after: Noun | None = None
    beside: tuple[tuple[Noun | None, Noun | None], ...] = ()
    """further objects of the same difference, on both sides"""

    @property
    def pieces(self) -> tuple[tuple[Noun | None, Noun | None], ...]:
        """All objects of the difference, on both sides."""
        return ((self.before, self.after), *self.beside)


def found(
    kind: DifferenceKind,
    before: Noun | None,
    after: Noun | None,
    sides: tuple[str | None, str | None],
    *,
    what: str = "",
    beside: tuple[tuple[Noun | None, Noun | None], ...] = (),
) -> Drift:
    """A drift on an object, with both sides as text; `what` says what an unmanaged object is."""
    noun = before if before is not None else after
    table, column = belongs(noun)
    difference = Difference(
        kind=kind,
        object=str(noun),
        database=sides[0],
        models=sides[1],
        table=table,
        column=column,
        object_noun=what,
    )
    return Drift(difference, before, after, beside)


def belongs(noun: Noun | None) -> tuple[str | None, str | None]:
    """The table (`schema.name`) and the column that an object is part of."""
    match noun:
        case Table():
            return f"{noun.schema}.{noun.name}", None
        case Column():
            return f"{noun.schema}.{noun.table}", noun.name
        case Constraint() | Index():
            only = noun.columns[0] if len(noun.columns) == 1 else None
            return f"{noun.schema}.{noun.table}", only
        case AttachedObject():
            return f"{noun.schema}.{noun.table}", None
        case Sequence(owner=str(owner)):
            table, _, column = owner.rpartition(".")
            return table, column
        case _:
            return None, None


def type_of(column: Column) -> str:
    """The type, with its collation where that is not the type's own."""
    return f"{column.type} COLLATE {column.collation}" if column.collation else column.type


def value_of(column: Column) -> str | None:
    """Where the column's value comes from when none is given: identity, expression or default."""
    if column.identity:
        return f"GENERATED {column.identity.upper()} AS IDENTITY"
    if column.generated:
        how, _, expression = column.generated.partition(": ")
        return f"GENERATED ALWAYS AS ({expression}) {how.upper()}"
    return column.default


def describe(column: Column) -> str:
    """The column as it stands in CREATE TABLE, without its name."""
    value = value_of(column)
    parts = [type_of(column)]
    if value is not None:
        parts.append(value if column.identity or column.generated else f"DEFAULT {value}")
    if not column.nullable:
        parts.append("NOT NULL")
    return " ".join(parts)


def columns_text(columns: Iterable[Column]) -> str:
    """A table's columns on one line."""
    return "(" + ", ".join(f"{column.name} {describe(column)}" for column in columns) + ")"


def constraint_text(constraint: Constraint | None) -> str | None:
    """A constraint as Postgres prints it."""
    return constraint.definition if constraint else None


def index_text(index: Index | None) -> str | None:
    """An index as Postgres prints it, and whether it is unusable."""
    if index is None:
        return None
    return index.definition if index.valid else f"{index.definition} (INVALID)"


def sequence_text(sequence: Sequence | None) -> str | None:
    """A sequence's options as they stand in CREATE SEQUENCE."""
    if sequence is None:
        return None
    owner = f" OWNED BY {sequence.owner}" if sequence.owner else ""
    return (
        f"AS {sequence.type} START {sequence.start} INCREMENT {sequence.increment} "
        f"MINVALUE {sequence.minimum} MAXVALUE {sequence.maximum} CACHE {sequence.cache}"
        f"{' CYCLE' if sequence.cycle else ''}{owner}"
    )
