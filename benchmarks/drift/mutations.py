"""All single differences of the measurement."""

from __future__ import annotations

from benchmarks.drift.of_columns import OF_COLUMNS
from benchmarks.drift.of_neither import NONE, UNMANAGED
from benchmarks.drift.of_tables import OF_TABLES

__all__ = ["DRIFT", "NONE", "UNMANAGED"]

DRIFT = (*OF_COLUMNS, *OF_TABLES)
