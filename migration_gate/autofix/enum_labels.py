"""What happens to expressions when the labels of an enum are renamed or removed."""

from __future__ import annotations

import re

from migration_gate.autofix.autofix_state import AutofixState
from migration_gate.facts import EnumType
from migration_gate.lazy_dataclass import dataclass
from migration_gate.sql.identifiers import qualified_name
from migration_gate.sql.literals import quote_literal

FOLLOWS_BY_ITSELF = "# Nothing to do: it changes together with the object that it depends on."
"""the comment for what another fix changes with what it depends on"""
_STRING = re.compile(r"'((?:[^']|'')*)'")


@dataclass(frozen=True, slots=True)
class LabelRename:
    """A label that has another name."""

    old: str
    new: str


def find_label_renames(current: tuple[str, ...], target: tuple[str, ...]) -> list[LabelRename]:
    """The labels that only have another name; none if more than names differ."""
    renames = [LabelRename(a, b) for a, b in zip(current, target, strict=False) if a != b]
    are_new = all(rename.old not in target and rename.new not in current for rename in renames)
    return renames if are_new and len(current) == len(target) else []


def follows_label_renames(current: str | None, target: str | None, state: AutofixState) -> bool:
    """Whether renaming labels turns the one expression into the other: Postgres changes it by itself."""
    if current is None or target is None:
        return False
    target_labels = {str(enum): enum.labels for enum in state.target.enums}
    expression = current
    for enum in state.current.enums:
        type_name = qualified_name(enum.schema, enum.name)
        for rename in find_label_renames(enum.labels, target_labels.get(str(enum), enum.labels)):
            old, new = (f"{quote_literal(label)}::{type_name}" for label in (rename.old, rename.new))
            expression = expression.replace(old, new)
    return expression == target != current


def uses_removed_label(expression: str | None, state: AutofixState) -> bool:
    """Whether an expression of the replayed database uses a label that the models' enum lacks."""
    if expression is None:
        return False
    models_labels = {str(enum): enum.labels for enum in state.models.enums}
    return any(
        _loses_label(expression, enum, models_labels.get(str(enum), enum.labels))
        for enum in state.replayed.enums
    )


def _loses_label(expression: str, enum: EnumType, models_labels: tuple[str, ...]) -> bool:
    """Whether the expression uses a label of this enum that is removed, and not only renamed."""
    if f"::{qualified_name(enum.schema, enum.name)}" not in expression:
        return False
    if find_label_renames(enum.labels, models_labels):
        return False
    used = find_string_values(expression) & frozenset(enum.labels)
    return not used.issubset(models_labels)


def find_string_values(expression: str) -> frozenset[str]:
    """The strings of an expression, and the elements of those that are arrays."""
    strings = [string.replace("''", "'") for string in _STRING.findall(expression)]
    arrays = [string[1:-1].split(",") for string in strings if string.startswith("{")]
    elements = frozenset(element.strip('" ') for array in arrays for element in array)
    return frozenset(strings) | elements
