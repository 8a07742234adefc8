"""An enum that only the models have, for one column alone: it comes and goes with the column's type."""

from __future__ import annotations

from migration_gate.autofix.autofix_state import AutofixState, find_column
from migration_gate.autofix.enum_replacement import create_enum, drop_enum
from migration_gate.autofix.sqlalchemy_types import find_enum
from migration_gate.facts import Column, EnumType


def comes_with_column(enum: EnumType, state: AutofixState) -> bool:
    """Whether the lines that change a column's type create it, too."""
    if any(str(other) == str(enum) for other in state.replayed.enums):
        return False
    users = [column for column in state.models.columns if _enum_of(column, state) == enum]
    return len(users) == 1 and _is_in_database(users[0], state)


def _enum_of(column: Column, state: AutofixState) -> EnumType | None:
    return find_enum(column.type.removesuffix("[]"), state.models)


def _is_in_database(column: Column, state: AutofixState) -> bool:
    return find_column(state.replayed, column.schema, column.table, column.name) is not None


def create_enum_of(column: Column, state: AutofixState) -> list[str]:
    """The line that creates the enum of the column's new type; none in a downgrade."""
    enum = _enum_of(column, state)
    if state.is_downgrade or enum is None or not comes_with_column(enum, state):
        return []
    return create_enum(enum)


def drop_enum_of(column: Column, state: AutofixState) -> list[str]:
    """The line that drops the enum of the column's old type again; none in an upgrade."""
    enum = _enum_of(column, state)
    if not state.is_downgrade or enum is None or not comes_with_column(enum, state):
        return []
    return drop_enum(enum)
