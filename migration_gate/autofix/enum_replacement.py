"""A new enum in the place of the old one: Postgres cannot take labels away, or sort them otherwise."""

from __future__ import annotations

from collections.abc import Iterator

from migration_gate.autofix.autofix_state import AutofixState
from migration_gate.autofix.ddl_clauses import alter_column_clause
from migration_gate.autofix.enum_labels import uses_removed_label
from migration_gate.autofix.execute_call import execute_call, execute_calls
from migration_gate.autofix.part_add_and_drop import add_part, drop_part
from migration_gate.autofix.view_warnings import warn_of_views
from migration_gate.drift.object_pairs import ConstraintOrIndex
from migration_gate.drift.type_names import list_spellings
from migration_gate.facts import Column, EnumType, Snapshot
from migration_gate.lazy_dataclass import dataclass
from migration_gate.sql.identifiers import qualified_name, quote_identifier
from migration_gate.sql.literals import quote_literal


@dataclass(frozen=True, slots=True)
class EnumUsers:
    """What uses an enum."""

    columns: tuple[Column, ...]
    parts: tuple[ConstraintOrIndex, ...]
    """CHECKs, exclusion constraints and indexes that name the type: their columns cannot change their type"""


def replace_enum(current: EnumType, target: EnumType, state: AutofixState) -> list[str]:
    """The lines that create the enum anew and convert all columns to it.

    What uses a removed label is dropped for good, by a fix of its own; in a downgrade it is not there yet.
    """
    users = find_enum_users(current, state)
    lasting_parts = [part for part in users.parts if not uses_removed_label(part.definition, state)]
    dropped_parts = lasting_parts if state.is_downgrade else users.parts
    added_parts = users.parts if state.is_downgrade else lasting_parts
    name = qualified_name(current.schema, current.name)
    old_name = f"{current.name}_old"
    columns = _without_partitions(users.columns, state)
    lines = [*_warn_of_rows(current, target), *_warn_of_all_views(columns, state)]
    for part in dropped_parts:
        lines += drop_part(part)
    lines.append(execute_call(f"ALTER TYPE {name} RENAME TO {quote_identifier(old_name)}"))
    lines += create_enum(target)
    for column in columns:
        lines += _convert_column(column, name, state)
    lines.append(execute_call(f"DROP TYPE {qualified_name(current.schema, old_name)}"))
    for part in added_parts:
        lines += add_part(part)
    return lines


def create_enum(enum: EnumType) -> list[str]:
    """The line that creates it."""
    labels = ", ".join(map(quote_literal, enum.labels))
    return [execute_call(f"CREATE TYPE {qualified_name(enum.schema, enum.name)} AS ENUM ({labels})")]


def drop_enum(enum: EnumType) -> list[str]:
    """The line that drops it."""
    return [execute_call(f"DROP TYPE {qualified_name(enum.schema, enum.name)}")]


def find_enum_users(enum: EnumType, state: AutofixState) -> EnumUsers:
    """The columns of the type, and what names it in an expression on their tables."""
    snapshot = state.replayed
    names = list_spellings(enum.schema, enum.name)
    columns = tuple(column for column in snapshot.columns if column.type.removesuffix("[]") in names)
    tables = {(column.schema, column.table) for column in columns}
    parts = (part for part in _parts_with_expressions(snapshot) if (part.schema, part.table) in tables)
    return EnumUsers(columns, tuple(part for part in parts if _names_type(part, names)))


def _parts_with_expressions(snapshot: Snapshot) -> Iterator[ConstraintOrIndex]:
    for constraint in snapshot.constraints:
        if constraint.kind in ("check", "exclusion"):
            yield constraint
    for index in snapshot.indexes:
        if index.constraint is None:
            yield index


def _names_type(part: ConstraintOrIndex, names: tuple[str, ...]) -> bool:
    return any(f"::{name}" in part.definition for name in names)


def _without_partitions(columns: tuple[Column, ...], state: AutofixState) -> list[Column]:
    """The columns but for those of partitions, which change with their parent."""
    partitions = {
        (table.schema, table.name) for table in state.replayed.tables if table.partition_bound is not None
    }
    return [column for column in columns if (column.schema, column.table) not in partitions]


def _warn_of_rows(current: EnumType, target: EnumType) -> list[str]:
    """A comment that names the labels that no row may have any more."""
    removed = [label for label in current.labels if label not in target.labels]
    if not removed:
        return []
    return [f"# This fails while rows have {' or '.join(map(repr, removed))}: change them first."]


def _warn_of_all_views(columns: list[Column], state: AutofixState) -> list[str]:
    warnings = (line for column in columns for line in warn_of_views(column, state))
    return list(dict.fromkeys(warnings))


def _convert_column(column: Column, enum_name: str, state: AutofixState) -> list[str]:
    """The lines that give the column the new type, its default dropped before and set again after."""
    array = "[]" if column.type.endswith("[]") else ""
    new_type = f"{enum_name}{array}"
    conversion = f"{quote_identifier(column.name)}::text{array}::{new_type}"
    changes = [f"TYPE {new_type} USING {conversion}"]
    if column.default is not None:
        changes.insert(0, "DROP DEFAULT")
        if state.is_downgrade or not uses_removed_label(column.default, state):
            changes.append(f"SET DEFAULT {column.default}")
    return execute_calls([alter_column_clause(column, change) for change in changes])
