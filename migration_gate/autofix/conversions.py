"""The expression that makes a column's new value of the old one: what follows USING.

Whether Postgres has such a conversion shows when the revision is run; here is only which one is meant.
"""

from __future__ import annotations

from migration_gate.autofix.autofix_state import AutofixState
from migration_gate.autofix.sqlalchemy_types import find_enum
from migration_gate.drift.type_names import NUMBER_TYPES, type_without_length
from migration_gate.facts.catalog import Column
from migration_gate.sql.identifiers import quote_identifier


def write_conversion(current: Column, target: Column, state: AutofixState) -> str:
    """The expression; an enum is converted by its text, and a number is true where it is not 0."""
    name = quote_identifier(target.name)
    current_type, target_type = type_without_length(current.type), type_without_length(target.type)
    if current_type in NUMBER_TYPES and target_type == "boolean":
        return f"{name} <> 0"
    if current_type == "boolean" and target_type in NUMBER_TYPES:
        return f"{name}::integer"
    if current_type == "money" and target_type in NUMBER_TYPES:
        return f"{name}::numeric::{target.type}"
    if current_type != target_type and (_is_enum(current, state, is_target=False) or _is_enum(target, state)):
        array = "[]" if current.type.endswith("[]") else ""
        return f"{name}::text{array}::{target.type}"
    return f"{name}::{target.type}"


def _is_enum(column: Column, state: AutofixState, *, is_target: bool = True) -> bool:
    """Whether its type is an enum or an array of one."""
    snapshot = state.target if is_target else state.current
    return find_enum(column.type.removesuffix("[]"), snapshot) is not None
