"""How long the stages of a run took."""

from __future__ import annotations

from migration_gate.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class StageTime:
    """How long a stage of the run took."""

    stage: str
    seconds: float
    """wall time"""
