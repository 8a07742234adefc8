"""What a run looked at, of what there is: the proof that a pass is not empty."""

from __future__ import annotations

from enum import StrEnum

from migration_gate.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Something that was not looked at."""

    object: str
    why: str


@dataclass(frozen=True, slots=True)
class Unchecked:
    """Something that could not be checked."""

    object: str
    """a file, a table, or a part of the run: `models`"""
    why: str
    advice: str = ""
    """the next step, if it is not to give the gate what it lacks"""
    is_foreseen: bool = False
    """the settings have it so, or the gate can do no more: a warning, as an error would come each time"""


class Subject(StrEnum):
    """What checks look at, one by one."""

    TRACKED_FILE = "tracked file"
    """whose name was read, and its text where a check wants that"""
    REVISION = "revision"
    RUN_REVISION = "revision that ran"
    ROLLED_BACK = "rolled back revision"
    OBSERVED = "observed revision"
    REHEARSED = "rehearsed revision"
    RUNNING_TABLE = "live table"
    """of the models at the base: its statements were tried"""
    METADATA = "MetaData with models"
    MODEL = "model"
    """of the metadata, or a class in the source"""
    COMPARED_TABLE = "compared table"
    OWNER_COLUMN = "owner column"
    OWNED_TABLE = "owned table"
    """that the configuration wants an owner column of"""
    RUN = "run"


@dataclass(frozen=True, slots=True)
class CheckCoverage:
    """How many of its subject a check looked at."""

    check: str
    subject: str
    count: int


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
