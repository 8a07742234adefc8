"""All mutations of the measurement."""

from __future__ import annotations

from benchmarks.drift.column_mutations import COLUMN_MUTATIONS
from benchmarks.drift.origin_mutations import ORIGIN_MUTATIONS
from benchmarks.drift.other_mutations import HARMLESS_MUTATIONS, UNMANAGED_MUTATIONS
from benchmarks.drift.table_mutations import TABLE_MUTATIONS

__all__ = ["DRIFT_MUTATIONS", "HARMLESS_MUTATIONS", "ORIGIN_MUTATIONS", "UNMANAGED_MUTATIONS"]

DRIFT_MUTATIONS = (*COLUMN_MUTATIONS, *TABLE_MUTATIONS, *ORIGIN_MUTATIONS)
