"""Constraints and indexes: added, dropped, renamed, validated, or put in the place of another."""

from __future__ import annotations

from migration_gate.autofix.autofix_state import AutofixState, find_column
from migration_gate.autofix.column_fixes import change_nullability
from migration_gate.autofix.comment_fixes import set_part_comment
from migration_gate.autofix.ddl_clauses import table_name
from migration_gate.autofix.enum_labels import FOLLOWS_BY_ITSELF, follows_label_renames, uses_removed_label
from migration_gate.autofix.execute_call import execute_call
from migration_gate.autofix.part_add_and_drop import add_part, drop_part
from migration_gate.drift.column_dependence import depends_on_columns
from migration_gate.drift.object_pairs import ConstraintOrIndex
from migration_gate.facts import Constraint, DifferenceKind, Index
from migration_gate.sql.identifiers import qualified_name, quote_identifier


def fix_part(
    kind: DifferenceKind,
    current: ConstraintOrIndex | None,
    target: ConstraintOrIndex | None,
    state: AutofixState,
) -> list[str]:
    """The lines that turn the one constraint or index into the other; None: there is no such object."""
    if current is not None and target is not None:
        lines = _change_in_place(kind, current, target, state)
        if lines:
            return lines
    if _is_added_by_other_fix(target, state):
        target = None
    elif _is_dropped_by_other_fix(current, state):
        current = None
    if current is None and target is None:
        return [FOLLOWS_BY_ITSELF]
    lines = _replace_part(current, target, state)
    if kind == "primary key" and current is not None:
        lines += _allow_nulls_of_old_key(current, target, state)
    return lines


def _replace_part(
    current: ConstraintOrIndex | None, target: ConstraintOrIndex | None, state: AutofixState
) -> list[str]:
    """The lines that put the one in the place of the other, with the foreign keys dropped in between."""
    if current is None or target is None:
        return change_part(current, target)
    keys = _find_dependent_keys(current, state)
    lines: list[str] = []
    for key in keys:
        lines += drop_part(key)
    lines += change_part(current, target)
    for key in keys:
        lines += add_part(key)
    return lines


def _find_dependent_keys(part: ConstraintOrIndex, state: AutofixState) -> list[Constraint]:
    """The foreign keys that reference what the part makes unique: it cannot be replaced while they are there.

    Those that a fix of their own drops are not there any more, or not yet again.
    """
    is_unique = part.unique if isinstance(part, Index) else part.kind in ("primary key", "unique")
    if not is_unique:
        return []
    lasting = {identity for key in state.models.constraints for identity in _identities_of(key)}
    return [
        key
        for key in state.replayed.constraints
        if key.references == part.full_table_name
        and set(key.referenced_columns) == set(part.columns)
        and not lasting.isdisjoint(_identities_of(key))
    ]


def _identities_of(key: Constraint) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Its table with its name, and its table with its columns: either finds it on the other side."""
    return (key.schema, key.table, key.name), (key.schema, key.table, "", *key.columns)


def _change_in_place(
    kind: DifferenceKind, current: ConstraintOrIndex, target: ConstraintOrIndex, state: AutofixState
) -> list[str]:
    """The lines that change it without dropping it; none if Postgres cannot."""
    if kind == "comment":
        return set_part_comment(current, target.comment)
    if kind == "name-only":
        return rename_part(current, target)
    if follows_label_renames(current.definition, target.definition, state):
        return [FOLLOWS_BY_ITSELF]
    return []


def _is_added_by_other_fix(target: ConstraintOrIndex | None, state: AutofixState) -> bool:
    """Whether a later line of the downgrade adds what the part depends on, and the part with it."""
    return state.is_downgrade and target is not None and _depends_on_new_object(target, state)


def _is_dropped_by_other_fix(current: ConstraintOrIndex | None, state: AutofixState) -> bool:
    """Whether an earlier line of the upgrade drops what the part depends on, and the part with it."""
    is_upgrade = not state.is_downgrade
    return is_upgrade and current is not None and _depends_on_new_object(current, state.reversed())


def _depends_on_new_object(part: ConstraintOrIndex, state: AutofixState) -> bool:
    """Whether the part depends on a column, a table or a label that is not there yet."""
    if depends_on_columns(part, state.new_columns(part)) or uses_removed_label(part.definition, state):
        return True
    references = part.references if isinstance(part, Constraint) else None
    if references is None:
        return False
    current_tables = {table.full_name for table in state.current.tables}
    return references not in current_tables


def change_part(current: ConstraintOrIndex | None, target: ConstraintOrIndex | None) -> list[str]:
    """The lines that put the one in the place of the other; None means that there is no such object."""
    if isinstance(current, Constraint) and isinstance(target, Constraint):
        is_only_unchecked = current.definition == f"{target.definition} NOT VALID"
        if is_only_unchecked and current.name == target.name:
            return validate_constraint(target)
    lines = [] if current is None else drop_part(current)
    return lines if target is None else [*lines, *add_part(target)]


def validate_constraint(constraint: Constraint) -> list[str]:
    """The line that checks the rows that were there before the constraint."""
    name = quote_identifier(constraint.name)
    return [execute_call(f"ALTER TABLE {table_name(constraint)} VALIDATE CONSTRAINT {name}")]


def rename_part(current: ConstraintOrIndex, target: ConstraintOrIndex) -> list[str]:
    """The line that gives it its other name."""
    old, new = quote_identifier(current.name), quote_identifier(target.name)
    if isinstance(current, Index):
        index = qualified_name(current.schema, current.name)
        return [execute_call(f"ALTER INDEX {index} RENAME TO {new}")]
    return [execute_call(f"ALTER TABLE {table_name(current)} RENAME CONSTRAINT {old} TO {new}")]


def _allow_nulls_of_old_key(
    current: ConstraintOrIndex, target: ConstraintOrIndex | None, state: AutofixState
) -> list[str]:
    """The lines that let the columns of a dropped key be NULL again: Postgres leaves them NOT NULL."""
    remaining = target.columns if target is not None else ()
    lines: list[str] = []
    for name in current.columns:
        if name is None or name in remaining:
            continue
        current_column, target_column = (
            find_column(snapshot, current.schema, current.table, name)
            for snapshot in (state.current, state.target)
        )
        if current_column is not None and target_column is not None and target_column.nullable:
            lines += change_nullability(current_column, target_column, state)
    return lines
