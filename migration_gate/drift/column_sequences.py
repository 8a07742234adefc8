"""The sequence that numbers a column: its own, or one without an owner that only its default uses."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from migration_gate.facts import Sequence, Snapshot
from migration_gate.sql.identifiers import qualified_name


def map_column_sequences(snapshot: Snapshot) -> Mapping[str, Sequence]:
    """By the column, `schema.table.column`. Of several that belong to one, the one that it is numbered by."""
    defaults = {column.full_name: column.default for column in snapshot.columns}
    owned: dict[str, Sequence] = {}
    for sequence in snapshot.sequences:
        owner = sequence.owner
        if owner is not None:
            is_in_use = sequence.identity or defaults.get(owner) == _next_value(sequence)
            if is_in_use or owner not in owned:
                owned[owner] = sequence
    return _map_free_sequences(snapshot) | owned


def _map_free_sequences(snapshot: Snapshot) -> dict[str, Sequence]:
    """The sequences without an owner that the default of one column uses; not those that several share."""
    free = {_next_value(sequence): sequence for sequence in snapshot.sequences if sequence.owner is None}
    users: dict[str, list[str]] = defaultdict(list)
    for column in snapshot.columns:
        if column.default in free:
            users[column.default].append(column.full_name)
    return {columns[0]: free[default] for default, columns in users.items() if len(columns) == 1}


def _next_value(sequence: Sequence) -> str:
    """The default that takes the next number of it, as Postgres prints it."""
    literal = qualified_name(sequence.schema, sequence.name).replace("'", "''")
    return f"nextval('{literal}'::regclass)"
