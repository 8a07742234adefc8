"""Foreign keys between columns that change their types together: Postgres accepts no key in between."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from migration_gate.autofix.autofix_state import AutofixState, find_column
from migration_gate.autofix.part_add_and_drop import add_part, drop_part
from migration_gate.drift.type_names import NUMBER_TYPES, is_text_type, type_without_length
from migration_gate.facts import Column, Constraint, Snapshot


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
    for key in state.replayed.constraints:
        ends = _list_ends(key)
        is_of_column = (column.schema, column.table, column.name) in ends
        if is_of_column and _has_key(state.models, key):
            changed = list(_find_changed_columns(ends, state))
            if len(changed) > 1:
                yield key, changed


def _has_key(snapshot: Snapshot, key: Constraint) -> bool:
    """Whether it is there as well, whatever its name."""
    others = snapshot.constraints_in(key.schema, key.table)
    return any(_identity_of(other) == _identity_of(key) for other in others)


def _identity_of(key: Constraint) -> object:
    """Equal for one key on both sides, whatever its name."""
    return key.schema, key.table, key.columns, key.references


def _list_ends(key: Constraint) -> list[tuple[str, str, str]]:
    """Schema, table and name of each column that the key joins; none for other constraints."""
    if key.references is None:
        return []
    schema, _, table = key.references.partition(".")
    own = [(key.schema, key.table, name) for name in key.columns]
    return own + [(schema, table, name) for name in key.referenced_columns]


def _find_changed_columns(names: Iterable[tuple[str, str, str]], state: AutofixState) -> Iterator[str]:
    """The columns whose old and new types cannot be compared with each other."""
    for name in names:
        replayed, models = (find_column(snapshot, *name) for snapshot in (state.replayed, state.models))
        if replayed and models and _find_family(replayed.type) != _find_family(models.type):
            yield str(replayed)


def _find_family(type_name: str) -> str:
    """What a foreign key may join."""
    name = type_without_length(type_name)
    if name in NUMBER_TYPES:
        return "number"
    return "text" if is_text_type(name) or name == "character" else name
