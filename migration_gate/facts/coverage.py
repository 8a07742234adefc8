"""What a run looked at, of what there is: the proof that a pass is not empty."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Something that was not looked at."""

    object: str
    why: str


@dataclass(frozen=True, slots=True)
class Coverage:
    """What a run looked at; each number beside the number of all."""

    compared_tables: int = 0
    mapped_tables: int = 0
    """tables of target_metadata"""
    run_revisions: int = 0
    revisions: int = 0
    """of the history, whatever the target"""
    statements: int = 0
    """that the revisions ran"""
    left_out: tuple[LeftOut, ...] = ()
