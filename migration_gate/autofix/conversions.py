"""The expression that makes a column's new value of the old one: what follows USING.

Whether Postgres has such a conversion shows when the revision is run; here is only which one is meant.
"""

from __future__ import annotations

from migration_gate.autofix.autofix_state import AutofixState
from migration_gate.autofix.sqlalchemy_types import find_enum
from migration_gate.drift.type_names import NUMBER_TYPES, TEXT_TYPES, type_without_length
from migration_gate.facts import Column, Snapshot
from migration_gate.sql.identifiers import quote_identifier


def write_conversion(current: Column, target: Column, state: AutofixState) -> str:
    """The expression; an enum is converted by its text, and a number is true if it is not 0."""
    name = quote_identifier(target.name)
    current_type, target_type = type_without_length(current.type), type_without_length(target.type)
    if current_type in NUMBER_TYPES and target_type == "boolean":
        return f"{name} <> 0"
    if current_type == "boolean" and target_type in NUMBER_TYPES:
        return f"{name}::integer"
    # Postgres casts money to and from numeric alone.
    if "money" in (current_type, target_type) and not NUMBER_TYPES.isdisjoint({current_type, target_type}):
        return f"{name}::numeric::{target.type}"
    if current_type != target_type and _is_text_of_enum(current, target, state):
        array = "[]" if current.type.endswith("[]") else ""
        return f"{name}::text{array}::{target.type}"
    return f"{name}::{_type_for_cast(target.type)}"


def _type_for_cast(type_name: str) -> str:
    """The type without its length: a cast to `varchar(9)` cuts longer texts, and without it they are refused.

    `character` alone is one character long.
    """
    element = type_without_length(type_name).removesuffix("[]")
    if element == "character":
        return "text" + type_name[len(type_name.removesuffix("[]")) :]
    return type_without_length(type_name) if element == "character varying" else type_name


def _is_text_of_enum(current: Column, target: Column, state: AutofixState) -> bool:
    """Whether one is an enum, and the other an enum or text: no other values are labels."""
    was_enum, is_enum = _is_enum(current, state.current), _is_enum(target, state.target)
    if was_enum and is_enum:
        return True
    return (was_enum and _is_text(target)) or (is_enum and _is_text(current))


def _is_enum(column: Column, snapshot: Snapshot) -> bool:
    """Whether its type is an enum or an array of one."""
    return find_enum(column.type.removesuffix("[]"), snapshot) is not None


def _is_text(column: Column) -> bool:
    """Whether its type is text or an array of text."""
    return type_without_length(column.type).removesuffix("[]") in (*TEXT_TYPES, "character")
