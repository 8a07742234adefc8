"""How what a statement wanted to create differs from what has the name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from migration_gate.facts import NamedDefinition, ObjectDescription
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
    there = {item.name: item.definition for item in existing.properties}
    for item in wanted.properties:
        if there.get(item.name) != item.definition:
            yield PartDifference(
                f"{item.name} {item.definition}", f"{item.name} {there.get(item.name, 'not given')}"
            )


def _list_labels(labels: Iterable[str]) -> str:
    return ", ".join("'" + label.replace("'", "''") + "'" for label in labels)


def _find_column_differences(
    wanted: Sequence[NamedDefinition], existing: Sequence[NamedDefinition]
) -> Iterator[PartDifference]:
    there = {column.name: column.definition for column in existing}
    for column in wanted:
        definition = there.pop(column.name, None)
        if definition != column.definition:
            yield PartDifference(
                _column_text(column.name, column.definition),
                _column_text(column.name, definition),
                column=column.name,
            )
    for name, definition in there.items():
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
    there = [constraint for constraint in existing.constraints if constraint not in wanted.constraints]
    names = [column.name for column in wanted.columns]
    for constraint in wanted.constraints:
        if constraint in existing.constraints:
            continue
        kind = constraint.partition(" (")[0]
        others = [other for other in there if other.startswith(kind)]
        column = next((name for name in names if quote_identifier(name) in constraint), None)
        yield PartDifference(constraint, others[0] if others else f"no {constraint}", column=column)
