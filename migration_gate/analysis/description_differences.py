"""How what a statement wanted to create differs from what has the name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from migration_gate.facts import NamedDefinition, ObjectDescription
from migration_gate.lazy_dataclass import dataclass
from migration_gate.sql.identifiers import quote_identifier


@dataclass(frozen=True, slots=True)
class PartDifference:
    """One part that is not as it was wanted."""

    wanted: str
    existing: str
    column: str | None = None
    """the column that the part is, or belongs to"""
    is_extra: bool = False
    """the existing object has a column that was not wanted"""


def find_part_differences(
    wanted: ObjectDescription, existing: ObjectDescription
) -> tuple[PartDifference, ...]:
    """The parts in which they differ. Constraints and options that only the existing one has are left out:

    statements of their own may have added them, and what was wanted is there all the same.
    """
    if wanted.kind != existing.kind:
        return (PartDifference(wanted.kind, existing.kind),)
    return tuple(_find_differences_of_one_kind(wanted, existing))


def _find_differences_of_one_kind(
    wanted: ObjectDescription, existing: ObjectDescription
) -> Iterator[PartDifference]:
    if wanted.definition != existing.definition:
        yield PartDifference(wanted.definition or "nothing", existing.definition or "nothing")
    if wanted.labels != existing.labels:
        yield PartDifference(_list_labels(wanted.labels), _list_labels(existing.labels))
    yield from _find_column_differences(wanted.columns, existing.columns)
    yield from _find_constraint_differences(wanted, existing)
    yield from _find_property_differences(wanted.properties, existing.properties)


def _list_labels(labels: Iterable[str]) -> str:
    return ", ".join("'" + label.replace("'", "''") + "'" for label in labels)


def _find_column_differences(
    wanted: Sequence[NamedDefinition], existing: Sequence[NamedDefinition]
) -> Iterator[PartDifference]:
    unpaired = {column.name: column.definition for column in existing}
    for column in wanted:
        definition = unpaired.pop(column.name, None)
        if definition != column.definition:
            yield PartDifference(
                _column_text(column.name, column.definition),
                _column_text(column.name, definition),
                column=column.name,
            )
    for name, definition in unpaired.items():
        yield PartDifference(
            _column_text(name, None), _column_text(name, definition), column=name, is_extra=True
        )


def _column_text(name: str, definition: str | None) -> str:
    if definition is None:
        return f"no column {quote_identifier(name)}"
    return f"{quote_identifier(name)} {definition}"


def _find_constraint_differences(
    wanted: ObjectDescription, existing: ObjectDescription
) -> Iterator[PartDifference]:
    missing = [item for item in wanted.constraints if item not in existing.constraints]
    extra = [item for item in existing.constraints if item not in wanted.constraints]
    for constraint in missing:
        kind = constraint.partition(" (")[0]  # FOREIGN KEY, UNIQUE
        existing_text = next((other for other in extra if other.startswith(kind)), f"no {constraint}")
        yield PartDifference(constraint, existing_text, column=_find_named_column(constraint, wanted))


def _find_named_column(constraint: str, description: ObjectDescription) -> str | None:
    """The first column of the object whose name the constraint holds."""
    names = (column.name for column in description.columns)
    return next((name for name in names if quote_identifier(name) in constraint), None)


def _find_property_differences(
    wanted: Iterable[NamedDefinition], existing: Iterable[NamedDefinition]
) -> Iterator[PartDifference]:
    """Properties that are wanted otherwise: PARTITION BY, WITH, OWNER."""
    definitions = {item.name: item.definition for item in existing}
    for item in wanted:
        definition = definitions.get(item.name, "not given")
        if definition != item.definition:
            yield PartDifference(f"{item.name} {item.definition}", f"{item.name} {definition}")
