"""Copies of columns know the column of a table that they were copied from."""

from __future__ import annotations

from typing import Any

COLUMN_SOURCE = "_migration_gate_source"
"""the attribute of a copied column that names the one it was copied from"""


def set_column_source(copied: Any, column: Any) -> None:
    """Have the copy of a table's column know that column, for `find_column_source`."""
    if getattr(column, "table", None) is not None or hasattr(column, COLUMN_SOURCE):
        setattr(copied, COLUMN_SOURCE, column)


def find_column_source(column: Any) -> Any:
    """The column of a table that this one was copied from, through copies of copies; else itself."""
    while hasattr(column, COLUMN_SOURCE):
        column = getattr(column, COLUMN_SOURCE)
    return column
