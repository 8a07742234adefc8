"""Enums: created, dropped and renamed, and their labels added, renamed, or replaced with the whole type."""

from __future__ import annotations

from migration_gate.autofix.autofix_state import AutofixState
from migration_gate.autofix.ddl_clauses import alter_column_clause, rename_statements
from migration_gate.autofix.enum_labels import (
    FOLLOWS_BY_ITSELF,
    find_label_renames,
    find_string_values,
    uses_removed_label,
)
from migration_gate.autofix.enum_replacement import create_enum, drop_enum, find_enum_users, replace_enum
from migration_gate.autofix.enum_with_column import comes_with_column
from migration_gate.autofix.execute_call import execute_call, execute_calls
from migration_gate.autofix.part_add_and_drop import add_part
from migration_gate.facts import EnumType
from migration_gate.sql.identifiers import qualified_name
from migration_gate.sql.literals import quote_literal


def fix_enum(current: EnumType | None, target: EnumType | None, state: AutofixState) -> list[str]:
    """The lines that turn the one enum into the other; None means that there is no such object."""
    if current is None or target is None:
        return _create_or_drop(current, target, state)
    if (current.schema, current.name) != (target.schema, target.name):
        return rename_enum(current, target)
    if _is_subsequence(current.labels, target.labels):
        return add_labels(current, target, state)
    return rename_labels(current, target) or replace_enum(current, target, state)


def _create_or_drop(current: EnumType | None, target: EnumType | None, state: AutofixState) -> list[str]:
    """The line for an enum that only one side has."""
    enum = current or target
    if enum is None:
        return []
    if comes_with_column(enum, state):
        return [FOLLOWS_BY_ITSELF]
    return create_enum(enum) if current is None else drop_enum(enum)


def rename_enum(current: EnumType, target: EnumType) -> list[str]:
    """The lines that move it to its other schema and give it its other name."""
    return execute_calls(rename_statements("TYPE", current, target))


def rename_labels(current: EnumType, target: EnumType) -> list[str]:
    """The lines that rename labels; none if more than names differ."""
    enum = qualified_name(current.schema, current.name)
    lines = []
    for rename in find_label_renames(current.labels, target.labels):
        old, new = quote_literal(rename.old), quote_literal(rename.new)
        lines.append(
            f"# Every row with {old} has {new} from then on: right only if that is another spelling of it."
        )
        lines += execute_calls([f"ALTER TYPE {enum} RENAME VALUE {old} TO {new}"])
    return lines


def add_labels(current: EnumType, target: EnumType, state: AutofixState) -> list[str]:
    """The lines that add labels, and in a downgrade whatever used them.

    A new label cannot be used in the transaction that adds it: if something uses it, it has its own.
    """
    enum = qualified_name(current.schema, current.name)
    places = _places_of_new_labels(current, target)
    lines = execute_calls([f"ALTER TYPE {enum} ADD VALUE {place}" for place in places])
    restored = _restore_label_users(current, state) if state.is_downgrade else []
    new_labels = frozenset(target.labels) - frozenset(current.labels)
    if restored or _is_any_used(new_labels, state):
        lines = ["with op.get_context().autocommit_block():", *(f"    {line}" for line in lines)]
    return [*lines, *restored]


def _is_subsequence(short: tuple[str, ...], long: tuple[str, ...]) -> bool:
    rest = iter(long)
    return all(label in rest for label in short)


def _places_of_new_labels(current: EnumType, target: EnumType) -> list[str]:
    """The new labels, each before the next one that is there already."""
    places: list[str] = []
    for number, label in enumerate(target.labels):
        if label in current.labels:
            continue
        following = [known for known in target.labels[number:] if known in current.labels]
        before = f" BEFORE {quote_literal(following[0])}" if following else ""
        places.append(f"{quote_literal(label)}{before}")
    return places


def _is_any_used(labels: frozenset[str], state: AutofixState) -> bool:
    """Whether a default, a CHECK or an index of the target names one of the labels."""
    snapshot = state.target
    expressions = [column.default or column.generated or "" for column in snapshot.columns]
    expressions += [c.definition for c in snapshot.constraints if c.kind == "check"]
    expressions += [index.definition for index in snapshot.indexes]
    return any(not labels.isdisjoint(find_string_values(expression)) for expression in expressions)


def _restore_label_users(enum: EnumType, state: AutofixState) -> list[str]:
    """The lines that add again what used the labels: defaults, CHECKs and indexes."""
    users = find_enum_users(enum, state)
    lines: list[str] = []
    for column in users.columns:
        if uses_removed_label(column.default, state):
            lines.append(execute_call(alter_column_clause(column, f"SET DEFAULT {column.default}")))
    for part in users.parts:
        if uses_removed_label(part.definition, state):
            lines += add_part(part)
    return lines
