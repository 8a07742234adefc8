"""Fixes of types that views, triggers or policies stand in the way of: these go before, and come after."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any, TypeAlias

import psycopg

from migration_gate.autofix.execute_call import execute_calls
from migration_gate.catalog.dependent_objects import DependentObjects, read_dependents
from migration_gate.drift.type_names import list_spellings
from migration_gate.facts import Column, Difference, Snapshot
from migration_gate.replay.revision_interpreter import has_statements

Connect: TypeAlias = Callable[[], AbstractContextManager[psycopg.Connection[Any]]]
LOST_PRIVILEGES = (
    "# What production gave to these views outside of the migrations, such as privileges, goes with them."
)
_NEW_ENUM = re.compile(r"\bALTER TYPE \S+ RENAME TO\b.*\bCREATE TYPE\b", re.DOTALL)
_ADVICE = re.compile(r"^# .* may use .*: drop .* first, and create .* again after\.$")
"""the comment that names what has to be dropped by hand"""


def take_dependents_away(
    connect: Connect, differences: tuple[Difference, ...], catalog: Snapshot
) -> tuple[Difference, ...]:
    """The differences; the lines for a type, with those that drop what uses its columns and create it again.

    Nothing is read if the database has no view, trigger or policy.
    """
    users = (*catalog.views, *catalog.triggers, *catalog.policies)
    if not users or not any(map(_changes_type, differences)):
        return differences
    try:
        with connect() as connection:
            return tuple(
                _wrap_fix(item, read_dependents(connection, columns, catalog.policies)) if columns else item
                for item in differences
                for columns in (_list_columns(item, catalog),)
            )
    except psycopg.Error:
        return differences  # Postgres then refuses what it refuses, and that is said


def _changes_type(difference: Difference) -> bool:
    """Whether the lines change the type of a column, or drop a generated column and add it again."""
    is_replaced = difference.kind == "default" and "op.drop_column(" in difference.upgrade
    is_changed = difference.kind == "type" and bool(difference.upgrade) and has_statements(difference.upgrade)
    return is_changed or is_replaced or _replaces_enum(difference)


def _replaces_enum(difference: Difference) -> bool:
    """Whether lines put a new enum in the place of the old one, and convert its columns."""
    codes = (difference.upgrade, difference.downgrade)
    return difference.kind == "enum" and any(map(_NEW_ENUM.search, codes))


def _list_columns(difference: Difference, catalog: Snapshot) -> list[Column]:
    """The columns whose type the lines change; none if they change no type."""
    if not _changes_type(difference):
        return []
    if not _replaces_enum(difference):
        return [column for column in catalog.columns if str(column) == difference.object]
    enums = (enum for enum in catalog.enums if str(enum) == difference.object)
    names = {name for enum in enums for name in list_spellings(enum.schema, enum.name)}
    return [column for column in catalog.columns if column.type.removesuffix("[]") in names]


def _wrap_fix(difference: Difference, dependents: DependentObjects) -> Difference:
    """The lines of both directions between what drops the dependent objects and what creates them."""
    if not dependents.removals:
        return difference
    upgrade, downgrade = (
        code
        if difference.kind == "enum" and not _NEW_ENUM.search(code)  # a label is added to an enum in use
        else _wrap_code(code, dependents)
        for code in (difference.upgrade, difference.downgrade)
    )
    return replace(difference, upgrade=upgrade, downgrade=downgrade)


def _wrap_code(code: str, dependents: DependentObjects) -> str:
    warning = [LOST_PRIVILEGES] if dependents.has_views else []
    lines = [line for line in code.splitlines() if not _ADVICE.match(line)]
    removals, creations = (
        execute_calls(list(statements)) for statements in (dependents.removals, dependents.creations)
    )
    return "\n".join((*warning, *removals, *lines, *creations))
