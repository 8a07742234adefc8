"""Foreign keys between columns that change their types together: Postgres accepts no key in between."""

from __future__ import annotations

from collections.abc import Iterator

from migration_gate.autofix.autofix_state import AutofixState, find_column
from migration_gate.autofix.part_add_and_drop import add_part, drop_part
from migration_gate.drift.type_names import NUMBER_TYPES, is_text_type, type_without_length
from migration_gate.facts import Column, Constraint


def drop_keys_before(column: Column, state: AutofixState) -> list[str]:
    """The lines that drop the keys of which this column is the first to change."""
    lines: list[str] = []
    for key, columns in _find_keys(column, state):
        if str(column) == (max(columns) if state.is_downgrade else min(columns)):
            lines += drop_part(key)
    return lines


def add_keys_after(column: Column, state: AutofixState) -> list[str]:
    """The lines that add the keys again of which this column is the last to change."""
    lines: list[str] = []
    for key, columns in _find_keys(column, state):
        if str(column) == (min(columns) if state.is_downgrade else max(columns)):
            lines += add_part(key)
    return lines


def _find_keys(column: Column, state: AutofixState) -> Iterator[tuple[Constraint, list[str]]]:
    """The foreign keys from or to the column that both sides have, and all of their columns that change.

    Types change in the order of the columns' names, in a downgrade in the reverse order.
    """
    models_keys = {(key.schema, key.table, key.columns, key.references) for key in state.models.constraints}
    for key in state.replayed.constraints:
        if key.references is None or (key.schema, key.table, key.columns, key.references) not in models_keys:
            continue
        schema, _, table = key.references.partition(".")
        ends = [(key.schema, key.table, name) for name in key.columns]
        ends += [(schema, table, name) for name in key.referenced_columns]
        if (column.schema, column.table, column.name) in ends:
            changed = [str(c) for end in ends for c in _changed_columns(end, state)]
            if len(changed) > 1:
                yield key, changed


def _changed_columns(name: tuple[str, str, str], state: AutofixState) -> Iterator[Column]:
    """The column, if its old and its new type cannot be compared with each other."""
    replayed, models = (find_column(snapshot, *name) for snapshot in (state.replayed, state.models))
    if replayed and models and _family(replayed.type) != _family(models.type):
        yield replayed


def _family(type_name: str) -> str:
    """What a foreign key may join."""
    name = type_without_length(type_name)
    if name in NUMBER_TYPES:
        return "number"
    return "text" if is_text_type(name) or name == "character" else name
