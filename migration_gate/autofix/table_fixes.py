"""Tables: created, dropped and commented, and each option changed by one function."""

from __future__ import annotations

from alembic.operations import ops

from migration_gate.autofix.alembic_renderer import render_operation, schema_argument
from migration_gate.autofix.autofix_state import AutofixState
from migration_gate.autofix.comment_fixes import set_part_comment, set_table_comment
from migration_gate.autofix.ddl_clauses import quote_table_name
from migration_gate.autofix.execute_call import execute_calls
from migration_gate.autofix.part_add_and_drop import add_part, drop_part
from migration_gate.autofix.table_creation import TableCreation, create_table_alone
from migration_gate.facts import Constraint, DifferenceKind, Snapshot, Table
from migration_gate.sql.identifiers import qualified_name


def fix_table(
    kind: DifferenceKind, current: Table | None, target: Table | None, state: AutofixState
) -> list[str]:
    """The lines that turn the one table into the other; None means that there is no such object."""
    if current is None:
        return [] if target is None else create_table(target, state)
    if target is None:
        return drop_table(current, state)
    return set_table_comment(target) if kind == "comment" else change_table_options(current, target)


def create_table(table: Table, state: AutofixState) -> list[str]:
    """The lines that create it, with its constraints and indexes and the foreign keys to it."""
    creation = create_table_alone(table, state.target)
    lines = [*creation.lines, *_finish_constraints(creation)]
    for index in state.target.indexes_of(table):
        if index.constraint is None:
            lines += add_part(index)
    for key in _incoming_foreign_keys(table, state.target, state):
        # In an upgrade, a key that the other side has as well is a difference of its own, with its own fix.
        if state.is_downgrade or not _has_counterpart(key, state.current):
            lines += add_part(key)
    return lines


def _finish_constraints(creation: TableCreation) -> list[str]:
    """The constraints that are still to be created, and the comments of the others."""
    lines: list[str] = []
    for constraint in creation.other_constraints:
        lines += add_part(constraint)
    for constraint in creation.constraints:
        if constraint.comment is not None:
            lines += set_part_comment(constraint, constraint.comment)
    return lines


def drop_table(table: Table, state: AutofixState) -> list[str]:
    """The lines that drop it, after the foreign keys to it."""
    lines: list[str] = []
    # DROP TABLE fails while a foreign key leads to it, and Alembic's operation has no CASCADE.
    for key in _incoming_foreign_keys(table, state.current, state):
        if not (state.is_downgrade and _has_counterpart(key, state.target)):
            lines += drop_part(key)
    return lines + render_operation(ops.DropTableOp(table.name, schema=schema_argument(table.schema)))


def _incoming_foreign_keys(table: Table, snapshot: Snapshot, state: AutofixState) -> list[Constraint]:
    """The foreign keys of other tables to this one, if both sides have the other table."""
    shared_tables = state.shared_tables()
    references = table.full_name
    return [
        constraint
        for constraint in snapshot.constraints
        if constraint.references == references and (constraint.schema, constraint.table) in shared_tables
    ]


def _has_counterpart(key: Constraint, snapshot: Snapshot) -> bool:
    """Whether the snapshot has the foreign key as well, under the same name or of the same columns."""
    return any(
        (other.schema, other.table, other.kind) == (key.schema, key.table, key.kind)
        and (other.name == key.name or other.columns == key.columns)
        for other in snapshot.constraints
    )


def change_table_options(current: Table, target: Table) -> list[str]:
    """The lines that change its persistence, storage parameters and parents; none for its partitioning."""
    changes = [
        *change_persistence(current, target),
        *change_storage_parameters(current, target),
        *change_parents(current, target),
    ]
    name = qualified_name(current.schema, current.name)
    return execute_calls([f"ALTER TABLE {name} {change}" for change in changes])


def change_persistence(current: Table, target: Table) -> list[str]:
    """Whether it is unlogged; what follows ALTER TABLE and its name."""
    if current.persistence == target.persistence:
        return []
    return ["SET UNLOGGED" if target.persistence == "unlogged" else "SET LOGGED"]


def change_storage_parameters(current: Table, target: Table) -> list[str]:
    """Its parameters such as `fillfactor`; what follows ALTER TABLE and its name."""
    current_names = [option.partition("=")[0] for option in current.options]
    target_names = [option.partition("=")[0] for option in target.options]
    changes = []
    removed = [name for name in current_names if name not in target_names]
    if removed:
        changes.append(f"RESET ({', '.join(removed)})")
    if set(target.options) - set(current.options):
        changes.append(f"SET ({', '.join(target.options)})")
    return changes


def change_parents(current: Table, target: Table) -> list[str]:
    """The tables that it inherits from, but for a partition; what follows ALTER TABLE and its name."""
    if current.partition_bound is not None or target.partition_bound is not None:
        return []
    removed = [parent for parent in current.inherits if parent not in target.inherits]
    added = [parent for parent in target.inherits if parent not in current.inherits]
    return [
        *(f"NO INHERIT {quote_table_name(parent)}" for parent in removed),
        *(f"INHERIT {quote_table_name(parent)}" for parent in added),
    ]
